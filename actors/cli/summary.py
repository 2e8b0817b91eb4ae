"""What a run leaves behind: as one JSON object, and in words for whoever pressed Ctrl-C."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from actors.cli.shown import money, signed_money
from actors.control.journal_reader import JournalReader
from actors.control.server import LAST_RUN_FILE
from actors.domain.money import format_e8
from actors.runtime.errors import JournalError

__all__ = ["Run", "last_sequence", "leftovers", "run_report"]

# What is counted in the journal -> the event that stands for one of it.
COUNTED = {
    "orders": "OrderSubmitted",
    "fills": "FillBooked",
    "denials": "IntentDenied",
    "restarts": "ActorRestarted",
    "failures": "ActorFailed",
}


@dataclass
class Run:
    """One run of a deployment, as its launcher saw it."""

    deployment: str
    journal: Path
    began_after: int  # sequence of the newest event before the run
    seconds: float
    exit_code: int
    node_restarts: int
    node_pids: list[int] = field(default_factory=list)
    last_view: dict[str, Any] | None = None  # the last one that was polled


def last_sequence(journal: Path) -> int:
    """Return the newest event's number; 0 where there is no journal yet."""
    try:
        with JournalReader(journal) as reader:
            return reader.last_sequence
    except JournalError:
        return 0


def final_view(run: Run) -> dict[str, Any] | None:
    """Return the view the node left when it ended; if it died, the last one that was seen of it."""
    try:
        view = json.loads((run.journal / LAST_RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return run.last_view
    return view if view.get("pid") in run.node_pids else run.last_view


def run_report(run: Run) -> dict[str, Any]:
    """Return the JSON object of `up --json`. Counts are of this run, money and agreement as it ended."""
    counts = count_events(run.journal, run.began_after)
    view = final_view(run) or {}
    totals = view.get("totals", {})
    return {
        "deployment": run.deployment,
        "exit": run.exit_code,
        "seconds": round(run.seconds, 3),
        **{name: counts[name] for name in COUNTED},
        "node_restarts": run.node_restarts,
        "journal_events": counts["journal_events"],
        "journal_sequence": counts["journal_sequence"],
        "equity_usdt": format_e8(totals.get("equity_usdt", 0)),
        "profit_usdt": format_e8(totals.get("profit_usdt", 0)),
        "fees_usdt": format_e8(totals.get("fees_usdt", 0)),
        "open_orders": view.get("orders_live", 0),
        "positions": {held["symbol"]: held["net_contracts"] for held in view.get("positions", ())},
        "ledger_agrees": bool(totals.get("ledger_agrees", False)),
        "dead_letters": view.get("loop", {}).get("dead_letters", 0),
        "alerts": [alert.get("name", "") for alert in view.get("alerts", ())],
        "totals": {name: totals.get(name, 0) for name in ("orders", "fills", "denials")},
        "journal": str(run.journal),
    }


def count_events(journal: Path, after: int) -> dict[str, int]:
    """Count what happened after a sequence, by the names of the events in the stored bytes."""
    counts = dict.fromkeys([*COUNTED, "journal_events", "journal_sequence"], 0)
    needles = {name: msgspec.msgpack.encode(kind) for name, kind in COUNTED.items()}
    try:
        with JournalReader(journal) as reader:
            for records in reader.raw_chunks(after + 1):
                blob = b"".join([raw for key, raw in records if int.from_bytes(key, "big") > after])
                for name, needle in needles.items():
                    counts[name] += blob.count(needle)
            counts["journal_sequence"] = reader.last_sequence
    except JournalError:
        return counts
    counts["journal_events"] = max(0, counts["journal_sequence"] - after)
    return counts


def leftovers(run: Run, command: str) -> list[str]:
    """Return what was left behind, and how to go on."""
    report, view = run_report(run), final_view(run) or {}
    counts = ", ".join(f"{report[name]} {name}" for name in ("orders", "fills", "denials", "restarts"))
    lines = [f"{run.deployment} {_ending(run.exit_code)} after {run.seconds:.1f} s: {counts}"]
    totals = view.get("totals")
    if totals:
        equity, profit = money(totals["equity_usdt"]), signed_money(totals["profit_usdt"])
        lines.append(f"  equity {equity} USDT, profit {profit} since the account began")
        lines.append(f"  open orders: {_orders(view)}")
        lines.append(f"  positions: {_positions(view)}")
        if not totals["ledger_agrees"]:
            lines.append("  ledger and venue did not agree when it ended; the next start compares them first")
    for halt in view.get("halts", ()):
        lines.append(f"  halt in force: {halt.get('scope')}, {halt.get('reason')}")
    events = f"{report['journal_sequence']} events, {report['journal_events']} of them new"
    lines.append(f"  journal: {run.journal} ({events})")
    lines.append(f"  go on where it stopped: {command}")
    return lines


def _ending(code: int) -> str:
    return "stopped in order" if code == 0 else f"ended with exit code {code}"


def _orders(view: dict[str, Any]) -> str:
    orders = view.get("orders", ())
    if not view.get("orders_live"):
        return "none"
    shown = [
        f"{order.get('client_order_id')} {order.get('symbol')} {order.get('side')} {order.get('state')}"
        for order in orders[:10]
    ]
    more = view["orders_live"] - len(shown)
    return "; ".join([*shown, *([f"{more} more"] if more > 0 else [])])


def _positions(view: dict[str, Any]) -> str:
    found = [f"{held['symbol']} {held['net_contracts']:+} contracts" for held in view.get("positions", ())]
    return ", ".join(found) or "none"
