"""What stays reserved, what the position is, and what outlives a restart."""

import msgspec
import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.account import PositionOverruled
from actors.messages.market import FeedState
from actors.messages.trading import CancelIntent, CancelOrders, SubmitOrder
from actors.risk.events import (
    FeedNoted,
    GateMoved,
    IntentAllowed,
    IntentDenied,
    OrderAdopted,
    OrderFinished,
    OrderProgressed,
    PositionCorrected,
)
from actors.risk.state import CLOSED_KEPT, Book
from actors.runtime.errors import InvariantError
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import BTC, ETH, MARKS, SECOND, TREND, USDT, RiskBench

S = OrderState
LIVE = [S.SUBMITTING, S.OPEN, S.CANCELING, S.UNKNOWN]


def book(bench: RiskBench, symbol: str = BTC) -> tuple[int, int, int]:
    found = bench.actor.peek(symbol)
    return found.net_contracts, found.buy_contracts, found.sell_contracts


def test_what_is_allowed_goes_to_the_oms_and_is_reserved(risk: Benches) -> None:
    bench = risk()
    intent = bench.intent(3)
    bench.send_intent(intent)
    assert bench.take(SubmitOrder) == [SubmitOrder(intent, bench.now_ns, 2 * MARKS[BTC])]
    assert book(bench) == (0, 3, 0)
    assert bench.events[-1] == IntentAllowed(
        *(intent.intent_id, TREND, BTC, intent.side, 3, MARKS[BTC], 3, bench.now_ns)
    )


@pytest.mark.parametrize("state", LIVE)
def test_an_order_stays_reserved_until_it_has_ended(risk: Benches, state: OrderState) -> None:
    bench = risk(max_position_contracts=5)
    intent = bench.allowed(5)
    bench.update(intent, state)
    assert bench.denied(1)[0] == "position_contracts"
    bench.update(intent, S.CANCELED)
    bench.allowed(5)


@pytest.mark.parametrize("state", [S.FILLED, S.CANCELED, S.REJECTED, S.ABSENT])
def test_the_end_of_an_order_frees_what_did_not_fill(risk: Benches, state: OrderState) -> None:
    bench = risk()
    intent = bench.allowed(-5)
    bench.update(intent, state, 2)
    assert book(bench) == (-2, 0, 0)
    assert bench.actor.state.reserved == {}


def test_fills_move_from_the_reservation_to_the_position(risk: Benches) -> None:
    bench = risk()
    intent = bench.allowed(5)
    bench.update(intent, S.PARTIALLY_FILLED, 2)
    assert book(bench) == (2, 3, 0)
    bench.update(intent, S.PARTIALLY_FILLED, 2)
    bench.update(intent, S.CANCELING, 1)
    assert book(bench) == (2, 3, 0)
    bench.update(intent, S.CANCELING, 4)
    assert book(bench) == (4, 1, 0)
    bench.update(intent, S.FILLED, 5)
    assert book(bench) == (5, 0, 0)
    assert [type(event) for event in bench.events[1:]] == [
        *(IntentAllowed, OrderProgressed, OrderProgressed, OrderFinished)
    ]


def test_a_fill_after_the_end_still_moves_the_position(risk: Benches) -> None:
    bench = risk()
    intent = bench.allowed(5)
    bench.update(intent, S.CANCELED, 1)
    bench.update(intent, S.CANCELED, 3)
    bench.update(intent, S.CANCELED, 3)
    assert book(bench) == (3, 0, 0)


def test_an_end_that_reports_less_than_was_filled_takes_nothing_back(risk: Benches) -> None:
    bench = risk()
    intent = bench.allowed(5)
    bench.update(intent, S.PARTIALLY_FILLED, 4)
    bench.update(intent, S.CANCELED, 3)
    bench.update(intent, S.CANCELED, 4)
    assert book(bench) == (4, 0, 0)


def test_a_fill_beyond_the_order_counts_and_reserves_nothing_negative(risk: Benches) -> None:
    bench = risk()
    intent = bench.allowed(5)
    bench.update(intent, S.PARTIALLY_FILLED, 7)
    assert book(bench) == (7, 0, 0)
    bench.update(intent, S.FILLED, 8)
    assert book(bench) == (8, 0, 0)


