"""Iceberg: a limit order of which a part is shown; the next part follows when that has filled."""

from __future__ import annotations

from actors.domain.orders import OrderType, TimeInForce
from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import Iceberg
from actors.oms.parents.kind import ParentKind, Sight, Table, Wanted, nothing_due, nothing_watched
from actors.oms.parents.state import Parent, Role

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.WORKING, E.FILLED): S.DONE,
    (S.WORKING, E.REFUSED): S.FAILING,
    (S.WORKING, E.CANCEL_WANTED): S.CANCELING,
    (S.WORKING, E.HALTED): S.CANCELING,
    (S.FAILING, E.CHILDREN_GONE): S.FAILED,
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
}


def judge(parent: Parent, _: Sight) -> ParentEvent | None:
    """Tell what the numbers say."""
    if parent.children:
        return None
    if parent.state is S.WORKING:
        return E.FILLED if parent.filled >= parent.goal else None
    return E.CHILDREN_GONE if parent.state in (S.FAILING, S.CANCELING) else None


def desire(parent: Parent, _: Sight) -> tuple[Wanted, ...]:
    """Show one part at a time."""
    plan = parent.plan
    if parent.state is not S.WORKING or not isinstance(plan, Iceberg):
        return ()
    shown = parent.working(Role.ENTRY) or min(plan.shown_contracts, parent.goal - parent.filled)
    return (
        Wanted(
            *(Role.ENTRY, parent.side, shown, OrderType.LIMIT, plan.limit_ticks, TimeInForce.GTC),
            parent.reduce_only,
        ),
    )


KIND = ParentKind("iceberg", TABLE, lambda _: S.WORKING, judge, desire, nothing_watched, nothing_due)
