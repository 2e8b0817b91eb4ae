"""Amendments: never two live orders of one intent, never none unsaid, never more than is left."""

from __future__ import annotations

from typing import Any

import pytest

from actors.domain.amending import AmendState
from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side
from actors.messages.amending import (
    AmendIntent,
    AmendUpdate,
    PlaceReplacement,
    ReplacementDenied,
    ReplacementReady,
    SubmitAmend,
)
from actors.messages.orders import CancelScope
from actors.messages.trading import CancelIntent, OrderUpdate
from actors.messages.venue import CancelOrder, PlaceOrder, QueryOrder, RequestKind
from actors.oms.events import AmendRefused, OrderSubmitted
from tests.unit.oms.oms_bench import BTC, PRICE, RISK, SECOND, TREND, OmsBench

S, A = OrderState, AmendState
BETTER = PRICE + 5


def amend(bench: OmsBench, name: str, **changes: Any) -> str:
    """Amend an order's intent; return the amendment's id."""
    order = bench.order(name)
    wish = bench.intent(**({"strategy": order.strategy, "limit_ticks": BETTER} | changes))
    bench.tell(SubmitAmend(AmendIntent(order.intent_id, wish), bench.now_ns), sender=RISK)
    return wish.intent_id


def asked(bench: OmsBench) -> list[ReplacementReady]:
    """What risk was asked since the last look."""
    found = [message for to, message in bench.sent if to == RISK and isinstance(message, ReplacementReady)]
    bench.sent[:] = [item for item in bench.sent if not isinstance(item[1], ReplacementReady)]
    return found


def allow(bench: OmsBench) -> str:
    """Let risk allow what it was asked; return the replacement's name."""
    (ready,) = asked(bench)
    before = len(bench.placed())
    order = ready.order
    bench.tell(PlaceReplacement(order.intent_id, ready.amend_id, order.contracts), sender=RISK)
    placed = bench.placed()[before:]
    return placed[0].client_order_id if placed else ""


def amended(bench: OmsBench, **changes: Any) -> tuple[str, str]:
    """Return the names of an order and of the one placed for it; the venue has not answered yet."""
    name = bench.opened()
    amend(bench, name, **changes)
    bench.canceled(name)
    return name, allow(bench)


def ends(bench: OmsBench) -> list[AmendUpdate]:
    """What the strategy was told of amendments since the last look."""
    found = [m for to, m in bench.sent if to == TREND and isinstance(m, AmendUpdate)]
    bench.sent[:] = [item for item in bench.sent if not isinstance(item[1], AmendUpdate)]
    return found


def states(bench: OmsBench) -> list[OrderState]:
    """What the strategy was told of its order."""
    return [m.state for to, m in bench.sent if to == TREND and isinstance(m, OrderUpdate)]


def test_an_amendment_cancels_waits_for_evidence_and_places_the_rest(bench: OmsBench) -> None:
    name = bench.opened()
    bench.take(PlaceOrder)
    amend_id = amend(bench, name, contracts=12)
    assert bench.take(CancelOrder) == [CancelOrder("main", name, BTC)]
    bench.advance(SECOND)
    assert (bench.placed(), asked(bench)) == ([], []), "without evidence nothing is placed"
    bench.canceled(name)
    assert bench.placed() == [], "not before risk has looked once more"
    replacement = allow(bench)
    (placed,) = bench.placed()
    assert (placed.contracts, placed.limit_ticks, placed.client_order_id) == (12, BETTER, replacement)
    assert bench.order(replacement).intent_id == bench.order(name).intent_id
    assert ends(bench) == []
    bench.accept(replacement)
    (told,) = ends(bench)
    assert (told.state, told.amend_id, told.contracts, told.limit_ticks) == (A.AMENDED, amend_id, 12, BETTER)
    assert S.CANCELED not in states(bench), "its intent goes on"
    assert bench.oms.state.amends == {}


def test_the_two_orders_are_linked_on_the_record(bench: OmsBench) -> None:
    name, replacement = amended(bench)
    linked = [e for e in bench.events if isinstance(e, OrderSubmitted) and e.replaces]
    assert [(event.client_order_id, event.replaces) for event in linked] == [(replacement, name)]
    assert (bench.order(name).replaced_by, bench.order(replacement).replaces) == (replacement, name)


