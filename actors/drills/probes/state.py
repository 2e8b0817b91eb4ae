"""Probes of the whole deployment: it is well, it trades, its books are the venue's, no order was doubled."""

from __future__ import annotations

from collections import Counter
from typing import Any

from actors.drills import wire
from actors.drills.processes import polytrade
from actors.drills.stage import Stage, stage_of
from actors.drills.wire import DrillFailed, control, until, venue, view_or_none

__all__ = ["books_agree", "generation_is", "holds", "is_well", "orders_are_kept", "protects", "trades"]

Given = dict[str, Any] | None
PAGE = 100
PROTECTING = "protecting"  # the state of a parent order that has entered and watches for its exit
FILLS_MORE = 1
# An alert about how the drill's own machine is, not about what the drill does.
NOT_OURS = frozenset({"BackupMissing", "ClockDrift", "ParityNotMeasured"})


def is_well(within: float = 90.0, trading: bool = True, configuration: Given = None) -> bool:
    """Wait until the node is ready, nothing fires, nothing is halted, no order is unknown, and it trades."""
    stage = stage_of(configuration)
    until(lambda: _faults(stage) == [], within, "all is well", lambda: "; ".join(_faults(stage)))
    if trading:
        trades(configuration=configuration, within=within)
    return True


def _faults(stage: Stage) -> list[str]:
    found = view_or_none(stage)
    if found is None:
        return ["the node does not answer"]
    faults = [] if found["ready"] else ["the node is not ready"]
    faults += [f"{one['name']}[{one['key']}] fires" for one in found["alerts"] if one["name"] not in NOT_OURS]
    faults += [f"{one['scope']} is halted: {one['reason']}" for one in found["halts"]]
    if not found["totals"].get("ledger_agrees", True):
        faults.append("the books do not agree")
    faults += [f"order {one['client_order_id']} is unknown" for one in found["orders"] if _is_unknown(one)]
    return faults


def generation_is(number: int, within: float = 60.0, configuration: Given = None) -> int:
    """Wait until the configuration of this number runs."""
    stage = stage_of(configuration)

    def newest() -> int:
        rows = control(stage, "GET", "/v1/generations")["generations"]
        return max((int(one["generation"]) for one in rows), default=0)

    return until(lambda: newest() >= number and newest(), within, f"generation {number} runs")


def _is_unknown(order: dict[str, Any]) -> bool:
    return str(order.get("state", "")).lower() == "unknown"


def trades(more: int = FILLS_MORE, within: float = 60.0, configuration: Given = None) -> int:
    """Wait for so many more fills to be booked."""
    stage = stage_of(configuration)
    began = int(wire.view(stage)["totals"]["fills"])

    def look() -> int:
        now = int((view_or_none(stage) or {"totals": {"fills": began}})["totals"]["fills"])
        return now - began if now >= began + more else 0

    return until(look, within, f"{more} more fills")


def protects(symbol: str, within: float = 60.0, configuration: Given = None) -> int:
    """Wait until a position of a symbol is protected by stops that the OMS keeps; return by how many."""
    stage = stage_of(configuration)

    def look() -> int:
        parents = control(stage, "GET", f"/v1/orders?symbol={symbol}&closed=0")["parents"]
        return sum(one["state"] == PROTECTING for one in parents)

    return until(look, within, f"a stop of {symbol} protects a position")


def holds(symbol: str, within: float = 30.0, configuration: Given = None) -> int:
    """Wait until a position is open in a symbol; return its contracts, signed."""
    stage = stage_of(configuration)

    def look() -> int:
        found = (view_or_none(stage) or {}).get("positions", ())
        return next((int(one["net_contracts"]) for one in found if one["symbol"] == symbol), 0)

    return until(look, within, f"a position in {symbol}")


def books_agree(within: float = 60.0, configuration: Given = None) -> bool:
    """Wait until every reconciler has ended a round that began after this, and found that the books agree."""
    stage = stage_of(configuration)
    began_ns = wire.now_ns()

    def rounds() -> list[dict[str, Any]]:
        return list((view_or_none(stage) or {}).get("reconciliations", ()))

    def look() -> bool:
        found = [one for one in rounds() if "finished_at_ns" in one]
        return bool(found) and all(one["agrees"] and one["finished_at_ns"] > began_ns for one in found)

    def said() -> str:
        return "; ".join(text for one in rounds() for text in one.get("differences", ()))

    return until(look, within, "the books agree with the venue's", said)


def orders_are_kept(configuration: Given = None) -> bool:
    """The journal's chain is whole, and the venue, asked by us, has no order twice.

    Without a key of the account the venue is not asked: then the reconciler's word has to do (`books_agree`).
    """
    stage = stage_of(configuration)
    polytrade(stage, "audit", "verify", stage.journal, within_s=120.0)
    if not (stage.key and stage.exchange):
        return True
    orders = [
        *_rows(stage, "/v3/trade/order/history", "ordId"),
        *_rows(stage, "/v3/trade/order/opens", "ordId"),
    ]
    theirs = {row["ordId"]: row["clOrdId"] for row in orders}
    names = Counter(theirs.values())
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise DrillFailed(f"the venue has {twice[0]} {names[twice[0]]} times")
    return True


def _rows(stage: Stage, path: str, order_id: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    after = ""
    while True:
        query = {"limit": str(PAGE)} | ({"from": after, "direct": "NEXT"} if after else {})
        page = venue(stage, "GET", path, query)
        found |= {row[order_id]: row for row in page}
        if len(page) < PAGE:
            return list(found.values())
        after = page[-1][order_id]
