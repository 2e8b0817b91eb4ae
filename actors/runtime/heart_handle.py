"""The launcher's end of a heart: words to it, and what it tells."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections import deque
from typing import Any

__all__ = ["HeartHandle"]


class HeartHandle:
    """The launcher's end of a heart."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self.node_pid = 0
        self.restarts_count = 0
        self.exit_code: int | None = None
        self.events: deque[dict[str, Any]] = deque(maxlen=100)
        self._line = line
        self._rest = b""

    def poll(self) -> list[dict[str, Any]]:
        """Return what happened since the last call; sets `exit_code` once everything has ended."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while piece := self._line.recv(65536):
                self._rest += piece
        *lines, self._rest = self._rest.split(b"\n")
        for raw in lines:
            event = json.loads(raw)
            self.node_pid = event.get("pid", self.node_pid)
            self.restarts_count = event.get("restarts", self.restarts_count)
            found.append(event)
        self.events.extend(found)
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return found

    def stop(self) -> None:
        """Have the node stop in order; it is not restarted."""
        self._say(b"stop")

    def kill(self) -> None:
        """End the node at once; it is not restarted."""
        self._say(b"kill")

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self._line.send(word + b"\n")

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the end; return the exit code, or None when the time is over."""
        until = time.monotonic() + timeout_s
        while self.exit_code is None and time.monotonic() < until:
            self.poll()
            time.sleep(0.02)
        return self.exit_code
