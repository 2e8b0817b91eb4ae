"""The sign of life that a node gives to the process that looks after it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from actors.runtime.clock import monotonic_ns

__all__ = ["Beat", "Death"]

BEAT_EVERY_NS = 200_000_000


@dataclass(frozen=True, slots=True)
class Death:
    """What the heart knows of the node before this one: it did not end in order."""

    reason: str  # in words
    away_s: float  # from its last sign of life to the start of this one
    restarts_count: int  # by this heart so far
    is_stall: bool  # it lived, but made no progress, and was killed for it


class Beat:
    """The node's end: call it after every turn. It writes a byte now and then."""

    def __init__(self, pipe: int, death: Death | None = None) -> None:
        self._pipe = pipe
        self.death = death  # None for the first node of a heart
        self._next_ns = 0
        self.tick: Callable[[int], None] = lambda reading_ns: None  # what else is done as often as it is told
        self.is_alone = False  # the heart is gone

    def __call__(self) -> bool:
        """Tell the heart that the loop makes progress; return whether there is still a heart to tell."""
        now = monotonic_ns()
        if now >= self._next_ns and not self.is_alone:
            self._next_ns = now + BEAT_EVERY_NS
            self.tick(now)
            try:
                os.write(self._pipe, b".")
            except BlockingIOError:
                pass  # it has not read the last beats yet
            except BrokenPipeError:
                self.is_alone = True
        return not self.is_alone
