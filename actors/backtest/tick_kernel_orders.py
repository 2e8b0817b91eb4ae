"""Our orders at the exchange: arrival, the queue, fills and what they cost.

An order is a slot of parallel columns. Nothing we do changes the book: it is history.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from actors.backtest.tick_kernel_book import Book, best_ask, best_bid, is_outside
from actors.domain.steps import part_e8_half_even

__all__ = [
    "LAST_IN_LINE",
    "PROPORTIONAL",
    "Desk",
    "TickTerms",
    "arrive",
    "crossed_by_level",
    "level_changed",
    "refresh_edges",
    "traded",
]

# How far cancellations bring an order forward, see docs/tick-kernel.md.
LAST_IN_LINE, PROPORTIONAL = 0, 1
FREE, SENT, RESTING, DONE = 0, 1, 2, 3
BUY, SELL = 0, 1
LIMIT, POST_ONLY, MARKET = 0, 1, 2
NEVER = 1 << 62
CASH, NET, FEES, FILLS, VOLUME, SENT_COUNT, REJECTED, CROSSED, ANSWERS, FAULT = range(10)
BID_LOW, BID_HIGH, ASK_LOW, ASK_HIGH = range(4)
NOTICES_MAX = 4_096  # fills not yet told; at 10 ms of latency that is 400 fills a millisecond
TOO_MANY_NOTICES, TOO_MANY_ORDERS = 1, 2


class TickTerms(NamedTuple):
    """What the run is held to."""

    tick_value: int  # 1e-8 USDT of one tick of one lot
    maker_fee_e8: int  # negative is a rebate
    taker_fee_e8: int
    queue: int
    step_ns: int
    deposit_usdt: int


class Desk(NamedTuple):
    """All that changes during a run, beside the book."""

    state: Any
    side: Any
    kind: Any
    price: Any
    left: Any
    ahead: Any  # lots shown before ours at the same price
    passed: Any  # lots traded at the price since the level last changed
    arrives: Any  # ns at the exchange
    cancels: Any  # ns the cancel is at the exchange; NEVER
    told: Any  # ns at which we learn that it is done
    edges: Any  # the range of prices at which ours rest
    tally: Any
    notice_ns: Any  # ring of fills on their way to us
    notice_size: Any
    notice_ends: Any  # first, one after the last, latest time given
    response_ns: Any
    fills: Any  # rows of ns, signed lots, price, fee, is_maker; as columns


def answer_at(desk: Desk, now: int) -> int:
    """Return when what happens now is known to us; answers never overtake each other."""
    column, tally, ends = desk.response_ns, desk.tally, desk.notice_ends
    at = max(now + column[tally[ANSWERS] % len(column)], ends[2])
    tally[ANSWERS] += 1
    ends[2] = at
    return at


def fill(desk: Desk, slot: int, lots: int, price: int, is_maker: int, now: int, terms: TickTerms) -> None:
    """Move cash and position, note the fill and send word of it."""
    tally, ends, ring = desk.tally, desk.notice_ends, len(desk.notice_ns)
    signed = lots if desk.side[slot] == BUY else -lots
    notional = lots * price * terms.tick_value
    fee = part_e8_half_even(notional, terms.maker_fee_e8 if is_maker else terms.taker_fee_e8)
    tally[CASH] -= (notional if signed > 0 else -notional) + fee
    tally[NET] += signed
    tally[FEES] += fee
    tally[VOLUME] += lots
    row = tally[FILLS]
    tally[FILLS] += 1
    if row < len(desk.fills[0]):
        desk.fills[0][row], desk.fills[1][row], desk.fills[2][row] = now, signed, price
        desk.fills[3][row], desk.fills[4][row] = fee, is_maker
    told = answer_at(desk, now)
    if ends[1] - ends[0] >= ring:
        tally[FAULT] = TOO_MANY_NOTICES
        return
    desk.notice_ns[ends[1] % ring], desk.notice_size[ends[1] % ring] = told, signed
    ends[1] += 1
    desk.left[slot] -= lots
    if desk.left[slot] == 0:
        desk.state[slot], desk.told[slot] = DONE, told


def close(desk: Desk, slot: int, now: int) -> None:
    """End an order that has something left."""
    desk.state[slot], desk.told[slot] = DONE, answer_at(desk, now)


def take(desk: Desk, book: Book, slot: int, now: int, terms: TickTerms) -> None:
    """Take what the book shows, level by level, as far as the order's price allows."""
    is_buy = desk.side[slot] == BUY
    levels = book.asks if is_buy else book.bids
    way = 1 if is_buy else -1
    place = book.tops[1] if is_buy else book.tops[0]
    limit = desk.price[slot] - book.floor_ticks
    while 0 <= place < len(levels) and desk.left[slot] > 0:
        if desk.kind[slot] != MARKET and (place - limit) * way > 0:
            break
        lots = min(levels[place], desk.left[slot])
        if lots:
            fill(desk, slot, lots, place + book.floor_ticks, 0, now, terms)
        place += way


