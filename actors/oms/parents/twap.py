"""TWAP: equal slices over a time."""

from __future__ import annotations

from actors.domain.parent_states import ParentState
from actors.oms.parents.kind import ParentKind, nothing_watched
from actors.oms.parents.slices import SLICED, desire, due_ns, judge

__all__ = ["KIND"]

KIND = ParentKind("twap", SLICED, lambda _: ParentState.WORKING, judge, desire, nothing_watched, due_ns)
