"""What actors that change have at stake now: live orders and positions, as the running node tells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["holds"]

STRATEGY = "strategy"
KEEPERS = ("oms", "venue", "ledger", "reconciler", "risk")  # of one account each
Row = Mapping[str, Any]


def holds(actors: Iterable[Row], orders: Iterable[Row], positions: Iterable[Row]) -> dict[str, str]:
    """Return by address what each actor has at stake, in words; those that have nothing are not in it.

    `actors` are rows of a resolved deployment, `orders` and `positions` those of the control API.
    """
    live = [one for one in orders if one["is_live"]]
    open_ones = [one for one in positions if one["net_contracts"]]
    found = {}
    for actor in actors:
        text = _text(*_at_stake(actor, live, open_ones))
        if text:
            found[str(actor["address"])] = text
    return found


def _at_stake(actor: Row, live: list[Row], open_ones: list[Row]) -> tuple[list[Row], list[Row]]:
    family = actor["kind"].partition(".")[0]
    variables, settings = actor["variables"], actor["settings"]
    account = variables.get("account") or settings.get("account") or "main"
    if family == STRATEGY:
        symbol = variables.get("symbol")
        its = [one for one in live if one["strategy"] == actor["address"]]
        return its, [one for one in open_ones if (one["account"], one["symbol"]) == (account, symbol)]
    if family in KEEPERS:
        its = [one for one in live if one["account"] == account]
        return its, [one for one in open_ones if one["account"] == account]
    if family == "exchange":
        return live, open_ones
    return [], []


def _text(orders: list[Row], positions: list[Row]) -> str:
    words = []
    if orders:
        words.append("1 live order" if len(orders) == 1 else f"{len(orders)} live orders")
    words += [f"{one['symbol']} {one['net_contracts']:+d} contracts" for one in positions]
    return ", ".join(words)
