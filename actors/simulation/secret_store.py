"""The store of secrets in a simulated world: it answers after a moment, from the keeper of the real pump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.messages import Message
from actors.secrets.desk import SecretDesk

if TYPE_CHECKING:
    from actors.runtime.wire import Wire

__all__ = ["SimulatedStore"]

ANSWER_NS = 5_000_000


class SimulatedStore:
    """A port of a simulated node."""

    def __init__(self, desk: SecretDesk, wire: Wire) -> None:
        self._desk = desk
        self._wire = wire

    def put(self, message: Message, address: str) -> None:
        """See loop.Pump."""
        found = self._desk.answer(message)
        if found is not None:
            self._wire.deliver(address, found, ANSWER_NS)
