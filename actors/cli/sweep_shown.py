"""A finished search in a terminal, as JSON, as CSV, and the command that confirms it."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.cli.output import echo
from actors.cli.shown import table_text

__all__ = ["confirmation", "show_surface", "surface_json", "write_out"]

SHOWN = 5
RATIOS = ("wins_fraction", "profit_factor", "drawdown_fraction", "sharpe")
COUNTS = ("trades_count", "fills_count", "liquidations_count", "refused_count", "days_count")
MONEY = ("net_usdt", "fees_usdt", "funding_usdt", "slippage_usdt")


def confirmation(asked: Any, found: Any, data: Sequence[str], begin: str, end: str) -> str:
    """Return the command that runs the plateau through the whole deployment; "" without one."""
    plateau = found.surface.plateau
    if plateau is None:
        return ""
    words = ["polytrade", "backtest", *asked.files]
    words += [word for name in asked.environments for word in ("-e", name)]
    words += [word for name, value in asked.inputs.items() for word in ("--input", f"{name}={value}")]
    words += [word for one in data for word in ("--data", one)]
    words += ["--from", begin] if begin else []
    words += ["--to", end] if end else []
    words += [word for name in sorted(asked.wish.allowed) for word in ("--allow", name)]
    said = {**asked.wish.overrides, **{f"{found.actor}.{n}": v for n, v in plateau.settings.items()}}
    words += [word for name, value in said.items() for word in ("--set", f"{name}={value}")]
    return shlex.join(words)


def surface_json(found: Any, confirm: str) -> dict[str, Any]:
    """Return all of it; money in whole USDT as decimal text, a ratio that cannot be known as null."""
    surface, history = found.surface, found.history
    return {
        "deployment": found.deployment,
        "actor": found.actor,
        "kind": found.kind,
        "symbol": found.symbol,
        "from": day(history.from_ns),
        "to": day(history.to_ns),
        "bars": history.bars_count,
        "bar_s": history.bar_ns // 1_000_000_000,
        "deposit_usdt": _money(found.deposit_usdt),
        "compiled": found.is_compiled,
        "grid": {axis.name: list(axis.values) for axis in surface.axes},
        "trials": surface.trials_count,
        "skipped": len(found.skipped),
        "best": point_json(surface.best) if surface.best else None,
        "plateau": point_json(surface.plateau) if surface.plateau else None,
        "plateau_sharpe": _ratio(surface.plateau_sharpe),
        "plateau_points": surface.plateau_size,
        "probabilistic_sharpe": _ratio(surface.psr),
        "deflated_sharpe": _ratio(surface.deflated),
        "sharpe_of_luck": _ratio(surface.luck_sharpe),
        "confirm": confirm,
        "notes": list(found.notes),
        "points": [point_json(point) for point in surface.points],
    }


def point_json(point: Any) -> dict[str, Any]:
    """Return one configuration's figures."""
    return {
        "settings": dict(point.settings),
        **{name: _money(getattr(point, name)) for name in MONEY},
        **{name: getattr(point, name) for name in COUNTS},
        **{name: _ratio(getattr(point, name)) for name in RATIOS},
    }


def write_out(out: Path, found: Any, shown: dict[str, Any], confirm: str) -> None:
    """Write page, JSON and CSV; equal searches give equal bytes."""
    from actors.backtest.sweep_page import page

    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(shown, indent=1, ensure_ascii=False)
    (out / "sweep.json").write_text(text + "\n", encoding="utf-8")
    (out / "sweep.csv").write_text(_csv(found.surface, shown), encoding="utf-8")
    title = f"{found.actor} on {found.symbol}"
    history = found.history
    about = f"{found.kind}, {day(history.from_ns)} to {day(history.to_ns)} UTC, {history.bars_count:,} bars"
    about += f" of {history.bar_ns // 1_000_000_000} s, after fees, funding and spread"
    (out / "sweep.html").write_text(page(found.surface, title, about, confirm), encoding="utf-8")


def _csv(surface: Any, shown: dict[str, Any]) -> str:
    names = [axis.name for axis in surface.axes]
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow((*names, *MONEY, *COUNTS, *RATIOS))
    for point in shown["points"]:
        figures = (point[name] for name in (*MONEY, *COUNTS, *RATIOS))
        out.writerow((*(point["settings"][name] for name in names), *figures))
    return file.getvalue()


def show_surface(found: Any, confirm: str) -> None:
    """Print it for a person."""
    surface, history = found.surface, found.history
    span = f"{day(history.from_ns)} to {day(history.to_ns)} UTC"
    echo(f"{found.actor} ({found.kind}) on {found.symbol}, {span}, {history.bars_count:,} bars")
    skipped = f", {len(found.skipped):,} points skipped: {found.skipped[0][1]}" if found.skipped else ""
    echo(f"{surface.trials_count:,} configurations in {found.wall_s:.1f} s{skipped}")
    if surface.best is None:
        echo("\n  no configuration traded on two days or more: there is nothing to judge")
        return
    names = [axis.name for axis in surface.axes]
    head = (*names, "NET USDT", "TRADES", "SHARPE", "PROFIT FACTOR", "DRAWDOWN", "")
    ranked = [point for point in surface.points if not math.isnan(point.sharpe)]
    ranked.sort(key=lambda point: -point.sharpe)
    rows = [
        _row(surface.plateau, names, f"plateau: {surface.plateau_sharpe:.2f} over {surface.plateau_size}")
    ]
    rows += [_row(point, names, "best" if point is surface.best else "") for point in ranked[:SHOWN]]
    echo()
    echo(table_text([head, *rows], frozenset(range(len(head) - 1))))
    echo()
    if not surface.plateau_sharpe > 0:
        echo("  no region of this grid earned money: the plateau is where least was lost")
    alone, deflated = _percent(surface.psr), _percent(surface.deflated)
    luck = f"the luckiest of {surface.trials_count:,} worthless ones would show {surface.luck_sharpe:.2f}"
    echo(f"  the best one's true Sharpe ratio is above 0 with probability {alone} by itself;")
    echo(f"  {luck}:")
    echo(f"  it is above that with probability {deflated} (deflated Sharpe ratio)")
    echo("\n  Confirm the plateau with the whole deployment, best on a period that was not searched:")
    echo(f"  {confirm}")


def _row(point: Any, names: list[str], remark: str) -> tuple[str, ...]:
    figures = (
        _money(point.net_usdt, 2),
        f"{point.trades_count:,}",
        f"{point.sharpe:.2f}",
        f"{point.profit_factor:.3f}",
        f"{point.drawdown_fraction:.1%}",
    )
    return (*(point.settings[name] for name in names), *figures, remark)


def _percent(fraction: float) -> str:
    return "unknown" if math.isnan(fraction) else f"{fraction:.1%}"


def _money(amount: int, decimals: int = 0) -> str:
    from actors.cli.shown import money
    from actors.domain.money import format_e8

    return money(amount, decimals) if decimals else format_e8(amount)


def _ratio(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def day(at_ns: int) -> str:
    """Return an instant as text, to the minute."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
