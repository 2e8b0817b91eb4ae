"""The markets files a node trades on, as it read them, with their age. A file changed since is not shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from actors.control.desk import ControlError
from actors.domain.listing import unconfirmed
from actors.domain.markets_file import MarketsFile

__all__ = ["MarketsShelf"]

API_SUFFIX = "-v3"  # of the venue's API; `poloniex-futures-v3` is the file of `poloniex-futures`


class MarketsShelf:
    """Answers from memory."""

    def __init__(self, files: Iterable[MarketsFile], now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._files = {file.venue: file for file in files}

    def all(self) -> dict[str, Any]:
        """Return the files without their rows."""
        return {"files": [_head(file, self._now_ns()) for file in self._files.values()]}

    def one(self, name: str) -> dict[str, Any]:
        """Return one file with all of its rows, by its venue. Errors: ControlError 404."""
        file = self._files.get(name) or self._files.get(name.removesuffix(API_SUFFIX))
        if file is None:
            known = ", ".join(self._files) or "none"
            raise ControlError(404, f"no markets file of {name!r}", f"this node has {known}")
        return {**_head(file, self._now_ns()), "markets": list(file.rows)}


def _head(file: MarketsFile, now_ns: int) -> dict[str, Any]:
    return {
        "venue": file.venue,
        "path": file.path,
        "as_of": file.as_of,
        "age_s": max(0, now_ns - file.as_of_ns) // 1_000_000_000,
        "synced_from": file.synced_from,
        "symbols": len(file.instruments),
        "unconfirmed": {s: list(unconfirmed(one)) for s, one in file.instruments.items() if unconfirmed(one)},
    }