def test_what_fills_before_the_cancel_is_not_placed_again(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name, contracts=12)
    bench.fill(name, 4)
    bench.canceled(name, 4)
    replacement = allow(bench)
    assert bench.placed()[-1].contracts == 8
    bench.accept(replacement)
    assert ends(bench)[-1].contracts == 12
    bench.fill(replacement, 8)
    update = [m for to, m in bench.sent if to == TREND and isinstance(m, OrderUpdate)][-1]
    assert (update.state, update.contracts, update.filled_contracts) == (S.FILLED, 12, 12)
    assert update.filled_ticks == 12 * PRICE


def test_an_order_that_fills_wholly_before_the_cancel_ends_the_amendment(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name)
    bench.fill(name)
    assert [told.state for told in ends(bench)] == [A.FILLED]
    assert states(bench)[-1] is S.FILLED
    bench.refuse_cancel(name)
    bench.advance(60 * SECOND)
    assert asked(bench) == []


def test_a_smaller_size_that_has_filled_already_ends_it_too(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name, contracts=6)
    bench.fill(name, 7)
    bench.canceled(name, 7)
    (told,) = ends(bench)
    assert (told.state, told.contracts) == (A.FILLED, 7)
    assert states(bench)[-1] is S.FILLED
    assert asked(bench) == []


def test_a_larger_size_goes_on_after_the_order_has_filled_wholly(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name, contracts=15)
    bench.fill(name)
    assert S.FILLED not in states(bench)
    replacement = allow(bench)
    assert bench.placed()[-1].contracts == 5
    bench.accept(replacement)
    assert [told.state for told in ends(bench)] == [A.AMENDED]


def test_nothing_is_placed_while_the_venue_counts_fills_that_we_have_not_seen(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name)
    bench.canceled(name, 4)
    assert asked(bench) == []
    bench.fill(name, 4)
    (ready,) = asked(bench)
    assert ready.order.contracts == 6


def test_missing_fills_are_asked_for_and_come_with_the_evidence(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name)
    bench.canceled(name, 4)
    bench.take(QueryOrder)
    bench.advance(SECOND)
    assert len(bench.take(QueryOrder)) == 1
    bench.show(name, S.CANCELED, fills=(bench.filled(name, 4),))
    (ready,) = asked(bench)
    assert ready.order.contracts == 6


@pytest.mark.parametrize("loss", ["refused", "lost", "silent", "restart"])
def test_a_cancel_without_an_answer_waits_for_evidence(bench: OmsBench, loss: str) -> None:
    name = bench.opened()
    amend(bench, name)
    if loss == "refused":
        bench.refuse_cancel(name)
    elif loss == "lost":
        bench.lose(name, RequestKind.CANCEL)
    elif loss == "silent":
        bench.advance(6 * SECOND)
    else:
        bench.restart()
    assert bench.order(name).state is S.UNKNOWN
    bench.advance(3_600 * SECOND)
    assert (asked(bench), len(bench.placed())) == ([], 1), "it never times out into an answer"
    bench.show(name, S.OPEN)
    assert bench.order(name).state is S.CANCELING, "it still rests: the cancel is asked for again"
    bench.show(name, S.CANCELED)
    assert allow(bench)


def test_an_order_in_doubt_is_amended_as_soon_as_it_is_known_to_rest(bench: OmsBench) -> None:
    name = bench.unknown()
    amend(bench, name)
    assert bench.take(CancelOrder) == []
    bench.show(name, S.OPEN)
    assert len(bench.take(CancelOrder)) == 1
    bench.canceled(name)
    assert allow(bench)


@pytest.mark.parametrize("answer", [S.REJECTED, S.ABSENT])
def test_an_order_that_never_was_is_not_placed_instead(bench: OmsBench, answer: OrderState) -> None:
    name = bench.unknown()
    amend(bench, name)
    bench.advance(20 * SECOND)
    bench.show(name, answer)
    assert [told.state for told in ends(bench)] == [A.GONE]
    assert states(bench)[-1] is answer
    assert asked(bench) == []


def test_a_refused_replacement_ends_with_a_stated_result(bench: OmsBench) -> None:
    _, replacement = amended(bench)
    bench.reject(replacement)
    (told,) = ends(bench)
    assert (told.state, told.contracts, told.reason) == (A.GONE, 0, "11: no margin")
    assert states(bench)[-1] is S.REJECTED


def test_a_replacement_without_an_answer_stays_unknown_until_evidence(bench: OmsBench) -> None:
    _, replacement = amended(bench)
    bench.lose(replacement, RequestKind.PLACE)
    bench.advance(3_600 * SECOND)
    assert (ends(bench), states(bench)[-1]) == ([], S.UNKNOWN)
    assert len(bench.oms.state.amends) == 1
    bench.show(replacement, S.ABSENT, limit_ticks=BETTER)
    assert [told.state for told in ends(bench)] == [A.GONE]


