import json
from pathlib import Path

import duckdb
import numpy as np
import pytest

from actors.backtest.tick_kernel import TickKernel, TickResult
from actors.backtest.tick_kernel_data import TickDataFault, load_ticks
from actors.backtest.tick_kernel_events import ASK, BID, SOLD, StartBook, TickEvents
from actors.backtest.tick_kernel_orders import LAST_IN_LINE, PROPORTIONAL, TickTerms
from actors.backtest.tick_kernel_quoter import QuoterMemory, QuoterParams, quote

DATA = Path(__file__).parents[4] / "shared" / "data"
NAME = "BINANCE_BTCUSDT_PERP_2024-08-08T2354"
DEPTH_COLUMNS = "T_ms, local_us, U, u, pu, side, price, qty"


@pytest.fixture(scope="module")
def market() -> tuple[StartBook, TickEvents]:
    depth = DATA / "book" / f"{NAME}_depthdiff.parquet"
    if not depth.exists():
        pytest.skip("the recorded market is not here")
    snapshot = DATA / "book" / f"{NAME}_rest_snapshot.json"
    return load_ticks(depth, DATA / "trades" / f"{NAME}.parquet", snapshot, tick="0.1", lot="0.001")


def made(market: tuple[StartBook, TickEvents], queue: int) -> TickResult:
    terms = TickTerms(10_000, 20_000, 50_000, queue, 100_000_000, 10**13)
    kernel = TickKernel(
        quote,
        *market,
        terms,
        entry_latency_ns=10_000_000,
        response_latency_ns=10_000_000,
        window_ticks=40_000,
        compile_it=False,
    )
    return kernel.run(QuoterParams(0.05, 0.1, 0.5, 100.0, 10, 100), QuoterMemory(0.0, 0.0), 10_000)


@pytest.mark.parametrize("queue", [LAST_IN_LINE, PROPORTIONAL])
def test_a_maker_in_a_recorded_market_fills_only_where_the_market_came(
    market: tuple[StartBook, TickEvents], queue: int
) -> None:
    result, events = made(market, queue), market[1]
    assert result.crossed_count == 0
    assert result.fills_count == len(result.fills.T) > 100
    for at, signed, price, _, is_maker in result.fills.T:
        rows = slice(*np.searchsorted(events.at_ns, [at, at + 1]))
        kinds, prices = events.kind[rows], events.price_ticks[rows]
        came = kinds == (SOLD if signed > 0 else SOLD - 1)
        came |= (kinds == (ASK if signed > 0 else BID)) & (events.size[rows] > 0)
        beyond = prices <= price if signed > 0 else prices >= price
        assert is_maker
        assert (came & beyond).any(), f"nothing came to {price} at {at}"


def test_a_later_place_in_the_queue_never_fills_more(market: tuple[StartBook, TickEvents]) -> None:
    last, forward = made(market, LAST_IN_LINE), made(market, PROPORTIONAL)
    assert last.volume_lots < forward.volume_lots


def written(folder: Path, rows: list[str]) -> tuple[Path, Path, Path]:
    depth, trades, snapshot = folder / "depth.parquet", folder / "trades.parquet", folder / "snapshot.json"
    values = ", ".join(rows)
    duckdb.execute(
        f"COPY (SELECT * FROM (VALUES {values}) t(T_ms, local_us, A, B, pu, side, price, qty)) TO '{depth}'"
    )
    renamed = folder / "renamed.parquet"
    duckdb.execute(
        f"COPY (SELECT T_ms, local_us, A AS U, B AS u_1, pu, side, price, qty FROM '{depth}') TO '{renamed}'"
    )
    tape = "VALUES (5, 5000, 'buy', 10.2, 1.0)"
    duckdb.execute(f"COPY (SELECT * FROM ({tape}) t(ts_ms, local_us, side, price, qty)) TO '{trades}'")
    snapshot.write_text(json.dumps({"lastUpdateId": 7, "bids": [["10.1", "1"]], "asks": [["10.2", "1"]]}))
    return renamed, trades, snapshot


FIRST = "(4, 4000, 6, 8, 5, 'b', 10.0, 2.0)"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([FIRST, "(6, 6000, 10, 11, 9, 'b', 10.0, 1.0)"], "row 2: follows update 9, but 8 came before it"),
        (["(4, 4000, 8, 9, 7, 'b', 10.0, 2.0)"], "row 1: begins at 8, after the snapshot"),
        (["(4, 4000, 1, 2, 0, 'b', 10.0, 2.0)"], "ends before the snapshot"),
        ([FIRST, "(6, 6000, 9, 11, 8, 'b', 10.05, 1.0)"], "row 2: price 10.05 is no multiple of 0.1"),
        (
            [FIRST, "(6, 6000, 9, 11, 8, 'b', 10.3, 1.0)", "(7, 7000, 12, 12, 11, 'b', 9.0, 1.0)"],
            "row 2: crossed after 6 ms",
        ),
        ([FIRST, "(6, 6000, 9, 11, 8, 'b', NULL, 1.0)"], "row 2: price is missing"),
        (
            ["(2, 2000, 3, 4, 2, 'b', 10.0, 2.0)", FIRST, "(6, 6000, 9, 11, 8, 'b', 10.05, 1.0)"],
            "row 3: price 10.05 is no multiple",  # the first lies before the snapshot
        ),
    ],
)
def test_an_unsound_recording_is_refused_with_its_row(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(TickDataFault, match=message):
        load_ticks(*written(tmp_path, rows), tick="0.1", lot="1")


@pytest.mark.parametrize(
    ("text", "message"), [("{", "cannot be read"), ('{"bids": [], "asks": []}', "has no lastUpdateId")]
)
def test_a_snapshot_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    files = written(tmp_path, [FIRST])
    files[2].write_text(text)
    with pytest.raises(TickDataFault, match=message):
        load_ticks(*files, tick="0.1", lot="1")


def test_a_sound_recording_gives_its_events_in_order(tmp_path: Path) -> None:
    rows = [FIRST, "(5, 5500, 9, 11, 8, 'a', 10.2, 0.0)"]
    start, events = load_ticks(*written(tmp_path, rows), tick="0.1", lot="1", feed_latency_ns_min=7)
    assert (start.bid_ticks.tolist(), start.ask_size.tolist()) == ([101], [1])
    assert events.kind.tolist() == [BID, SOLD - 1, ASK]
    assert events.price_ticks.tolist() == [100, 102, 102]
    assert events.seen_ns.tolist() == [4_000_007, 5_500_007, 5_500_007]
