"""Asks a venue what it lists, through a node's HTTP pump, and writes markets files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.domain.listing import Listed
from actors.domain.markets_file import MarketsFile, render_markets
from actors.poloniex.answers import Answer, read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.market_listing import Reading, read_perpetuals, read_spot_markets
from actors.poloniex.request import Request, to_http
from actors.runtime.messages import Message
from actors.runtime.pumps.http import HttpPump
from actors.runtime.pumps.messages import HttpFailure, HttpResponse
from actors.runtime.pumps.thread import PumpThread

__all__ = ["ask_venue", "replace_file"]

TIMEOUT_NS = 10_000_000_000
GRACE_S = 5.0  # for the pump, after its own time-out
TRIES = 4  # of one question; it changes nothing at the venue
PAUSE_S = 1.0  # before the second try; each later one waits twice as long
REMEDY = "is the machine online, and --url right? Nothing was written"


def ask_venue(file: MarketsFile, url: str) -> tuple[Listed, ...]:
    """Return what the venue lists of the kinds of market in a file. Errors: Problem."""
    spot = {symbol: one for symbol, one in file.instruments.items() if one.is_spot}
    found: tuple[Listed, ...] = ()
    with _asker(url) as asker:
        if len(spot) < len(file.instruments):
            found += asker.read(read_perpetuals())
        if spot:
            prices = {symbol: one.price_text(one.reference_ticks) for symbol, one in spot.items()}
            found += asker.read(read_spot_markets(prices))
    return found


@contextlib.contextmanager
def _asker(url: str) -> Iterator[_Asker]:
    thread = PumpThread("venue")
    try:
        yield _Asker(url, thread)
    finally:
        thread.stop()


class _Asker:
    """One question at a time, which is far below the venue's limits."""

    def __init__(self, url: str, thread: PumpThread) -> None:
        self._url = url
        self._told: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._pump = HttpPump(thread, lambda _, message: self._told.put(message))
        self._count = 0

    def read(self, reading: Reading) -> tuple[Listed, ...]:
        """Carry a reading through."""
        try:
            request = next(reading)
            while True:
                request = reading.send(self._answer(request))
        except StopIteration as end:
            found: tuple[Listed, ...] = end.value
            return found
        except Malformed as error:
            raise Problem(ExitCode.FAILURE, f"{self._url}: {error}", "Nothing was written") from error

    def _answer(self, request: Request) -> Answer:
        pause_s = PAUSE_S
        for attempt in range(1, TRIES + 1):
            answer = self._ask(request)
            if isinstance(answer, Answer) and answer.status != 429 and answer.status < 500:
                return answer
            if attempt < TRIES:
                time.sleep(pause_s)
                pause_s *= 2
        reason = answer if isinstance(answer, str) else f"it answers {answer.status} {answer.text}".strip()
        text = f"{self._url} does not answer {request.path}: {reason}"
        raise Problem(ExitCode.FAILURE, text, REMEDY)

    def _ask(self, request: Request) -> Answer | str:
        self._count += 1
        self._pump.put(to_http(request, str(self._count), self._url, (), TIMEOUT_NS), "")
        while True:
            try:
                told = self._told.get(timeout=TIMEOUT_NS / 1e9 + GRACE_S)
            except queue.Empty:
                return "no answer in time"
            if isinstance(told, HttpResponse) and told.request_id == str(self._count):
                return read_answer(told.status, told.body, spot=request.spot)
            if isinstance(told, HttpFailure) and told.request_id == str(self._count):
                return told.reason


def replace_file(path: Path, before: str, content: dict[str, Any]) -> None:
    """Write a markets file beside the old one and put it in its place, unless it is not `before` any more.

    Errors: Problem, and the old file stays.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(render_markets(content))
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(path.stat().st_mode & 0o777)
        if path.read_text(encoding="utf-8") != before:
            raise Problem(
                ExitCode.FAILURE,
                f"{path} was changed meanwhile; nothing was written",
                "run the command again",
            )
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        text = f"{path} cannot be written: {error.strerror or error}; it is as it was"
        raise Problem(ExitCode.FAILURE, text, "look at the disk and at the file's permissions") from error
    finally:
        beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
