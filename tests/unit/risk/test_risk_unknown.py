"""What nobody knows stays reserved: a submit, a cancel or an amendment without an answer, however long."""

from __future__ import annotations

import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.trading import OrderIntent
from tests.unit.risk.risk_bench import DAY, TREND, USDT, RiskBench
from tests.unit.risk.test_risk_amends import amend, reserved

S = OrderState
EACH = 80 * USDT
WITHOUT_AN_ANSWER = {
    "submit": (S.UNKNOWN,),
    "cancel": (S.OPEN, S.CANCELING, S.UNKNOWN),
    "partly filled cancel": (S.PARTIALLY_FILLED, S.CANCELING, S.UNKNOWN),
    "amend": (S.OPEN, S.CANCELING, S.UNKNOWN),
}


def unknown(bench: RiskBench, what: str) -> tuple[OrderIntent, int]:
    """Return an intent whose request has no answer, and what of it has filled."""
    intent = bench.allowed(10, limit_ticks=8_000_000)
    filled = 0
    for state in WITHOUT_AN_ANSWER[what]:
        if what == "amend" and state is S.CANCELING:
            amend(bench, intent, contracts=12)
        filled = 4 if "partly" in what else 0
        bench.update(intent, state, filled)
    return intent, filled


@pytest.mark.parametrize("what", list(WITHOUT_AN_ANSWER))
def test_what_is_unknown_keeps_margin_and_limits_reserved_and_never_times_out(risk, what: str) -> None:
    bench = risk(max_position_notional_usdt=12 * EACH, max_open_orders=1)
    _, filled = unknown(bench, what)
    left = (12 if what == "amend" else 10) - filled
    margin = bench.actor._picture.margin_usdt
    assert margin > 0
    for _ in range(3):
        bench.advance(DAY)
        bench.hear()
        assert reserved(bench) == left
        assert bench.actor._picture.margin_usdt == margin
    bench.restart()
    bench.reconciled()
    bench.hear()
    assert reserved(bench) == left
    assert bench.denied(3, reduce_only=False)[0] in ("open_orders", "position_notional")


@pytest.mark.parametrize("what", list(WITHOUT_AN_ANSWER))
def test_the_same_intent_is_not_sent_again_while_it_is_unknown(risk, what: str) -> None:
    bench = risk()
    intent, _ = unknown(bench, what)
    bench.send_intent(intent)
    assert bench.replies.pop().rule == "duplicate_intent"


@pytest.mark.parametrize("end", [S.CANCELED, S.REJECTED, S.ABSENT])
@pytest.mark.parametrize("what", ["submit", "cancel", "amend"])
def test_evidence_gives_back_what_was_reserved_once(risk, what: str, end: OrderState) -> None:
    bench = risk()
    intent, _ = unknown(bench, what)
    bench.update(intent, end)
    bench.update(intent, end)
    assert (reserved(bench), bench.net()) == (0, 0)


def test_a_fill_after_the_cancel_moves_the_position_and_reserves_nothing(risk) -> None:
    bench = risk()
    intent, _ = unknown(bench, "cancel")
    bench.update(intent, S.CANCELED, 2)
    bench.update(intent, S.CANCELED, 5)
    assert (reserved(bench), bench.net()) == (0, 5)
    assert intent.strategy == TREND
