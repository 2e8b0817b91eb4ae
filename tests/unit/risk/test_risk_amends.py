"""Amendments before risk: judged as the order would become; what it reserves counts once, at any time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.domain.amending import AmendState
from actors.domain.lifecycle import OrderState
from actors.messages.amending import (
    AmendIntent,
    AmendUpdate,
    PlaceReplacement,
    ReplacementDenied,
    ReplacementReady,
    SubmitAmend,
)
from actors.messages.control import Halt, HaltLevel
from actors.messages.trading import OrderDenied, OrderIntent
from tests.unit.risk.risk_bench import BTC, ETH, TREND, USDT, RiskBench

MARK = 8_000_000
EACH = 80 * USDT  # what a contract of BTC is worth


def resting(risk: RiskBench, signed: int = 10, **changes: Any) -> OrderIntent:
    return risk.allowed(signed, limit_ticks=MARK, **changes)


def amend(risk: RiskBench, intent: OrderIntent, **changes: Any) -> SubmitAmend | OrderDenied:
    """Wish an amendment; return what risk said."""
    risk.count += 1
    fields = {"intent_id": f"{TREND}#1.{risk.count}"} | changes
    wish = msgspec.structs.replace(intent, **fields)
    risk.tell(AmendIntent(intent.intent_id, wish), sender=wish.strategy)
    submitted = risk.take(SubmitAmend)
    if submitted:
        return submitted[0]
    (denied,) = risk.replies
    risk.replies.clear()
    assert isinstance(denied, OrderDenied)
    assert denied.intent_id == wish.intent_id
    return denied


def ready(risk: RiskBench, intent: OrderIntent, contracts: int, **changes: Any) -> Any:
    rest = msgspec.structs.replace(intent, contracts=contracts, **changes)
    risk.tell(ReplacementReady("main", f"{TREND}#1.{risk.count}", rest), sender="oms/main")
    return risk.replies.pop()


def settle(risk: RiskBench, intent: OrderIntent, state: AmendState, contracts: int) -> None:
    amend_id = f"{TREND}#1.{risk.count}"
    update = AmendUpdate(amend_id, intent.intent_id, TREND, "main", BTC, state, contracts, MARK, "", 1)
    risk.tell(update, sender="oms/main")


def reserved(risk: RiskBench) -> int:
    book = risk.actor.peek(BTC)
    held = sum(
        r.contracts - r.filled_contracts for r in risk.actor.state.reserved.values() if r.symbol == BTC
    )
    assert book.buy_contracts == held
    assert risk.actor._picture.exposure_usdt == (held + max(0, book.net_contracts)) * EACH
    return held


@pytest.mark.parametrize(
    ("size", "during", "after"), [(4, 10, 4), (10, 10, 10), (15, 15, 15)], ids=["less", "price", "more"]
)
def test_the_larger_size_is_reserved_until_it_is_over(risk, size: int, during: int, after: int) -> None:
    bench = risk()
    intent = resting(bench)
    assert isinstance(amend(bench, intent, contracts=size, limit_ticks=MARK - 5), SubmitAmend)
    assert reserved(bench) == during
    assert ready(bench, intent, size) == PlaceReplacement(intent.intent_id, f"{TREND}#1.{bench.count}", size)
    assert reserved(bench) == during
    settle(bench, intent, AmendState.AMENDED, size)
    assert reserved(bench) == after
    bench.update(intent, OrderState.FILLED, size, contracts=size)
    assert (reserved(bench), bench.net()) == (0, size)


def test_what_filled_meanwhile_is_neither_counted_twice_nor_lost(risk) -> None:
    bench = risk()
    intent = resting(bench)
    amend(bench, intent, contracts=12)
    bench.update(intent, OrderState.CANCELING, 4)
    assert (reserved(bench), bench.net()) == (8, 4)
    ready(bench, intent, 8)
    settle(bench, intent, AmendState.AMENDED, 12)
    assert (reserved(bench), bench.net()) == (8, 4)
    bench.update(intent, OrderState.FILLED, 12, contracts=12)
    assert (reserved(bench), bench.net()) == (0, 12)


@pytest.mark.parametrize("size", [4, 15])
def test_an_amendment_that_was_kept_reserves_what_it_did_before(risk, size: int) -> None:
    bench = risk()
    intent = resting(bench)
    amend(bench, intent, contracts=size)
    settle(bench, intent, AmendState.KEPT, 10)
    assert reserved(bench) == 10


def test_an_order_that_is_gone_reserves_nothing(risk) -> None:
    bench = risk()
    intent = resting(bench)
    amend(bench, intent, contracts=15)
    settle(bench, intent, AmendState.GONE, 4)
    bench.update(intent, OrderState.CANCELED, 4)
    assert (reserved(bench), bench.net()) == (0, 4)


@pytest.mark.parametrize(("contracts", "passes"), [(11, True), (12, True), (13, False)])
def test_limits_see_the_order_as_it_would_become(risk, contracts: int, passes: bool) -> None:
    bench = risk(max_position_notional_usdt=12 * EACH)
    intent = resting(bench)
    answer = amend(bench, intent, contracts=contracts)
    assert isinstance(answer, SubmitAmend) is passes
    if not passes:
        assert answer.rule == "position_notional"
        assert (answer.measured, answer.limit) == (13 * EACH, 12 * EACH)
        assert reserved(bench) == 10


def test_an_amendment_is_no_further_order(risk) -> None:
    bench = risk(max_open_orders=1, max_open_trades=1)
    intent = resting(bench)
    assert bench.denied(1, symbol=ETH)[0] == "open_orders"
    assert isinstance(amend(bench, intent, limit_ticks=MARK - 1), SubmitAmend)
    assert isinstance(ready(bench, intent, 10, limit_ticks=MARK - 1), PlaceReplacement)


def test_amendments_take_from_the_rate_of_orders_once(risk) -> None:
    bench = risk(max_orders_per_second=1, order_burst=3)
    intent = resting(bench)
    assert isinstance(amend(bench, intent, limit_ticks=MARK - 1), SubmitAmend)
    assert isinstance(amend(bench, intent, limit_ticks=MARK - 2), SubmitAmend)
    assert amend(bench, intent, limit_ticks=MARK - 3).rule == "order_rate"
    assert isinstance(ready(bench, intent, 10), PlaceReplacement)


@pytest.mark.parametrize("level", list(HaltLevel))
def test_nothing_is_placed_after_a_halt(risk, level: HaltLevel) -> None:
    bench = risk()
    intent = resting(bench)
    amend(bench, intent, limit_ticks=MARK - 1)
    bench.tell(Halt("all", level, "ada", "drill"))
    bench.replies.clear()
    answer = ready(bench, intent, 10)
    assert isinstance(answer, ReplacementDenied)
    assert answer.rule == "halted"


def test_limits_that_the_position_has_reached_meanwhile_deny_the_rest(risk) -> None:
    bench = risk(max_position_notional_usdt=20 * EACH)
    intent = resting(bench)
    amend(bench, intent, limit_ticks=MARK - 1)
    bench.ledger(15)
    assert ready(bench, intent, 10).rule == "position_notional"


def test_what_was_judged_survives_a_restart(risk) -> None:
    bench = risk()
    intent = resting(bench)
    amend(bench, intent, contracts=15)
    before = msgspec.msgpack.encode(bench.actor.state)
    bench.restart()
    assert msgspec.msgpack.encode(bench.actor.state) == before
    bench.hear()
    assert reserved(bench) == 15


def test_judging_leaves_no_trace_in_the_books(risk) -> None:
    bench = risk(max_position_notional_usdt=12 * EACH)
    first, second = resting(bench, 5), resting(bench, 3)
    before = msgspec.msgpack.encode(bench.actor.state.reserved), bench.actor.peek(BTC).buy_contracts
    assert isinstance(amend(bench, first, contracts=100), OrderDenied)
    ready(bench, second, 3)
    assert (msgspec.msgpack.encode(bench.actor.state.reserved), bench.actor.peek(BTC).buy_contracts) == before


@pytest.mark.parametrize(
    "changes",
    [{"symbol": ETH}, {"side": -1}, {"contracts": 2}, {"contracts": 0}, {"strategy": "thief/BTC"}],
    ids=str,
)
def test_what_is_no_amendment_of_it_is_denied(risk, changes: dict[str, Any]) -> None:
    bench = risk()
    intent = resting(bench)
    bench.update(intent, OrderState.PARTIALLY_FILLED, 3)
    wish = msgspec.structs.replace(intent, intent_id=f"{TREND}#1.99", **changes)
    bench.tell(AmendIntent(intent.intent_id, wish), sender=TREND)
    assert bench.take(SubmitAmend) == []
    assert bench.replies.pop().rule == "amend"


def test_an_order_that_has_ended_cannot_be_amended(risk) -> None:
    bench = risk()
    intent = resting(bench)
    bench.update(intent, OrderState.CANCELED)
    assert amend(bench, intent, limit_ticks=MARK - 1).rule == "amend"
    assert ready(bench, intent, 10).rule == "amend"


def test_another_accounts_amendment_is_not_heard(risk) -> None:
    bench = risk()
    intent = resting(bench)
    wish = msgspec.structs.replace(intent, intent_id="x#1.1", account="other")
    bench.tell(AmendIntent(intent.intent_id, wish), sender=TREND)
    assert (bench.take(SubmitAmend), bench.replies) == ([], [])
