"""Parent orders as `polytrade orders` shows them: a table, one with its orders, what a cancel did to one."""

from __future__ import annotations

from typing import Any

from actors.cli.shown import age, instant, table_text

__all__ = ["parent_lines", "parents_table", "told_parent"]

NUMBERS = frozenset({5, 6, 7})


def parents_table(parents: list[dict[str, Any]], at_ns: int) -> str:
    """Return parent orders as a table."""
    heads = ("PARENT", "TYPE", "STATE", "SYMBOL", "SIDE", "CONTRACTS", "ENTERED", "CLOSED")
    rows = [(*heads, "PLAN", "AGE", "STRATEGY")]
    for parent in parents:
        rows.append(
            (
                *(parent["parent_id"], parent["kind"], parent["state"], parent["symbol"] or "all"),
                *(parent["side"], _size(parent), f"{parent['entry_filled']:,}"),
                *(f"{parent['exit_filled']:,}", _plan(parent)),
                *(age(at_ns - parent["accepted_at_ns"]), parent["strategy"]),
            )
        )
    return table_text(rows, NUMBERS)


def parent_lines(parent: dict[str, Any], orders: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return a parent as lines: wish, state, what has filled, and its orders."""
    reduce_only = ", only closes" if parent["reduce_only"] else ""
    state = parent["state"] + (f": {parent['why']}" if parent["why"] else "")
    lines = [
        ("parent", parent["parent_id"]),
        ("owner", f"{parent['owner']} (account {parent['account']}), for {parent['strategy']}"),
        ("wish", f"{parent['kind']}, {parent['side']} {_size(parent)} {parent['symbol']}{reduce_only}"),
        ("plan", _plan(parent)),
        ("state", state),
        ("filled", f"{parent['entry_filled']:,} entered, {parent['exit_filled']:,} closed"),
        ("accepted", instant(parent["accepted_at_ns"])),
        ("changed", instant(parent["changed_at_ns"]) if parent["changed_at_ns"] else "never"),
    ]
    shown = set()
    for order in orders:
        shown |= {order["client_order_id"], order["intent_id"]}
        price = f"at {order['limit']}" if order.get("limit") else "at the market"
        filled = f"{order['filled_contracts']:,} of {order['contracts']:,} filled"
        name = f"{order['client_order_id']}  {order['state']}"
        lines.append(("order", f"{name}, {order['side']} {order['contracts']:,} {price}, {filled}"))
    lines += [("order", f"{name}  before risk") for name in parent["children"] if name not in shown]
    return lines if len(lines) > 8 else [*lines, ("orders", "none in memory")]


def told_parent(parent: dict[str, Any]) -> str:
    """Return what a cancel did to a parent, on one line."""
    name = f"{parent['parent_id']}  {parent['kind']} {parent['state']}"
    if not parent["is_withdrawn"]:
        return f"NOT CONFIRMED  {name}"
    stays = ", its entry is taken back; its exits stay until the position is closed"
    return f"confirmed      {name}" + (stays if parent["is_live"] else "")


def _size(parent: dict[str, Any]) -> str:
    return f"{parent['contracts']:,}" if parent["contracts"] else "all"


def _plan(parent: dict[str, Any]) -> str:
    """Return what a plan says; a price as text takes the place of its ticks."""
    plan = parent["plan"]
    words = []
    for name, value in plan.items():
        if name.removesuffix("_ticks") in plan and name.endswith("_ticks"):
            continue
        text = f"{value / 1e9:g} s" if name.endswith("_ns") and name != "at_ns" else str(value)
        if name.endswith("_e8"):
            text = f"{value / 1e6:g} %"
        if name == "at_ns":
            text = instant(value)
        words.append(f"{name.removesuffix('_ns').removesuffix('_e8').replace('_', ' ')} {text}")
    return ", ".join(words) or "-"
