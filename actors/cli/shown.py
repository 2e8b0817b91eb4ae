"""Numbers as people read them: money, prices, ages, sizes, and fields by the unit in their name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.money import E8, format_e8

__all__ = [
    "age",
    "bytes_text",
    "clock_time",
    "count",
    "instant",
    "money",
    "rate",
    "shown_field",
    "signed_money",
    "sparkline",
    "table_text",
]

BARS = "▁▂▃▄▅▆▇█"
ENUM_SIDES = {1: "buy", -1: "sell"}


def money(amount_e8: int, decimals: int = 2) -> str:
    """Return an amount of 1e-8 USDT with thousands separated: `10,003.22`. For eyes; cut, not rounded."""
    sign, amount = ("-", -amount_e8) if amount_e8 < 0 else ("", amount_e8)
    whole, part = divmod(amount, E8)
    shown = f"{sign}{whole:,}"
    return f"{shown}.{part:08d}"[: len(shown) + 1 + decimals] if decimals else shown


def signed_money(amount_e8: int, decimals: int = 2) -> str:
    """Return the same with its sign: `+3.22`."""
    return ("+" if amount_e8 >= 0 else "") + money(amount_e8, decimals)


def count(number: int | float) -> str:
    """Return a count short enough for a table: `999`, `12.3k`, `4.1M`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if abs(number) >= size:
            return f"{number / (1e3 if unit == 'k' else size):.1f}{unit}"
    return f"{number:g}" if isinstance(number, int) else f"{number:.1f}".removesuffix(".0")


def rate(per_second: float) -> str:
    """Return events per second; nothing at all is a dot, so that movement stands out."""
    return "·" if not per_second else f"{count(round(per_second, 1))}/s"


def bytes_text(size: int) -> str:
    """Return a size in binary units: `1.2 MiB`."""
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(amount) < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"


def age(duration_ns: int) -> str:
    """Return how long something took or lasts: `850ms`, `12s`, `3m04s`, `2h11m`, `5d03h`."""
    if duration_ns < 1_000_000_000:
        return f"{max(duration_ns, 0) / 1e6:.0f}ms"
    seconds = duration_ns // 1_000_000_000
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    if seconds < 86_400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"
    return f"{seconds // 86_400}d{seconds % 86_400 // 3600:02d}h"


def instant(at_ns: int) -> str:
    """Return an instant in UTC, to the millisecond: `2026-01-31 12:00:00.123Z`."""
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at_ns // 1_000_000 % 1000:03d}Z"


def clock_time(at_ns: int) -> str:
    """Return the time of day of an instant, in UTC."""
    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%H:%M:%S}"


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Return the last values as a line of little bars; flat when nothing moves."""
    shown = list(values)[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high == low:
        return BARS[3] * len(shown)
    return "".join(BARS[min(7, int((value - low) / (high - low) * 8))] for value in shown)


def shown_field(name: str, value: Any, instrument: Instrument | None = None) -> str:
    """Return a field's value by the unit in its name (`_usdt`, `_e8`, `_ticks`, `_at_ns`, `_ns`)."""
    if value in ({}, []):
        return "none"
    if isinstance(value, dict):
        inner = {key: item for key, item in value.items() if key != "type"}
        shown = " ".join(f"{key}={shown_field(key, item, instrument)}" for key, item in inner.items())
        return f"{value.get('type', '')}({shown})"
    if isinstance(value, list):
        return "[" + ", ".join(shown_field(name, item, instrument) for item in value) + "]"
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    if name == "side":
        return ENUM_SIDES.get(value, str(value))
    if name.endswith("_at_ns") or name == "at_ns":
        return instant(value) if value else "-"
    if name.endswith("_ns"):
        return age(value) if value < 10**18 else instant(value)
    if name.endswith(("_usdt", "_e8")) or "_usdt_" in name:
        return format_e8(value)
    if name.endswith("_ticks") and instrument is not None and name not in ("cost_ticks", "filled_ticks"):
        return instrument.price_text(value)
    return str(value)


def table_text(rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Return rows as aligned columns without a frame, for pipes too. `right`: columns of numbers."""
    found = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in found) for column in range(len(found[0]))] if found else []
    lines = []
    for row in found:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
