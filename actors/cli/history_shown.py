"""A finished run in a terminal, and as JSON."""

from __future__ import annotations

from typing import Any

from actors.cli.output import echo

__all__ = ["run_json", "show_run"]

E8 = 100_000_000
DENIALS_SHOWN = 5


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


def run_json(record: Any) -> dict[str, Any]:
    """Return figures, manifest and digest as one object."""
    import msgspec

    from actors.backtest.record import digest_of_fills

    return {
        "figures": figures(record),
        "manifest": msgspec.to_builtins(record.manifest),
        "digest": digest_of_fills(record.fills),
        "notes": msgspec.to_builtins(record.notes),
    }


def show_run(record: Any) -> None:
    """Print a run for a person."""
    from collections import Counter

    from actors.backtest.record import digest_of_fills

    manifest = record.manifest
    echo(f"{manifest.deployment}, {_at(manifest.from_ns)} to {_at(manifest.to_ns)} UTC, seed {manifest.seed}")
    for file in manifest.files:
        echo(f"  {file.symbol} {file.content}: {file.file}, {file.rows_count} rows")
    echo()
    for name, value in figures(record).items():
        echo(f"  {name.replace('_usdt', ' (USDT)').replace('_', ' '):<18}{value}")
    rules = Counter(f"{denial.by} {denial.rule}" for denial in record.denials)
    for rule, count in rules.most_common(DENIALS_SHOWN):
        echo(f"  denied by {rule}: {count}")
    for found in record.notes:
        echo(f"  note: {found.file}: {found.text}")
    echo()
    echo(f"  digest of fills   {digest_of_fills(record.fills)}")


def _at(at_ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
