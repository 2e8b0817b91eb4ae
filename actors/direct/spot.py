"""How a spot account is stopped; the same order of things as with futures.

Flattening sells the coins of the deployment's symbols at the market, as the node itself does; a coin that the
deployment does not trade is somebody's savings and stays. What the venue would not sell, the dust, stays too.
Source: docs/poloniex.md, Spot.
"""

from __future__ import annotations

from operator import attrgetter

from actors.direct.account import LOOKS_CLEAN, SETTLE_NS, AccountPlan, Coin, Shown, Wish, batches
from actors.direct.futures import attempt
from actors.domain.money import format_e8, parse_e8
from actors.messages.control import HaltLevel
from actors.poloniex.answers import Answer
from actors.poloniex.request import Request
from actors.venue.poloniex import spot_requests as requests
from actors.venue.poloniex.readings import Pause, Steps, pages
from actors.venue.poloniex.spot_rows import (
    read_spot_accounts,
    read_spot_canceled,
    read_spot_orders,
)

__all__ = ["stop_spot"]

BATCH_MAX = 10
BATCHES_UNTIL = 2  # looks; what rests then is canceled order by order


def stop_spot(plan: AccountPlan, wish: Wish, shown: Shown) -> Steps[Shown]:
    """Bring an account to rest. It ends when the venue shows it; whoever drives it sets the time for that."""
    closes = wish.level >= HaltLevel.FLATTEN
    symbols = (wish.symbol,) if wish.symbol else ()
    _count_canceled((yield from attempt(requests.spot_cancel_all(symbols), shown)), shown)
    clean = 0
    while clean < LOOKS_CLEAN:
        if shown.looks_count:
            yield Pause(SETTLE_NS)
        coins = yield from _look_at_coins(plan, wish, shown)
        if closes:
            yield from _sell(coins, wish, shown)
        rows = yield from pages(_page, read_spot_orders, attrgetter("id"))
        orders = [row for row in rows if wish.concerns(row.symbol)]
        shown.orders = [f"{row.symbol} {row.id}" for row in orders]
        shown.looks_count += 1
        yield from _cancel_rest([row.id for row in orders], shown)
        clean = clean + 1 if not orders and not (closes and coins) else 0
    return shown


def _look_at_coins(plan: AccountPlan, wish: Wish, shown: Shown) -> Steps[list[tuple[Coin, int]]]:
    """Return the coins worth selling and how many contracts are free; held ones come free with a cancel."""
    found, held = [], {}
    accounts = read_spot_accounts((yield requests.spot_balances()))
    rows = {row.currency: row for one in accounts if one.accountType == "SPOT" for row in one.balances}
    for coin in plan.coins:
        row = rows.get(coin.base)
        if row is None or not wish.concerns(coin.symbol):
            continue
        free_e8, hold_e8 = parse_e8(row.available), parse_e8(row.hold)
        if (free_e8 + hold_e8) // coin.contract_e8 >= max(1, coin.contracts_min):
            held[coin.symbol] = format_e8(free_e8 + hold_e8)
            found.append((coin, free_e8 // coin.contract_e8))
    shown.positions = held
    if not shown.looks_count:
        shown.positions_before = held
    return found


def _sell(coins: list[tuple[Coin, int]], wish: Wish, shown: Shown) -> Steps[None]:
    for coin, free in coins:
        left = free
        while left >= max(1, coin.contracts_min):
            size = min(left, coin.contracts_max or left)
            shown.closing_count += 1
            quantity, name = format_e8(size * coin.contract_e8), f"{wish.name}n{shown.closing_count}"
            order = requests.SpotOrderBody(coin.symbol, "SELL", "MARKET", quantity, clientOrderId=name)
            yield from attempt(requests.spot_place_order(order), shown)
            left -= size


def _cancel_rest(names: list[str], shown: Shown) -> Steps[None]:
    if shown.looks_count <= BATCHES_UNTIL:
        wanted = [requests.spot_cancel_listed(some) for some in batches(names, BATCH_MAX)]
    else:
        wanted = [requests.spot_cancel_named(name) for name in names]
    for request in wanted:
        _count_canceled((yield from attempt(request, shown)), shown)


def _count_canceled(answer: Answer | None, shown: Shown) -> None:
    if answer is not None:
        shown.canceled_count += sum(row.code == 200 for row in read_spot_canceled(answer))


def _page(after: str) -> Request:
    return requests.spot_open_orders(after=after)
