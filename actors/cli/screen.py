"""The live terminal view: one renderable from one view object, for any size of terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from actors.cli.shown import (
    age,
    bytes_text,
    clock_time,
    count,
    money,
    rate,
    shown_field,
    signed_money,
    sparkline,
)

__all__ = ["Screen"]

WIDE = 118  # columns from which on all columns of the tables are shown
HISTORY_KEPT = 120  # looks; one a second
STATE_STYLES = {"running": "green", "waiting": "yellow", "getting ready": "yellow", "suspended": "yellow"}
EVENT_FIELDS_LEFT_OUT = frozenset({"at_ns", "symbol", "type", "account"})


class Screen:
    """Draws views; remembers the prices of the last minutes for the sparklines."""

    def __init__(self) -> None:
        self._prices: dict[str, deque[float]] = {}
        self._seen_at_ns = 0
        self.banner = ""  # what is said in place of the state: starting, stopping, restarting
        self.node_restarts = 0

    def remember(self, view: dict[str, Any]) -> None:
        """Keep the prices of a view that was not seen before."""
        if view["at_ns"] == self._seen_at_ns:
            return
        self._seen_at_ns = view["at_ns"]
        for market in view["markets"]:
            price = _middle(market)
            if price:
                self._prices.setdefault(market["symbol"], deque(maxlen=HISTORY_KEPT)).append(price)

    def draw(self, view: dict[str, Any] | None, width: int, height: int) -> RenderableType:
        """Return the picture of a view; without one, that the node starts."""
        if view is None:
            return Panel(Text(self.banner or "starting ...", justify="center"), title="polytrade", height=5)
        wide = width >= WIDE
        events_height = max(4, min(14, height // 4))
        body_height = height - 5 - events_height - 1
        layout = Layout()
        layout.split_column(
            Layout(self._header(view, wide), name="header", size=5),
            Layout(name="body", size=max(6, body_height)),
            Layout(self._events(view, events_height - 2), name="events", size=events_height),
            Layout(self._footer(view), name="footer", size=1),
        )
        right = Layout(name="right", ratio=6 if wide else 5)
        layout["body"].split_row(
            Layout(self._actors(view, max(1, body_height - 3), wide), name="actors", ratio=5), right
        )
        markets = len(view["markets"]) + 3
        right.split_column(
            Layout(self._markets(view, wide), name="markets", size=min(markets, max(3, body_height // 2))),
            Layout(self._trading(view, wide), name="trading"),
        )
        return layout

    # -- parts -------------------------------------------------------------------------------------------

    def _header(self, view: dict[str, Any], wide: bool) -> RenderableType:
        totals = view["totals"]
        state = self.banner or ("ready" if view["ready"] else f"getting ready ({view['phase']})")
        first = Text.assemble(
            (f"{view['deployment']} ", "bold"),
            f"({view['mode']})  ",
            (state, "bold green" if state == "ready" else "bold yellow"),
            f"  up {age(view['at_ns'] - view['started_at_ns'])}",
            f"  start {view['epoch']}"
            + (f", {self.node_restarts} by the heart" if self.node_restarts else ""),
        )
        profit = totals["profit_usdt"]
        second = Text.assemble(
            ("equity ", "dim"),
            (f"{money(totals['equity_usdt'])} USDT", "bold"),
            ("   profit ", "dim"),
            (signed_money(profit), "green" if profit >= 0 else "red"),
            ("   orders ", "dim"),
            str(totals["orders"]),
            ("  fills ", "dim"),
            str(totals["fills"]),
            ("  denied ", "dim"),
            str(totals["denials"]),
            ("  restarts ", "dim"),
            str(view["restarts"]),
        )
        if wide:
            second.append("   books agree" if totals["ledger_agrees"] else "   books not compared yet", "dim")
        return Panel(Group(first, second, self._warnings(view)), padding=(0, 1))

    def _warnings(self, view: dict[str, Any]) -> Text:
        halts = [f"HALT {halt.get('scope')}: {halt.get('reason', '')}" for halt in view["halts"]]
        alerts = [f"{alert['severity']}: {alert['summary']}" for alert in view["alerts"]]
        if halts or alerts:
            return Text("  ".join([*halts, *alerts]), style="bold red", overflow="ellipsis", no_wrap=True)
        return Text("no halts, no alerts", style="dim")

    def _actors(self, view: dict[str, Any], rows: int, wide: bool) -> RenderableType:
        table = _table("actor", "state", ">waits", ">rate", *((">handled",) if wide else ()), ">restarts")
        lines = list(_tree(view, grouped=False))
        if len(lines) > rows:
            lines = list(_tree(view, grouped=True))
        hidden = len(lines) - rows
        for line in lines[: rows - 1] if hidden > 0 else lines:
            table.add_row(*_actor_cells(line, wide))
        if hidden > 0:
            table.add_row(Text(f"... {hidden + 1} more: polytrade ps", style="dim"))
        return Panel(table, title="actors", title_align="left", padding=(0, 1))

    def _markets(self, view: dict[str, Any], wide: bool) -> RenderableType:
        table = _table("market", ">bid", ">ask", *(("last minutes",) if wide else ()), "feed")
        for market in view["markets"]:
            symbol = market["symbol"].removesuffix("_PERP")
            live = market.get("state") == "live"
            spark = sparkline(self._prices.get(market["symbol"], ()), 24)
            table.add_row(
                Text(symbol if wide else symbol.removesuffix("_USDT"), style="bold"),
                str(market.get("bid", "-")),
                str(market.get("ask", "-")),
                *((Text(spark, style="cyan"),) if wide else ()),
                Text(str(market.get("state", "")), style="green" if live else "bold red"),
            )
        return Panel(table, title="markets", title_align="left", padding=(0, 1))

    def _trading(self, view: dict[str, Any], wide: bool) -> RenderableType:
        positions = _table("position", ">contracts", ">entry", ">mark", ">profit")
        for held in view["positions"]:
            unrealised = held.get("unrealised_usdt", 0)
            positions.add_row(
                Text(held["symbol"].removesuffix("_USDT_PERP"), style="bold"),
                f"{held['net_contracts']:+,}",
                str(held.get("entry", "-")),
                str(held.get("mark", "-")),
                Text(signed_money(unrealised), style="green" if unrealised >= 0 else "red"),
            )
        orders = _table("order", "side", ">open", ">limit", "state", *(("of",) if wide else ()))
        for order in view["orders"]:
            orders.add_row(*_order_cells(order, wide))
        parts: list[RenderableType] = [
            positions if view["positions"] else Text("no positions", style="dim"),
            Text(""),
            orders if view["orders"] else Text("no open orders", style="dim"),
        ]
        return Panel(Group(*parts), title="positions and orders", title_align="left", padding=(0, 1))

    def _events(self, view: dict[str, Any], rows: int) -> RenderableType:
        lines = [_event_text(event) for event in view["events"][-max(1, rows) :]]
        return Panel(Group(*lines), title="last events", title_align="left", padding=(0, 1))

    def _footer(self, view: dict[str, Any]) -> RenderableType:
        journal, loop = view["journal"], view["loop"]
        text = (
            f" journal {journal['sequence']:,} events ({journal['events_per_s']:g}/s), "
            f"{bytes_text(journal['used_bytes'])}, commit {journal['commit_ms']:.2f} ms, "
            f"lag {loop['delay_ms']:.1f} ms   loop {count(loop['messages_per_s'])} messages/s, "
            f"{loop['busy_fraction']:.1%} busy   Ctrl-C stops in order"
        )
        return Text(text, style="dim", overflow="ellipsis", no_wrap=True)


def _table(*columns: str) -> Table:
    """Return a table without a frame; a column that begins with `>` holds numbers."""
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim")
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", no_wrap=True)
    return table


def _middle(market: dict[str, Any]) -> float:
    """Return a price good enough to draw."""
    bid, ask = market.get("bid_ticks") or 0, market.get("ask_ticks") or 0
    return (
        (bid + ask) / 2 if bid and ask else float(market.get("mark_ticks") or market.get("last_ticks") or 0)
    )


def _tree(view: dict[str, Any], grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield supervisors and actors as they hang below each other; grouped: one line for `feed/*`."""
    actors = _by_name(view["actors"]) if grouped else view["actors"]
    supervisors = {found["name"]: found for found in view["supervisors"]}

    def below(name: str, indent: str) -> Iterator[dict[str, Any]]:
        children = [{"is_actor": True, **actor} for actor in actors if actor["supervisor"] == name]
        children += [found for found in supervisors.values() if found["parent"] == name]
        for number, child in enumerate(children):
            is_last = number == len(children) - 1
            branch = f"{indent}{'└ ' if is_last else '├ '}"
            yield {"branch": branch, **child}
            if "is_actor" not in child:
                yield from below(child["name"], indent + ("  " if is_last else "│ "))

    for root in (found for found in supervisors.values() if not found["parent"]):
        yield {"branch": "", **root}
        yield from below(root["name"], "")


