"""The double in a thread of this process, on a free port of loopback, until the test is over."""

from __future__ import annotations

import asyncio
import ssl
import threading
from types import TracebackType

from actors.drills.vault.core import VaultDouble
from actors.drills.vault.web import VaultServer
from actors.runtime.clock import SystemClock

__all__ = ["ROOT", "ServedVault"]

ROOT = "root-of-the-double"
WAIT_S = 10.0


class ServedVault:
    """A double that listens. The test reads and changes `vault` itself, which is in the same process."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.vault = VaultDouble(SystemClock(), ROOT)
        self._server = VaultServer(self.vault, tls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._scheme = "https" if tls else "http"

    @property
    def address(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.port}"

    def __enter__(self) -> ServedVault:
        self._thread.start()
        self._run(self._server.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    async def _ended(self) -> None:
        await self._server.stop()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, what: object) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(WAIT_S)  # type: ignore[arg-type]
