"""Where the values of a markets file come from: groups of fields with a source, an instant and a place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["EVIDENCE_SOURCES", "check_evidence", "instant_text", "parse_instant", "with_evidence"]

# wire: the venue itself said so; local: an exchange on this machine did, which proves nothing; person:
# somebody looked and put their name to it; recorded: a venue's answer that somebody else wrote down.
EVIDENCE_SOURCES = ("wire", "local", "person", "recorded", "documentation", "announcement")
EVIDENCE_FIELDS = ("source", "at", "from", "fields")
SECOND_NS = 1_000_000_000
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

Report = Callable[[str, str], None]  # (field, what is wrong)


def parse_instant(text: object) -> int | None:
    """Return `2026-11-28` or `2026-11-28T06:54:09Z` as UTC nanoseconds; None when it is neither."""
    if not isinstance(text, str) or not (DAY.fullmatch(text) or INSTANT.fullmatch(text)):
        return None
    try:
        found = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(found.timestamp()) * SECOND_NS


def instant_text(at_ns: int) -> str:
    """Return UTC nanoseconds as `2026-11-28T06:54:09Z`."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_evidence(groups: Any, known: Collection[str], report: Report) -> None:
    """Report what is wrong with the evidence of a row; `known` are the fields it can be about."""
    if not isinstance(groups, list):
        report("evidence", f"must be a list, not {groups!r}")
        return
    seen: set[str] = set()
    for index, group in enumerate(groups):
        place = f"evidence[{index}]"
        if not isinstance(group, Mapping) or sorted(group) != sorted(EVIDENCE_FIELDS):
            report(place, f"must be an object with {', '.join(EVIDENCE_FIELDS)}")
            continue
        if group["source"] not in EVIDENCE_SOURCES:
            report(f"{place}.source", f"must be one of {', '.join(EVIDENCE_SOURCES)}")
        if parse_instant(group["at"]) is None:
            report(f"{place}.at", "must be written 2026-11-28 or 2026-11-28T06:54:09Z")
        if not isinstance(group["from"], str) or not group["from"]:
            report(f"{place}.from", "must say in text what was looked at")
        _check_fields(group["fields"], f"{place}.fields", known, seen, report)


def _check_fields(fields: Any, place: str, known: Collection[str], seen: set[str], report: Report) -> None:
    if not isinstance(fields, list) or not fields:
        report(place, "must be a list of at least one field")
        return
    for field in fields:
        if not isinstance(field, str) or field not in known:
            report(place, f"{field!r} is not a field with evidence")
        elif field in seen:
            report(place, f"{field!r} has evidence twice")
        else:
            seen.add(field)


def with_evidence(
    groups: list[dict[str, Any]], fields: Collection[str], source: str, at: str, origin: str
) -> list[dict[str, Any]]:
    """Return the evidence of a row after some fields got a new one; what they had before gives way."""
    kept = [{**group, "fields": [f for f in group["fields"] if f not in fields]} for group in groups]
    new = {"source": source, "at": at, "from": origin, "fields": list(fields)}
    return [group for group in kept if group["fields"]] + ([new] if new["fields"] else [])
