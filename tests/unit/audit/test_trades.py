"""The trade journal: its money is the ledger's to the last unit, and every trade says why."""

import csv
import io
import json

import pytest

from actors.audit.trades import TradeJournal, trade_journal
from actors.cli.exit_codes import ExitCode
from actors.control.journal_reader import JournalReader
from tests.unit.audit.taped import TapedRun
from tests.unit.cli.conftest import cli, own_run_directory  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TapedRun:
    taped = TapedRun(tmp_path_factory.mktemp("traded"), 240)
    taped.stop()
    return taped


@pytest.fixture(scope="module")
def found(run: TapedRun) -> TradeJournal:
    with JournalReader(run.topology.journal_path) as reader:
        return trade_journal(reader, run.topology.instruments)


def test_all_trades_add_up_to_the_ledger_to_the_last_unit(run: TapedRun, found: TradeJournal) -> None:
    ledger = run.node.cell("ledger/main").behaviour.state
    (totals,) = found.totals
    trips = [*found.ended, *found.open]
    assert len(found.ended) > 10
    assert sum(trip.gross_usdt for trip in trips) == ledger.realised_usdt == totals.realised_usdt
    assert sum(trip.fees_usdt for trip in trips) == ledger.fees_usdt == totals.fees_usdt
    assert sum(trip.funding_usdt for trip in trips) == ledger.funding_usdt == totals.funding_usdt
    assert totals.initial_usdt + sum(trip.net_usdt for trip in trips) == ledger.cash_usdt == totals.cash_usdt


def test_a_symbol_that_is_flat_has_its_money_in_trades_that_ended(run: TapedRun, found: TradeJournal) -> None:
    ledger = run.node.cell("ledger/main").behaviour.state
    open_symbols = {trip.symbol for trip in found.open}
    flat = [symbol for symbol in ledger.holdings if symbol not in open_symbols]
    for symbol, holding in ledger.holdings.items():
        assert (holding.net_contracts == 0) == (symbol in flat)
        if symbol in flat:
            own = [trip for trip in found.ended if trip.symbol == symbol]
            assert sum(trip.gross_usdt for trip in own) == holding.realised_usdt
            assert sum(trip.fees_usdt for trip in own) == holding.fees_usdt


def test_what_an_open_trade_has_realised_is_what_its_fills_have(run: TapedRun, found: TradeJournal) -> None:
    """Each symbol has one strategy here, so the ledger's position is the trade's."""
    with JournalReader(run.topology.journal_path) as reader:
        fills = [event["fields"] for event in reader.events(kind="FillBooked")]
    last_exit = {trip.symbol: trip.exit_at_ns for trip in found.ended}
    for trip in found.open:
        own = [f for f in fills if f["symbol"] == trip.symbol and f["at_ns"] > last_exit.get(trip.symbol, 0)]
        if {f["trade_id"] for f in own} == set(trip.trade_ids):
            assert trip.gross_usdt == sum(f["realised_usdt"] for f in own)
            assert trip.fees_usdt == sum(f["fee_usdt"] for f in own)


def test_a_trade_says_why_it_was_entered_and_left_and_by_which_orders(
    run: TapedRun, found: TradeJournal
) -> None:
    flattened = [trip for trip in found.ended if trip.exit_why == "drill"]
    assert flattened, {trip.exit_why for trip in found.ended}
    for trip in found.ended:
        assert trip.entry_why
        assert trip.exit_why
        assert trip.strategy.startswith(("trend/", "reversion/"))
        assert all((trip.entry_order, trip.exit_order, trip.trade_ids))
        assert trip.held_ns >= 0
        assert trip.net_usdt == trip.gross_usdt - trip.fees_usdt - trip.funding_usdt


def test_slippage_is_the_price_against_the_decision(run: TapedRun, found: TradeJournal) -> None:
    trip = next(trip for trip in found.ended if trip.is_slippage_whole and len(trip.trade_ids) == 2)
    with JournalReader(run.topology.journal_path) as reader:
        decided = {
            event["fields"]["client_order_id"]: event["fields"]["decision_ticks"]
            for event in reader.events(kind="OrderSubmitted")
        }
    tick_value = run.topology.instruments[trip.symbol].tick_value
    side = 1 if trip.side == "long" else -1
    entry = trip.entry_ticks_sum - decided[trip.entry_order] * trip.contracts
    left = decided[trip.exit_order] * trip.contracts - trip.exit_ticks_sum
    assert trip.slippage_usdt == side * (entry + left) * tick_value


def test_the_command_prints_text_csv_json_and_a_page(
    cli,  # noqa: F811
    run: TapedRun,
    found: TradeJournal,
    tmp_path,
) -> None:
    shown = cli("trades", str(run.file))
    assert shown.exit_code == 0
    assert f"{len(found.ended)} trades ended" in shown.stderr
    assert "USDT by the ledger" in shown.stderr
    rows = list(csv.DictReader(io.StringIO(cli("trades", str(run.file), "--csv").stdout)))
    exact = sum(round(float(row["net_usdt"]) * 1e8) for row in rows)
    assert (len(rows), exact) == (len(found.ended), sum(trip.net_usdt for trip in found.ended))
    plain = json.loads(cli("trades", str(run.file), "--json").stdout)
    assert plain["accounts"][0]["cash_usdt"] == found.totals[0].cash_usdt
    target = tmp_path / "trades.html"
    assert cli("trades", str(run.file), "--html", str(target)).exit_code == 0
    text = target.read_text()
    assert text.count("<tr>") >= len(found.ended)
    assert "drill" in text


def test_the_command_narrows_down(cli, run: TapedRun, found: TradeJournal) -> None:  # noqa: F811
    strategy = found.ended[0].strategy
    plain = json.loads(cli("trades", str(run.file), "--json", "--strategy", strategy).stdout)
    assert {trip["strategy"] for trip in plain["trades"]} == {strategy}
    assert plain["accounts"] == []
    later = json.loads(cli("trades", str(run.file), "--json", "--from", "2026-01-01").stdout)
    assert later["trades"] == []
    assert cli("trades", str(run.topology.journal_path)).exit_code == ExitCode.USAGE
