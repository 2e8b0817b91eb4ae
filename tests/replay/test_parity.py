"""One tape, three runs: the backtest, paper at the speed of the market, and adapter and exchange over bytes.
They are equal to the last unit. Over bytes three things are different, and declared: the exchange numbers
its trades from another number on; a settlement of funding is told when the adapter looks for it, 15 s after
the hour, since no stream tells it; and beside its amount nothing is told of it.

With real data: every trade around the crash, and a month of minutes (in the long suite; a day here).
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from actors.backtest.record import RunRecord
from actors.backtest.scan import scan
from actors.backtest.wish import Wish
from actors.deployment.assemble import assemble
from actors.deployment.backtest import BacktestRun
from actors.deployment.history import load_history
from actors.deployment.loader import load
from actors.feed.files import ParquetTable
from actors.feed.settings import ReplaySettings
from actors.ledger.events import FillBooked, FundingBooked
from actors.messages.trading import Reason
from actors.oms.events import OrderFillApplied, OrderSubmitted
from actors.runtime.simulation import Simulation
from actors.strategy.events import SignalDecided
from tests.replay.over_bytes import run_over_bytes
from tests.replay.real_data import DATA, FOLDER
from tests.simulation.paper import recorded

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real data is not here")

DAY_MS = 86_400_000
CRASH_MS = 1_760_119_200_000  # 2025-10-10T18:00Z
MAY_MS = 1_747_699_200_000  # 2025-05-20T00:00Z
FUNDING = {
    "btc": "BINANCE_BTCUSDT_PERP_FUNDING_2019-09_2026-05",
    "eth": "BINANCE_ETHUSDT_PERP_FUNDING_2019-11_2026-05",
}
LATENCY_NS = 30_000_000  # as real_account.yaml says of venue.simulated
SERVED_TRADES_FROM = 100_000_000
ENVIRONMENT = {"POLYTRADE_STATE": "never-written"}


def copy_rows(
    source: Path, target: Path, columns: list[str], from_ms: int, to_ms: int, *, anchor: bool
) -> None:
    """Copy a period to CSV. With `anchor` its first row is dated to its first instant.

    A replay in real time begins with the first row, and both symbols shall begin together.
    """
    rows = [row for chunk in ParquetTable(source, source.name).chunks(columns) for row in chunk]
    kept = [list(row) for row in rows if from_ms <= row[0] < to_ms]
    if anchor:
        kept[0][0] = from_ms
    with target.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([repr(x) if isinstance(x, float) else x for x in row] for row in kept)


def crash(folder: Path) -> tuple[Path, int, int]:
    for coin in ("btc", "eth"):
        source = DATA / "trades" / f"GEMINI_{coin.upper()}USD_SPOT_2025-10-10.parquet"
        columns = ["ts_ms", "price", "qty", "side"]
        copy_rows(source, folder / f"{coin}.csv", columns, CRASH_MS, CRASH_MS + DAY_MS // 4, anchor=True)
        funding(folder, coin, CRASH_MS, CRASH_MS + DAY_MS // 4)
    return folder, CRASH_MS, CRASH_MS + DAY_MS // 4


def minutes(folder: Path, days: int) -> tuple[Path, int, int]:
    end_ms = MAY_MS + days * DAY_MS
    for coin in ("btc", "eth"):
        source = DATA / "candles_1m" / f"BINANCE_{coin.upper()}USDT_PERP_2025-05_2025-06.parquet"
        columns = ["ts_ms", "open", "high", "low", "close", "volume"]
        copy_rows(source, folder / f"{coin}.csv", columns, MAY_MS, end_ms, anchor=False)
        funding(folder, coin, MAY_MS, end_ms)
    return folder, MAY_MS, end_ms


def funding(folder: Path, coin: str, from_ms: int, to_ms: int) -> None:
    source = DATA / "funding" / f"{FUNDING[coin]}.parquet"
    copy_rows(source, folder / f"{coin}-funding.csv", ["ts_ms", "rate"], from_ms, to_ms, anchor=False)


def backtest(inputs: dict[str, str], from_ms: int, to_ms: int) -> tuple[RunRecord, BacktestRun]:
    wish = Wish(from_ns=from_ms * 1_000_000, to_ns=to_ms * 1_000_000)
    topology = load_history([FOLDER / "parity.yaml"], (), inputs, ENVIRONMENT, wish)
    feeds = {p.place.symbol: p.settings for p in topology.actors if isinstance(p.settings, ReplaySettings)}
    run = BacktestRun(topology, wish, scan(feeds, wish, topology.instruments))
    return run.run(), run


def paper(inputs: dict[str, str], from_ms: int, to_ms: int) -> Simulation:
    topology = load(FOLDER / "parity.yaml", inputs=inputs, environment=ENVIRONMENT)
    make = lambda store, clock: assemble(topology, store, clock)  # noqa: E731
    simulation = Simulation(make, start_ns=from_ms * 1_000_000)
    simulation.run_for((to_ms - from_ms) * 1_000_000 + 10_000_000_000)
    return simulation


def compare(folder: Path, from_ms: int, to_ms: int, fills_min: int, bar: str = "5m") -> None:
    """Run backtest and paper over one tape, with a delay of messages that is drawn from the seed."""
    inputs = {"folder": str(folder), "bar": bar}
    record, run = backtest(inputs, from_ms, to_ms)
    simulation = paper(inputs, from_ms, to_ms)
    ours = fills_of_record(record)
    assert ours == fills_of(simulation)
    assert len(ours) >= fills_min
    theirs_paid = [settled(one) for one in recorded(simulation.store, FundingBooked)]
    assert [settled(one) for one in record.funding] == theirs_paid
    assert ledger(run.node) == ledger(simulation.node)
    assert record.books_agree


def compare_over_bytes(
    folder: Path, from_ms: int, to_ms: int, fills_min: int, funding_min: int, bar: str
) -> None:
    """Run all three over one tape, with the same delay of every message."""
    inputs = {"folder": str(folder), "bar": bar, "jitter": "0s"}
    record, run = backtest(inputs, from_ms, to_ms)
    simulation = paper(inputs, from_ms, to_ms)
    topology = load(FOLDER / "parity_bytes.yaml", inputs=inputs, environment=ENVIRONMENT)
    world = run_over_bytes(topology, LATENCY_NS, from_ms * 1_000_000, (to_ms - from_ms + 60_000) * 1_000_000)
    ours = fills_of_record(record)
    assert ours == fills_of(simulation)
    assert ours == [renumbered(fill) for fill in fills_of(world)]
    assert len(ours) >= fills_min
    paid = [(one.symbol, one.payment_usdt) for one in record.funding]
    assert paid == [(one.symbol, one.payment_usdt) for one in recorded(world.store, FundingBooked)]
    assert len(paid) >= funding_min
    assert ledger(run.node) == ledger(simulation.node) == ledger(world.node)


def renumbered(fill: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a fill of the served exchange with the number its trade has without one."""
    return (*fill[:2], str(int(fill[2]) - SERVED_TRADES_FROM), *fill[3:])


