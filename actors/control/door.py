"""The one way from the control thread into the loop: small actions, run between two turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from actors.runtime.clock import monotonic_ns
from actors.runtime.loop import Loop

__all__ = ["Door"]

T = TypeVar("T")
ANSWER_WITHIN_S = 2.0  # the loop looks at its calls every turn; far more than a turn lasts


class Door:
    """Runs actions on the loop's thread and brings their results, or what they raised, back."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.delay_ns = 0  # how long the last action waited for its turn

    def submit(self, action: Callable[[], T]) -> Future[T]:
        """Have the loop run an action; it is skipped when nobody waits for it any more."""
        future: Future[T] = Future()
        asked = monotonic_ns()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            self.delay_ns = monotonic_ns() - asked
            try:
                result = action()
            except Exception as error:  # must not end the loop: it belongs to whoever asked
                future.set_exception(error)
            else:
                future.set_result(result)

        self._loop.call(run)
        return future

    async def run(self, action: Callable[[], T], timeout_s: float = ANSWER_WITHIN_S) -> T:
        """Run an action in the loop and wait. Errors: TimeoutError when the loop makes no progress."""
        return await asyncio.wait_for(asyncio.wrap_future(self.submit(action)), timeout_s)
