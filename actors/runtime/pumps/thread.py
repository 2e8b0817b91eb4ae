"""One asyncio thread for all network I/O of a node. uvloop is used when it is installed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["PumpThread"]

STOP_TIMEOUT_S = 5.0


class PumpThread:
    """Runs coroutines beside the node's loop. It starts with its first use; stop it last."""

    def __init__(self, name: str = "pumps") -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closers: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._starting = threading.Lock()
        self.loop: asyncio.AbstractEventLoop

    def start(self) -> None:
        """Start the thread unless it runs; return when its loop does."""
        with self._starting:
            if not self._ready.is_set():
                self._thread.start()
                self._ready.wait()

    def _run(self) -> None:
        self.loop = _new_loop()
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._ready.set)
        self.loop.run_forever()
        self.loop.close()

    def post(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start a coroutine from any thread and do not wait for it."""
        self.start()
        self.loop.call_soon_threadsafe(lambda: _keep(self.loop.create_task(make())))

    def run(self, coroutine: Coroutine[Any, Any, Any], timeout_s: float | None = 10.0) -> Any:
        """Run a coroutine from another thread and wait for its result."""
        self.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_s)

    def on_stop(self, closer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have a coroutine run when the thread stops, last registered first."""
        self._closers.append(closer)

    def stop(self) -> None:
        """Close what was opened, cancel what still runs, end the thread."""
        if not self._thread.is_alive():
            return
        self.run(self._close(), STOP_TIMEOUT_S * 2)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(STOP_TIMEOUT_S)

    async def _close(self) -> None:
        for closer in reversed(self._closers):
            await asyncio.wait_for(closer(), STOP_TIMEOUT_S)
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


_tasks: set[asyncio.Task[None]] = set()  # asyncio itself holds tasks only weakly


def _keep(task: asyncio.Task[None]) -> None:
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
