"""The page of a report: sections in the order in which a reader asks. It refers to nothing outside itself."""

from __future__ import annotations

from collections import Counter
from html import escape
from itertools import pairwise

import msgspec
import numpy as np

from actors.backtest.definitions import DEFINITIONS
from actors.backtest.figures import Curve, figures, monthly
from actors.backtest.record import RunRecord, digest_of_fills
from actors.backtest.report import Share, shares
from actors.backtest.report_charts import (
    drawdown_chart,
    equity_chart,
    exposure_chart,
    histogram,
    price_chart,
)
from actors.backtest.report_style import STYLE
from actors.backtest.report_text import E8, duration, money, shown, sign_class, stamp, table
from actors.backtest.standstill import standstill
from actors.backtest.trade_metrics import streaks

__all__ = ["page"]

CARDS = (
    *("net_usdt", "return", "benchmark_return", "max_drawdown", "sharpe", "psr"),
    *("profit_factor", "win_rate", "trades_count", "turnover"),
)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
NOTES_MAX = 200
BINS = 30
STREAK_MAX = 20  # longer ones share the outermost columns
MINUTE_NS = 60_000_000_000
HELD = (
    *((MINUTE_NS, "1 min"), (5 * MINUTE_NS, "5 min"), (15 * MINUTE_NS, "15 min"), (60 * MINUTE_NS, "1 h")),
    *((240 * MINUTE_NS, "4 h"), (720 * MINUTE_NS, "12 h"), (1440 * MINUTE_NS, "1 d")),
    *((4320 * MINUTE_NS, "3 d"), (10080 * MINUTE_NS, "7 d")),
)


def page(record: RunRecord, curve: Curve) -> str:
    """Return the whole page."""
    title = escape(f"Backtest of {record.manifest.deployment}")
    sections = (
        _head(record),
        _cards(record, curve),
        _equity(record, curve),
        _months(record, curve),
        _costs(record),
        _prices(record),
        _trades(record),
        _shares("By symbol", shares(record, "symbol")),
        _shares("By strategy", shares(record, "strategy")),
        _definitions(record, curve),
        _refused(record),
        _data(record),
        _manifest(record),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(part for part in sections if part)
        + "\n</main></body></html>\n"
    )


def _head(record: RunRecord) -> str:
    manifest = record.manifest
    period = f"{stamp(manifest.from_ns)} to {stamp(manifest.to_ns)} UTC"
    symbols = ", ".join(record.symbols)
    halted = standstill(record)
    stood = f'<p class="warning"><b>{escape(halted.text)}.</b></p>' if halted else ""
    agree = "" if record.books_agree else '<p class="down">Ledger and exchange do NOT agree at the end.</p>'
    return (
        f"<h1>Backtest of {escape(manifest.deployment)}</h1>"
        f'<p class="quiet">{period}; {escape(symbols)}; '
        f"began with {money(record.initial_usdt)} USDT</p>{stood}{agree}"
    )


def _cards(record: RunRecord, curve: Curve) -> str:
    found = figures(record, curve)
    by_name = {item.name: item for item in DEFINITIONS}
    cards = "".join(
        f'<div class="card" title="{escape(by_name[name].text)}"><span>{escape(by_name[name].title)}</span>'
        f'<b class="{sign_class(found[name]) if name in ("net_usdt", "return") else ""}">'
        f"{shown(found[name], by_name[name].form)}</b></div>"
        for name in CARDS
    )
    return f'<div class="cards">{cards}</div>'


def _equity(record: RunRecord, curve: Curve) -> str:
    if not record.equity:
        return '<h2>Equity</h2><p class="quiet">The run has no samples.</p>'
    charts = equity_chart(record, curve) + drawdown_chart(curve, record.initial_usdt)
    return f"<h2>Equity and drawdown</h2>{charts}<h2>Exposure</h2>{exposure_chart(record)}"