def test_a_fill_that_overtakes_the_acceptance_ends_the_amendment(bench: OmsBench) -> None:
    _, replacement = amended(bench)
    bench.fill(replacement, 3)
    assert [told.state for told in ends(bench)] == [A.AMENDED]
    assert states(bench)[-1] is S.PARTIALLY_FILLED


def test_risk_may_deny_the_rest_and_the_order_is_gone(bench: OmsBench) -> None:
    name = bench.opened()
    amend_id = amend(bench, name)
    bench.fill(name, 4)
    bench.canceled(name, 4)
    (ready,) = asked(bench)
    bench.tell(ReplacementDenied(ready.order.intent_id, amend_id, "halted", "all is halted"), sender=RISK)
    (told,) = ends(bench)
    assert (told.state, told.contracts, told.reason) == (A.GONE, 4, "denied by halted: all is halted")
    assert states(bench)[-1] is S.CANCELED
    assert len(bench.placed()) == 1


@pytest.mark.parametrize("who", ["strategy", "risk", "person"])
def test_a_cancel_withdraws_the_amendment(bench: OmsBench, who: str) -> None:
    name = bench.opened()
    amend(bench, name)
    if who == "strategy":
        bench.tell(CancelIntent(bench.order(name).intent_id, TREND, "main"), sender=RISK)
    elif who == "risk":
        bench.cancel()
    else:
        bench.tell(CancelScope("", BTC, "", "", "ada", ""))
    assert [told.state for told in ends(bench)] == [A.GONE]
    bench.canceled(name)
    assert (asked(bench), states(bench)[-1]) == ([], S.CANCELED)


@pytest.mark.parametrize("how", ["intent", "scope", "flatten", "person"])
def test_a_cancel_between_the_two_orders_leaves_none(bench: OmsBench, how: str) -> None:
    name = bench.opened()
    amend(bench, name)
    bench.canceled(name)
    (ready,) = asked(bench)
    if how == "intent":
        bench.cancel(intent_id=bench.order(name).intent_id)
    elif how == "scope":
        bench.cancel(symbol=BTC)
    elif how == "flatten":
        bench.flatten()
    else:
        bench.tell(CancelScope("", "", "", "", "ada", ""))
    assert [told.state for told in ends(bench)] == [A.GONE]
    assert states(bench)[-1] is S.CANCELED
    bench.tell(PlaceReplacement(ready.order.intent_id, ready.amend_id, 10), sender=RISK)
    assert len(bench.placed()) == 1, "an answer of risk that comes too late places nothing"


def test_a_cancel_of_the_replacement_cancels_it_when_it_rests(bench: OmsBench) -> None:
    _, replacement = amended(bench)
    bench.take(CancelOrder)
    bench.cancel()
    bench.accept(replacement)
    assert bench.take(CancelOrder) == [CancelOrder("main", replacement, BTC)]


def test_an_amendment_is_begun_once_however_often_it_comes(bench: OmsBench) -> None:
    name = bench.opened()
    order = bench.order(name)
    wish = bench.intent(limit_ticks=BETTER)
    for _ in range(3):
        bench.tell(SubmitAmend(AmendIntent(order.intent_id, wish), bench.now_ns), sender=RISK)
    assert len(bench.take(CancelOrder)) == 1
    bench.canceled(name)
    bench.accept(allow(bench))
    bench.tell(SubmitAmend(AmendIntent(order.intent_id, wish), bench.now_ns), sender=RISK)
    bench.restart()
    bench.tell(SubmitAmend(AmendIntent(order.intent_id, wish), bench.now_ns), sender=RISK)
    assert bench.take(CancelOrder) == []


