"""Everything of pykka that is not its public API, in one place, watched by a contract test.

Cells are pykka actors, so an `ActorRef` reaches them as it would any other pykka actor: `tell`, `ask`, `stop`
and the registry work. What pykka does not offer (bounded mailboxes, restarts, one loop for many actors) is
ours: these cells never run pykka's own loop.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pykka
from pykka import ActorDeadError
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

__all__ = ["ActorDeadError", "CellActor", "Envelope", "answer", "is_answered", "is_stop", "new_future"]


def is_stop(message: object) -> bool:
    """Tell whether a message is pykka's request to stop."""
    return isinstance(message, _ActorStop)


def new_future() -> pykka.Future[Any]:
    """Return a future of the kind that askers get."""
    future: pykka.Future[Any] = pykka.ThreadingFuture()
    return future


def answer(future: pykka.Future[Any], value: Any) -> None:
    """Give a future its value, or the exception that is the value. The first answer stands."""
    with suppress(queue.Full):  # it has one
        if isinstance(value, BaseException):
            future.set_exception((type(value), value, value.__traceback__))
        else:
            future.set(value)


def is_answered(future: pykka.Future[Any]) -> bool:
    """Tell whether a future holds a value or an exception."""
    try:
        future.get(timeout=0)
    except pykka.Timeout:
        return False
    except Exception:  # the answer is an exception; it belongs to whoever gets the future
        return True
    return True


class _Inbox:
    """Where pykka puts what comes through an ActorRef; hands it to the node's loop."""

    def __init__(self) -> None:
        self.deliver: Callable[[Envelope[Any]], None] | None = None

    def put(self, envelope: Envelope[Any], /) -> None:
        if self.deliver is None:
            raise pykka.ActorDeadError("this cell has not joined a node yet")
        self.deliver(envelope)

    def get(self) -> Envelope[Any]:
        raise NotImplementedError("cells are run by the node's loop, not by pykka's")

    def empty(self) -> bool:
        return True


class CellActor(pykka.Actor):
    """A pykka actor that is run by a node's loop: messages go to `deliver`, and nothing is started."""

    def __init__(self, deliver: Callable[[Envelope[Any]], None]) -> None:
        super().__init__()
        self.actor_inbox.deliver = deliver  # type: ignore[attr-defined]

    @staticmethod
    def _create_actor_inbox() -> Any:
        return _Inbox()

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return new_future()

    def _start_actor_loop(self) -> None:
        raise NotImplementedError("cells are run by the node's loop, not by pykka's")

    def join(self) -> None:
        """Enter pykka's registry; messages through refs are taken from now on."""
        self.actor_stopped.clear()
        if pykka.ActorRegistry.get_by_urn(self.actor_urn) is None:
            pykka.ActorRegistry.register(self.actor_ref)

    def leave(self) -> None:
        """Leave pykka's registry; the refs are dead from now on."""
        if not self.actor_stopped.is_set():
            pykka.ActorRegistry.unregister(self.actor_ref)
            self.actor_stopped.set()
