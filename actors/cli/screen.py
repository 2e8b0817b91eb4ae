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

from actors.cli.alerts_shown import alert_text
from actors.cli.shown import (
    age,
    bytes_text,
    clock_time,
    count,
    money,
    rate,
    signed_money,
    sparkline,
)

__all__ = ["Screen"]

WIDE = 118  # columns from which on all columns of the tables are shown
LOW = 30  # rows below which frames are left out where they can be
NARROW_LEFT = 46  # columns of the actors beside everything else
WIDTHS = {"state": 8, "rate": 7, "profit": 8, "bid": 9, "ask": 9}  # of columns, at least
HISTORY_KEPT = 120  # looks; one a second
STATE_STYLES = {"running": "green", "waiting": "yellow", "getting ready": "yellow", "suspended": "yellow"}
SUPERVISION = {"one_for_one": "1 for 1", "one_for_all": "1 for all", "rest_for_one": "rest for 1"}


class Screen:
    """Draws views; remembers the prices of the last minutes for the sparklines."""

    def __init__(self) -> None:
        self._prices: dict[str, deque[float]] = {}
        self._equity: deque[float] = deque(maxlen=HISTORY_KEPT)
        self._seen_at_ns = 0
        self.banner = ""  # what is said in place of the state: starting, stopping, restarting
        self.node_restarts = 0

    def remember(self, view: dict[str, Any]) -> None:
        """Keep the prices of a view that was not seen before."""
        if view["at_ns"] == self._seen_at_ns:
            return
        self._seen_at_ns = view["at_ns"]
        self._equity.append(view["totals"]["equity_usdt"])
        for market in view["markets"]:
            price = _middle(market)
            if price:
                self._prices.setdefault(market["symbol"], deque(maxlen=HISTORY_KEPT)).append(price)

    def draw(self, view: dict[str, Any] | None, width: int, height: int) -> RenderableType:
        """Return the picture of a view; without one, that the node starts."""
        if view is None:
            return Panel(Text(self.banner or "starting ...", justify="center"), title="polytrade", height=5)
        wide, low = width >= WIDE, height < LOW
        header_height = 3 if low else 5
        events_height = max(4, min(14, height // 4))
        body_height = max(6, height - header_height - events_height - 1)
        layout = Layout()
        layout.split_column(
            Layout(self._header(view, wide, low), name="header", size=header_height),
            Layout(name="body", size=body_height),
            Layout(self._events(view, events_height - 2), name="events", size=events_height),
            Layout(self._footer(view), name="footer", size=1),
        )
        actors = self._actors(view, max(1, body_height - 3), wide)
        left = Layout(actors, ratio=1) if wide else Layout(actors, size=min(NARROW_LEFT, width * 5 // 9))
        right = Layout(name="right", ratio=1)
        layout["body"].split_row(left, right)
        markets = len(view["markets"]) + 3
        right.split_column(
            Layout(self._markets(view, wide), name="markets", size=min(markets, max(3, body_height // 2))),
            Layout(self._trading(view, wide), name="trading"),
        )
        return layout

    # -- parts -------------------------------------------------------------------------------------------

    def _header(self, view: dict[str, Any], wide: bool, low: bool) -> RenderableType:
        totals = view["totals"]
        state = self.banner or ("ready" if view["ready"] else f"getting ready ({view['phase']})")
        restarts = f", {self.node_restarts} by the heart" if self.node_restarts else ""
        first = _line(
            (f"{view['deployment']} ", "bold"),
            f"({view['mode']})  ",
            (state, "bold green" if state == "ready" else "bold yellow"),
            f"   up {age(view['at_ns'] - view['started_at_ns'])}, start {view['epoch']}{restarts}",
        )
        if wide:
            agrees = totals["ledger_agrees"]
            first.append(
                "   ledger and venue agree" if agrees else "   ledger and venue not compared yet", "dim"
            )
        profit = totals["profit_usdt"]
        second = _line(
            ("equity ", "dim"),
            (f"{money(totals['equity_usdt'])} USDT", "bold"),
            (" " + sparkline(self._equity, 24) + " " if wide else " ", "cyan"),
            (" profit ", "dim"),
            (signed_money(profit), "green" if profit >= 0 else "red"),
        )
        counts = (("orders", totals["orders"]), ("fills", totals["fills"]), ("denied", totals["denials"]))
        for name, number in (*counts, ("restarts", view["restarts"])):
            second.append(f"  {name} ", "dim")
            second.append(f"{number:,}")
        lines = Group(first, second, self._warnings(view))
        return lines if low else Panel(lines, padding=(0, 1))

    def _warnings(self, view: dict[str, Any]) -> Text:
        halts = [f"HALT {halt.get('scope')}: {halt.get('reason', '')}" for halt in view["halts"]]
        alerts = view["alerts"]
        if halts or alerts:
            taken = bool(alerts) and all(alert.get("acknowledged_by") for alert in alerts) and not halts
            text = "  ".join([*halts, *map(alert_text, alerts)])
            return _line((text, "yellow" if taken else "bold red"))
        return _line(("no halts, no alerts", "dim"))

    def _actors(self, view: dict[str, Any], rows: int, wide: bool) -> RenderableType:
        table = _table(
            "actor", "state", *((">waits",) if wide else ()), ">rate", ">restarts" if wide else ">rst"
        )
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
        columns = (">bid", ">ask", "last minutes") if wide else (">bid",)
        table = _table("market", *columns, "feed")
        for market in view["markets"]:
            symbol = market["symbol"].removesuffix("_USDT_PERP")
            live = market.get("state") == "live"
            progress = f" {market['progress_percent']}%" if "progress_percent" in market else ""
            spark = sparkline(self._prices.get(market["symbol"], ()), 24)
            table.add_row(
                Text(symbol, style="bold"),
                str(market.get("bid", market.get("price", "-"))),
                *((str(market.get("ask", "-")), Text(spark, style="cyan")) if wide else ()),
                Text(f"{market.get('state', '')}{progress}", style="green" if live else "bold red"),
            )
        return Panel(table, title="markets", title_align="left", padding=(0, 1))

    def _trading(self, view: dict[str, Any], wide: bool) -> RenderableType:
        prices = (">entry", ">mark") if wide else ()
        positions = _table("position", ">contracts", *prices, ">profit")
        for held in view["positions"]:
            unrealised = held.get("unrealised_usdt", 0)
            positions.add_row(
                Text(held["symbol"].removesuffix("_USDT_PERP"), style="bold"),
                f"{held['net_contracts']:+,}",
                *((str(held.get("entry", "-")), str(held.get("mark", "-"))) if wide else ()),
                Text(signed_money(unrealised), style="green" if unrealised >= 0 else "red"),
            )
        orders = _table("order", "side", ">open", *((">limit", "of") if wide else ()), "state")
        for order in view["orders"]:
            orders.add_row(*_order_cells(order, wide))
        parts: list[RenderableType] = [
            positions if view["positions"] else Text("no positions", style="dim"),
            Text(""),
            orders if view["orders"] else Text("no open orders", style="dim"),
        ]
        return Panel(Group(*parts), title="positions and orders", title_align="left", padding=(0, 1))

    def _events(self, view: dict[str, Any], rows: int) -> RenderableType:
        lines = [_event_line(event) for event in view["events"][-max(1, rows) :]]
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
        title = name.lstrip(">")
        # Numbers are shown whole; what gives way in a narrow place is the text.
        least = WIDTHS.get(title, len(title))
        table.add_column(title, justify="right" if right else "left", no_wrap=True, min_width=least)
    return table


def _middle(market: dict[str, Any]) -> float:
    """Return a price good enough to draw."""
    bid, ask = market.get("bid_ticks") or 0, market.get("ask_ticks") or 0
    return (
        (bid + ask) / 2 if bid and ask else float(market.get("price_ticks") or market.get("mark_ticks") or 0)
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
    branch = (line["branch"], "dim")
    if "is_actor" not in line:
        style = "bold red" if line["exhausted"] else "dim"
        name = Text.assemble(branch, (line["name"], "italic"))
        strategy = Text(SUPERVISION.get(line["strategy"], line["strategy"]), style="dim")
        used = Text(f"{line['restarts']}/{line['intensity']}", style=style)
        return [name, strategy, *([""] if wide else []), "", used]
    state = line["state"] if line["ready"] or line["state"] != "running" else "getting ready"
    waits = count(line["waiting"])
    if not wide and line["waiting"]:
        state = f"{state} +{waits}"
    crowded = line["waiting"] > line["capacity"] // 2
    restarts = line["restarts"]
    return [
        Text.assemble(branch, (line["address"], "bold red" if line["failures"] else "")),
        Text(state, style="bold red" if crowded else STATE_STYLES.get(state, "bold red")),
        *((Text(waits, style="bold red" if crowded else ""),) if wide else ()),
        rate(line["handled_per_s"]),
        Text(str(restarts), style="bold yellow" if restarts else "dim"),
    ]


def _order_cells(order: dict[str, Any], wide: bool) -> list[RenderableType]:
    side = str(order.get("side", ""))
    left = order.get("contracts", 0) - order.get("filled_contracts", 0)
    state, limit = str(order.get("state", "")), str(order.get("limit", order.get("order_type", "-")))
    return [
        Text(str(order.get("symbol", "")).removesuffix("_USDT_PERP"), style="bold"),
        Text(side, style="green" if side == "buy" else "red"),
        f"{left:,}/{order.get('contracts', 0):,}",
        *((limit, str(order.get("strategy", "")).partition("/")[0]) if wide else ()),
        Text(state, style="bold red" if state == "unknown" else ""),
    ]


def _event_line(event: dict[str, Any]) -> Text:
    return _line(
        (f"{clock_time(event['at_ns'])} ", "dim"),
        (f"{event['actor']:<24.24} ", "cyan"),
        (f"{event['type']:<18} ", "bold"),
        event.get("text", ""),
    )


def _line(*parts: str | tuple[str, str]) -> Text:
    """Return one line that is cut rather than broken."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")
