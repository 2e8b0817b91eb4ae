"""Stop: a market order once the price has gone as far as the stop."""

from __future__ import annotations

from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import Stop
from actors.oms.parents.closing import judge_one_shot, one_shot_wanted, stop_level
from actors.oms.parents.kind import Level, ParentKind, Table, nothing_due
from actors.oms.parents.state import Parent

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.WAITING, E.TRIGGERED): S.FIRING,
    (S.WAITING, E.POSITION_GONE): S.DONE,
    (S.WAITING, E.CANCEL_WANTED): S.CANCELED,
    (S.WAITING, E.HALTED): S.CANCELED,  # one that opens; what protects stays
    (S.FIRING, E.FILLED): S.DONE,
    (S.FIRING, E.POSITION_GONE): S.DONE,
    (S.FIRING, E.EXIT_REFUSED): S.FIRING,
    (S.FIRING, E.REFUSED): S.FAILING,
    (S.FIRING, E.CANCEL_WANTED): S.CANCELING,
    (S.FIRING, E.HALTED): S.CANCELING,
    (S.FAILING, E.CHILDREN_GONE): S.FAILED,
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
}


def levels(parent: Parent) -> tuple[Level, ...]:
    """Watch the stop."""
    plan = parent.plan
    if parent.state is not S.WAITING or not isinstance(plan, Stop):
        return ()
    return (stop_level(parent.side, plan.stop_ticks, plan.source),)


KIND = ParentKind(
    "stop", TABLE, lambda _: S.WAITING, judge_one_shot, one_shot_wanted, levels, nothing_due, protects=True
)
