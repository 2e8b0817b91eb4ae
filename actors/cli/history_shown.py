"""A finished run in a terminal, and as JSON."""

from __future__ import annotations

from typing import Any

from actors.cli.output import echo, note, warn

__all__ = ["figures", "run_json", "show_run", "tell_standstill"]

E8 = 100_000_000
DENIALS_SHOWN = 5
RATIOS = ("max_drawdown", "sharpe", "sortino", "profit_factor", "win_rate")


def figures(record: Any) -> dict[str, Any]:
    """Return the sums of a run; money in whole USDT as decimal text."""
    from actors.domain.money import format_e8

    fills, equity = record.fills, record.equity
    last = equity[-1]
    fees = sum(fill.fee_usdt for fill in fills)
    funding = sum(paid.payment_usdt for paid in record.funding)
    net = last.equity_usdt - record.initial_usdt
    return {
        "initial_usdt": format_e8(record.initial_usdt),
        "equity_usdt": format_e8(last.equity_usdt),
        "net_usdt": format_e8(net),
        "fees_usdt": format_e8(fees),
        "funding_usdt": format_e8(funding),
        "slippage_usdt": format_e8(sum(fill.slippage_usdt for fill in fills)),
        "orders": record.orders_count,
        "fills": len(fills),
        "trades": len(record.trades),
        "denials": len(record.denials),
        "liquidations": sum(fill.liquidation for fill in fills),
        "books_agree": record.books_agree,
    }


def run_json(record: Any, *, gate: bool = False) -> dict[str, Any]:
    """Return sums, the report's figures, manifest and digest; with `gate` the rolling windows too."""
    import msgspec

    from actors.backtest.figures import curve_of
    from actors.backtest.gate import rolling
    from actors.backtest.report import report_json

    report = report_json(record, curve_of(record))
    windows = {"gate": msgspec.to_builtins(rolling(record))} if gate else {}
    same = {name: report[name] for name in ("halted", "manifest", "digest", "notes")}
    return windows | {"figures": figures(record), "metrics": report["figures"], **same}


def show_run(record: Any, *, gate: bool = False) -> None:
    """Print a run for a person; with `gate` the rolling windows too."""
    from collections import Counter

    from actors.backtest.record import digest_of_fills

    manifest = record.manifest
    echo(f"{manifest.deployment}, {_at(manifest.from_ns)} to {_at(manifest.to_ns)} UTC, seed {manifest.seed}")
    for file in manifest.files:
        echo(f"  {file.symbol} {file.content}: {file.file}, {file.rows_count} rows")
    echo()
    for name, value in {**figures(record), **_ratios(record)}.items():
        echo(f"  {name.replace('_usdt', ' (USDT)').replace('_', ' '):<18}{value}")
    rules = Counter(f"{denial.by} {denial.rule}" for denial in record.denials)
    for rule, count in rules.most_common(DENIALS_SHOWN):
        echo(f"  denied by {rule}: {count}")
    for found in record.notes:
        row = f"row {found.row}: " if found.row else ""
        echo(f"  note: {found.file}: {row}{found.text}")
    echo()
    echo(f"  digest of fills   {digest_of_fills(record.fills)}")
    if gate:
        _show_gate(record)


def tell_standstill(record: Any) -> None:
    """Warn on stderr when nobody could trade for some of the run."""
    from actors.backtest.standstill import standstill

    found = standstill(record)
    if found is not None:
        warn(found.text)
        note(f"help: {found.remedy}")


def _ratios(record: Any) -> dict[str, str]:
    """Return the report's ratios that say most, as it writes them."""
    from actors.backtest.definitions import DEFINITIONS
    from actors.backtest.figures import curve_of
    from actors.backtest.figures import figures as of_report
    from actors.backtest.report_text import shown

    found = of_report(record, curve_of(record))
    forms = {item.name: item.form for item in DEFINITIONS}
    return {name: shown(found[name], forms[name]) for name in RATIOS}


def _show_gate(record: Any) -> None:
    from statistics import median

    from actors.backtest.gate import rolling
    from actors.domain.money import E8

    windows = rolling(record)
    if not windows:
        echo("\n  the run is shorter than one window of 90 days")
        return
    echo(f"\n  {'90 days from':<18}{'trades':>7}{'net USDT':>12}{'profit factor':>15}{'Sharpe':>9}")
    for one in windows:
        net = one.net_usdt / E8
        figures = f"{one.trades_count:>7}{net:>12.2f}{one.profit_factor:>15.3f}{one.sharpe:>9.2f}"
        echo(f"  {_at(one.from_ns):<18}{figures}")
    factor = median(one.profit_factor for one in windows)
    sharpe = median(one.sharpe for one in windows)
    won = sum(one.net_usdt > 0 for one in windows)
    echo(f"  {'median':<18}{'':>7}{'':>12}{factor:>15.3f}{sharpe:>9.2f}")
    echo(f"  {won} of {len(windows)} windows earned money")


def _at(at_ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
