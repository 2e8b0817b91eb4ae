from typing import Any, NamedTuple

import numpy as np
import pytest

from actors.backtest.kernel_compile import is_available
from actors.backtest.tick_kernel import TickKernel, TickOverflow, TickResult
from actors.backtest.tick_kernel_events import ASK, BID, BOUGHT, SOLD, StartBook, events_of, synthetic
from actors.backtest.tick_kernel_loop import TickSeen, TickWish
from actors.backtest.tick_kernel_orders import LAST_IN_LINE, LIMIT, POST_ONLY, PROPORTIONAL, TickTerms
from actors.backtest.tick_kernel_quoter import QuoterMemory, QuoterParams, quote

START = StartBook([100, 99, 98], [10, 20, 30], [101, 102, 103], [10, 20, 30])
DEPOSIT = 10**12
TICK_VALUE = 10_000
QUOTES = QuoterParams(0.5, 1.0, 0.5, 100.0, 10, 100)
FLAT = QuoterMemory(0.0, 0.0)
END = (1_000, BID, 98, 30)


class Script(NamedTuple):
    """What to want, from the first step on (`once`: at the first step only)."""

    wish: TickWish
    once: int


class Count(NamedTuple):
    steps: int


def scripted(memory: Count, script: Script, seen: TickSeen) -> tuple[Count, TickWish]:
    nothing = TickWish(0, 0, 0, 0, script.wish.kind, 0)
    is_first = memory.steps == 0
    wish = script.wish if is_first or not script.once else nothing
    if not is_first:
        wish = wish._replace(market_lots=0)
    return Count(memory.steps + 1), wish


def run(
    rows: list[tuple[int, int, int, int]],
    wish: TickWish,
    *,
    queue: int = LAST_IN_LINE,
    step_ns: int = 10,
    once: int = 0,
    feed: int = 0,
    **latencies: int,
) -> TickResult:
    """Run over (ns, kind, price, size); the first step is at 10 ns."""
    columns = np.array([(0, BID, 98, 30), *rows], np.int64).T
    events = events_of(columns[0], columns[1], columns[2], columns[3], feed)
    terms = TickTerms(TICK_VALUE, 20_000, 50_000, queue, step_ns, DEPOSIT)
    kernel = TickKernel(scripted, START, events, terms, compile_it=False, **latencies)
    return kernel.run(Script(wish, once), Count(0), fills_max=100)


def fills(result: TickResult) -> list[tuple[int, ...]]:
    """Return (ns, signed lots, price, is_maker) of each."""
    return [tuple(int(row[place]) for place in (0, 1, 2, 4)) for row in result.fills.T]


BID_AT_100 = TickWish(100, 5, 0, 0, POST_ONLY, 0)


def test_trades_at_the_price_fill_only_what_the_queue_leaves() -> None:
    result = run([(15, SOLD, 100, 8), (20, SOLD, 100, 4), (25, SOLD, 100, 2), END], BID_AT_100, step_ns=900)
    assert fills(result) == []  # the only step came later than all trades
    result = run([(15, SOLD, 100, 8), (20, SOLD, 100, 4), (25, SOLD, 100, 2), (26, BID, 98, 1)], BID_AT_100)
    assert fills(result) == [(20, 2, 100, 1), (25, 2, 100, 1)]


def test_cancellations_bring_forward_proportionally_or_not_at_all() -> None:
    # Ten shown before ours; ten more come behind; then ten of the twenty are cancelled.
    rows = [(15, BID, 100, 20), (17, BID, 100, 10), (20, SOLD, 100, 8), (25, SOLD, 100, 3), (26, BID, 98, 1)]
    assert fills(run(rows, BID_AT_100, queue=PROPORTIONAL)) == [(20, 3, 100, 1), (25, 2, 100, 1)]
    assert fills(run(rows, BID_AT_100, queue=LAST_IN_LINE)) == [(25, 1, 100, 1)]


