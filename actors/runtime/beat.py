"""The sign of life that a node gives to the process that looks after it."""

from __future__ import annotations

import os

from actors.runtime.clock import monotonic_ns

__all__ = ["Beat"]

BEAT_EVERY_NS = 200_000_000


class Beat:
    """The node's end: call it after every turn. It writes a byte now and then."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._next_ns = 0
        self.is_alone = False  # the heart is gone

    def __call__(self) -> bool:
        """Tell the heart that the loop makes progress; return whether there is still a heart to tell."""
        now = monotonic_ns()
        if now >= self._next_ns and not self.is_alone:
            self._next_ns = now + BEAT_EVERY_NS
            try:
                os.write(self._pipe, b".")
            except BlockingIOError:
                pass  # it has not read the last beats yet
            except BrokenPipeError:
                self.is_alone = True
        return not self.is_alone
