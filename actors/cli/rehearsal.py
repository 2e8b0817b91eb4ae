"""A local exchange beside a deployment that trades at one: started before the node, stopped after it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actors.cli.exit_codes import ExitCode
from actors.cli.output import note
from actors.cli.problems import Problem
from actors.cli.targets import shortest

__all__ = ["exchange_beside"]

START_S = 30.0  # recovery of a long journal included
STOP_S = 15.0
LOOK_S = 0.05
SHOWN = 2_000  # characters of what it said before it died
VENUE = "venue.poloniex"
PROGRAM = "from actors.cli.main import main; main()"


@contextlib.contextmanager
def exchange_beside(topology: Any) -> Iterator[None]:
    """Have `polytrade exchange` listen where the deployment's venue expects it, while the block lasts.

    One that listens there already is used and left alone. Its journal is `exchange` beside the deployment's.
    Errors: Problem when there is no such venue, or the exchange does not come up.
    """
    host, port = _address(topology)
    if _listens(host, port):
        note(f"an exchange already listens on port {port}: it is used, and left running")
        yield
        return
    state = topology.journal_path.parent / "exchange"
    log = topology.journal_path.parent / "exchange.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        process = _start(host, port, state, output, topology.secrets.prefix)
        try:
            _await(process, host, port, log)
            note(f"exchange on port {port}, journal {shortest(str(state))}; faults at /__faults__")
            yield
        finally:
            _stop(process)


def _address(topology: Any) -> tuple[str, int]:
    urls = {plan.settings.rest_url for plan in topology.actors if plan.kind == VENUE}
    if len(urls) != 1:
        text = "--exchange needs a deployment whose venue.poloniex trades at an exchange on this machine"
        raise Problem(ExitCode.USAGE, text, "config/local.yaml is one")
    found = urlsplit(urls.pop())
    if found.scheme != "http" or found.hostname not in ("127.0.0.1", "localhost") or not found.port:
        text = f"--exchange: {found.geturl()} is not http on a port of this machine"
        raise Problem(ExitCode.USAGE, text, "write 'rest_url: http://127.0.0.1:9443'")
    return found.hostname, found.port


def _start(host: str, port: int, state: Path, output: Any, private: str) -> subprocess.Popen[bytes]:
    """Start it in a session of its own: Ctrl-C in the terminal is for the node, which goes first.

    `private` begins the names of variables that are none of its business.
    """
    words = ["exchange", "--host", host, "--port", str(port), "--state", str(state), "--faults"]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        env={name: text for name, text in os.environ.items() if not name.startswith(private)},
    )


def _await(process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while not _listens(host, port):
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace")[-SHOWN:].strip()
            raise Problem(ExitCode.FAILURE, f"the exchange did not start: {said or process.returncode}")
        if time.monotonic() > until:
            text = f"the exchange does not listen on port {port} after {START_S:g} s"
            raise Problem(ExitCode.FAILURE, text, f"look at {shortest(str(log))}")
        time.sleep(LOOK_S)


def _listens(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1.0):
        return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        note(f"the exchange had ended by itself, with code {process.returncode}")
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        note("the exchange did not stop in time and was killed")
        process.kill()
        process.wait()
