"""Slices: when the next one is due, and how much it may bring. Pure."""

from __future__ import annotations

from actors.messages.plans import Twap, Vwap
from actors.oms.parents.state import Parent

__all__ = ["due_at_ns", "interval_ns", "release", "weights_of"]


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
