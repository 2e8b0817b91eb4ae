"""Timers of all cells in one heap. A keyed timer replaces the one before; durable ones are journaled."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import msgspec

from actors.runtime.codec import decode_message

if TYPE_CHECKING:
    from actors.runtime.cell import Cell

__all__ = ["Timer", "Timers"]


class Timer:
    """One pending timer. Canceling marks it; the heap drops it when it comes up.

    A timer without a cell holds an action for the node itself instead of a message.
    """

    __slots__ = ("canceled", "cause", "cell", "due_ns", "durable", "key", "message")

    def __init__(
        self, due_ns: int, cell: Cell | None, message: Any, key: str, durable: bool, cause: int
    ) -> None:
        self.due_ns = due_ns
        self.cell = cell
        self.message = message
        self.key = key
        self.durable = durable
        self.cause = cause
        self.canceled = False


FOREVER_NS = 1 << 62
COMPACT_FROM = 1024  # a heap that is smaller is not worth the work


class Timers:
    """The heap, with durable changes waiting for the turn's commit in `writes`.

    Replaced and canceled timers stay in the heap until they come up or outnumber the others.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._count = 0
        self._canceled_count = 0  # of those in the heap
        self._keyed: dict[tuple[str, str], Timer] = {}
        self.writes: dict[bytes, bytes | None] = {}

    def __len__(self) -> int:
        """Return how many entries the heap holds, canceled ones included."""
        return len(self._heap)

    def next_rank(self) -> int:
        """Take a place among the timers of one instant, for a timer that is armed later."""
        self._count += 1
        return self._count

    def schedule(self, timer: Timer, stored: bytes = b"", rank: int = 0) -> None:
        """Arm a timer. `stored` is a durable one's message, as MessagePack; `rank` a place taken before."""
        if timer.key and timer.cell is not None:
            self.cancel(timer.cell.name, timer.key)
            self._keyed[timer.cell.name, timer.key] = timer
            if timer.durable:
                self.writes[_store_key(timer)] = msgspec.msgpack.encode((timer.due_ns, stored, timer.cause))
        self._push(timer, rank)

    def restore(self, cell: Cell, key: str, stored: bytes) -> None:
        """Arm a durable timer as the journal knows it."""
        due_ns, raw, cause = msgspec.msgpack.decode(stored, type=tuple[int, bytes, int])
        timer = Timer(due_ns, cell, decode_message(raw), key, True, cause)
        self._keyed[cell.name, key] = timer
        self._push(timer)

    def _push(self, timer: Timer, rank: int = 0) -> None:
        heapq.heappush(self._heap, (timer.due_ns, rank or self.next_rank(), timer))

    def cancel(self, cell_name: str, key: str) -> None:
        """Forget the timer under a key, if any."""
        timer = self._keyed.pop((cell_name, key), None)
        if timer is not None:
            timer.canceled = True
            self._canceled_count += 1
            if timer.durable:
                self.writes[_store_key(timer)] = None
            self._compact()

    def drop_of(self, cell: Cell) -> None:
        """Cancel what a dead behaviour scheduled, but for durable timers."""
        for _, _, timer in self._heap:
            if timer.cell is cell and not timer.durable and not timer.canceled:
                timer.canceled = True
                self._canceled_count += 1
        keys = [at for at, timer in self._keyed.items() if timer.cell is cell and not timer.durable]
        for at in keys:
            del self._keyed[at]
        self._compact()

    def _compact(self) -> None:
        heap = self._heap
        if len(heap) > COMPACT_FROM and self._canceled_count > len(heap) // 2:
            self._heap = [entry for entry in heap if not entry[2].canceled]
            heapq.heapify(self._heap)
            self._canceled_count = 0

    def next_due_ns(self) -> int | None:
        """Return when the next timer fires."""
        timer = self.head
        return None if timer is None else timer.due_ns

    @property
    def head(self) -> Timer | None:
        """The timer that fires next."""
        heap = self._heap
        while heap and heap[0][2].canceled:
            heapq.heappop(heap)
            self._canceled_count -= 1
        return heap[0][2] if heap else None

    def before_next_ns(self) -> int:
        """Return an instant up to which no timer but the head fires, as late as a glance can tell."""
        return min((entry[0] for entry in self._heap[1:3]), default=FOREVER_NS) - 1

    def take_due(self, now_ns: int, count: int) -> list[Timer]:
        """Return up to `count` timers that are due, in order. Durable ones are forgotten with this turn."""
        heap, taken = self._heap, list[Timer]()
        while heap and heap[0][0] <= now_ns and len(taken) < count:
            timer = heapq.heappop(heap)[2]
            if timer.canceled:
                self._canceled_count -= 1
                continue
            taken.append(timer)
            if timer.key and timer.cell is not None:
                self._keyed.pop((timer.cell.name, timer.key), None)
                if timer.durable:
                    self.writes[_store_key(timer)] = None
        return taken


def _store_key(timer: Timer) -> bytes:
    return f"{timer.cell.name if timer.cell else ''}\0{timer.key}".encode()
