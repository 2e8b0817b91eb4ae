"""Scheduled close: a closing market order at an instant, or after a time."""

from __future__ import annotations

from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import ScheduledClose
from actors.oms.parents.closing import judge_one_shot, one_shot_wanted
from actors.oms.parents.kind import ParentKind, Sight, Table, nothing_watched
from actors.oms.parents.state import Parent

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.WAITING, E.DUE): S.FIRING,
    (S.WAITING, E.POSITION_GONE): S.DONE,
    (S.WAITING, E.CANCEL_WANTED): S.CANCELED,
    (S.FIRING, E.FILLED): S.DONE,
    (S.FIRING, E.POSITION_GONE): S.DONE,
    (S.FIRING, E.EXIT_REFUSED): S.FIRING,
    (S.FIRING, E.CANCEL_WANTED): S.CANCELING,
    (S.FIRING, E.HALTED): S.FIRING,
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
}


def due_ns(parent: Parent) -> int:
    """Return when to close."""
    plan = parent.plan
    if parent.state is not S.WAITING or not isinstance(plan, ScheduledClose):
        return 0
    return plan.at_ns or parent.accepted_at_ns + plan.after_ns


def judge(parent: Parent, sight: Sight) -> ParentEvent | None:
    """Tell whether its instant has come, and what the numbers say."""
    if 0 < due_ns(parent) <= sight.now_ns and parent.claim:
        return E.DUE
    return judge_one_shot(parent, sight)


KIND = ParentKind(
    "scheduled_close", TABLE, lambda _: S.WAITING, judge, one_shot_wanted, nothing_watched, due_ns
)
