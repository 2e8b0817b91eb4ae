"""A markets file as a whole: whose markets, how old, from where, its rows as they stand, and its text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from actors.domain.catalog import CatalogError, load_catalog, parse_markets
from actors.domain.evidence import parse_instant
from actors.domain.instrument import Instrument

__all__ = ["MarketsFile", "is_on_this_machine", "read_markets_file", "render_markets"]

HEAD = ("venue", "as_of", "synced_from", "markets")
LISTS = ("tiers", "evidence")  # one item a line


@dataclass(frozen=True, slots=True)
class MarketsFile:
    """One markets file, checked. `rows` are as they stand in it."""

    venue: str
    as_of: str  # instant or day on which a venue was asked last
    synced_from: str  # URL that was asked; "" for a file written by hand
    rows: tuple[dict[str, Any], ...] = field(repr=False)
    instruments: dict[str, Instrument] = field(repr=False)
    path: str = ""

    @property
    def as_of_ns(self) -> int:
        """UTC nanoseconds; of a day, its beginning."""
        return parse_instant(self.as_of) or 0

    @property
    def is_of_venue(self) -> bool:
        """Whether the venue itself was asked, and not an exchange on this machine that repeats the file."""
        return bool(self.synced_from) and not is_on_this_machine(self.synced_from)

    def row(self, symbol: str) -> dict[str, Any]:
        """Return one row. Errors: KeyError."""
        for row in self.rows:
            if row["symbol"] == symbol:
                return row
        raise KeyError(symbol)

    def content(self) -> dict[str, Any]:
        """Return what the file says, for JSON."""
        head = {"venue": self.venue, "as_of": self.as_of}
        head |= {"synced_from": self.synced_from} if self.synced_from else {}
        return {**head, "markets": list(self.rows)}


def is_on_this_machine(url: str) -> bool:
    """Tell whether a URL leads no further than this machine."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def read_markets_file(source: str | Mapping[str, Any], path: str = "") -> MarketsFile:
    """Return a markets file from its JSON text, or from that text parsed.

    Errors: CatalogError, a ValueError, with one line per fault.
    """
    content = parse_markets(source) if isinstance(source, str) else source
    faults = _head_faults(content)
    instruments: dict[str, Instrument] = {}
    try:
        instruments = load_catalog(content)
    except CatalogError as error:
        faults += error.faults
    if faults:
        raise CatalogError(faults)
    rows = tuple(dict(row) for row in content["markets"])
    return MarketsFile(
        content["venue"], content["as_of"], content.get("synced_from", ""), rows, instruments, path
    )


def _head_faults(content: Any) -> list[str]:
    if not isinstance(content, Mapping):
        return []  # told by whoever looks for rows
    faults = [
        f"{name}: is not a field; the fields are {', '.join(HEAD)}" for name in content if name not in HEAD
    ]
    if not isinstance(content.get("venue"), str) or not content["venue"]:
        faults.append("venue: must name the venue, such as poloniex-futures")
    if parse_instant(content.get("as_of")) is None:
        faults.append(
            f"as_of: must be written 2026-11-28 or 2026-11-28T06:54:09Z, not {content.get('as_of')!r}"
        )
    if not isinstance(content.get("synced_from", ""), str):
        faults.append("synced_from: must be the URL that was asked")
    return faults


def render_markets(content: Mapping[str, Any]) -> str:
    """Return the text of a markets file: a field a line, a tier a line, so that a change is a few lines."""
    head = [f"  {_text(name)}: {_text(content[name])}" for name in HEAD[:-1] if name in content]
    rows = ",\n".join(_row(row) for row in content["markets"])
    return "{\n" + ",\n".join([*head, f'  "markets": [\n{rows}\n  ]']) + "\n}\n"


def _row(row: Mapping[str, Any]) -> str:
    lines = []
    for name, value in row.items():
        if name in LISTS and value:
            items = ",\n".join(f"        {_text(item)}" for item in value)
            lines.append(f"      {_text(name)}: [\n{items}\n      ]")
        else:
            lines.append(f"      {_text(name)}: {_text(value)}")
    return "    {\n" + ",\n".join(lines) + "\n    }"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