def test_a_level_that_shrinks_because_of_a_trade_is_not_counted_twice() -> None:
    rows = [(15, BID, 100, 20), (17, SOLD, 100, 4), (18, BID, 100, 16), (20, SOLD, 100, 7), (26, BID, 98, 1)]
    assert fills(run(rows, BID_AT_100, queue=PROPORTIONAL)) == [(20, 1, 100, 1)]


def test_no_more_stands_before_ours_than_is_shown() -> None:
    rows = [(15, BID, 100, 2), (20, SOLD, 100, 3), (26, BID, 98, 1)]
    assert fills(run(rows, BID_AT_100, queue=LAST_IN_LINE)) == [(20, 1, 100, 1)]


@pytest.mark.parametrize("row", [(15, SOLD, 99, 1), (15, ASK, 100, 1)])
def test_a_trade_or_a_level_beyond_the_price_fills_all_at_our_price(row: tuple[int, ...]) -> None:
    assert fills(run([row, (26, BID, 98, 1)], BID_AT_100, once=0))[:1] == [(15, 5, 100, 1)]  # type: ignore[list-item]


def test_a_trade_of_the_other_side_fills_nothing() -> None:
    assert fills(run([(15, BOUGHT, 101, 500), (26, BID, 98, 1)], BID_AT_100)) == []


def test_entry_latency_decides_who_is_first() -> None:
    rows = [(15, SOLD, 99, 1), (40, BID, 98, 1)]
    assert fills(run(rows, BID_AT_100, entry_latency_ns=4)) == [(15, 5, 100, 1)]
    assert fills(run(rows, BID_AT_100, entry_latency_ns=5)) == []  # at the same instant the market was first


def test_a_cancel_under_way_does_not_stop_a_fill() -> None:
    rows = [(23, SOLD, 99, 1), (40, BID, 98, 1)]
    assert fills(run(rows, BID_AT_100, once=1, entry_latency_ns=4)) == [(23, 5, 100, 1)]
    assert fills(run(rows, BID_AT_100, once=1, entry_latency_ns=2)) == []


class Told(NamedTuple):
    net_since_ns: int
    bid_99_since_ns: int


def listener(memory: Told, params: Count, seen: TickSeen) -> tuple[Told, TickWish]:
    net = seen.now_ns if seen.net_lots and not memory.net_since_ns else memory.net_since_ns
    bid = seen.now_ns if seen.bid_ticks == 99 and not memory.bid_99_since_ns else memory.bid_99_since_ns
    first = 3 if seen.now_ns == 10 else 0
    market = first if not (net or bid) else -1 if params.steps and seen.now_ns in (net, bid) else 0
    return Told(net, bid), TickWish(0, 0, 0, 0, LIMIT, market)


def test_fills_and_the_book_are_known_after_their_latencies() -> None:
    columns = np.array([(0, BID, 98, 30), (20, BID, 100, 0), (500, BID, 98, 1)], np.int64).T
    events = events_of(columns[0], columns[1], columns[2], columns[3], 35)
    terms = TickTerms(TICK_VALUE, 0, 0, LAST_IN_LINE, 10, DEPOSIT)
    kernel = TickKernel(
        listener, START, events, terms, compile_it=False, entry_latency_ns=15, response_latency_ns=42
    )
    # Bought at 25, known at 67, so at step 70; the bid gone at 20 is seen at 55, so at step 60.
    assert fills(kernel.run(Count(1), Told(0, 0), 10)) == [
        (25, 3, 101, 0),
        (75, -1, 99, 0),
        (85, -1, 99, 0),
    ]


def test_a_market_order_walks_the_book_and_pays_the_taker_fee() -> None:
    result = run([(26, BID, 98, 1)], TickWish(0, 0, 0, 0, LIMIT, 25), once=1)
    assert fills(result) == [(10, 10, 101, 0), (10, 15, 102, 0)]
    notional = (10 * 101 + 15 * 102) * TICK_VALUE
    assert result.fees_usdt == notional * 50_000 // 10**8
    assert result.cash_usdt == DEPOSIT - notional - result.fees_usdt


