"""A whole run over a file: the record adds up, repeats itself, and follows what it was told."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from actors.backtest.figures import benchmark, curve_of
from actors.backtest.record import RunRecord, digest_of_fills
from actors.backtest.wish import MarketFiles, Wish
from actors.deployment.backtest import BacktestFailed
from actors.deployment.faults import ConfigError
from actors.feed.files import DataError
from actors.runtime.journal import verify_chain
from actors.runtime.store_memory import MemoryStore
from tests.unit.backtest.histories import BTC, MINUTE_MS, REPOSITORY, START_MS, price, run, usual

HOUR_NS = 3_600_000_000_000


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return run(usual(tmp_path_factory.mktemp("usual")))


def test_a_run_trades_and_ledger_and_exchange_agree(record: RunRecord) -> None:
    assert record.books_agree
    assert len(record.fills) >= 10
    assert any(trade.net_usdt > 0 for trade in record.trades)
    assert any(trade.net_usdt < 0 for trade in record.trades)
    assert {trade.side for trade in record.trades} == {1, -1}


def test_a_run_whose_past_is_kept_has_the_same_record(record: RunRecord, tmp_path: Path) -> None:
    store = MemoryStore()
    assert run(usual(tmp_path), store=store) == record
    assert verify_chain(store)[1] is None
    assert list(store.items("snapshots"))


def test_the_account_is_the_sum_of_its_fills_and_funding(record: RunRecord) -> None:
    (instrument,) = record.instruments
    last = record.equity[-1]
    net = sum(fill.signed_contracts for fill in record.fills)
    spent = sum(fill.signed_contracts * fill.price_ticks * instrument.tick_value for fill in record.fills)
    mark = (last.exposure_usdt // abs(net)) if net else 0
    paid = sum(fill.fee_usdt for fill in record.fills) + sum(one.payment_usdt for one in record.funding)
    assert last.equity_usdt == record.initial_usdt + net * mark - spent - paid
    assert last.equity_usdt == last.cash_usdt + last.unrealised_usdt


def test_symbols_and_strategies_share_the_profit_without_a_rest(record: RunRecord) -> None:
    for point in record.equity:
        profit = point.equity_usdt - record.initial_usdt
        assert sum(point.pnl_usdt_by_symbol) == profit
        assert sum(point.pnl_usdt_by_strategy) == profit


def test_closed_trades_and_the_open_one_are_all_of_the_profit(record: RunRecord) -> None:
    flat = [point for point in record.equity if not point.exposure_usdt]
    at = flat[-1]
    closed = sum(trade.net_usdt for trade in record.trades if trade.exit_at_ns <= at.at_ns)
    assert closed == at.equity_usdt - record.initial_usdt


def test_funding_is_settled_once_by_whoever_holds_a_position_then(record: RunRecord) -> None:
    at_ns = (START_MS + 300 * MINUTE_MS) * 1_000_000
    held = sum(fill.signed_contracts for fill in record.fills if fill.at_ns < at_ns)
    assert held
    assert [(one.at_ns, one.net_contracts) for one in record.funding] == [(at_ns, held)]


def test_a_fill_tells_what_was_decided_and_what_the_market_showed(record: RunRecord) -> None:
    for fill in record.fills:
        assert fill.decision_ticks > 0
        assert fill.arrival_ticks > 0
        assert fill.strategy == f"trend/{BTC}"
        assert fill.reasons[0].name == "why"
        assert fill.fee_usdt > 0


def test_a_run_begins_with_what_there_was_and_at_the_first_price_of_its_period(tmp_path: Path) -> None:
    """Neither first fills nor rows that warm up are in its first sample, its chart or its benchmark."""
    from_ns = (START_MS + 300 * MINUTE_MS) * 1_000_000
    record = run(usual(tmp_path, from_ns=from_ns))
    assert (record.equity[0].at_ns, record.equity[0].equity_usdt) == (from_ns, record.initial_usdt)
    assert record.equity[0].exposure_usdt == 0
    (bars,) = record.bars
    (instrument,) = record.instruments
    assert (len(bars), bars[0].at_ns) == (300, from_ns)
    assert bars[0].open_ticks == round(price(300) * 10**8 / instrument.tick_e8)
    curve = curve_of(record)
    assert benchmark(record, curve.at_ns)[0] == record.initial_usdt
    assert any(fill.at_ns == from_ns for fill in record.fills)


def test_the_chart_has_every_minute_of_the_period(record: RunRecord) -> None:
    (bars,) = record.bars
    assert len(bars) == 600
    assert bars[0].at_ns == START_MS * 1_000_000
    assert all(bar.low_ticks <= bar.close_ticks <= bar.high_ticks for bar in bars)


def test_equal_manifests_give_equal_bytes_in_two_processes(tmp_path: Path, record: RunRecord) -> None:
    usual(tmp_path)
    script = (
        "import sys, msgspec\n"
        "from hashlib import sha256\n"
        "from pathlib import Path\n"
        "from tests.unit.backtest.histories import run, usual\n"
        "print(sha256(msgspec.msgpack.encode(run(usual(Path(sys.argv[1]))))).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    again = run(usual(tmp_path))
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(record)


def test_an_override_changes_the_run_and_its_manifest(tmp_path: Path, record: RunRecord) -> None:
    wish = usual(tmp_path)
    other = run(replace(wish, overrides={**wish.overrides, "trend.fast": "8"}))
    assert other.manifest.config_hash != record.manifest.config_hash
    assert ("trend.fast", "8") in other.manifest.overrides
    assert digest_of_fills(other.fills) != digest_of_fills(record.fills)


def test_a_period_is_kept_and_what_lies_before_it_warms_up(tmp_path: Path, record: RunRecord) -> None:
    from_ns = START_MS * 1_000_000 + 2 * HOUR_NS
    part = run(replace(usual(tmp_path), from_ns=from_ns, to_ns=from_ns + 4 * HOUR_NS))
    assert {from_ns <= fill.at_ns <= from_ns + 4 * HOUR_NS for fill in part.fills} == {True}
    assert part.equity[0].at_ns == from_ns
    # Two hours of minutes before the start: the averages need no further hour.
    assert part.fills[0].at_ns < from_ns + HOUR_NS // 2


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("nobody.fast", "3", "there is no actor 'nobody'"),
        ("trend.fats", "3", "fats"),
        ("trend.protect.stip", "0.01", "no key 'stip'"),
        ("trend.fast.more", "3", "fast"),
        ("trend", "3", "trend"),
        ("trend.fast", "many", "many"),
    ],
)
def test_an_override_that_means_nothing_is_refused(tmp_path: Path, name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run(usual(tmp_path, overrides={name: value}))
    assert told in "\n".join(str(fault) for fault in caught.value.faults)


def test_a_period_without_data_is_refused(tmp_path: Path) -> None:
    from_ns = START_MS * 1_000_000 + 500 * HOUR_NS
    with pytest.raises(DataError, match="nothing in the period"):
        run(usual(tmp_path, from_ns=from_ns, to_ns=from_ns + HOUR_NS))


@pytest.mark.parametrize(
    ("lacking", "told"), [("funding", "lacks funding: 1 of 1 settlements"), ("range", "covers .* only")]
)
def test_what_the_data_lacks_is_refused_or_noted(tmp_path: Path, lacking: str, told: str) -> None:
    both = frozenset({"funding", "range"})
    wish = usual(tmp_path, from_ns=(START_MS - 30 * MINUTE_MS) * 1_000_000)
    with pytest.raises(DataError, match=told):
        run(replace(wish, allowed=both - {lacking}))
    noted = run(replace(wish, allowed=both))
    assert {note.kind for note in noted.notes} == both


def test_a_wrong_row_is_named(tmp_path: Path) -> None:
    wish = usual(tmp_path)
    path = tmp_path / "btc.csv"
    lines = path.read_text().splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[1], "nan")
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"btc.csv: row 5: column 'open' is not finite"):
        run(wish)


def test_a_run_whose_strategy_fails_does_not_go_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actors.strategy.library.trend_follow import TrendFollow

    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(TrendFollow, "on_bar", fail)
    with pytest.raises(BacktestFailed, match="planted"):
        run(usual(tmp_path))


def test_a_feed_without_history_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        run(Wish(files={"ETH_USDT_PERP": MarketFiles(str(tmp_path / "x.csv"))}))


def test_a_mark_file_values_positions_instead_of_the_market(tmp_path: Path, record: RunRecord) -> None:
    wish = usual(tmp_path)
    head, *rows = (tmp_path / "btc.csv").read_text().splitlines()
    higher = []
    for row in rows:
        at_ms, *prices = row.split(",")[:5]
        higher.append(",".join([at_ms, *(f"{float(price) + 100:.2f}" for price in prices)]))
    marks = tmp_path / "marks.csv"
    marks.write_text("\n".join([head.removesuffix(",volume"), *higher]))
    files = {BTC: MarketFiles(wish.files[BTC].market, wish.files[BTC].funding, str(marks))}
    found = run(replace(wish, files=files))
    assert [file.role for file in found.manifest.files] == ["market", "funding", "mark"]
    assert found.fills[0].price_ticks == record.fills[0].price_ticks
    ours, theirs = found.equity[-1], record.equity[-1]
    net = sum(fill.signed_contracts for fill in found.fills)
    assert net
    assert ours.exposure_usdt // abs(net) - theirs.exposure_usdt // abs(net) == 100 * 100_000_000 // 1000
