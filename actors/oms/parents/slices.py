"""Slices: when the next one is due, and how much it may bring; what TWAP and VWAP have in common. Pure."""

from __future__ import annotations

from actors.domain.orders import OrderType, TimeInForce
from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import Twap, Vwap
from actors.oms.parents.kind import Sight, Table, Wanted
from actors.oms.parents.state import Parent, Role

__all__ = ["SLICED", "desire", "due_at_ns", "due_ns", "interval_ns", "judge", "release", "weights_of"]


def weights_of(parent: Parent) -> tuple[int, ...]:
    """Return the weight of each slice; none when the parent is not sliced."""
    plan = parent.plan
    if isinstance(plan, Twap):
        return (1,) * plan.slices_count
    return plan.weights if isinstance(plan, Vwap) else ()


def interval_ns(parent: Parent) -> int:
    """Return the time between two slices."""
    plan = parent.plan
    return plan.duration_ns // len(weights_of(parent)) if isinstance(plan, Twap | Vwap) else 0


def due_at_ns(parent: Parent) -> int:
    """Return when the next slice is due; the first is at once. Past the last: when its time is over."""
    return parent.accepted_at_ns + parent.slices_done * interval_ns(parent)


def release(parent: Parent, at_ns: int) -> None:
    """Let the slice of this instant trade its share of what no slice has had yet.

    A slice that was missed is not made up for at once: the later ones share it by their weights.
    """
    weights = weights_of(parent)
    if not weights:
        return
    pause = interval_ns(parent)
    reached = (at_ns - parent.accepted_at_ns) // pause + 1 if pause else len(weights)
    number = min(len(weights), reached)
    if number <= parent.slices_done:
        return
    left = parent.contracts - parent.released
    share = weights[number - 1]
    ahead = sum(weights[number - 1 :])
    parent.released += -(-left * share // ahead) if ahead else left
    parent.slices_done = number


S, E = ParentState, ParentEvent

# TWAP and VWAP differ in their weights only.
SLICED: Table = {
    (S.WORKING, E.DUE): S.WORKING,  # the next slice
    (S.WORKING, E.FILLED): S.DONE,
    (S.WORKING, E.TIME_OVER): S.FINISHING,
    (S.WORKING, E.REFUSED): S.FAILING,
    (S.WORKING, E.CANCEL_WANTED): S.CANCELING,
    (S.WORKING, E.HALTED): S.CANCELING,
    (S.FINISHING, E.CHILDREN_GONE): S.DONE,
    (S.FAILING, E.CHILDREN_GONE): S.FAILED,
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
}
DYING = frozenset({S.FINISHING, S.FAILING, S.CANCELING})


def judge(parent: Parent, sight: Sight) -> ParentEvent | None:
    """Tell whether a slice is due, its time over, or all of it has traded."""
    if parent.state in DYING:
        return None if parent.children else E.CHILDREN_GONE
    if parent.state is not S.WORKING:
        return None
    if parent.filled >= parent.goal:
        return None if parent.children else E.FILLED
    if sight.now_ns < due_at_ns(parent):
        return None
    return E.DUE if parent.slices_done < len(weights_of(parent)) else E.TIME_OVER


def desire(parent: Parent, _: Sight) -> tuple[Wanted, ...]:
    """Have as much traded as the slices so far may trade."""
    plan = parent.plan
    if parent.state is not S.WORKING or not isinstance(plan, Twap | Vwap):
        return ()
    kind = OrderType.LIMIT if plan.limit_ticks else OrderType.MARKET
    left = max(0, min(parent.released, parent.goal) - parent.filled)
    return (
        Wanted(*(Role.ENTRY, parent.side, left, kind, plan.limit_ticks, TimeInForce.IOC), parent.reduce_only),
    )


def due_ns(parent: Parent) -> int:
    """Return when to look again."""
    return due_at_ns(parent) if parent.state is S.WORKING else 0
