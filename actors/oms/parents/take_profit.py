"""Take-profit: closes once the price has gone our way as far as the target; or rests there from the start."""

from __future__ import annotations

from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import TakeProfit
from actors.oms.parents.closing import (
    judge_one_shot,
    one_shot_wanted,
    open_contracts,
    resting,
    target_level,
)
from actors.oms.parents.kind import Level, ParentKind, Sight, Table, Wanted, nothing_due
from actors.oms.parents.state import Parent

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.WAITING, E.TARGET_TOUCHED): S.FIRING,
    (S.WAITING, E.FILLED): S.DONE,  # where it rested
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
    """Watch the target, unless it rests at the venue."""
    plan = parent.plan
    if parent.state is not S.WAITING or not isinstance(plan, TakeProfit):
        return ()
    if plan.rests and not parent.target_watched:
        return ()
    return (target_level(parent.side, plan.target_ticks, plan.source),)


def desire(parent: Parent, sight: Sight) -> tuple[Wanted, ...]:
    """Rest at the target from the start, or send when it was met."""
    plan = parent.plan
    rests = isinstance(plan, TakeProfit) and plan.rests and not parent.target_watched
    if parent.state is S.WAITING and rests and isinstance(plan, TakeProfit):
        return (resting(parent.side, open_contracts(parent, sight), plan.target_ticks),)
    return one_shot_wanted(parent, sight)


KIND = ParentKind("take_profit", TABLE, lambda _: S.WAITING, judge_one_shot, desire, levels, nothing_due)
