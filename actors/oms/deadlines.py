"""When to stop waiting for an answer, and when to ask again: every instant an OMS has to remember.

None of it is state: after a restart it is made anew from the orders. One timer serves all of it.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

__all__ = ["Doubt", "Doubts", "backoff_ns"]

JITTER_PARTS = 5  # a pause is shortened by up to a fifth, so that many questions do not fall together


def backoff_ns(attempts: int, shortest_ns: int, longest_ns: int, chance: random.Random) -> int:
    """Return the pause before try number `attempts` (from 0): doubled each time, bounded, with jitter."""
    pause = longest_ns if attempts > 40 else min(longest_ns, shortest_ns << attempts)
    return pause - chance.randrange(pause // JITTER_PARTS + 1)


@dataclass(slots=True)
class Doubt:
    """One order that the venue must be asked about until its answer settles it."""

    client_order_id: str
    due_ns: int
    attempts: int = 0
    asked_at_ns: int = 0  # when the last question went out; 0 before the first


class Doubts:
    """The orders in doubt, soonest question first."""

    def __init__(self) -> None:
        self._doubts: dict[str, Doubt] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._doubts)

    def get(self, client_order_id: str) -> Doubt | None:
        """Return the doubt about an order, if there is one."""
        return self._doubts.get(client_order_id)

    def add(self, client_order_id: str, due_ns: int) -> bool:
        """Ask about an order from `due_ns` on; False when it is in doubt already."""
        if client_order_id in self._doubts:
            return False
        self._doubts[client_order_id] = Doubt(client_order_id, due_ns)
        self._push(due_ns, client_order_id)
        return True

    def again(self, doubt: Doubt, due_ns: int) -> None:
        """Ask about it once more, at `due_ns`."""
        doubt.due_ns = due_ns
        self._push(due_ns, doubt.client_order_id)

    def hurry(self, now_ns: int) -> None:
        """Make every question due now, with fresh patience: the venue can be reached again."""
        for doubt in self._doubts.values():
            doubt.attempts = 0
            self.again(doubt, now_ns)

    def settle(self, client_order_id: str) -> bool:
        """Forget an order's doubt; tell whether there was one."""
        return self._doubts.pop(client_order_id, None) is not None

    def take_due(self, now_ns: int, count_max: int) -> list[Doubt]:
        """Return up to `count_max` doubts whose question is due. Each must be settled or asked again."""
        due: list[Doubt] = []
        heap = self._heap
        while heap and heap[0][0] <= now_ns and len(due) < count_max:
            due_ns, _, client_order_id = heapq.heappop(heap)
            doubt = self._doubts.get(client_order_id)
            if doubt is not None and doubt.due_ns == due_ns:
                doubt.due_ns = 0  # its other entries in the heap are stale now
                due.append(doubt)
        return due

    def next_due_ns(self) -> int | None:
        """Return when the next question is due, if any."""
        heap = self._heap
        while heap:
            doubt = self._doubts.get(heap[0][2])
            if doubt is not None and doubt.due_ns == heap[0][0]:
                return heap[0][0]
            heapq.heappop(heap)
        return None

    def _push(self, due_ns: int, client_order_id: str) -> None:
        self._count += 1
        heapq.heappush(self._heap, (due_ns, self._count, client_order_id))