def test_an_order_nobody_asked_about_is_reserved_too(risk: Benches) -> None:
    bench = risk()
    stranger = bench.intent(-4, intent_id="flatten-1", strategy="oms/main")
    bench.update(stranger, S.PARTIALLY_FILLED, 1)
    assert book(bench) == (-1, 0, 3)
    bench.update(stranger, S.FILLED, 4)
    assert book(bench) == (-4, 0, 0)
    assert sum(isinstance(event, OrderAdopted) for event in bench.events) == 1
    assert [overruled.net_contracts for overruled in bench.take(PositionOverruled)] == [-1, -4]


def test_fills_of_orders_that_were_asked_about_overrule_nobody(risk: Benches) -> None:
    bench = risk()
    bench.filled(4)
    assert bench.take(PositionOverruled) == []


def test_updates_of_other_accounts_and_symbols_are_left_alone(risk: Benches) -> None:
    bench = risk()
    bench.update(bench.intent(4), S.FILLED, 4, account="other")
    bench.update(bench.intent(4), S.FILLED, 4, symbol="LUNA_USDT_PERP")
    assert bench.actor.state.books == {}


def test_ended_orders_are_forgotten_in_generations(risk: Benches) -> None:
    bench = risk()
    first = bench.allowed()
    bench.update(first, S.REJECTED)
    for _ in range(2 * CLOSED_KEPT):
        bench.update(bench.allowed(), S.REJECTED)
    state = bench.actor.state
    assert len(state.closed) + len(state.closed_before) <= 2 * CLOSED_KEPT
    assert bench.actor.ended_with(first.intent_id) is None


def test_a_repetition_is_known_after_a_thousand_later_orders(risk: Benches) -> None:
    bench = risk()
    first = bench.allowed()
    bench.update(first, S.REJECTED)
    for _ in range(CLOSED_KEPT):
        bench.update(bench.allowed(), S.REJECTED)
    assert bench.denied(intent_id=first.intent_id)[0] == "duplicate_intent"


