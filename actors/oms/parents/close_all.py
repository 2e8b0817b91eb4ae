"""Close all: the position of a symbol, or of every symbol, until nothing is open.

It sends no children: the OMS closes as it does for a halt, and goes on until the positions are gone.
"""

from __future__ import annotations

from actors.domain.parent_states import ParentEvent, ParentState
from actors.oms.parents.kind import ParentKind, Sight, Table, Wanted, nothing_due, nothing_watched
from actors.oms.parents.state import Parent

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.FIRING, E.POSITION_GONE): S.DONE,
}


def judge(_: Parent, sight: Sight) -> ParentEvent | None:
    """Tell whether everything is closed."""
    return None if sight.is_flattening else E.POSITION_GONE


def desire(_: Parent, __: Sight) -> tuple[Wanted, ...]:
    """Want nothing of its own."""
    return ()


KIND = ParentKind("close_all", TABLE, lambda _: S.FIRING, judge, desire, nothing_watched, nothing_due)