def _months(record: RunRecord, curve: Curve) -> str:
    found = monthly(curve, record.initial_usdt)
    if not found:
        return ""
    largest = max(abs(value) for value in found.values()) or 1.0
    parts = []
    for year in sorted({year for year, _ in found}):
        cells = []
        for month, name in enumerate(MONTHS, 1):
            value = found.get((year, month))
            if value is None:
                cells.append(f"<div><small>{name}</small></div>")
                continue
            kind = "gain" if value > 0 else "lost" if value < 0 else ""
            part = f"{abs(value) / largest * 70:.0f}%"
            cells.append(
                f'<div class="{kind}" style="--part:{part}"><small>{name}</small>{value * 100:+.2f} %</div>'
            )
        parts.append(f'<h3>{year}</h3><div class="months">{"".join(cells)}</div>')
    return f"<h2>Returns by month</h2>{''.join(parts)}"


def _costs(record: RunRecord) -> str:
    net = (record.equity[-1].equity_usdt - record.initial_usdt) if record.equity else 0
    makers = [fill for fill in record.fills if fill.maker]
    fees = sum(fill.fee_usdt for fill in record.fills)
    maker_fees = sum(fill.fee_usdt for fill in makers)
    funding = sum(paid.payment_usdt for paid in record.funding)
    slippage = sum(fill.slippage_usdt for fill in record.fills)
    received = -sum(paid.payment_usdt for paid in record.funding if paid.payment_usdt < 0)
    rows = (
        ("Profit at the prices decided on", money(net + fees + funding + slippage)),
        (f"Slippage of {len(record.fills)} fills", money(-slippage)),
        (f"Fees as maker, {len(makers)} fills", money(-maker_fees)),
        (f"Fees as taker, {len(record.fills) - len(makers)} fills", money(maker_fees - fees)),
        ("Funding paid", money(-funding - received)),
        ("Funding received", money(received)),
        ("Net profit", money(net)),
    )
    return f"<h2>From the decisions to the net profit</h2>{table(('', 'USDT'), rows)}"


def _prices(record: RunRecord) -> str:
    parts = []
    by_symbol = {item.symbol: item for item in record.instruments}
    for symbol, found in zip(record.symbols, record.bars, strict=True):
        trades = [trade for trade in record.trades if trade.symbol == symbol]
        chart = price_chart(by_symbol[symbol], found, trades, record.manifest.to_ns)
        parts.append(f"<h3>{escape(symbol)}</h3>{chart}")
    return f"<h2>Trades on the price</h2>{''.join(parts)}" if parts else ""


def _trades(record: RunRecord) -> str:
    if not record.trades:
        return '<h2>Trades</h2><p class="quiet">No trade was closed.</p>'
    results = [trade.net_usdt for trade in record.trades]
    return (
        f'<h2>Trades</h2><div class="pair"><div><h3>Net results, USDT</h3>{_results(results)}</div>'
        f"<div><h3>Holding times</h3>{_held(record)}</div>"
        f"<div><h3>Streaks</h3>{_streaks(results)}</div></div>"
    )


def _results(results: list[int]) -> str:
    """Draw how results are distributed; the columns at both ends hold all that lies beyond."""
    values = np.array(results, np.float64) / E8
    low, high = np.quantile(values, (0.01, 0.99))
    reach = max(abs(float(low)), abs(float(high)), 1e-8)
    edges = np.linspace(-reach, reach, BINS + 1)
    counts, _ = np.histogram(np.clip(values, -reach, reach), edges)
    columns = [
        (f"{begin:+.2f}", int(count), "down" if end <= 1e-12 else "up")
        for (begin, end), count in zip(pairwise(edges.tolist()), counts.tolist(), strict=True)
    ]
    won, lost = sum(value > 0 for value in results), sum(value < 0 for value in results)
    text = (
        f"{won} won, {lost} lost, {len(results) - won - lost} even; worst {values.min():,.2f}, "
        f"median {np.median(values):,.2f}, best {values.max():,.2f} USDT. "
        "The outermost columns hold everything beyond."
    )
    return histogram(columns, text)


