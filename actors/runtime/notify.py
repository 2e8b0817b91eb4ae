"""Telling a service manager how it goes, in systemd's words over its datagram socket; nothing without one.

Source: sd_notify(3). READY: the node has recovered and its loop turns. WATCHDOG: it has turned since. The
manager counts the time, so a heart that hangs, or stops being fed, ends as it should.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time

__all__ = ["Notifier"]

EVERY_S = 1.0  # between two signs of life; the manager's patience is many times that


class Notifier:
    """Speaks to whoever started us. `address` as in NOTIFY_SOCKET: a path, or `@` and an abstract name."""

    def __init__(self, address: str | None = None) -> None:
        found = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + found[1:] if found.startswith("@") else found
        self._is_ready = False
        self._told_at = 0.0

    def alive(self) -> None:
        """The node makes progress; the first time that makes the service ready."""
        now = time.monotonic()
        if not self._address or now - self._told_at < EVERY_S:
            return
        self._told_at = now
        self._send("WATCHDOG=1" if self._is_ready else "READY=1\nWATCHDOG=1")
        self._is_ready = True

    def starting(self) -> None:
        """A node recovers; that may take longer than the manager's patience with one that runs."""
        if self._is_ready:
            self.alive()

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """The end was asked for."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto(text.encode(), self._address)
