"""Stop-limit: a limit order once the price has gone as far as the stop."""

from __future__ import annotations

from actors.domain.orders import OrderType, TimeInForce
from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import StopLimit
from actors.oms.parents.closing import judge_one_shot, one_shot_wanted, open_contracts, resting, stop_level
from actors.oms.parents.kind import Level, ParentKind, Sight, Table, Wanted, nothing_due
from actors.oms.parents.state import Parent, Role

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.WAITING, E.TRIGGERED): S.RESTING,
    (S.WAITING, E.POSITION_GONE): S.DONE,
    (S.WAITING, E.CANCEL_WANTED): S.CANCELED,
    (S.WAITING, E.HALTED): S.CANCELED,  # one that opens; what protects stays
    (S.RESTING, E.FILLED): S.DONE,
    (S.RESTING, E.POSITION_GONE): S.DONE,
    (S.RESTING, E.LIMIT_REFUSED): S.FIRING,  # it was to close: so it closes at the market
    (S.RESTING, E.REFUSED): S.FAILING,
    (S.RESTING, E.CANCEL_WANTED): S.CANCELING,
    (S.RESTING, E.HALTED): S.CANCELING,
    (S.FIRING, E.FILLED): S.DONE,
    (S.FIRING, E.POSITION_GONE): S.DONE,
    (S.FIRING, E.LIMIT_REFUSED): S.FIRING,
    (S.FIRING, E.EXIT_REFUSED): S.FIRING,
    (S.FIRING, E.CANCEL_WANTED): S.CANCELING,
    (S.FAILING, E.CHILDREN_GONE): S.FAILED,
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
}


def levels(parent: Parent) -> tuple[Level, ...]:
    """Watch the stop."""
    plan = parent.plan
    if parent.state is not S.WAITING or not isinstance(plan, StopLimit):
        return ()
    return (stop_level(parent.side, plan.stop_ticks, plan.source),)


def desire(parent: Parent, sight: Sight) -> tuple[Wanted, ...]:
    """Rest at the limit once triggered."""
    plan = parent.plan
    if parent.state is not S.RESTING or not isinstance(plan, StopLimit):
        return one_shot_wanted(parent, sight)
    if parent.reduce_only:
        if sight.is_flattening:
            return ()
        return (resting(parent.side, open_contracts(parent, sight), plan.limit_ticks),)
    left = parent.contracts - parent.entry_filled
    return (
        Wanted(
            *(Role.ENTRY, parent.side, left, OrderType.LIMIT, plan.limit_ticks, TimeInForce.GTC),
            reduce_only=False,
        ),
    )


def judge(parent: Parent, sight: Sight) -> ParentEvent | None:
    """Tell what the numbers say."""
    if parent.state is S.RESTING and not parent.children:
        if not parent.reduce_only:
            return E.FILLED if parent.entry_filled >= parent.contracts else None
        if not open_contracts(parent, sight):
            return E.FILLED if parent.exit_filled else E.POSITION_GONE
    return judge_one_shot(parent, sight)


KIND = ParentKind("stop_limit", TABLE, lambda _: S.WAITING, judge, desire, levels, nothing_due, protects=True)
