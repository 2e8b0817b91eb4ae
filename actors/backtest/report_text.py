"""Numbers, instants and tables of a report as text. Whatever came from outside is escaped here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

__all__ = ["day", "duration", "money", "shown", "sign_class", "stamp", "table"]

E8 = 100_000_000
UNITS = ((86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"))


def stamp(at_ns: int) -> str:
    """Return an instant in UTC, to the minute."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")


def day(at_ns: int) -> str:
    """Return the day of an instant in UTC."""
    return stamp(at_ns)[:10]


def duration(span_ns: float) -> str:
    """Return a length of time in its largest unit."""
    for unit, name in UNITS:
        if span_ns >= unit:
            return f"{span_ns / unit:.1f} {name}"
    return f"{span_ns / 1e9:.0f} s"


def money(amount: float) -> str:
    """Return 1e-8 USDT as USDT with two digits."""
    text = f"{amount / E8:,.2f}"
    return "0.00" if text == "-0.00" else text


def shown(value: float, form: str) -> str:
    """Return a figure in the form that its definition names; a dash for what is unknown."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    match form:
        case "usdt":
            return money(value) + " USDT"
        case "percent" | "probability":
            return f"{value * 100:,.2f} %" if abs(value) < 1e6 else f"{value * 100:.2e} %"
        case "count":
            return f"{value:,.0f}"
        case "time":
            return duration(value)
        case _:
            return f"{value:,.3f}" if abs(value) < 1e6 else f"{value:.2e}"


def sign_class(value: float) -> str:
    """Return the CSS class of a gain or a loss."""
    return "up" if value > 0 else "down" if value < 0 else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """Return a table; the first `texts` columns are text, the others numbers. Cells are escaped."""

    def line(cells: Sequence[str], tag: str) -> str:
        numbers = ("" if index < texts else ' class="n"' for index in range(len(cells)))
        parts = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(numbers, cells, strict=True))
        return f"<tr>{''.join(parts)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{line(heads, "th")}</thead><tbody>{body}</tbody></table></div>'
