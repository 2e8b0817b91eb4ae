"""The loop over ticks: the exchange's events, our orders under way, and the strategy every so often.

`bind` ties it to one step function; what it returns runs as it stands, slowly, or compiled. Three clocks:
events happen at `at_ns`, are seen at `seen_ns`, and what the strategy sends arrives after the entry latency.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from actors.backtest.tick_kernel_book import Book, best_ask, best_bid, set_ask, set_bid
from actors.backtest.tick_kernel_events import ASK, BID, BOUGHT, TickEvents
from actors.backtest.tick_kernel_orders import (
    ASK_HIGH,
    ASK_LOW,
    BID_HIGH,
    BID_LOW,
    BUY,
    CASH,
    CROSSED,
    DONE,
    FAULT,
    FREE,
    MARKET,
    NET,
    NEVER,
    RESTING,
    SELL,
    SENT,
    SENT_COUNT,
    TOO_MANY_ORDERS,
    Desk,
    TickTerms,
    arrive,
    close,
    crossed_by_level,
    level_changed,
    refresh_edges,
    traded,
)

__all__ = ["TickSeen", "TickWish", "Views", "bind"]


class TickSeen(NamedTuple):
    """What the strategy knows when it acts: the book as it had reached it, its fills as they had."""

    now_ns: int
    bid_ticks: int  # 0: no bid
    ask_ticks: int
    bid_size: int
    ask_size: int
    net_lots: int


class TickWish(NamedTuple):
    """What it wants from now on; an order of ours at the same price is left where it is in the queue."""

    bid_ticks: int
    bid_lots: int  # 0: no bid
    ask_ticks: int
    ask_lots: int
    kind: int  # LIMIT or POST_ONLY
    market_lots: int  # signed, once


class Views(NamedTuple):
    """Ring of what the strategy will see at its next steps, taken when the exchange had got so far."""

    bid: Any
    ask: Any
    bid_size: Any
    ask_size: Any


def take_view(views: Views, book: Book, at: int) -> None:
    """Keep the touch for step `at`."""
    place, bid, ask = at % len(views.bid), best_bid(book), best_ask(book)
    views.bid[place], views.ask[place] = bid, ask
    views.bid_size[place] = book.bids[bid - book.floor_ticks] if bid else 0
    views.ask_size[place] = book.asks[ask - book.floor_ticks] if ask else 0


def listen(desk: Desk, now: int, net_known: int) -> int:
    """Take in what has been answered by now; return the position we know of."""
    ends, ring = desk.notice_ends, len(desk.notice_ns)
    while ends[0] < ends[1] and desk.notice_ns[ends[0] % ring] <= now:
        net_known += desk.notice_size[ends[0] % ring]
        ends[0] += 1
    for slot in range(len(desk.state)):
        if desk.state[slot] == DONE and desk.told[slot] <= now:
            desk.state[slot] = FREE
    return net_known


def send(desk: Desk, side: int, kind: int, price: int, lots: int, arrives: int) -> None:
    """Put an order on its way."""
    for slot in range(len(desk.state)):
        if desk.state[slot] == FREE:
            desk.state[slot], desk.side[slot], desk.kind[slot] = SENT, side, kind
            desk.price[slot], desk.left[slot], desk.arrives[slot] = price, lots, arrives
            desk.cancels[slot] = NEVER
            return
    desk.tally[FAULT] = TOO_MANY_ORDERS


def latency_of(desk: Desk, entry_ns: Any) -> int:
    """Draw the latency of the next command."""
    latency = entry_ns[desk.tally[SENT_COUNT] % len(entry_ns)]
    desk.tally[SENT_COUNT] += 1
    return int(latency)


def requote(desk: Desk, side: int, kind: int, price: int, lots: int, now: int, entry_ns: Any) -> None:
    """Keep an order at the price, cancel all others of the side, send one when there is none."""
    has_it = False
    for slot in range(len(desk.state)):
        state = desk.state[slot]
        if state == FREE or desk.side[slot] != side or desk.kind[slot] == MARKET:
            continue
        if desk.cancels[slot] != NEVER:
            continue
        if lots > 0 and desk.price[slot] == price and not has_it:
            has_it = True
        else:
            # A cancel never arrives before its order: both go over one connection.
            desk.cancels[slot] = max(now + latency_of(desk, entry_ns), desk.arrives[slot])
    if lots > 0 and not has_it:
        send(desk, side, kind, price, lots, now + latency_of(desk, entry_ns))


def obey(desk: Desk, wish: TickWish, now: int, entry_ns: Any) -> None:
    """Send what it takes to have what is wanted."""
    requote(desk, BUY, wish.kind, wish.bid_ticks, wish.bid_lots, now, entry_ns)
    requote(desk, SELL, wish.kind, wish.ask_ticks, wish.ask_lots, now, entry_ns)
    if wish.market_lots:
        side = BUY if wish.market_lots > 0 else SELL
        send(desk, side, MARKET, 0, abs(wish.market_lots), now + latency_of(desk, entry_ns))


def next_command(desk: Desk) -> int:
    """Return when the next order or cancel is at the exchange."""
    at = NEVER
    for slot in range(len(desk.state)):
        state = desk.state[slot]
        if state == SENT:
            at = min(at, desk.arrives[slot])
        elif state == RESTING:
            at = min(at, desk.cancels[slot])
    return at


def deliver(desk: Desk, book: Book, now: int, terms: TickTerms) -> None:
    """Let orders, then cancels, of this moment meet the exchange."""
    for slot in range(len(desk.state)):
        if desk.state[slot] == SENT and desk.arrives[slot] <= now:
            arrive(desk, book, slot, now, terms)
    for slot in range(len(desk.state)):
        if desk.state[slot] == RESTING and desk.cancels[slot] <= now:
            close(desk, slot, now)
    refresh_edges(desk)


def apply(desk: Desk, book: Book, kind: int, price: int, size: int, now: int, terms: TickTerms) -> None:
    """Let one event of the exchange happen to the book and to ours."""
    edges = desk.edges
    if kind == BID:
        before = set_bid(book, price, size)
        if edges[BID_LOW] <= price <= edges[BID_HIGH]:
            level_changed(desk, BUY, price, before, size, terms)
        if size and price >= edges[ASK_LOW]:
            crossed_by_level(desk, SELL, price, now, terms)
            refresh_edges(desk)
    elif kind == ASK:
        before = set_ask(book, price, size)
        if edges[ASK_LOW] <= price <= edges[ASK_HIGH]:
            level_changed(desk, SELL, price, before, size, terms)
        if size and price <= edges[BID_HIGH]:
            crossed_by_level(desk, BUY, price, now, terms)
            refresh_edges(desk)
    elif kind == BOUGHT:
        if price >= edges[ASK_LOW]:
            traded(desk, SELL, price, size, now, terms)
            refresh_edges(desk)
    elif price <= edges[BID_HIGH]:
        traded(desk, BUY, price, size, now, terms)
        refresh_edges(desk)


def worth(desk: Desk, book: Book, terms: TickTerms, last: int) -> int:
    """Return equity at the middle of the book; `last` when a side is empty."""
    bid, ask = best_bid(book), best_ask(book)
    if not bid or not ask:
        return last
    return desk.tally[CASH] + desk.tally[NET] * (bid + ask) * terms.tick_value // 2  # type: ignore[no-any-return]


def bind(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return run(...) -> (memory, steps, equity) for one step function.

    `curve` takes the equity at each step, as far as it reaches. `desk` and `book` are changed in place.
    """

    def run(
        events: TickEvents,
        book: Book,
        desk: Desk,
        views: Views,
        params: Any,
        memory: Any,
        terms: TickTerms,
        entry_ns: Any,
        curve: Any,
    ) -> Any:
        at_ns, seen_ns, kinds, prices, sizes = events
        wanted_at = at_ns[0] + terms.step_ns
        viewed_at, viewed, steps, net_known = wanted_at, 0, 0, 0
        command_at, equity, was = NEVER, terms.deposit_usdt, at_ns[0]
        for row in range(len(at_ns)):
            now = at_ns[row]
            while min(wanted_at, command_at) < now:
                if command_at <= wanted_at:
                    deliver(desk, book, command_at, terms)
                else:
                    if viewed == steps:
                        take_view(views, book, viewed)
                        viewed += 1
                        viewed_at += terms.step_ns
                    net_known = listen(desk, wanted_at, net_known)
                    equity = worth(desk, book, terms, equity)
                    if steps < len(curve):
                        curve[steps] = equity
                    place = steps % len(views.bid)
                    touch = (views.bid[place], views.ask[place], views.bid_size[place], views.ask_size[place])
                    seen = TickSeen(wanted_at, touch[0], touch[1], touch[2], touch[3], net_known)
                    memory, wish = step(memory, params, seen)
                    obey(desk, wish, wanted_at, entry_ns)
                    steps += 1
                    wanted_at += terms.step_ns
                command_at = next_command(desk)
            while seen_ns[row] > viewed_at:
                take_view(views, book, viewed)
                viewed += 1
                viewed_at += terms.step_ns
            if now != was:
                was = now
                if book.tops[0] >= book.tops[1]:
                    desk.tally[CROSSED] += 1
            apply(desk, book, kinds[row], prices[row], sizes[row], now, terms)
            if desk.tally[FAULT]:
                break
        return memory, steps, worth(desk, book, terms, equity)

    return run
