"""What the loop needs of its surroundings."""

from __future__ import annotations

from typing import Any, Protocol

from actors.runtime.cell import Cell
from actors.runtime.messages import Message

__all__ = ["Guardian", "Pump"]


class Pump(Protocol):
    """Something at the edge that takes effects."""

    def put(self, message: Message, address: str) -> None:
        """Take one message of the actor at `address`, where answers go; must not block."""
        ...


class Guardian(Protocol):
    """Who looks after failures: the supervision tree. Called after the turn's commit."""

    def failed(self, cell: Cell, error: BaseException, item: Any, *, retried: bool) -> None:
        """A behaviour raised; what it did for the message was undone."""
        ...

    def cannot_keep_up(self, cell: Cell, message: Message) -> None:
        """A mailbox is over its capacity with messages that may not be dropped."""
        ...
