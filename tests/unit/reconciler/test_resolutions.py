"""What becomes of each kind of difference: by evidence, by policy, and where neither decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.domain.orders import Side
from actors.messages.account import AdjustCash
from actors.messages.control import FlattenPositions, Halt, HaltLevel, ReconcileFinished, ReconcileNow
from actors.messages.evidence import ForeignFill, VerifyOrders
from actors.messages.terms import CashTransferred, SetLeverage, VenueTerms
from actors.messages.venue import CancelOrder, OrderFilled, QueryAccount
from actors.reconciler.compare import Kind
from actors.reconciler.events import DifferenceResolved
from actors.reconciler.settings import ReconcilerSettings
from actors.runtime.messages import Severity
from tests.unit.reconciler.reconciler_bench import (
    BTC,
    CASH,
    ETH,
    HOUR,
    MS,
    NOW,
    SECOND,
    ReconcilerBench,
    fill,
    funding,
    known,
    order,
    shown,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reconciliation.md"
STOP_BTC = f"symbol/{BTC}"


def bench(**settings: Any) -> ReconcilerBench:
    return ReconcilerBench(ReconcilerSettings(**settings), catalog=True)


def rounds(found: ReconcilerBench, seconds: int) -> None:
    """Let it compare for a while."""
    end_ns = found.now_ns + seconds * SECOND
    while found.now_ns < end_ns:
        if found.asked():
            found.look()
        found.advance(SECOND // 2)


def drift(found: ReconcilerBench, seconds: int = 70) -> None:
    rounds(found, seconds)


def corrected(found: ReconcilerBench) -> OrderFilled:
    """Let it compare until it corrects a position."""
    for _ in range(400):
        rounds(found, 1)
        fills = found.take(OrderFilled)
        if fills:
            return fills[0]
    raise AssertionError("nothing is corrected")


def halts(found: ReconcilerBench) -> list[tuple[str, HaltLevel]]:
    return [(halt.scope, halt.level) for halt in found.take(Halt)]


def acts(found: ReconcilerBench) -> list[tuple[str, str]]:
    return [(event.kind, event.act) for event in found.events if isinstance(event, DifferenceResolved)]


# -- positions


def test_a_phantom_position_is_not_believed_at_once() -> None:
    found = bench()
    found.positions({BTC: 4}, {})
    assert not found.verdict().agrees
    assert found.take(OrderFilled) == []
    assert found.events == []


def test_a_phantom_position_that_stands_is_taken_off_the_books_with_proof() -> None:
    found = bench()
    found.positions({BTC: 4}, {})
    drift(found)
    (first, *_) = found.take(OrderFilled)
    assert (first.symbol, first.side, first.contracts, first.price_ticks) == (BTC, Side.SELL, 4, 1)
    assert first.trade_id.startswith("correction-")
    assert first.client_order_id == ""
    event = found.events[0]
    assert isinstance(event, DifferenceResolved)
    assert (event.kind, event.act, event.ours, event.theirs) == (
        "phantom position",
        "take the venue's word",
        4,
        0,
    )
    ours, theirs = msgspec.json.decode(event.raw_ours), msgspec.json.decode(event.raw_theirs)
    assert ours["positions"] == [{"symbol": BTC, "net_contracts": 4, "cost_ticks": 4, "dust_e8": 0}]
    assert theirs["positions"] == []
    assert theirs["request_id"] == event.request_id


def test_what_a_corrected_position_realised_is_booked_as_cash_with_its_cause() -> None:
    found = bench()
    found.positions({BTC: 4}, {})
    drift(found)
    found.positions({}, {})
    found.ledger["cash_usdt"] = CASH - 7
    rounds(found, 40)
    (order,) = found.take(AdjustCash)[:1]
    assert (order.amount_usdt, order.transfer) == (7, False)
    assert BTC in order.reason
    assert order.evidence


def test_a_phantom_position_stops_its_symbol_where_policy_says_so() -> None:
    found = bench(phantom_positions="stop")
    found.positions({BTC: 4}, {})
    drift(found, 200)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]  # once, however often it is seen
    assert found.take(OrderFilled) == []
    assert {("PositionDrift", Severity.PAGE), ("ReconcileFailed", Severity.PAGE)} == {
        (alert.name, alert.severity) for alert in found.alerts
    }


def test_a_resumed_symbol_is_not_stopped_again_for_the_same_difference_but_for_a_new_one() -> None:
    found = bench(phantom_positions="stop")
    found.positions({BTC: 4}, {})
    drift(found)
    found.positions({}, {})
    rounds(found, 40)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]
    assert found.reconciler.state.stopped == {}
    found.positions({BTC: 4}, {})
    drift(found, 140)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]


@pytest.mark.parametrize(("ours", "theirs"), [({}, {BTC: 4}), ({BTC: 4}, {BTC: 6}), ({BTC: 4}, {BTC: -4})])
def test_an_orphaned_or_larger_position_stops_its_symbol(ours: Any, theirs: Any) -> None:
    found = bench()
    found.positions(ours, theirs)
    drift(found)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]
    assert found.take(OrderFilled) == []


def test_an_orphaned_position_is_adopted_at_the_venues_average() -> None:
    found = bench(orphaned_positions="adopt")
    found.positions({}, {BTC: -4})
    drift(found)
    first = found.take(OrderFilled)[0]
    assert (first.side, first.contracts, first.price_ticks) == (Side.SELL, 4, 1)
    assert found.take(FlattenPositions) == []
    assert halts(found) == []


def test_an_orphaned_position_is_taken_over_and_closed_where_policy_says_so() -> None:
    found = bench(orphaned_positions="flatten")
    found.positions({}, {BTC: 4})
    drift(found)
    booked, closed = found.take(OrderFilled)[0], found.take(FlattenPositions)[0]
    assert (booked.side, booked.contracts) == (Side.BUY, 4)
    assert (closed.account, closed.symbol) == ("main", BTC)


def test_a_position_that_is_smaller_at_the_venue_follows_the_phantom_policy() -> None:
    found = bench()
    found.positions({BTC: 10}, {BTC: 6})
    drift(found)
    first = found.take(OrderFilled)[0]
    assert (first.side, first.contracts) == (Side.SELL, 4)


def test_a_doubled_fill_goes_with_the_position_that_it_moved() -> None:
    found = bench()
    found.positions({BTC: 8}, {BTC: 4})
    at_venue = fill("t1", 4)
    again = fill("t1-again", 4)
    newest = fill("t2", 1, at_ns=NOW - 2 * SECOND)
    found.venue["fills"] = (fill("t0", 1, at_ns=NOW - 50 * SECOND), at_venue, newest)
    found.orders["fills"] = (
        known(fill("t0", 1, at_ns=NOW - 50 * SECOND)),
        known(at_venue),
        known(again),
        known(newest),
    )
    drift(found)
    assert acts(found)[:2] == [
        ("fill unknown to the venue", "take the venue's word"),
        ("position of wrong size", "take the venue's word"),
    ]
    (first, *_) = found.take(OrderFilled)
    assert (first.side, first.contracts) == (Side.SELL, 4)


def test_a_correction_is_taken_back_when_the_real_fill_turns_up() -> None:
    found = bench()
    found.positions({BTC: 4}, {})
    corrected(found)
    found.positions({}, {})
    rounds(found, 40)
    found.positions({BTC: -4}, {})  # the real one came: a phantom short
    back = corrected(found)
    assert (back.side, back.contracts) == (Side.BUY, 4)
    found.positions({}, {BTC: 3})  # nothing of the correction is left: this is an orphan like any other
    drift(found, 140)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]


def test_two_fills_that_turn_up_together_take_a_correction_back_too() -> None:
    found = bench()
    found.positions({BTC: 4}, {})
    corrected(found)
    found.positions({}, {})
    rounds(found, 40)
    found.positions({}, {BTC: 4})  # closed and opened again, both told late
    back = corrected(found)
    assert (back.side, back.contracts) == (Side.BUY, 4)
    assert halts(found) == []


def test_nothing_is_corrected_while_a_missed_fill_of_the_symbol_is_still_being_booked() -> None:
    found = bench()
    found.positions({BTC: 9}, {BTC: 4})
    found.venue["fills"] = (fill("t1", 1),)
    drift(found)
    assert {one.trade_id for one in found.take(OrderFilled)} == {"t1"}


# -- orders, fills, funding


def test_missed_fills_and_funding_are_booked_on_the_record() -> None:
    found = bench()
    found.venue |= {"positions": {BTC: 4}, "fills": (fill(),), "funding": (funding(),)}
    found.run_round()
    assert acts(found) == [
        ("fill missed", "book what the venue reports"),
        ("funding missed", "book what the venue reports"),
    ]
    event = found.events[1]
    assert isinstance(event, DifferenceResolved)
    assert '"payment_usdt":5' in event.raw_theirs


def test_an_order_that_evidence_does_not_settle_stops_its_symbol() -> None:
    found = bench()
    found.orders["orders"] = (order(),)
    rounds(found, 5)
    assert len(found.take(VerifyOrders)) >= 1
    assert halts(found) == []
    drift(found)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]
    assert len(found.take(VerifyOrders)) >= 1  # it goes on asking


def test_an_order_by_hand_stops_its_symbol_or_is_canceled_by_policy() -> None:
    found = bench()
    found.venue["open_orders"] = (shown("polo123"),)
    drift(found)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]
    found = bench(unknown_orders="cancel")
    found.venue["open_orders"] = (shown("polo123"),)
    found.run_round()
    assert [one.client_order_id for one in found.take(CancelOrder)] == ["polo123"]
    assert acts(found) == [("order unknown to us", "cancel the order")]


def test_an_order_of_an_earlier_journal_of_ours_is_canceled() -> None:
    found = bench()
    found.orders["mark"] = "wxh46v-"
    found.venue["open_orders"] = (shown("wxh46v-aaaaaaaaa-1-34"), shown("wxh46v", symbol=ETH))
    found.run_round()
    assert [one.client_order_id for one in found.take(CancelOrder)] == ["wxh46v-aaaaaaaaa-1-34"]


# -- money


def test_a_transfer_that_the_venue_lists_explains_a_drift_and_is_booked_once() -> None:
    found = bench()
    found.verdict()
    found.ledger["cash_usdt"] = CASH - 500
    found.venue["transfers"] = (
        CashTransferred("main", "b1", 800, NOW - 5 * SECOND),
        CashTransferred("main", "b2", -300, NOW - 5 * SECOND),
    )
    found.tell(ReconcileNow("main"))
    found.run_round()
    (order,) = found.take(AdjustCash)
    assert (order.amount_usdt, order.transfer, order.evidence) == (500, True, "bills b1, b2")
    found.ledger["cash_usdt"] = CASH
    rounds(found, 20)
    found.ledger["cash_usdt"] = CASH - 500  # the same amount again, without a new transfer
    found.tell(ReconcileNow("main"))
    rounds(found, 20)
    assert found.take(AdjustCash) == []
    assert not found.reconciler.state.agrees


def test_a_drift_that_transfers_do_not_add_up_to_is_left_to_policy() -> None:
    found = bench()
    found.ledger["cash_usdt"] = CASH - 500
    found.venue["transfers"] = (CashTransferred("main", "b1", 499, NOW - 5 * SECOND),)
    assert not found.verdict().agrees
    assert found.take(AdjustCash) == []


def test_a_position_in_a_symbol_that_the_file_does_not_have_is_told_as_that_until_it_is_gone() -> None:
    found = bench()
    found.positions({}, {"DOGE_USDT_PERP": 3})
    assert not found.verdict().agrees
    told = [(alert.name, alert.key) for alert in found.alerts]
    assert ("UnknownInstrument", "DOGE_USDT_PERP") in told
    assert "PositionDrift" not in [name for name, _ in told]
    assert halts(found) == []  # what risk does not know it does not trade
    found.positions({}, {})
    found.restart()
    assert found.verdict().agrees
    assert ("UnknownInstrument", "DOGE_USDT_PERP") in [(one.name, one.key) for one in found.resolved]


# -- terms


def terms(leverage: int, symbol: str = BTC) -> tuple[VenueTerms, ...]:
    return (VenueTerms(symbol, leverage),)


def test_leverage_is_asked_for_at_the_start_and_then_now_and_again() -> None:
    found = bench(symbols=(BTC, ETH), terms_every=300 * SECOND)
    (query,) = [m for m in found.published if type(m) is QueryAccount]
    assert query.terms_of == (BTC, ETH)
    found.verdict()
    found.advance(61 * SECOND)
    (query,) = [m for m in found.published if type(m) is QueryAccount]
    assert query.terms_of == ()


def test_a_symbol_in_use_is_looked_at_though_nobody_named_it() -> None:
    found = bench(terms_every=SECOND)
    found.positions({BTC: 4}, {BTC: 4})
    found.verdict()
    found.advance(61 * SECOND)
    (query,) = [m for m in found.published if type(m) is QueryAccount]
    assert query.terms_of == (BTC,)


def test_a_round_looks_at_leverages_unless_the_file_wants_it_less_often() -> None:
    found = bench(symbols=(BTC,))
    for _ in range(3):
        (query,) = [m for m in found.published if type(m) is QueryAccount]
        assert query.terms_of == (BTC,)
        found.verdict()
        found.advance(found.reconciler.settings.every)


def test_a_position_with_another_leverage_has_it_looked_at_in_the_same_round() -> None:
    found = bench(symbols=(BTC,), terms_every=HOUR)
    found.positions({BTC: 4}, {BTC: 4})
    found.verdict()
    found.venue |= {"leverage": 50, "terms": terms(50)}
    found.advance(61 * SECOND)
    asked = []
    while not found.verdicts():
        if found.asked():
            asked += [m.terms_of for m in found.published if type(m) is QueryAccount]
            found.look()
        found.advance(100 * MS)
    assert asked[:2] == [(), (BTC,)]
    assert found.take(ReconcileFinished)[0].differences == (f"wrong leverage: {BTC}: ours 20, theirs 50",)


def test_a_position_that_has_less_than_the_leverage_chosen_is_looked_at_once() -> None:
    found = bench(terms_every=HOUR)
    found.positions({BTC: 4}, {BTC: 4})
    found.venue |= {"leverage": 10, "terms": terms(20)}
    assert found.verdict().differences == ()
    found.advance(61 * SECOND)
    (query,) = [m for m in found.published if type(m) is QueryAccount]
    assert query.terms_of == ()
    found.look()
    assert found.verdict().differences == ()


def test_another_leverage_stops_the_symbol_alone() -> None:
    found = bench()
    found.venue["terms"] = terms(50)
    verdict = found.verdict()
    assert verdict.agrees  # the books are right
    assert verdict.differences == (f"wrong leverage: {BTC}: ours 20, theirs 50",)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]
    assert [(alert.name, alert.key, alert.severity) for alert in found.alerts] == [
        ("TermsWrong", BTC, Severity.PAGE)
    ]
    found.venue["terms"] = terms(20)
    found.tell(ReconcileNow("main"))
    found.verdict()
    assert ("TermsWrong", BTC) in [(one.name, one.key) for one in found.resolved]


def test_another_leverage_is_set_by_policy_and_stops_only_if_that_does_not_help() -> None:
    found = bench(leverage_wrong="set", leverage={BTC: 5}, symbols=(BTC,))
    found.venue["terms"] = terms(20)
    found.run_round()
    assert found.take(SetLeverage) == [SetLeverage("main", BTC, 5)]
    assert halts(found) == []
    drift(found, 200)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]


def test_another_leverage_is_nobodys_business_where_policy_says_so() -> None:
    found = bench(leverage_wrong="ignore")
    found.venue["terms"] = terms(50)
    assert found.verdict().differences == ()


def test_a_position_in_the_other_margin_mode_stops_its_symbol() -> None:
    found = bench()
    found.positions({BTC: 4}, {BTC: 4})
    found.venue["isolated"] = True
    verdict = found.verdict()
    assert verdict.agrees
    assert verdict.differences == (f"wrong margin mode: {BTC}: ours ISOLATED, theirs CROSS",)
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]


def test_an_account_in_hedge_mode_is_not_reconciled() -> None:
    found = bench()
    found.venue["hedged"] = True
    verdict = found.verdict()
    assert not verdict.agrees
    assert verdict.differences == ("wrong position mode: account: ours ONE_WAY, theirs HEDGE",)


def test_a_leverage_of_a_symbol_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="DOGE"):
        bench(leverage={"DOGE_USDT_PERP": 5})


# -- trades by hand


def by_hand(found: ReconcilerBench, **changes: Any) -> None:
    report = fill("w1", client_order_id="polo7", **changes)
    found.tell(ForeignFill("main", report, found.now_ns), sender="oms/main")


def test_a_trade_by_hand_stops_its_symbol_and_pages() -> None:
    found = bench()
    found.verdict()
    by_hand(found)
    by_hand(found)  # the second part of the same order
    assert halts(found) == [(STOP_BTC, HaltLevel.NO_NEW_RISK)]
    assert {(a.name, a.key, a.severity) for a in found.alerts} == {("ManualTrade", BTC, Severity.PAGE)}
    assert acts(found)[0] == ("manual trade", "stop the symbol")
    found.advance(60 * SECOND)
    found.verdict()
    assert ("ManualTrade", BTC) in [(one.name, one.key) for one in found.resolved]


@pytest.mark.parametrize(
    ("policy", "severities", "flattens"),
    [("adopt", [Severity.TICKET], 0), ("flatten", [Severity.PAGE], 1), ("ignore", [], 0)],
)
def test_a_trade_by_hand_is_what_policy_says(policy: Any, severities: list[Severity], flattens: int) -> None:
    found = bench(manual_trades=policy)
    found.verdict()
    by_hand(found)
    assert [alert.severity for alert in found.alerts] == severities
    assert len(found.take(FlattenPositions)) == flattens
    assert halts(found) == []
    assert len(acts(found)) == 1


def test_a_correction_is_no_trade_by_hand() -> None:
    found = bench()
    found.verdict()
    report = fill("correction-5", client_order_id="")
    found.tell(ForeignFill("main", report, found.now_ns), sender="oms/main")
    assert halts(found) == []
    assert found.alerts == []


def test_symbols_that_somebody_else_trades_are_left_alone_where_policy_says_so() -> None:
    elsewhere = {"positions": {"DOGE_USDT_PERP": 3}, "open_orders": (shown("x", symbol="DOGE_USDT_PERP"),)}
    found = bench(manual_trades="ignore")
    found.venue |= elsewhere
    assert found.verdict().agrees
    found = bench()
    found.venue |= elsewhere
    assert not found.verdict().agrees


# -- asked by a person


def test_a_dry_run_says_what_would_be_done_and_does_nothing() -> None:
    found = bench()
    found.verdict()
    missed = fill(at_ns=NOW - SECOND)
    found.venue |= {"positions": {BTC: 4}, "fills": (missed,)}
    before = msgspec.msgpack.encode(found.reconciler.state)
    found.tell(ReconcileNow("main", True))
    for _ in range(3):
        if found.asked():
            found.look()
        found.advance(SECOND // 2)
    answer = found.reconciler.describe()["answers"][-1]
    assert (answer["dry_run"], answer["agrees"]) == (True, False)
    assert [(row["kind"], row["act"]) for row in answer["rows"]] == [
        ("fill missed", "book what the venue reports")
    ]
    assert found.take(OrderFilled) == []
    assert found.verdicts() == []
    assert found.events == []
    assert msgspec.msgpack.encode(found.reconciler.state) == before


def test_every_kind_of_difference_is_in_the_documentation() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind in Kind:
        assert f"| {kind.value} |" in page
