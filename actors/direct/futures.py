"""How a futures account is stopped: requests out, answers in, and what the venue shows at the end.

Cancel by scope first, because that is one request; then close, then read what rests, take back what was
missed in batches of ten, and look again until nothing is left twice in a row: an order accepted a moment ago
shows a little later. Everything may be done twice: a cancel of what is gone and a closing order without a
position do nothing.
Source: docs/poloniex.md, Account and trade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import attrgetter

from actors.direct.account import LOOKS_CLEAN, SETTLE_NS, AccountPlan, Order, Shown, Wish, batches
from actors.messages.control import HaltLevel
from actors.poloniex.answers import Answer
from actors.poloniex.request import Request
from actors.venue.errors import VenueError
from actors.venue.poloniex import requests
from actors.venue.poloniex.readings import Pause, Steps, pages
from actors.venue.poloniex.rows import PositionRow, read_orders, read_placed, read_positions

__all__ = ["attempt", "stop_futures"]

BATCHES_UNTIL = 2  # looks; what rests then is canceled order by order, under another limit
WORD_UNTIL = 2  # looks; what is open then is closed in pieces that only reduce


def stop_futures(plan: AccountPlan, wish: Wish, shown: Shown) -> Steps[Shown]:
    """Bring an account to rest. It ends when the venue shows it; whoever drives it sets the time for that."""
    closes = wish.level >= HaltLevel.FLATTEN
    yield from _cancel_scope(wish, shown)
    clean = 0
    while clean < LOOKS_CLEAN:
        if shown.looks_count:
            yield Pause(SETTLE_NS)
        positions = yield from _look_at_positions(wish, shown)
        if closes:
            yield from _close(plan, positions, wish, shown)
        rows = yield from pages(_page_of(wish.symbol), read_orders, attrgetter("ordId"))
        orders = [Order(row.symbol, row.ordId) for row in rows if wish.concerns(row.symbol)]
        shown.orders = [f"{one.symbol} {one.venue_order_id}" for one in orders]
        shown.looks_count += 1
        yield from _cancel_rest(orders, shown)
        clean = clean + 1 if not orders and not (closes and positions) else 0
    return shown


def _cancel_scope(wish: Wish, shown: Shown) -> Steps[None]:
    _count_canceled((yield from attempt(requests.cancel_all(wish.symbol), shown)), shown)


def _cancel_rest(orders: list[Order], shown: Shown) -> Steps[None]:
    for symbol, found in groupby(sorted(orders), attrgetter("symbol")):
        names = [one.venue_order_id for one in found]
        if shown.looks_count <= BATCHES_UNTIL:
            wanted = [requests.cancel_listed(symbol, some) for some in batches(names, requests.BATCH_MAX)]
        else:
            wanted = [requests.cancel_named(symbol, name) for name in names]
        for request in wanted:
            _count_canceled((yield from attempt(request, shown)), shown)


def _count_canceled(answer: Answer | None, shown: Shown) -> None:
    if answer is not None:
        shown.canceled_count += sum(row.code == 200 for row in read_placed(answer))


def _look_at_positions(wish: Wish, shown: Shown) -> Steps[list[PositionRow]]:
    read = read_positions((yield requests.positions(wish.symbol)))
    found = [row for row in read if row.qty and wish.concerns(row.symbol)]
    shown.positions = {row.symbol: str(signed_of(row)) for row in found}
    if not shown.looks_count:
        shown.positions_before = shown.positions
    return found


def _close(plan: AccountPlan, positions: list[PositionRow], wish: Wish, shown: Shown) -> Steps[None]:
    """Close what is open: all at once, then by the venue's own word, then in pieces that only reduce."""
    if positions and not wish.symbol and not shown.looks_count:
        shown.closing_count += 1
        yield from attempt(requests.close_all(), shown)
        return
    for row in positions:
        for request in _closes(plan, row, wish, shown):
            shown.closing_count += 1
            yield from attempt(request, shown)


def _closes(plan: AccountPlan, row: PositionRow, wish: Wish, shown: Shown) -> Iterator[Request]:
    name = f"{wish.name}n{shown.closing_count + 1}"
    if row.posSide != "BOTH":  # in hedge mode reduce-only is refused, and nothing else closes for certain
        yield requests.close_position(row.symbol, row.mgnMode, name, row.posSide)
        return
    if shown.looks_count < WORD_UNTIL:
        yield requests.close_position(row.symbol, row.mgnMode, name)
        return
    bound = next((coin.contracts_max for coin in plan.coins if coin.symbol == row.symbol), 0) or abs(row.qty)
    side, left = ("SELL" if signed_of(row) > 0 else "BUY"), abs(row.qty)
    while left > 0:
        name, size = f"{wish.name}n{shown.closing_count + 1}", min(left, bound)
        words = (row.symbol, side, row.mgnMode, "BOTH", "MARKET", str(size))
        yield requests.place_order(requests.OrderBody(*words, clOrdId=name, reduceOnly=True))
        left -= size


def attempt(request: Request, shown: Shown) -> Steps[Answer | None]:
    """Send what may be refused, or may have been done: what the venue shows next decides, not this answer."""
    try:
        return (yield request)
    except VenueError as error:
        shown.fault = f"{request.method} {request.path}: {error}"
        return None


def signed_of(row: PositionRow) -> int:
    """Return a position's contracts, negative when it is short. Rows of hedge mode say it by their side."""
    by_side = {"LONG": 1, "SHORT": -1}.get(row.posSide)
    sign = by_side or (-1 if row.side.upper() in ("SELL", "SHORT") or row.qty < 0 else 1)
    return sign * abs(row.qty)


def _page_of(symbol: str) -> Callable[[str], Request]:
    return lambda after: requests.open_orders(symbol, after=after)