def would_cross(desk: Desk, book: Book, slot: int) -> bool:
    """Tell whether a limit order would take."""
    bid, ask = best_bid(book), best_ask(book)
    if desk.side[slot] == BUY:
        return ask > 0 and desk.price[slot] >= ask
    return bid > 0 and desk.price[slot] <= bid


def arrive(desk: Desk, book: Book, slot: int, now: int, terms: TickTerms) -> None:
    """Meet the book: take, rest behind all that is shown, or end."""
    price = desk.price[slot]
    crosses = desk.kind[slot] == MARKET or would_cross(desk, book, slot)
    is_refused = desk.kind[slot] != MARKET and is_outside(book, price)
    if is_refused or (desk.kind[slot] == POST_ONLY and crosses):
        desk.tally[REJECTED] += 1
        close(desk, slot, now)
        return
    if crosses:
        take(desk, book, slot, now, terms)
    if desk.left[slot] == 0:
        return
    if desk.kind[slot] == MARKET:
        close(desk, slot, now)
        return
    levels = book.bids if desk.side[slot] == BUY else book.asks
    desk.state[slot], desk.passed[slot] = RESTING, 0
    desk.ahead[slot] = levels[price - book.floor_ticks]


def refresh_edges(desk: Desk) -> None:
    """Find anew between which prices ours rest; events elsewhere need not look at them."""
    edges = desk.edges
    edges[BID_LOW], edges[BID_HIGH], edges[ASK_LOW], edges[ASK_HIGH] = NEVER, -1, NEVER, -1
    for slot in range(len(desk.state)):
        if desk.state[slot] == RESTING:
            low, high = (BID_LOW, BID_HIGH) if desk.side[slot] == BUY else (ASK_LOW, ASK_HIGH)
            edges[low] = min(edges[low], desk.price[slot])
            edges[high] = max(edges[high], desk.price[slot])


def level_changed(desk: Desk, side: int, price: int, before: int, after: int, terms: TickTerms) -> None:
    """Bring ours at this level forward by what was cancelled before them, as the queue model has it."""
    for slot in range(len(desk.state)):
        if desk.state[slot] != RESTING or desk.side[slot] != side or desk.price[slot] != price:
            continue
        shown = before - desk.passed[slot]
        gone = shown - after
        if terms.queue == PROPORTIONAL and gone > 0:
            desk.ahead[slot] -= gone * desk.ahead[slot] // shown
        desk.ahead[slot] = min(desk.ahead[slot], after)
        desk.passed[slot] = 0


def crossed_by_level(desk: Desk, side: int, price: int, now: int, terms: TickTerms) -> None:
    """Fill ours on `side` that a level of the other side now stands on or beyond."""
    for slot in range(len(desk.state)):
        if desk.state[slot] != RESTING or desk.side[slot] != side:
            continue
        if (desk.price[slot] >= price) if side == BUY else (desk.price[slot] <= price):
            fill(desk, slot, desk.left[slot], desk.price[slot], 1, now, terms)


def traded(desk: Desk, side: int, price: int, lots: int, now: int, terms: TickTerms) -> None:
    """Fill ours on `side` from a trade: all that it went through, and at its price what the queue leaves."""
    taken = 0
    for slot in range(len(desk.state)):
        if desk.state[slot] != RESTING or desk.side[slot] != side:
            continue
        own = desk.price[slot]
        if (own > price) if side == BUY else (own < price):
            fill(desk, slot, desk.left[slot], own, 1, now, terms)
        elif own == price:
            ours = min(lots - desk.ahead[slot] - taken, desk.left[slot])
            desk.ahead[slot] = max(desk.ahead[slot] - lots, 0)
            desk.passed[slot] += lots
            if ours > 0:
                taken += ours
                fill(desk, slot, ours, own, 1, now, terms)
