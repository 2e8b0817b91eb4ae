"""`polytrade orders`: which orders there are, and what a person may do to them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.orders_parents import parent_lines, parents_table, told_parent
from actors.cli.output import agree, echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import age, instant, money, table_text
from actors.cli.targets import find_target, split_words

__all__ = ["orders"]

NUMBERS = frozenset({4, 5, 6})
AMENDED = (("in place of", "replaces"), ("replaced by", "replaced_by"))
CHILDREN_SHOWN = 50  # orders of a parent that have ended
ANSWER_MARGIN_S = 15.0  # beyond the wait that was asked for

words = click.argument("words", nargs=-1, metavar="[FILE]")
symbol_option = click.option("--symbol", default="", help="Only orders in this symbol.")
strategy_option = click.option("--strategy", default="", help="Only orders of this strategy's address.")
account_option = click.option("--account", default="", help="Only orders of this account.")


@click.group()
def orders() -> None:
    """List, show, cancel and resolve orders of a running deployment.

    An ID is a client order id or the id of the intent behind the order; a parent order has the latter.
    """


@orders.command()
@words
@symbol_option
@strategy_option
@account_option
@click.option(
    "--closed", type=click.IntRange(0), default=10, show_default=True, help="Newest closed orders to add."
)
@click.option("--unknown", "only_unknown", is_flag=True, help="Only orders of which nobody knows the state.")
@json_option
def ls(
    words: tuple[str, ...],
    symbol: str,
    strategy: str,
    account: str,
    closed: int,
    only_unknown: bool,
    as_json: bool,
) -> None:
    """List live orders, those in doubt first, and the newest closed ones; then parent orders."""
    file, _ = split_words(words)
    query = {"symbol": symbol, "strategy": strategy, "account": account}
    found = _get(find_target(file), query, 0 if only_unknown else closed)
    if only_unknown:
        found["orders"] = [order for order in found["orders"] if order["state"] == "unknown"]
        found["parents"] = []
    if as_json:
        print_json(found)
        return
    if not found["orders"] and not found["parents"]:
        note("no orders match")
        return
    if found["orders"]:
        echo(_table(found["orders"], found["at_ns"]))
    if found["parents"]:
        echo(("\n" if found["orders"] else "") + parents_table(found["parents"], found["at_ns"]))
    more = f", {found['left_out']} more live ones are not listed" if found["left_out"] else ""
    parents = sum(1 for parent in found["parents"] if parent["is_live"])
    if found["parents"]:
        more += f"; {parents} parent order{'' if parents == 1 else 's'} live"
    note(f"{found['live'] + found['left_out']} live, {found['unknown']} of them unknown{more}")


@orders.command()
@click.argument("words", nargs=-1, metavar="[FILE] ID")
@json_option
def show(words: tuple[str, ...], as_json: bool) -> None:
    """Show one order: what was wished, how it stands and since when. Of a parent, its orders too."""
    file, (order_id,) = split_words(words, "ID")
    target = find_target(file)
    found = _get(target, {"id": order_id}, CHILDREN_SHOWN)
    if found["parents"]:
        _show_parent(found, as_json)
        return
    order = _first(found, target, order_id)
    if as_json:
        print_json(order)
        return
    echo(table_text(_lines(order)))


@orders.command()
@click.argument("words", nargs=-1, metavar="[FILE] [ID]")
@symbol_option
@strategy_option
@account_option
@click.option("--all", "is_all", is_flag=True, help="Every live order of the deployment.")
@click.option("--reason", default="", help="Why; it is kept in the journal.")
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0, 60), default=10.0, show_default=True, help="Seconds to wait."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask before canceling more than one order.")
@json_option
def cancel(
    words: tuple[str, ...],
    symbol: str,
    strategy: str,
    account: str,
    is_all: bool,
    reason: str,
    wait_s: float,
    yes: bool,
    as_json: bool,
) -> None:
    """Cancel one order, or every live order in a scope, and say what the venue has confirmed.

    A parent order ends with its orders; of a bracket the entry is taken back, and what protects stays.
    Scopes narrow each other. An order that cannot be canceled yet (its submission has no answer) is canceled
    as soon as it is known to rest. This halts nobody: a strategy may send new orders at once.
    """
    file, rest = split_words(words, "ID?")
    order_id = rest[0] if rest else ""
    scope = {"symbol": symbol, "strategy": strategy, "account": account}
    given = sum([bool(order_id), any(scope.values()), is_all])
    if given != 1:
        raise click.UsageError(
            "name one order, or a scope (--symbol, --strategy, --account), or --all"
            + ("" if given == 0 else "; not several of these at once")
        )
    target = find_target(file)
    if not order_id:
        agree(f"cancel {_counted(_get(target, scope, 0))} of {target.name}", yes)
    body = {**scope, "id": order_id, "all": is_all, "actor": who(), "reason": reason, "wait_s": wait_s}
    found = target.client.post("/v1/orders/cancel", body, wait_s + ANSWER_MARGIN_S)
    if as_json:
        print_json(found)
    else:
        _tell_cancels(found)
    open_parents = [parent for parent in found["parents"] if not parent["is_withdrawn"]]
    left = len(found["not_confirmed"]) + found["left_out"] + len(open_parents)
    if left:
        asked = found["asked"] + len(found["parents"])
        raise Problem(
            ExitCode.UNCONFIRMED,
            f"{left} of {asked} cancels are not confirmed after {wait_s:g} s",
            "they stay wanted and are sent again on evidence; `polytrade orders ls` shows how they stand",
        )


@orders.command()
@click.argument("words", nargs=-1, metavar="[FILE] ID")
@click.option("--as", "state", required=True, help="open, partially_filled, canceled, rejected or absent.")
@click.option("--evidence", required=True, help="What you looked at and what it showed; kept in the journal.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def resolve(words: tuple[str, ...], state: str, evidence: str, yes: bool, as_json: bool) -> None:
    """Settle an order that the venue's evidence does not settle, on your word and under your name.

    Look at the venue first: its web page shows open orders, order history and trades. A fill is never taken
    from a person; it comes with the venue's own report.
    """
    file, (order_id,) = split_words(words, "ID")
    target = find_target(file)
    order = _one(target, order_id)
    if not yes:
        for line in table_text(_lines(order)).splitlines():
            note(line)
    agree(f"settle it as {state} on the word of {who()}", yes)
    body = {"id": order["client_order_id"], "as": state, "evidence": evidence, "actor": who()}
    found = target.client.post("/v1/orders/resolve", body)
    if as_json:
        print_json(found)
    answer = found["answers"][0]
    if not found["accepted"]:
        raise Problem(
            ExitCode.REFUSED,
            answer["text"],
            f"`polytrade why {order['client_order_id']}` tells its story so far",
        )
    if not as_json:
        echo(answer["text"])


def _get(target: Any, query: dict[str, str], closed: int) -> Any:
    given = {name: value for name, value in query.items() if value}
    return target.client.get("/v1/orders?" + urlencode({**given, "closed": closed}))


def _one(target: Any, order_id: str) -> Any:
    found = _get(target, {"id": order_id}, 1)
    if found["parents"]:
        raise Problem(
            ExitCode.REFUSED,
            f"{order_id} is a parent order; it is settled by what becomes of its orders",
            f"`polytrade orders show {order_id}` lists them",
        )
    return _first(found, target, order_id)


def _first(found: dict[str, Any], target: Any, order_id: str) -> Any:
    if not found["orders"]:
        raise Problem(
            ExitCode.NOT_FOUND,
            f"no order {order_id!r} is in the books of {target.name}",
            f"`polytrade orders ls` lists orders; `polytrade why {order_id}` finds older ones in the journal",
        )
    return found["orders"][0]


def _show_parent(found: dict[str, Any], as_json: bool) -> None:
    (parent, *_), orders = found["parents"], found["orders"]
    if as_json:
        print_json({**parent, "orders": orders})
    else:
        echo(table_text(parent_lines(parent, orders)))


def _counted(found: dict[str, Any]) -> str:
    live = found["live"] + found["left_out"]
    return f"{live} live order" + ("" if live == 1 else "s")


def _table(found: list[dict[str, Any]], at_ns: int) -> str:
    heads = ("ORDER", "STATE", "SYMBOL", "SIDE", "CONTRACTS", "FILLED", "PRICE", "AGE", "STRATEGY", "REASON")
    rows = [heads]
    for order in found:
        price = order.get("limit") or order["order_type"]
        rows.append(
            (
                *(order["client_order_id"], _state(order), order["symbol"], order["side"]),
                *(f"{order['contracts']:,}", f"{order['filled_contracts']:,}", price),
                *(age(at_ns - order["submitted_at_ns"]), order["strategy"], order["reason"][:48]),
            )
        )
    return table_text(rows, NUMBERS)


def _state(order: dict[str, Any]) -> str:
    wanted = order["is_live"] and order["cancel_wanted"] and order["state"] != "canceling"
    return str(order["state"]) + (", cancel wanted" if wanted else "")


def _lines(order: dict[str, Any]) -> list[tuple[str, str]]:
    price = f"at {order['limit']}" if order.get("limit") else "at the market"
    side = "sell" if order["side"] == "sell" else "buy"
    reduce_only = ", reduce-only" if order["reduce_only"] else ""
    filled = f"{order['filled_contracts']:,} of {order['contracts']:,}"
    if order.get("filled_price"):
        filled += f", on average at {order['filled_price']}, fees {money(order['fee_usdt'], 4)} USDT"
    lines = [
        ("order", order["client_order_id"]),
        ("intent", order["intent_id"]),
        ("at the venue", order["venue_order_id"] or "no name known"),
        ("owner", f"{order['owner']} (account {order['account']}), for {order['strategy']}"),
        ("wish", f"{side} {order['contracts']:,} {order['symbol']} {price}{reduce_only}"),
        ("state", f"{_state(order)}{': ' + order['reason'] if order['reason'] else ''}"),
        ("filled", filled),
        ("submitted", instant(order["submitted_at_ns"])),
        ("changed", instant(order["changed_at_ns"]) if order["changed_at_ns"] else "never"),
    ]
    if order["replaces"] or order["replaced_by"]:
        parts = [f"{word} {order[key]}" for word, key in AMENDED if order[key]]
        lines.append(("amended", ", ".join(parts)))
    if order["unknown_since_ns"]:
        since = f"{instant(order['unknown_since_ns'])}, asked about {order['questions_count']} times"
        lines.append(("unknown since", since))
    return lines


def _tell_cancels(found: dict[str, Any]) -> None:
    for parent in found["parents"]:
        echo(told_parent(parent))
    if not found["asked"] and not found["parents"]:
        echo("no live order is in that scope")
        return
    for order in found["confirmed"]:
        filled = f", {order['filled_contracts']:,} of {order['contracts']:,} filled"
        echo(f"confirmed      {order['client_order_id']}  {order['state']}{filled}")
    for order in found["not_confirmed"]:
        echo(f"NOT CONFIRMED  {order['client_order_id']}  {_state(order)}")
    if found["asked"]:
        note(f"{len(found['confirmed'])} of {found['asked']} confirmed")