def test_an_order_can_be_amended_again_and_again(bench: OmsBench) -> None:
    name = bench.opened()
    for step in range(1, 6):
        amend(bench, name, contracts=20, limit_ticks=PRICE + step)
        bench.fill(name, 2)
        bench.canceled(name, 2)
        name = allow(bench)
        bench.accept(name)
    assert bench.placed()[-1].contracts == 10
    bench.fill(name, 10)
    update = [m for to, m in bench.sent if to == TREND and isinstance(m, OrderUpdate)][-1]
    assert (update.state, update.contracts, update.filled_contracts) == (S.FILLED, 20, 20)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"limit_ticks": PRICE}, "nothing would change"),
        ({"limit_ticks": 0}, "needs a limit price"),
        ({"side": Side.SELL}, "price and size, nothing else"),
        ({"reduce_only": True}, "price and size, nothing else"),
        ({"strategy": "thief/BTC"}, "price and size, nothing else"),
        ({"contracts": 3}, "3 contracts have filled already"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_amendment_keeps_the_order(bench: OmsBench, changes: dict[str, Any], says: str) -> None:
    name = bench.opened()
    if "contracts" in changes:
        bench.fill(name, 3)
    bench.sent.clear()
    amend(bench, name, **changes)
    assert bench.take(CancelOrder) == []
    assert says in [event for event in bench.events if isinstance(event, AmendRefused)][-1].reason
    told = [m for to, m in bench.sent if isinstance(m, AmendUpdate)]
    assert {(update.state, update.contracts) for update in told} == {(A.KEPT, 10)}


def test_orders_that_cannot_be_amended_are_kept(bench: OmsBench) -> None:
    market, canceling, twice, ended = (
        bench.opened(order_type=OrderType.MARKET, limit_ticks=0),
        *(bench.opened() for _ in range(3)),
    )
    bench.tell_cancel(canceling)
    amend(bench, twice)
    bench.fill(ended)
    bench.take(AmendUpdate)
    for name in (market, canceling, twice, ended):
        amend(bench, name, order_type=bench.order(name).order_type, limit_ticks=BETTER + 1)
    assert {told.state for told in ends(bench)} == {A.KEPT}
    reasons = [event.reason for event in bench.events if isinstance(event, AmendRefused)]
    assert [reason.split()[0] for reason in reasons] == ["a", "it", "amendment", "no"]


@pytest.mark.parametrize("stage", ["canceling", "between", "placing"])
def test_an_amendment_survives_a_restart_at_each_stage(bench: OmsBench, stage: str) -> None:
    name = bench.opened()
    amend(bench, name)
    replacement = ""
    if stage != "canceling":
        bench.canceled(name)
    if stage == "placing":
        replacement = allow(bench)
    asked(bench)
    bench.restart()
    bench.restart()
    if stage == "canceling":
        bench.show(name, S.CANCELED)
    if stage == "between":
        bench.sent[:] = [item for item in bench.sent if isinstance(item[1], ReplacementReady)][-1:]
    if stage != "placing":
        replacement = allow(bench)
    assert len({message.client_order_id for message in bench.placed()}) == 2
    bench.show(replacement, S.OPEN, limit_ticks=BETTER)
    assert [told.state for told in ends(bench)] == [A.AMENDED]


def test_a_fill_of_the_replaced_order_is_counted_and_the_replacement_taken_back(bench: OmsBench) -> None:
    name, replacement = amended(bench)
    bench.accept(replacement)
    bench.take(CancelOrder)
    bench.fill(name, 2)
    update = [m for to, m in bench.sent if to == TREND and isinstance(m, OrderUpdate)]
    assert [(m.client_order_id, m.filled_contracts) for m in update][-1] == (replacement, 2)
    assert bench.take(CancelOrder) == [CancelOrder("main", replacement, BTC)]
    assert bench.oms.state.net_contracts[BTC] == 2


def test_an_answer_of_risk_about_less_than_is_left_is_asked_for_again(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name)
    bench.canceled(name)
    (ready,) = asked(bench)
    bench.tell(PlaceReplacement(ready.order.intent_id, ready.amend_id, 4), sender=RISK)
    assert len(bench.placed()) == 1
    assert len(asked(bench)) == 1


def test_a_late_fill_between_the_two_orders_makes_the_second_smaller(bench: OmsBench) -> None:
    name = bench.opened()
    amend(bench, name)
    bench.canceled(name)
    bench.fill(name, 3)
    assert allow(bench)
    assert bench.placed()[-1].contracts == 7


def test_a_repeated_intent_is_answered_by_the_newest_of_its_orders(bench: OmsBench) -> None:
    intent = bench.intent()
    name = bench.submit(intent)
    bench.accept(name)
    amend(bench, name)
    bench.canceled(name)
    replacement = allow(bench)
    bench.accept(replacement)
    bench.fill(replacement)
    bench.sent.clear()
    assert bench.submit(intent) == ""
    told = [m for to, m in bench.sent if isinstance(m, OrderUpdate)]
    assert {(m.client_order_id, m.state) for m in told} == {(replacement, S.FILLED)}
