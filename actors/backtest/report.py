"""The report of a finished run: one HTML file, its figures as JSON, fills and equity as Parquet.

Equal records give equal bytes: nothing here asks the clock, and everything keeps the record's order.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from actors.backtest.definitions import DEFINITIONS
from actors.backtest.figures import Curve, curve_of, figures, monthly
from actors.backtest.record import ClosedTrade, FillPoint, RunRecord, digest_of_fills
from actors.backtest.standstill import standstill
from actors.backtest.trade_metrics import profit_factor, streaks, win_rate

__all__ = ["Share", "report_json", "shares", "write_report"]


class Share(msgspec.Struct, frozen=True):
    """What one symbol, or one strategy, contributed; money in 1e-8 USDT."""

    name: str
    net_usdt: int  # what is open is contained, at the mark
    fees_usdt: int
    slippage_usdt: int
    fills_count: int
    trades_count: int
    win_rate: float
    profit_factor: float


def _share(name: str, net: int, fills: list[FillPoint], trades: list[ClosedTrade]) -> Share:
    results = [trade.net_usdt for trade in trades]
    return Share(
        name=name,
        net_usdt=net,
        fees_usdt=sum(fill.fee_usdt for fill in fills),
        slippage_usdt=sum(fill.slippage_usdt for fill in fills),
        fills_count=len(fills),
        trades_count=len(results),
        win_rate=win_rate(results),
        profit_factor=profit_factor(results),
    )


def shares(record: RunRecord, by: str) -> list[Share]:
    """Return contributions by `symbol` or by `strategy`; what no strategy ordered comes last, unnamed."""
    names = record.symbols if by == "symbol" else record.strategies
    last = record.equity[-1] if record.equity else None
    nets = dict.fromkeys(names, 0)
    if last is not None:
        found = last.pnl_usdt_by_symbol if by == "symbol" else last.pnl_usdt_by_strategy
        nets = dict(zip(names, found, strict=True))
    rest = (last.equity_usdt - record.initial_usdt if last is not None else 0) - sum(nets.values())
    parts = [
        _share(
            name,
            nets.get(name, rest),
            [fill for fill in record.fills if getattr(fill, by) == name],
            [trade for trade in record.trades if getattr(trade, by) == name],
        )
        for name in (*names, "")
    ]
    return parts if rest or parts[-1].fills_count else parts[:-1]


def report_json(record: RunRecord, curve: Curve) -> dict[str, Any]:
    """Return all figures of a report as plain values; money in 1e-8 USDT, None for what is unknown."""
    found = figures(record, curve)
    runs = streaks([trade.net_usdt for trade in record.trades])
    months = monthly(curve, record.initial_usdt)
    shown: dict[str, Any] = _known(
        {
            "figures": found,
            "definitions": {item.name: item.text for item in DEFINITIONS},
            "period_of_returns": "day" if curve.periods == 365 else "hour",
            "months": {f"{year}-{month:02}": value for (year, month), value in months.items()},
            "by_symbol": msgspec.to_builtins(shares(record, "symbol")),
            "by_strategy": msgspec.to_builtins(shares(record, "strategy")),
            "streaks": {
                "won": max((run for run in runs if run > 0), default=0),
                "lost": max((-run for run in runs if run < 0), default=0),
            },
            "denials": dict(Counter(f"{one.by} {one.rule}" for one in record.denials).most_common()),
            "halted": msgspec.to_builtins(standstill(record)),
            "halts": msgspec.to_builtins(record.halts),
            "notes": msgspec.to_builtins(record.notes),
            "books_agree": record.books_agree,
            "digest": digest_of_fills(record.fills),
            "manifest": msgspec.to_builtins(record.manifest),
        }
    )
    return shown


def _known(value: Any) -> Any:
    """Return the value with None wherever a number is none that JSON can hold."""
    if isinstance(value, dict):
        return {str(name): _known(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_report(record: RunRecord, folder: Path) -> list[Path]:
    """Write `report.html`, `report.json` and the tables into a folder; return what was written."""
    from actors.backtest.report_page import page
    from actors.backtest.report_tables import write_tables

    curve = curve_of(record)
    html, data = folder / "report.html", folder / "report.json"
    html.write_text(page(record, curve), encoding="utf-8", newline="\n")
    data.write_bytes(msgspec.json.format(msgspec.json.encode(report_json(record, curve))) + b"\n")
    return [html, data, *write_tables(record, folder)]
