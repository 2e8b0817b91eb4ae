"""Trailing stop: a stop that follows the best price at a distance, from a price on or at once."""

from __future__ import annotations

from actors.domain.orders import Side
from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import TrailingStop
from actors.oms.parents.closing import judge_one_shot, one_shot_wanted
from actors.oms.parents.kind import Level, ParentKind, Table, nothing_due
from actors.oms.parents.state import Parent

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.WAITING, E.ACTIVATED): S.TRAILING,
    (S.WAITING, E.POSITION_GONE): S.DONE,
    (S.WAITING, E.CANCEL_WANTED): S.CANCELED,
    (S.WAITING, E.HALTED): S.CANCELED,  # one that opens; what protects stays
    (S.TRAILING, E.TRIGGERED): S.FIRING,
    (S.TRAILING, E.POSITION_GONE): S.DONE,
    (S.TRAILING, E.CANCEL_WANTED): S.CANCELED,
    (S.TRAILING, E.HALTED): S.CANCELED,
    (S.FIRING, E.FILLED): S.DONE,
    (S.FIRING, E.POSITION_GONE): S.DONE,
    (S.FIRING, E.EXIT_REFUSED): S.FIRING,
    (S.FIRING, E.REFUSED): S.FAILING,
    (S.FIRING, E.CANCEL_WANTED): S.CANCELING,
    (S.FIRING, E.HALTED): S.CANCELING,
    (S.FAILING, E.CHILDREN_GONE): S.FAILED,
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
}


def begins(parent: Parent) -> ParentState:
    """Trail at once unless there is a price to wait for."""
    plan = parent.plan
    return S.WAITING if isinstance(plan, TrailingStop) and plan.activation_ticks else S.TRAILING


def levels(parent: Parent) -> tuple[Level, ...]:
    """Watch the activation price, then the stop that follows."""
    plan, side = parent.plan, parent.side
    if not isinstance(plan, TrailingStop):
        return ()
    if parent.state is S.WAITING:
        return (Level(E.ACTIVATED, plan.source, side is Side.SELL, plan.activation_ticks),)
    if parent.state is S.TRAILING:
        return (Level(E.TRIGGERED, plan.source, side is Side.BUY, 0, plan.trail_ticks, plan.trail_e8),)
    return ()


KIND = ParentKind(
    "trailing_stop", TABLE, begins, judge_one_shot, one_shot_wanted, levels, nothing_due, protects=True
)
