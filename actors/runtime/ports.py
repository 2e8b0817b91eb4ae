"""What the loop needs of its surroundings."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from actors.runtime.cell import Cell
from actors.runtime.messages import Message

__all__ = ["Guardian", "Pump", "TapeWriter", "TapedTurn"]


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

    def stop_asked(self, cell: Cell) -> None:
        """Somebody outside asked the actor to stop."""
        ...


class TapedTurn(NamedTuple):
    """Everything one turn took from outside: with the journal before it, that decides all it did."""

    now_ns: int
    is_idle: bool
    more: bool  # the next turn has something to do already
    called: bool  # it ran something the node itself had put off, such as the revival of an actor
    commands: list[tuple[str, Any]]  # given by an operator or by whoever runs the node
    chunks: list[tuple[int, list[tuple[Cell, Message, str]]]]  # (timers that fired, inputs), handled in turn


class TapeWriter(Protocol):
    """Keeps what enters the loop, in order, as it enters."""

    def started(self, now_ns: int, sequence: int, taped_count: int) -> None:
        """A node starts on a journal that ends at this sequence and has committed so many taped turns."""
        ...

    def turn(self, turn: TapedTurn) -> None:
        """A turn has taken its inputs; called before its commit."""
        ...

    def stopped(self, now_ns: int, reason: str) -> None:
        """The node begins to stop in order."""
        ...
