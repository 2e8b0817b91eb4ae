"""The charts of a report, each a figure with caption, labels and a description for those who cannot see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from actors.backtest.drawing import Frame, area, bars, dots, line, nice_steps, thinned
from actors.backtest.figures import Curve, benchmark
from actors.backtest.metrics import Series
from actors.backtest.record import BarPoint, ClosedTrade, RunInstrument, RunRecord
from actors.backtest.report_text import E8, day, stamp

__all__ = ["drawdown_chart", "equity_chart", "exposure_chart", "histogram", "price_chart"]

COLUMNS_MAX = 700
TRADES_MAX = 800
TIMES = 4


def _plot(frame: Frame, drawn: str, text: str, label: Callable[[float], str], low: bool = False) -> str:
    """Return a plot over time: shapes that stretch, labels that do not, and a text alternative."""
    steps = [(value, label(value)) for value in nice_steps(frame.y_low, frame.y_high, 3 if low else 4)]
    steps = [(value, name) for value, name in steps if frame.y_low <= value <= frame.y_high]
    sides = "".join(
        f'<i class="y" style="top:{frame.at_y(value) / 10:.2f}%">{escape(name)}</i>' for value, name in steps
    )
    span = frame.x_high - frame.x_low
    times = [frame.x_low + span * (index + 0.5) / TIMES for index in range(TIMES)]
    tell = day if span > 3 * 86_400e9 else lambda at_ns: stamp(at_ns)[5:]
    below = "".join(
        f'<i class="x{" odd" if index % 2 else ""}" style="left:{frame.at_x(at) / 10:.2f}%">'
        f"{tell(int(at))}</i>"
        for index, at in enumerate(times)
    )
    return _svg(frame.grid(steps) + drawn, text, sides + below, low)


def _svg(drawn: str, text: str, labels: str, low: bool = False) -> str:
    name = "plot low" if low else "plot"
    return (
        f'<div class="{name}"><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(text)}">{drawn}</svg>{labels}</div>'
    )


def _figure(inside: str, caption: str, key: Sequence[tuple[str, str]] = ()) -> str:
    marks = "".join(f'<span><b class="{name}"></b>{escape(text)}</span>' for name, text in key)
    marks = f'<div class="key">{marks}</div>' if marks else ""
    return f"<figure>{marks}{inside}<figcaption>{escape(caption)}</figcaption></figure>"


def equity_chart(record: RunRecord, curve: Curve) -> str:
    """Return equity beside buy and hold."""
    at_ns, equity = curve.at_ns.astype(np.float64), curve.equity_usdt / E8
    held = benchmark(record, curve.at_ns) / E8
    low, high = min(equity.min(), held.min()), max(equity.max(), held.max())
    frame = Frame((at_ns[0], at_ns[-1]), (float(low), float(high)))
    drawn = _line(frame, at_ns, held, "other") + _line(frame, at_ns, equity, "")
    text = (
        f"Equity from {equity[0]:,.2f} to {equity[-1]:,.2f} USDT, lowest {equity.min():,.2f}, "
        f"highest {equity.max():,.2f}; buy and hold ends at {held[-1]:,.2f} USDT."
    )
    key = (("", "equity, USDT"), ("other", "buy and hold"))
    return _figure(_plot(frame, drawn, text, lambda value: f"{value:,.0f}"), text, key)


def drawdown_chart(curve: Curve, initial_usdt: int) -> str:
    """Return how far equity lies below its peak."""
    peaks = np.maximum(np.maximum.accumulate(curve.equity_usdt), max(initial_usdt, 1))
    below = (curve.equity_usdt / peaks - 1.0) * 100.0
    at_ns = curve.at_ns.astype(np.float64)
    frame = Frame((at_ns[0], at_ns[-1]), (float(min(below.min(), -0.01)), 0.0))
    chosen = thinned(below)
    drawn = area(frame, at_ns[chosen].tolist(), below[chosen].tolist(), 0.0, "down")
    deepest = int(np.argmin(below))
    text = f"Drawdown; the deepest is {below[deepest]:.2f} %, at {stamp(int(at_ns[deepest]))} UTC."
    return _figure(_plot(frame, drawn, text, _percent, low=True), text)


def exposure_chart(record: RunRecord) -> str:
    """Return the value of all positions over equity."""
    points = record.equity
    at_ns = np.array([point.at_ns for point in points], np.float64)
    parts = np.array([100.0 * p.exposure_usdt / p.equity_usdt if p.equity_usdt > 0 else 0.0 for p in points])
    frame = Frame((at_ns[0], at_ns[-1]), (0.0, float(max(parts.max(), 0.01))))
    chosen = thinned(parts)
    drawn = area(frame, at_ns[chosen].tolist(), parts[chosen].tolist(), 0.0, "")
    text = f"Value of all positions over equity: mean {parts.mean():.2f} %, highest {parts.max():.2f} %."
    return _figure(_plot(frame, drawn, text, _percent, low=True), text)


def price_chart(
    item: RunInstrument, found: Sequence[BarPoint], trades: Sequence[ClosedTrade], end_ns: int
) -> str:
    """Return the price of a symbol with the trades on it."""
    if not found:
        return '<p class="quiet">There are no bars of this symbol.</p>'
    at_ns, lows, highs, closes = _columns(found, item.tick_e8 / E8)
    frame = Frame((at_ns[0], float(max(end_ns, at_ns[-1]))), (float(lows.min()), float(highs.max())))
    times = at_ns.tolist()
    band = f"{frame.points(times, highs.tolist())}L{frame.points(times[::-1], lows[::-1].tolist())}"
    drawn = f'<path class="area quiet" d="M{band}Z"/>' + line(frame, times, closes.tolist(), "quiet")
    kept = sorted(trades, key=lambda trade: (-abs(trade.net_usdt), trade.entry_at_ns))[:TRADES_MAX]
    drawn += _trades(frame, kept, item.tick_e8 / E8)
    text = f"{item.symbol} from {closes[0]:,.6g} to {closes[-1]:,.6g} USDT; {len(trades)} closed trades"
    text += f", the {len(kept)} with the largest results drawn." if len(kept) < len(trades) else "."
    key = (
        *(("quiet", "price"), ("", "long entry"), ("other", "short entry"), ("shut", "exit")),
        *(("up", "trade that won"), ("down", "trade that lost")),
    )
    return _figure(_plot(frame, drawn, text, lambda value: f"{value:,.6g}"), text, key)


def _columns(found: Sequence[BarPoint], tick: float) -> tuple[Series, Series, Series, Series]:
    """Return at most COLUMNS_MAX bars as (times, lows, highs, closes): joined bars keep both extremes."""
    edges = np.unique(np.linspace(0, len(found), min(COLUMNS_MAX, len(found)) + 1).astype(int))[:-1]
    lows = np.array([bar.low_ticks for bar in found], np.float64)
    highs = np.array([bar.high_ticks for bar in found], np.float64)
    closes = np.array([bar.close_ticks for bar in found], np.float64)
    at_ns = np.array([bar.at_ns for bar in found], np.float64)
    lasts = np.append(edges[1:], len(found)) - 1
    return (
        at_ns[edges],
        np.minimum.reduceat(lows, edges) * tick,
        np.maximum.reduceat(highs, edges) * tick,
        closes[lasts] * tick,
    )


def _trades(frame: Frame, kept: Sequence[ClosedTrade], tick: float) -> str:
    paths = {"win": "", "loss": ""}
    entries: dict[str, list[tuple[float, float]]] = {"long": [], "short": []}
    exits = []
    for trade in kept:
        begin = (float(trade.entry_at_ns), trade.entry_ticks_sum / trade.contracts * tick)
        end = (float(trade.exit_at_ns), trade.exit_ticks_sum / trade.contracts * tick)
        name = "win" if trade.net_usdt > 0 else "loss"
        paths[name] += "M" + frame.points((begin[0], end[0]), (begin[1], end[1]))
        entries["long" if trade.side > 0 else "short"].append(begin)
        exits.append(end)
    lines = "".join(f'<path class="line {name}" d="{path}"/>' for name, path in paths.items() if path)
    marks = "".join(dots(frame, points, name) for name, points in entries.items())
    return lines + marks + dots(frame, exits, "shut")


def histogram(columns: Sequence[tuple[str, int, str]], text: str) -> str:
    """Return columns of (label, count, CSS class) with a caption; some labels stand below."""
    top = max((count for _, count, _ in columns), default=0) or 1
    drawn = bars([(count / top, name, f"{label}: {count}") for label, count, name in columns])
    every = -(-len(columns) // 5) or 1
    below = "".join(
        f'<i class="x" style="left:{(index + 0.5) / len(columns) * 100:.2f}%">{escape(label)}</i>'
        for index, (label, _, _) in enumerate(columns)
        if index % every == every // 2
    )
    below += f'<i class="y" style="top:4%">{top}</i><i class="y" style="top:100%">0</i>'
    return _figure(_svg(drawn, text, below, low=True), text)


def _line(frame: Frame, at_ns: Series, values: Series, name: str) -> str:
    chosen = thinned(values)
    return line(frame, at_ns[chosen].tolist(), values[chosen].tolist(), name)


def _percent(value: float) -> str:
    return f"{value:g} %"
