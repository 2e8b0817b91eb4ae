"""What an actor knows beforehand that it will publish: the past, played again.

A cell keeps the instants that are still to come, and one timer for the next of them. When it fires, the cell
publishes what is due, as its behaviour would have. `runtime.virtual_time` takes a shorter way where it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actors.runtime.errors import InvariantError
from actors.runtime.messages import Message
from actors.runtime.timers import Timer

if TYPE_CHECKING:
    from actors.runtime.cell import Cell
    from actors.runtime.loop import Loop

__all__ = [
    "FORETOLD_DUE",
    "ForetoldDue",
    "Instant",
    "arm_foretold",
    "checked",
    "take_foretold",
    "tell_foretold",
]

Instant = tuple[int, Sequence[Message]]  # UTC nanoseconds, and what is published then

KEY = "foretold"


class ForetoldDue(Message, frozen=True):
    """The next instant that was foretold has come."""


FORETOLD_DUE = ForetoldDue()


def checked(name: str, now_ns: int, instants: Sequence[Instant]) -> tuple[Instant, ...]:
    """Return instants that ascend from now on. Errors: InvariantError."""
    before_ns = now_ns
    for at_ns, _ in instants:
        if at_ns <= before_ns:
            raise InvariantError(f"{name} foretells {at_ns}, which is not after {before_ns}")
        before_ns = at_ns
    return tuple(instants)


def take_foretold(loop: Loop, cell: Cell, instants: tuple[Instant, ...]) -> None:
    """Have a cell tell these instead of what it has foretold before."""
    cell.foretold.clear()
    cell.foretold.extend(instants)
    arm_foretold(loop, cell)


def arm_foretold(loop: Loop, cell: Cell, rank: int = 0) -> None:
    """Set the timer for the next instant, if there is one, in a place among timers that was taken before."""
    if cell.foretold:
        loop.timers.schedule(Timer(cell.foretold[0][0], cell, FORETOLD_DUE, KEY, False, 0), rank=rank)
    else:
        loop.timers.cancel(cell.name, KEY)


def tell_foretold(message: Message, context: Any) -> None:
    """Publish what is due: the handler of `ForetoldDue` in every cell."""
    foretold, now_ns = context.owner.foretold, context.now_ns
    while foretold and foretold[0][0] <= now_ns:
        for told in foretold.popleft()[1]:
            context.publish(told)
    if foretold:
        context.operations.append(("schedule", foretold[0][0], FORETOLD_DUE, KEY, b"", 0))