def _held(record: RunRecord) -> str:
    spans = [trade.exit_at_ns - trade.entry_at_ns for trade in record.trades]
    limits = np.array([limit for limit, _ in HELD])
    counts = np.bincount(np.searchsorted(limits, spans), minlength=len(HELD) + 1).tolist()
    labels = [f"≤ {name}" for _, name in HELD] + [f"> {HELD[-1][1]}"]
    columns = [(label, count, "") for label, count in zip(labels, counts, strict=True)]
    text = (
        f"Shortest {duration(min(spans))}, median {duration(float(np.median(spans)))}, "
        f"longest {duration(max(spans))}."
    )
    return histogram(columns, text)


def _streaks(results: list[int]) -> str:
    runs = streaks(results)
    counts = Counter(max(-STREAK_MAX, min(STREAK_MAX, run)) for run in runs)
    won, lost = max([*runs, 0]), -min([*runs, 0])
    shortest, longest = max(-lost, -STREAK_MAX), min(won, STREAK_MAX)
    lengths = [length for length in range(shortest, longest + 1) if length]
    columns = [(f"{length:+d}", counts[length], "up" if length > 0 else "down") for length in lengths]
    text = f"Longest run of winners {won}, of losers {lost}; how often each length occurred."
    return histogram(columns, text)


def _shares(title: str, found: list[Share]) -> str:
    heads = ("", "net USDT", "trades", "won", "profit factor", "fees", "slippage", "fills")
    rows = [
        (
            one.name or "nobody (the venue acted)",
            *(money(one.net_usdt), str(one.trades_count), shown(one.win_rate, "percent")),
            shown(one.profit_factor, "ratio"),
            *(money(one.fees_usdt), money(one.slippage_usdt), str(one.fills_count)),
        )
        for one in found
    ]
    return f"<h2>{title}</h2>{table(heads, rows)}"


def _definitions(record: RunRecord, curve: Curve) -> str:
    found = figures(record, curve)
    rows = "".join(
        f'<tr><td>{escape(item.title)}</td><td class="n">{shown(found[item.name], item.form)}</td>'
        f"<td>{escape(item.text)}</td></tr>"
        for item in DEFINITIONS
    )
    period = "UTC days" if curve.periods == 365 else "hours, as the run is short"
    return (
        f'<h2>All figures</h2><p class="quiet">Returns are those of {period}; {len(curve.returns)} of them. '
        f'A dash is what this run cannot tell.</p><table class="defs"><tbody>{rows}</tbody></table>'
    )


def _refused(record: RunRecord) -> str:
    rules = Counter((one.by, one.rule) for one in record.denials).most_common()
    parts = [f'<h2>Orders refused</h2><p class="quiet">{record.orders_count} orders went out.</p>']
    if rules:
        rows = [(by, rule, str(count)) for (by, rule), count in rules]
        parts.append(table(("by", "rule", "times"), rows, texts=2))
    if record.halts:
        halts = [(stamp(one.at_ns), one.scope, one.level or "released", one.reason) for one in record.halts]
        parts.append("<h3>Halts</h3>" + table(("UTC", "scope", "level", "why"), halts[:NOTES_MAX], texts=4))
    return "".join(parts)


def _data(record: RunRecord) -> str:
    heads = ("file", "symbol", "content", "first, UTC", "last, UTC", "rows")
    rows = [
        (
            one.file,
            one.symbol,
            one.content,
            stamp(one.first_at_ns),
            stamp(one.last_at_ns),
            f"{one.rows_count:,}",
        )
        for one in record.manifest.files
    ]
    found = [(one.file, one.kind, str(one.row or ""), one.text) for one in record.notes[:NOTES_MAX]]
    notes = table(("file", "kind", "row", "what"), found, texts=4) if found else "<p>Nothing to remark.</p>"
    more = len(record.notes) - len(found)
    rest = f'<p class="quiet">{more} more are in report.json.</p>' if more > 0 else ""
    return f"<h2>Data</h2>{table(heads, rows, texts=5)}<h3>What the check found</h3>{notes}{rest}"


def _manifest(record: RunRecord) -> str:
    text = msgspec.json.format(msgspec.json.encode(record.manifest), indent=2).decode()
    digest = digest_of_fills(record.fills)
    return (
        '<h2>Manifest</h2><p class="quiet">Equal manifests give equal results, byte for byte. '
        f"Digest of all fills: {digest}</p><pre>{escape(text)}</pre>"
    )
