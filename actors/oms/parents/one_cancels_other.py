"""One cancels other: a stop and a target for the same contracts; what one closes, the other does not."""

from __future__ import annotations

from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import OneCancelsOther
from actors.oms.parents.closing import (
    judge_one_shot,
    one_shot_wanted,
    open_contracts,
    resting,
    stop_level,
    target_level,
)
from actors.oms.parents.kind import Level, ParentKind, Sight, Table, Wanted, nothing_due
from actors.oms.parents.state import Parent

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.WAITING, E.TRIGGERED): S.FIRING,
    (S.WAITING, E.TARGET_TOUCHED): S.FIRING,
    (S.WAITING, E.FILLED): S.DONE,  # the target, where it rested
    (S.WAITING, E.POSITION_GONE): S.DONE,
    (S.WAITING, E.TARGET_REFUSED): S.WAITING,
    (S.WAITING, E.CANCEL_WANTED): S.CANCELING,
    (S.WAITING, E.HALTED): S.WAITING,
    (S.FIRING, E.FILLED): S.DONE,
    (S.FIRING, E.POSITION_GONE): S.DONE,
    (S.FIRING, E.EXIT_REFUSED): S.FIRING,
    (S.FIRING, E.TARGET_REFUSED): S.FIRING,
    (S.FIRING, E.CANCEL_WANTED): S.CANCELING,
    (S.FIRING, E.HALTED): S.FIRING,
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
}


def levels(parent: Parent) -> tuple[Level, ...]:
    """Watch the stop, and the target unless it rests at the venue."""
    plan, side = parent.plan, parent.side
    if parent.state is not S.WAITING or not isinstance(plan, OneCancelsOther):
        return ()
    stop = stop_level(side, plan.stop_ticks, plan.source)
    if plan.rests and not parent.target_watched:
        return (stop,)
    return (stop, target_level(side, plan.target_ticks, plan.source))


def desire(parent: Parent, sight: Sight) -> tuple[Wanted, ...]:
    """Rest at the target, as large as what is left; or send when one of both was met."""
    plan = parent.plan
    if parent.state is S.WAITING and isinstance(plan, OneCancelsOther):
        if not plan.rests or parent.target_watched or sight.is_flattening:
            return ()
        return (resting(parent.side, open_contracts(parent, sight), plan.target_ticks),)
    return one_shot_wanted(parent, sight)


KIND = ParentKind(
    *("one_cancels_other", TABLE, lambda _: S.WAITING, judge_one_shot, desire, levels, nothing_due),
    protects=True,
)
