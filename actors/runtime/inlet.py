"""Where everything that comes in waits until the loop takes it: messages, calls, requests to stop."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from actors.runtime.cell import Ask, Cell
from actors.runtime.errors import MailboxFull, NodeStopped, NotAccepted
from actors.runtime.messages import Message, Overflow
from actors.runtime.pykka_port import Envelope, answer, is_stop

__all__ = ["Call", "Inlet"]

Deliver = Callable[[Cell, Any, int, str], None]  # cell, message, cause, sender


class Call(NamedTuple):
    """Something to run between two turns."""

    action: Callable[[], None]
    is_hosted: bool  # asked for by whoever runs the node, not by the node itself
    future: Any = None  # answered when the node ends before the action has run


class Inlet:
    """`put`, `put_envelope` and `call` may be used by any thread; the rest is the loop's."""

    def __init__(self, depth_max: int) -> None:
        self.accepting = True
        self.calls: deque[Call] = deque()
        self._depth_max = depth_max  # at which refusable messages are refused, whomever they are for
        self._waiting: queue.SimpleQueue[tuple[Any, Any, Any]] = queue.SimpleQueue()
        self._first: tuple[Any, Any, Any] | None = None
        self._stops_count = 0  # requests to stop an actor that are to be carried out before anything is taken

    def put(self, cell: Cell, message: Message, sender: str = "") -> None:
        """Bring a message into the node.

        Errors: NodeStopped; NotAccepted for a type the actor has no handler for; MailboxFull for a refusable
        message when the actor, or the node as a whole, is too far behind.
        """
        if not self.accepting:
            raise NodeStopped("the node is stopping and takes no more messages")
        if type(message) not in cell.behaviour.HANDLERS:
            raise NotAccepted(f"{cell.name} does not accept {type(message).__name__}", reader=cell.name)
        if message.OVERFLOW is Overflow.REFUSE:
            waiting = self._waiting.qsize()
            if len(cell.data) >= cell.capacity or waiting >= self._depth_max:
                waiting += len(cell.data)
                raise MailboxFull(f"{cell.name} is busy: {waiting} messages wait", reader=cell.name)
        self._waiting.put((cell, message, sender))

    def put_envelope(self, cell: Cell, envelope: Envelope[Any], stop: Callable[[], None]) -> None:
        """Bring in what came through a pykka ActorRef; what `put` raises reaches an asker by its future."""
        future = envelope.reply_to
        if is_stop(envelope.message):  # behind the messages sent before it
            self._waiting.put((None, Call(lambda: self._stop(stop, future), True, future), None))
            return
        if future is None:
            self.put(cell, envelope.message)
            return
        sender = Ask()
        sender.future = future
        try:
            self.put(cell, envelope.message, sender)
        except (NodeStopped, NotAccepted, MailboxFull) as error:
            answer(future, error)

    def call(self, action: Callable[[], None]) -> None:
        """Run something in the loop's thread between two turns, when nothing is uncommitted."""
        self.calls.append(Call(action, True))
        self._waiting.put((None, None, None))

    @property
    def waiting_count(self) -> int:
        """Messages and calls that no turn has taken yet."""
        return self._waiting.qsize()

    @property
    def has_waiting(self) -> bool:
        """Whether there is anything for the next turn."""
        return bool(self.calls) or self._first is not None or bool(self._waiting.qsize())

    def take(self, count: int, deliver: Deliver, taped: list[Any] | None = None) -> int:
        """Deliver up to `count` messages in the order they came; return how many.

        Behind a request to stop an actor nothing is taken until it has been carried out.
        """
        taken, waiting = 0, self._waiting
        if self._stops_count:
            return 0
        if self._first is not None:
            (cell, message, sender), self._first = self._first, None
        elif waiting.qsize():
            cell, message, sender = waiting.get_nowait()
        else:
            return 0
        while True:
            if cell is not None:
                taken += 1
                if taped is not None:
                    taped.append((cell, message, sender))
                deliver(cell, message, 0, sender)
            elif message is not None:
                self.calls.append(message)
                self._stops_count += 1
                return taken
            if taken >= count or not waiting.qsize():
                return taken
            cell, message, sender = waiting.get_nowait()

    def wait(self, longest_ns: int) -> None:
        """Sleep until something comes in, or the time is over."""
        if longest_ns <= 0 or self.calls or self._first is not None:
            return
        try:
            self._first = self._waiting.get(timeout=longest_ns / 1e9)
        except queue.Empty:
            return

    def _stop(self, stop: Callable[[], None], future: Any) -> None:
        self._stops_count -= 1
        stop()
        if future is not None:
            answer(future, None)

    def close(self, error: Exception) -> None:
        """Take nothing any more; whoever waits for an answer gets the error."""
        self.accepting = False

        def disappoint(cell: Cell, message: Any, cause: int, sender: str) -> None:
            if type(sender) is Ask:
                answer(sender.future, error)

        while self._waiting.qsize() or self._first is not None:
            self._stops_count = 0
            self.take(self._waiting.qsize() + 1, disappoint)
        for call in self.calls:
            if call.future is not None:
                answer(call.future, None)