def test_a_strategy_that_cannot_be_told_is_denied_all_the_same(
    risk: Benches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(message: object) -> None:
        raise InvariantError("it does not read us")

    bench = risk(max_order_contracts=5)
    monkeypatch.setattr(bench, "reply", refuse)
    bench.send_intent(bench.intent(6))
    bench.send_intent(bench.intent(6))
    assert bench.actor.state.denied_count == 2
    assert bench.logs == [("denials have no reader", {"address": TREND})]


def test_a_cancel_is_passed_on_whatever_is_in_force(risk: Benches) -> None:
    bench = risk()
    bench.reconciled(agrees=False)
    bench.tell(CancelIntent("i1", TREND, "main"), sender=TREND)
    bench.tell(CancelIntent("i2", TREND, "other"), sender=TREND)
    (cancel,) = bench.take(CancelOrders)
    assert (cancel.account, cancel.symbol, cancel.strategy, cancel.intent_id) == ("main", "", TREND, "i1")


# -- the ledger's word -----------------------------------------------------------------------------


def test_while_ledger_and_orders_disagree_the_worse_of_both_counts(risk: Benches) -> None:
    bench = risk(max_position_contracts=10)
    bench.filled(4)
    bench.ledger(7)
    assert bench.denied(4) == ("position_contracts", 11, 10)
    bench.allowed(3)
    assert bench.denied(-5, reduce_only=True) == ("reduce_only", 5, 4)
    bench.ledger(-2)
    assert bench.denied(1, reduce_only=True)[0] == "reduce_only"
    assert bench.denied(-9) == ("position_contracts", 11, 10)


def test_a_ledger_that_has_not_seen_the_last_fill_is_not_heeded(risk: Benches) -> None:
    bench = risk(max_position_contracts=10)
    bench.filled(5)
    bench.ledger(5)
    bench.filled(-5)
    bench.allowed(10)


def test_a_ledger_that_has_not_seen_a_late_fill_is_not_heeded(risk: Benches) -> None:
    bench = risk()
    intent = bench.allowed(5)
    bench.update(intent, S.CANCELED, 1)
    bench.ledger(1)
    bench.update(intent, S.CANCELED, 3)
    bench.allowed(-3, reduce_only=True)


def test_a_ledger_that_goes_on_disagreeing_is_believed(risk: Benches) -> None:
    bench = risk(position_settle=2 * SECOND)
    bench.filled(4)
    bench.ledger(0)
    bench.advance(2 * SECOND)
    assert bench.net() == 4
    bench.advance(1 * SECOND)
    assert bench.net() == 0
    assert bench.events[-1] == PositionCorrected(BTC, 4, 0, bench.now_ns)
    assert bench.take(PositionOverruled) == [PositionOverruled("main", BTC, 0, bench.now_ns)]
    bench.restart()
    assert bench.net() == 0


def test_a_disagreement_that_passes_corrects_nothing(risk: Benches) -> None:
    bench = risk(position_settle=2 * SECOND)
    bench.filled(4)
    bench.ledger(3)
    bench.advance(1 * SECOND)
    bench.ledger(4)
    bench.advance(1 * SECOND)
    bench.ledger(3)
    bench.advance(2 * SECOND)
    assert bench.net() == 4


def test_a_position_that_only_the_ledger_knows_counts(risk: Benches) -> None:
    bench = risk(max_open_trades=1)
    bench.ledger(3, ETH)
    assert bench.actor.state.books == {}
    assert bench.denied(1)[0] == "open_trades"
    bench.mark(ETH, MARKS[ETH] + 1)
    bench.ledger(7, ETH, account="other")
    bench.ledger(0, ETH)
    bench.allowed(1)


# -- restarts --------------------------------------------------------------------------------------


def test_state_outlives_a_restart_and_prices_and_money_do_not(risk: Benches) -> None:
    bench = risk(max_position_contracts=10, max_orders_per_second=1, order_burst=100)
    bench.filled(4)
    intent = bench.allowed(5)
    bench.update(intent, S.UNKNOWN)
    before = msgspec.msgpack.encode(bench.actor.state)
    bench.restart()
    assert msgspec.msgpack.encode(bench.actor.state) == before
    assert bench.denied(1)[0] == "stale_data"
    for symbol, mark in MARKS.items():
        bench.mark(symbol, mark)
    assert bench.denied(1)[0] == "account_unknown"
    bench.money(10_000 * USDT)
    assert bench.denied(2) == ("position_contracts", 11, 10)
    bench.allowed(1)


def test_exposure_after_a_restart_is_what_it_was(risk: Benches) -> None:
    bench = risk(max_leverage=2 * USDT)
    bench.filled(100)
    bench.allowed(100, symbol=ETH)
    picture = bench.actor._picture
    before = picture.exposure_usdt, picture.margin_usdt, picture.trades_count
    assert before[0] == 8_000 * USDT + 2_500 * USDT
    bench.restart()
    bench.hear()
    picture = bench.actor._picture
    assert (picture.exposure_usdt, picture.margin_usdt, picture.trades_count) == before


def test_an_order_above_the_mark_is_kept_at_the_mark(risk: Benches) -> None:
    bench = risk()
    bench.allowed(100, limit_ticks=MARKS[BTC] + 10_000)
    picture = bench.actor._picture
    assert (picture.exposure_usdt, picture.margin_usdt) == (8_000 * USDT, 400 * USDT)


def test_agreement_holds_for_one_run_of_the_node(risk: Benches) -> None:
    bench = risk()
    assert bench.events == [GateMoved(True, 1, bench.now_ns)]
    bench.restart()
    bench.hear()
    bench.allowed()
    bench.epoch = 2
    bench.restart()
    bench.hear()
    assert bench.denied()[0] == "not_reconciled"
    bench.reconciled()
    bench.allowed()


def test_a_stale_feed_stays_stale_over_a_restart(risk: Benches) -> None:
    bench = risk()
    bench.feed(FeedState.FROZEN)
    bench.feed(FeedState.FROZEN)
    assert sum(isinstance(event, FeedNoted) for event in bench.events) == 1
    bench.restart()
    bench.hear()
    assert bench.denied()[0] == "stale_data"
    bench.feed(FeedState.LIVE)
    bench.allowed()


def test_a_snapshot_holds_the_whole_state(risk: Benches) -> None:
    bench = risk()
    bench.filled(4)
    bench.allowed(5)
    bench.feed(FeedState.LATE)
    state = bench.actor.state
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state)) == state


def test_each_decision_is_one_event(risk: Benches) -> None:
    bench = risk(max_order_contracts=5)
    bench.allowed(5)
    bench.denied(6)
    assert [type(event) for event in bench.events[1:]] == [IntentAllowed, IntentDenied]
    gauges = bench.actor.gauges()
    assert (gauges["allowed_count"], gauges["denied_count"], gauges["orders_reserved_count"]) == (1, 1, 1)


def test_what_an_operator_sees_is_plain(risk: Benches) -> None:
    bench = risk()
    bench.filled(4)
    shown = bench.actor.describe()
    msgspec.json.encode(shown)
    assert shown["positions"] == {BTC: 4}
    assert bench.actor.peek("nothing") == Book()