def fills_of(simulation: Simulation) -> list[tuple[Any, ...]]:
    """Return fills, fees and the decisions behind them as the journal has them."""
    store = simulation.store
    submitted = {order.client_order_id: order for order in recorded(store, OrderSubmitted)}
    reasons = {one.intent_id: one for one in recorded(store, SignalDecided)}
    maker = {(fill.symbol, fill.trade_id): fill.maker for fill in recorded(store, OrderFillApplied)}
    return [
        (
            *(fill.at_ns, fill.symbol, fill.trade_id, fill.client_order_id, fill.signed_contracts),
            *(fill.price_ticks, fill.fee_usdt, fill.realised_usdt, maker[fill.symbol, fill.trade_id]),
            submitted[fill.client_order_id].decision_ticks,
            submitted[fill.client_order_id].at_ns,
            told(reasons[submitted[fill.client_order_id].intent_id].reasons),
        )
        for fill in recorded(store, FillBooked)
    ]


def fills_of_record(record: RunRecord) -> list[tuple[Any, ...]]:
    """Return the same of a backtest."""
    return [
        (
            *(fill.at_ns, fill.symbol, fill.trade_id, fill.client_order_id, fill.signed_contracts),
            *(fill.price_ticks, fill.fee_usdt, fill.realised_usdt, fill.maker),
            fill.decision_ticks,
            fill.decided_at_ns,
            tuple((reason.name, reason.value) for reason in fill.reasons[1:]),
        )
        for fill in record.fills
    ]


def settled(one: Any) -> tuple[Any, ...]:
    return one.at_ns, one.symbol, one.net_contracts, one.rate_e8, one.payment_usdt


def told(reasons: Iterable[Reason]) -> tuple[tuple[str, str], ...]:
    return tuple((reason.name, reason.value) for reason in reasons)


def ledger(node: Any) -> Any:
    return node.cell("ledger/main").behaviour.state


def test_the_hours_of_the_crash_are_the_same_in_paper_and_in_the_backtest(tmp_path: Path) -> None:
    compare(*crash(tmp_path), fills_min=8, bar="1m")


def test_a_day_of_minutes_is_the_same_in_paper_and_in_the_backtest(tmp_path: Path) -> None:
    compare(*minutes(tmp_path, 1), fills_min=4)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_month_of_minutes_is_the_same_in_paper_and_in_the_backtest(tmp_path: Path) -> None:
    compare(*minutes(tmp_path, 31), fills_min=100)


@pytest.mark.long
def test_the_hours_of_the_crash_are_the_same_over_bytes(tmp_path: Path) -> None:
    compare_over_bytes(*crash(tmp_path), fills_min=8, funding_min=0, bar="1m")


def test_a_day_of_minutes_is_the_same_over_bytes(tmp_path: Path) -> None:
    compare_over_bytes(*minutes(tmp_path, 1), fills_min=20, funding_min=2, bar="5m")


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_month_of_minutes_is_the_same_over_bytes(tmp_path: Path) -> None:
    compare_over_bytes(*minutes(tmp_path, 31), fills_min=100, funding_min=60, bar="5m")
