"""From a failing list of faults to one of which nothing can be left out: delta debugging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["shrink"]

T = TypeVar("T")


def shrink(items: Sequence[T], fails: Callable[[Sequence[T]], bool], tries_max: int = 80) -> list[T]:
    """Return a part of `items`, in order, that still fails; a minimal one if the tries suffice."""
    found, parts, tries = list(items), 2, 0
    if not found or fails([]):
        return []
    while len(found) > 1 and tries < tries_max:
        size = -(-len(found) // parts)
        for start in range(0, len(found), size):
            rest = found[:start] + found[start + size :]
            tries += 1
            if rest and fails(rest):
                found, parts = rest, max(2, parts - 1)
                break
            if tries >= tries_max:
                break
        else:
            if size == 1:
                break
            parts = min(len(found), parts * 2)
    return found
