"""Markets files and their differences, as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from actors.cli.shown import age, table_text
from actors.domain.instrument import Instrument
from actors.domain.listing import Difference, facts, unconfirmed
from actors.domain.markets_file import MarketsFile

__all__ = ["age_text", "change_lines", "market_lines", "markets_table"]

RIGHT = frozenset({2, 3, 4, 5, 6, 7, 8, 9})


def age_text(file: MarketsFile, now_ns: int) -> str:
    """Return how old a file is, and who was asked."""
    origin = f"from {file.synced_from}" if file.synced_from else "written by hand, never synced"
    return f"{file.path}: {file.venue}, of {file.as_of} ({age(max(0, now_ns - file.as_of_ns))} old), {origin}"


def markets_table(instruments: Iterable[Instrument]) -> str:
    """Return one line per market."""
    names = "SYMBOL STATUS TICK CONTRACT MIN MAX LEVERAGE TIERS MAKER TAKER"
    rows: list[Sequence[str]] = [[*names.split(), "NOT CONFIRMED"]]
    for one in instruments:
        found = facts(one)
        rows.append(
            (
                *(one.symbol, one.status, found["tick"], found["contract"], str(one.contracts_min)),
                *(str(one.contracts_max_limit), "" if one.is_spot else f"{one.leverage_max}x"),
                *("" if one.is_spot else str(len(one.tiers)), found["maker_fee"], found["taker_fee"]),
                _open_questions(one),
            )
        )
    return table_text(rows, RIGHT)


def _open_questions(one: Instrument) -> str:
    """Return how many values nobody has confirmed, and who can."""
    told = len(unconfirmed(one))
    rest = len(one.assumed) - told
    ways = [*([f"{told} by sync"] if told else []), *([f"{rest} by confirm"] if rest else [])]
    return ", ".join(ways) or "-"


def market_lines(row: dict[str, Any]) -> list[str]:
    """Return one row with the evidence of each value."""
    evidence = {
        name: f"{group['source']}, {group['at']}, {group['from']}"
        for group in row.get("evidence", ())
        for name in group["fields"]
    }
    lines = []
    for name, value in row.items():
        if name in ("tiers", "evidence", "assumed"):
            continue
        told = evidence.get(name, "")
        if name in row["assumed"]:
            told = f"ASSUMED{'; ' + told if told else ''}"
        lines.append((name, str(value), told))
    shown = table_text(lines).splitlines() if lines else []
    if "tiers" in row:
        told = "ASSUMED" if "tiers" in row["assumed"] else evidence.get("tiers", row["source"])
        shown.append(f"tiers  {told}")
        shown += [
            f"  up to {tier['contracts_max']} contracts: at most {tier['leverage_max']}x, "
            f"maintenance {tier['maintenance']}"
            for tier in row["tiers"]
        ]
    return shown


def change_lines(changes: Iterable[Difference]) -> list[str]:
    """Return differences as lines, tier by tier."""
    found = []
    for change in changes:
        if change.field == "listed":
            found.append(f"{change.symbol}  {'new' if change.after else 'gone'}")
        elif change.field == "tiers":
            found += _tier_lines(change)
        else:
            found.append(f"{change.symbol}  {change.field}  {change.before} -> {change.after}")
    return found


def _tier_lines(change: Difference) -> list[str]:
    before, after = change.before or [], change.after or []
    lines = []
    for index in range(max(len(before), len(after))):
        old = _tier(before[index]) if index < len(before) else "none"
        new = _tier(after[index]) if index < len(after) else "none"
        if old != new:
            lines.append(f"{change.symbol}  tier {index + 1}  {old} -> {new}")
    return lines


def _tier(tier: dict[str, Any]) -> str:
    return f"{tier['contracts_max']} at {tier['leverage_max']}x/{tier['maintenance']}"