def _by_name(actors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for actor in actors:
        groups.setdefault((actor["address"].partition("/")[0], actor["supervisor"]), []).append(actor)
    return [found[0] if len(found) == 1 else _group(name, found) for (name, _), found in groups.items()]


def _group(name: str, actors: list[dict[str, Any]]) -> dict[str, Any]:
    sums = ("waiting", "capacity", "handled", "handled_per_s", "restarts", "failures")
    worst = next((actor for actor in actors if actor["state"] != "running" or not actor["ready"]), actors[0])
    return {
        **worst,
        "address": f"{name}/* ({len(actors)})",
        **{field: sum(actor[field] for actor in actors) for field in sums},
    }


def _actor_cells(line: dict[str, Any], wide: bool) -> list[RenderableType]:
    branch = Text(line["branch"], style="dim")
    if "is_actor" not in line:
        limit = f"{line['restarts']} of {line['intensity']}"
        style = "bold red" if line["exhausted"] else "dim"
        name = branch + Text(line["name"], style="italic")
        blank = ["", "", *([""] if wide else [])]
        return [name, Text(line["strategy"].replace("_", " "), style="dim"), *blank, Text(limit, style=style)]
    state = line["state"] if line["ready"] or line["state"] != "running" else "getting ready"
    waits = Text(count(line["waiting"]), style="bold red" if line["waiting"] > line["capacity"] // 2 else "")
    cells: list[RenderableType] = [
        branch + Text(line["address"], style="bold" if line["failures"] else ""),
        Text(state, style=STATE_STYLES.get(state, "bold red")),
        waits,
        rate(line["handled_per_s"]),
    ]
    if wide:
        cells.append(count(line["handled"]))
    restarts = line["restarts"]
    return [*cells, Text(str(restarts), style="bold yellow" if restarts else "dim")]


def _order_cells(order: dict[str, Any], wide: bool) -> list[RenderableType]:
    side = str(order.get("side", ""))
    left = order.get("contracts", 0) - order.get("filled_contracts", 0)
    state = str(order.get("state", ""))
    return [
        Text(str(order.get("symbol", "")).removesuffix("_USDT_PERP"), style="bold"),
        Text(side, style="green" if side == "buy" else "red"),
        f"{left:,}/{order.get('contracts', 0):,}",
        str(order.get("limit", order.get("order_type", "-"))),
        Text(state, style="bold red" if state == "unknown" else ""),
        *((str(order.get("strategy", "")).partition("/")[0],) if wide else ()),
    ]


def _event_text(event: dict[str, Any]) -> Text:
    fields = event["fields"]
    symbol = str(fields.get("symbol", "")).removesuffix("_USDT_PERP")
    shown = " ".join(
        f"{name}={shown_field(name, value)}"
        for name, value in fields.items()
        if name not in EVENT_FIELDS_LEFT_OUT and value not in ("", 0, [], None, False)
    )
    return Text.assemble(
        (f"{clock_time(event['at_ns'])} ", "dim"),
        (f"{event['actor']:<22.22} ", "cyan"),
        (f"{event['type']} ", "bold"),
        f"{symbol} " if symbol else "",
        (shown, "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )
