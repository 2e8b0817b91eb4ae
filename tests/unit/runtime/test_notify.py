"""A service manager hears that the node recovered, goes on and stops; and nothing while it hangs."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from actors.runtime import notify
from actors.runtime.heart import Beat, HeartLimits, launch
from actors.runtime.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.bind(str(tmp_path / "notify"))
    line.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setattr(notify, "EVERY_S", 0.05)
    return line


def heard(line: socket.socket, until_s: float) -> list[str]:
    end, found = time.monotonic() + until_s, []
    while (left := end - time.monotonic()) > 0:
        line.settimeout(left)
        try:
            found.append(line.recv(4096).decode())
        except TimeoutError:
            break
    return found


def test_without_a_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().alive()
    Notifier("/nowhere/at/all").alive()


def test_ready_comes_once_with_the_first_sign_of_life(manager: socket.socket) -> None:
    told = Notifier()
    told.starting()
    told.alive()
    time.sleep(0.06)
    told.alive()
    told.alive()
    told.stopping()
    assert heard(manager, 0.2) == ["READY=1\nWATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


def test_the_heart_feeds_the_watchdog_while_the_node_turns_and_not_while_it_hangs(
    manager: socket.socket,
) -> None:
    def node(beat: Beat) -> int:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            beat()
            time.sleep(0.02)
        time.sleep(30)  # hangs, without a beat
        return 0

    handle = launch(node, HeartLimits(stall_after_s=60.0))
    try:
        first = heard(manager, 1.5)
        later = heard(manager, 1.0)
    finally:
        handle.stop()
        while handle.exit_code is None:
            handle.poll()
            time.sleep(0.01)
    assert any(text.startswith("STATUS=node") for text in first)
    assert sum("READY=1" in text for text in first) == 1
    assert sum("WATCHDOG=1" in text for text in first) >= 2
    assert not [text for text in later if "WATCHDOG" in text]
    assert "STOPPING=1" in heard(manager, 0.5)
