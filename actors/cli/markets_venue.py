"""Asks a venue what it lists, through a node's HTTP pump, and writes markets files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.cli.venue_asker import Asker, asking
from actors.domain.listing import Listed
from actors.domain.markets_file import MarketsFile, render_markets
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.market_listing import Reading, read_perpetuals, read_spot_markets

__all__ = ["ask_venue", "replace_file"]

TRIES = 4  # of one question; it changes nothing at the venue
REMEDY = "is the machine online, and --url right? Nothing was written"


def ask_venue(file: MarketsFile, url: str) -> tuple[Listed, ...]:
    """Return what the venue lists of the kinds of market in a file. Errors: Problem."""
    spot = {symbol: one for symbol, one in file.instruments.items() if one.is_spot}
    found: tuple[Listed, ...] = ()
    with asking(url, TRIES, REMEDY) as asker:
        if len(spot) < len(file.instruments):
            found += _carried_through(read_perpetuals(), asker)
        if spot:
            prices = {symbol: one.price_text(one.reference_ticks) for symbol, one in spot.items()}
            found += _carried_through(read_spot_markets(prices), asker)
    return found


def _carried_through(reading: Reading, asker: Asker) -> tuple[Listed, ...]:
    try:
        request = next(reading)
        while True:
            request = reading.send(asker.read(request, _as_it_is))
    except StopIteration as end:
        found: tuple[Listed, ...] = end.value
        return found
    except Malformed as error:
        raise Problem(ExitCode.FAILURE, f"{asker.url}: {error}", "Nothing was written") from error


def _as_it_is(answer: Answer) -> Answer:
    return answer


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