def test_a_limit_order_takes_to_its_limit_and_rests_with_the_remainder() -> None:
    rows = [(15, ASK, 101, 0), (20, SOLD, 101, 1), (26, BID, 98, 1)]
    result = run(rows, TickWish(101, 13, 0, 0, LIMIT, 0))
    assert fills(result) == [(10, 10, 101, 0), (20, 1, 101, 1)]


def test_a_post_only_order_that_would_take_is_refused() -> None:
    result = run([(15, SOLD, 90, 1), (19, BID, 98, 1)], TickWish(101, 13, 0, 0, POST_ONLY, 0))
    assert (fills(result), result.rejected_count) == ([], 1)


def restless(memory: Count, params: Count, seen: TickSeen) -> tuple[Count, TickWish]:
    return Count(memory.steps + 1), TickWish(20 + memory.steps, 1, 0, 0, POST_ONLY, 0)


def test_more_orders_under_way_than_there_is_room_for_ends_the_run() -> None:
    events = events_of([0, 2_000], [BID, BID], [20, 98], [1, 1])
    terms = TickTerms(TICK_VALUE, 0, 0, LAST_IN_LINE, 10, DEPOSIT)
    kernel = TickKernel(restless, START, events, terms, entry_latency_ns=4_000, compile_it=False)
    with pytest.raises(TickOverflow, match="orders"):
        kernel.run(Count(1), Count(0))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([2, 1], [0, 0], [5, 5], [1, 1]), "event 1: time goes back"),
        (([1, 1], [0, 4], [5, 5], [1, 1]), "event 1: kind"),
        (([1, 1], [0, 0], [5, 0], [1, 1]), "event 1: price"),
        (([1, 1], [0, 0], [5, 5], [-1, 1]), "event 0: size"),
    ],
)
def test_unsound_events_are_refused(columns: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        events_of(*columns)


def market_maker(queue: int, compile_it: bool) -> TickResult:
    start, events = synthetic(
        5_000, np.random.default_rng(7), feed_latency_ns=np.array([1_000_000, 9_000_000, 3_000_000])
    )
    terms = TickTerms(TICK_VALUE, 20_000, 50_000, queue, 100_000_000, DEPOSIT)
    entry, response = np.array([5_000_000, 25_000_000]), np.array([4_000_000, 40_000_000, 1_000_000])
    kernel = TickKernel(
        quote,
        start,
        events,
        terms,
        entry_latency_ns=entry,
        response_latency_ns=response,
        compile_it=compile_it,
    )
    return kernel.run(QUOTES, FLAT, 10_000, with_curve=True)


@pytest.mark.parametrize("queue", [LAST_IN_LINE, PROPORTIONAL])
def test_money_is_conserved_and_the_position_is_the_sum_of_fills(queue: int) -> None:
    result = market_maker(queue, compile_it=False)
    _, signed, price, fee, is_maker = result.fills
    assert result.fills_count == len(signed) > 50
    assert result.net_lots == signed.sum()
    assert result.fees_usdt == fee.sum()
    assert result.cash_usdt == DEPOSIT - (signed * price * TICK_VALUE).sum() - fee.sum()
    assert is_maker.all()
    assert abs(np.cumsum(signed)).max() <= QUOTES.net_lots_max + 2 * QUOTES.order_lots


@pytest.mark.skipif(not is_available(), reason="numba is not installed")
def test_compiled_and_plain_runs_are_equal_to_the_last_unit() -> None:
    plain, fast = (market_maker(PROPORTIONAL, compile_it) for compile_it in (False, True))
    assert plain[:11] == fast[:11]
    assert np.array_equal(plain.fills, fast.fills)
    assert np.array_equal(plain.curve, fast.curve)
