"""The surface of a search as one self-contained page: an inline SVG, no scripts, the same bytes each time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from actors.backtest.sweep import Axis, Point, Surface
from actors.domain.money import E8

__all__ = ["page"]

CELL, LEFT, TOP, LABEL = 34, 62, 8, 46
ROTATED_FROM = 12  # columns from which their labels stand upright
NOTHING = "#ececec"
LOSS, EVEN, GAIN = (178, 62, 48), (247, 245, 240), (38, 110, 92)
STYLE = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:16px;max-width:900px;color:#222;background:#fff}
h1{font-size:1.4em;margin:.2em 0}h2{font-size:1.1em;margin:1.4em 0 .4em}p{margin:.4em 0}
svg{width:100%;height:auto;display:block}text{font:11px system-ui,sans-serif;fill:#333}
table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:4px 6px;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}.wide{overflow-x:auto}
code{display:block;white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:8px;border-radius:4px}
.soft{color:#666;font-size:.9em}
"""


def page(surface: Surface, title: str, about: str, confirm: str) -> str:
    """Return the page. The plateau has a heavy frame, the best single point a thin one."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(title)}: search</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p class='soft'>{escape(about)}</p>",
    ]
    if surface.best is None or surface.plateau is None:
        parts.append("<p>No configuration traded on two days or more: there is nothing to judge.</p>")
        return "".join((*parts, "</body></html>\n"))
    parts += [
        _verdict(surface),
        f"<h2>Sharpe ratio of a year, {surface.trials_count:,} configurations</h2>",
        _slice_text(surface, surface.plateau),
        _heatmap(surface, surface.plateau, surface.best),
        "<p class='soft'>Heavy frame: the plateau, best together with its neighbours. Thin dashed frame: the "
        "best single point, where this slice holds it. Green earned, red lost; grey did not trade. "
        "Each cell tells its figures under the pointer.</p>",
        _table({"plateau": surface.plateau, "best point": surface.best}),
        "<h2>Confirm it</h2><p>With the whole deployment, best on a period that was not searched:</p>",
        f"<code>{escape(confirm)}</code>",
    ]
    return "".join((*parts, "</body></html>\n"))


def _verdict(surface: Surface) -> str:
    size, mean = surface.plateau_size, surface.plateau_sharpe
    return (
        f"<p>The plateau: <b>{escape(_settings(surface.plateau))}</b>, mean Sharpe ratio <b>{mean:.2f}</b> "
        f"over its {size} points.{_lost(mean)}</p><p>The best point's true ratio is above 0 with probability "
        f"<b>{_percent(surface.psr)}</b> by itself. The luckiest of {surface.trials_count:,} worthless "
        f"configurations would show {surface.luck_sharpe:.2f}; it is above that with probability "
        f"<b>{_percent(surface.deflated)}</b> (deflated Sharpe ratio).</p>"
    )


def _lost(mean: float) -> str:
    return "" if mean > 0 else " <b>No region of this grid earned money: the best one lost least.</b>"


def _settings(point: Point | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in point.settings.items()) if point else ""


def _percent(fraction: float) -> str:
    return "unknown" if math.isnan(fraction) else f"{fraction:.1%}"


def _slice_text(surface: Surface, plateau: Point) -> str:
    rest = ", ".join(f"{axis.name} = {plateau.settings[axis.name]}" for axis in surface.axes[2:])
    return f"<p class='soft'>The slice through the plateau: {escape(rest)}.</p>" if rest else ""


def _heatmap(surface: Surface, plateau: Point, best: Point) -> str:
    """Draw the first axis to the right and the second upwards; further axes stand at the plateau's values."""
    across = surface.axes[0]
    up = surface.axes[1] if len(surface.axes) > 1 else Axis("", ("",))
    rest = plateau.where[2:]
    shown = {point.where[:2]: point for point in surface.points if point.where[2:] == rest}
    ratios = [abs(point.sharpe) for point in shown.values() if not math.isnan(point.sharpe)]
    scale = max(ratios, default=1.0) or 1.0
    width = LEFT + CELL * len(across.values) + 8
    height = TOP + CELL * len(up.values) + LABEL
    cells = [
        _cell(shown.get((i, j)[: len(surface.axes)]), i, len(up.values) - 1 - j, scale)
        for j in range(len(up.values))
        for i in range(len(across.values))
    ]
    frames = [_frame(plateau, len(up.values), 3, "")]
    if best.where[2:] == rest and best is not plateau:
        frames.append(_frame(best, len(up.values), 1.5, " stroke-dasharray='4 2'"))
    labels = _labels(across, up, height)
    label = f"Sharpe ratio by {across.name} and {up.name}" if up.name else f"Sharpe ratio by {across.name}"
    style = f"max-width:{max(width * 2, 320)}px"
    return (
        f"<svg viewBox='0 0 {width} {height}' style='{style}' role='img' aria-label='{escape(label)}'>"
        + "".join((*cells, *frames, *labels))
        + "</svg>"
    )


