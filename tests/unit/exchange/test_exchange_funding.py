"""Funding: who pays whom, when, and never twice."""

import pytest

from actors.domain.money import E8
from actors.exchange.funding import last_instant
from actors.exchange.rules import Rules
from actors.messages.venue import FundingPaid
from tests.unit.exchange.exchange_world import (
    DAY_NS,
    HOUR_NS,
    INSTRUMENTS,
    START_NS,
    World,
    rebuilt_from_events,
)

RATE = E8 // 1_000  # 0.1 %
EIGHT = START_NS + 7 * HOUR_NS  # 08:00 of the first day


def clock_world():
    world = World(rules=Rules(funding_by_clock=True))
    world.rate(RATE)
    return world


def test_longs_pay_and_shorts_receive_when_the_rate_is_positive() -> None:
    world = World()
    world.buy_at_market("ann", 10)
    world.sell_at_market("bob", 10)
    before = world.cash("ann"), world.cash("bob")

    outcomes = world.settle(RATE, 10_000, EIGHT)

    assert [(o.account, o.payment_usdt) for o in outcomes] == [("ann", E8), ("bob", -E8)]
    assert (world.cash("ann"), world.cash("bob")) == (before[0] - E8, before[1] + E8)
    assert outcomes[0] == FundingPaid("ann", "ALPHA", f"ALPHA/{EIGHT}", 10, 10_000, RATE, E8, EIGHT)
    assert world.exchange.books_balance()


def test_what_our_accounts_do_not_settle_among_themselves_the_market_takes() -> None:
    world = World()
    world.buy_at_market("ann", 10)
    world.settle(RATE, 10_000, EIGHT)
    assert world.exchange.books_balance()


def test_a_settlement_told_twice_or_late_is_charged_once() -> None:
    world = World()
    world.buy_at_market("ann", 10)
    assert len(world.settle(RATE, 10_000, EIGHT)) == 1
    assert world.settle(RATE, 10_000, EIGHT) == []
    assert world.settle(RATE, 10_000, EIGHT - 8 * HOUR_NS) == []
    assert len(world.settle(RATE, 10_000, EIGHT + 8 * HOUR_NS)) == 1


@pytest.mark.parametrize(("at_hour", "instant_hour"), [(0, 0), (7, 0), (8, 8), (15, 8), (16, 16), (23, 16)])
def test_the_clock_settles_at_00_08_and_16_utc(at_hour, instant_hour) -> None:
    day = 20_000 * DAY_NS
    assert last_instant(day + at_hour * HOUR_NS, 8 * HOUR_NS) == day + instant_hour * HOUR_NS


def test_by_the_clock_the_last_rate_and_mark_are_charged_at_the_instant() -> None:
    world = clock_world()
    world.buy_at_market("ann", 10)
    world.mark(10_100)
    world.now_ns = EIGHT - 1
    assert world.exchange.settle_due(world.now_ns) == []
    world.now_ns = EIGHT
    (paid,) = world.exchange.settle_due(world.now_ns)
    assert (paid.mark_ticks, paid.payment_usdt, paid.settled_at_ns) == (10_100, 101 * E8 // 100, EIGHT)
    assert world.exchange.settle_due(world.now_ns) == []


def test_by_the_clock_an_instant_missed_while_down_is_settled_at_the_first_mark() -> None:
    world = clock_world()
    world.buy_at_market("ann", 10)
    world.exchange = rebuilt_from_events(world)
    world.exchange.record = world._record
    world.now_ns = EIGHT + HOUR_NS
    world.rate(RATE)
    (paid,) = world.mark(10_000)
    assert paid.settled_at_ns == EIGHT
    world.exchange = rebuilt_from_events(world)
    world.rate(RATE)
    assert world.mark(10_000) == []


def test_by_the_clock_nobody_pays_for_the_time_before_the_first_account() -> None:
    world = World(rules=Rules(funding_by_clock=True))
    world.buy_at_market("ann", 10)
    assert world.rate(RATE) == []
    assert world.mark(10_001) == []


def test_by_the_clock_settlements_of_the_feed_are_ignored() -> None:
    world = clock_world()
    world.buy_at_market("ann", 10)
    assert world.settle(RATE, 10_000, EIGHT) == []


def test_an_instrument_with_its_own_interval_keeps_it() -> None:
    assert {instrument.funding_interval_ns for instrument in INSTRUMENTS.values()} == {8 * HOUR_NS}
    assert last_instant(5 * HOUR_NS, 4 * HOUR_NS) == 4 * HOUR_NS