def _cell(point: Point | None, column: int, row: int, scale: float) -> str:
    x, y, size = LEFT + column * CELL, TOP + row * CELL, CELL - 1
    box = f"<rect x='{x}' y='{y}' width='{size}' height='{size}'"
    if point is None or math.isnan(point.sharpe):
        why = "cannot be" if point is None else f"{_settings(point)}: did not trade"
        return f"{box} fill='{NOTHING}'><title>{escape(why)}</title></rect>"
    told = f"{_settings(point)}: Sharpe {point.sharpe:.2f}, net {_usdt(point.net_usdt)} USDT, "
    told += f"{point.trades_count:,} trades"
    fill = _colour(point.sharpe / scale)
    dark = abs(point.sharpe / scale) > 0.6
    ink = " style='fill:#fff'" if dark else ""
    text = (
        f"<text x='{x + size / 2}' y='{y + size / 2 + 4}' text-anchor='middle'{ink}>{point.sharpe:.1f}</text>"
    )
    return f"<g>{box} fill='{fill}'/>{text}<title>{escape(told)}</title></g>"


def _colour(part: float) -> str:
    end, part = (GAIN, part) if part >= 0 else (LOSS, -part)
    mixed = (round(even + (full - even) * min(part, 1.0)) for even, full in zip(EVEN, end, strict=True))
    return "#" + "".join(f"{one:02x}" for one in mixed)


def _frame(point: Point, rows: int, width: float, dashes: str) -> str:
    column, row = point.where[0], rows - 1 - (point.where[1] if len(point.where) > 1 else 0)
    x, y, size = LEFT + column * CELL, TOP + row * CELL, CELL - 1
    box = f"<rect x='{x}' y='{y}' width='{size}' height='{size}' fill='none'"
    return f"{box} stroke='#111' stroke-width='{width}'{dashes}/>"


def _labels(across: Axis, up: Axis, height: int) -> list[str]:
    made = []
    base = height - LABEL + 14
    for i, value in enumerate(across.values):
        x = LEFT + i * CELL + CELL // 2
        upright = len(across.values) >= ROTATED_FROM and len(value) > 4
        turn = f" transform='rotate(-60 {x} {base})'" if upright else ""
        anchor = "end" if upright else "middle"
        made.append(f"<text x='{x}' y='{base}' text-anchor='{anchor}'{turn}>{escape(value)}</text>")
    for j, value in enumerate(up.values):
        y = TOP + (len(up.values) - 1 - j) * CELL + CELL // 2 + 4
        made.append(f"<text x='{LEFT - 6}' y='{y}' text-anchor='end'>{escape(value)}</text>")
    middle = LEFT + len(across.values) * CELL // 2
    made.append(f"<text x='{middle}' y='{height - 6}' text-anchor='middle'>{escape(across.name)}</text>")
    half = TOP + len(up.values) * CELL // 2
    turn = f"transform='rotate(-90 12 {half})'"
    made.append(f"<text x='12' y='{half}' text-anchor='middle' {turn}>{escape(up.name)}</text>")
    return made


def _table(points: Mapping[str, Point]) -> str:
    head = (
        "",
        "net USDT",
        "trades",
        "Sharpe",
        "profit factor",
        "drawdown",
        "fees",
        "funding",
        "liquidations",
    )
    rows = ["".join(f"<th>{name}</th>" for name in head)]
    for name, point in points.items():
        figures = (
            f"{name}<br><span class='soft'>{escape(_settings(point))}</span>",
            _usdt(point.net_usdt),
            f"{point.trades_count:,}",
            f"{point.sharpe:.2f}",
            f"{point.profit_factor:.3f}",
            f"{point.drawdown_fraction:.1%}",
            _usdt(point.fees_usdt),
            _usdt(point.funding_usdt),
            f"{point.liquidations_count}",
        )
        rows.append("".join(f"<td>{one}</td>" for one in figures))
    return "<div class='wide'><table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table></div>"


def _usdt(amount: int) -> str:
    """Return an amount cut to cents, as the terminal shows it."""
    whole, part = divmod(abs(amount), E8)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part * 100 // E8:02d}"
