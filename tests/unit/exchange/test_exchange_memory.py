"""Duplicates, questions, and how long the exchange remembers."""

from actors.domain.lifecycle import OrderState
from actors.domain.money import E8
from actors.exchange.answers import answer_account, answer_order, describe_exchange
from actors.exchange.ring import Ring
from actors.exchange.rules import Rules
from actors.messages.venue import (
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    QueryAccount,
    QueryOrder,
    VenueOrder,
)
from tests.unit.exchange.exchange_world import (
    BUY,
    FOK,
    SELL,
    START_NS,
    World,
    indexes,
    kinds,
    plain,
    rebuilt_from_events,
    rebuilt_from_snapshot,
    refusal,
)


def ask(world, name, account="ann"):
    return answer_order(world.exchange, QueryOrder(account, name, "ALPHA"), world.now_ns)


def ask_account(world, since_ns=0, account="ann"):
    return answer_account(world.exchange, QueryAccount(account, "q", since_ns), world.now_ns)


def test_a_duplicate_is_answered_with_what_is_known_and_makes_no_second_order() -> None:
    world = World()
    first = world.place("ann", BUY, 5, 9_990, name="a")
    world.trade(9_980, 2, SELL)
    events = len(world.events)

    again = world.place("ann", BUY, 5, 9_990, name="a")

    assert again[0] == first[0]
    assert kinds(again) == [OrderAccepted, OrderFilled]
    assert len(world.events) == events
    assert world.exchange.members["ann"].open_count == 1


def test_a_duplicate_of_an_ended_order_tells_its_end() -> None:
    world = World()
    assert kinds(world.place("ann", BUY, 5, 9_990, tif=FOK, name="a")) == [OrderAccepted, OrderCanceled]
    assert kinds(world.place("ann", BUY, 5, 9_990, tif=FOK, name="a")) == [OrderAccepted, OrderCanceled]


def test_two_accounts_may_use_the_same_id() -> None:
    world = World()
    assert kinds(world.place("ann", BUY, 1, 9_990, name="a")) == [OrderAccepted]
    assert kinds(world.place("bob", BUY, 1, 9_990, name="a")) == [OrderAccepted]
    assert len(world.exchange.nodes) == 2


def test_a_refused_order_never_was_and_may_be_sent_again() -> None:
    world = World(deposit_usdt=1)
    refusal(world.place("ann", BUY, 5, 9_990, name="a"))
    assert not ask(world, "a").found
    assert ask(world, "a").state is OrderState.ABSENT


def test_a_question_finds_an_order_open_or_ended_with_its_fills() -> None:
    world = World()
    world.place("ann", BUY, 5, 9_990, name="a")
    assert (ask(world, "a").found, ask(world, "a").state) == (True, OrderState.OPEN)
    world.trade(9_980, 2, SELL)
    world.cancel("ann", "a")
    answer = ask(world, "a")
    assert (answer.state, answer.filled_contracts, len(answer.fills)) == (OrderState.CANCELED, 2, 1)
    assert ask(world, "a", "bob") == VenueOrder(
        "bob", "a", "ALPHA", False, "", OrderState.ABSENT, BUY, 0, 0, 0, False, (), world.now_ns
    )
    assert not ask(world, "a", "zoe").found


def test_ended_orders_are_forgotten_when_newer_ones_need_the_place() -> None:
    world = World(rules=Rules(closed_orders_kept_max=2))
    for name in "abc":
        world.place("ann", BUY, 1, 9_990, name=name)
        world.cancel("ann", name)
    assert [ask(world, name).found for name in "abc"] == [False, True, True]
    assert len(world.exchange.state.wallets["ann"].closed.items) == 2


def test_open_orders_are_never_forgotten() -> None:
    world = World(rules=Rules(closed_orders_kept_max=1))
    world.place("ann", BUY, 1, 9_990, name="old")
    for name in "abc":
        world.place("ann", BUY, 1, 9_991, name=name)
        world.cancel("ann", name)
    assert ask(world, "old").state is OrderState.OPEN


def test_an_account_is_told_as_it_is() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.now_ns += 10
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 1, 10_100, name="s")
    world.settle(E8 // 1_000, 10_000, START_NS + 20)

    answer = ask_account(world, START_NS + 10)

    assert answer.cash_usdt == world.cash("ann")
    (position,) = answer.positions
    assert (position.symbol, position.net_contracts, position.cost_ticks) == ("ALPHA", 10, 100_000)
    assert (position.leverage, position.isolated) == (10, False)
    assert [order.client_order_id for order in answer.open_orders] == ["s"]
    assert [fill.at_ns for fill in answer.fills] == [START_NS + 10]
    assert [paid.payment_usdt for paid in answer.funding] == [E8]
    assert len(ask_account(world, START_NS + 20).funding) == 1
    assert ask_account(world, START_NS + 21).funding == ()
    world.settle(E8 // 500, 10_000, START_NS + 30)
    assert [paid.payment_usdt for paid in ask_account(world).funding] == [E8, 2 * E8]
    assert ask_account(world, account="zoe") is None


def test_fills_are_told_in_the_order_in_which_they_happened() -> None:
    world = World()
    world.place("ann", BUY, 5, 9_990, name="resting")
    world.trade(9_980, 1, SELL)
    world.buy_at_market("ann", 1)
    world.trade(9_980, 1, SELL)
    assert [fill.trade_id for fill in ask_account(world).fills] == ["1", "2", "3"]
    assert len(ask_account(world, world.now_ns).fills) == 3
    assert ask_account(world, world.now_ns + 1).fills == ()


def test_a_ring_gives_its_newest_first_and_survives_another_capacity() -> None:
    ring: Ring[int] = Ring()
    assert [ring.put(item, 3) for item in range(5)] == [None, None, None, 0, 1]
    assert list(ring.newest_first()) == [4, 3, 2]
    assert ring.newest() == 4
    ring.fit(2)
    assert list(ring.newest_first()) == [4, 3]
    assert ring.put(5, 4) is None
    assert list(ring.newest_first()) == [5, 4, 3]
    ring.fit(4)
    assert [ring.put(item, 4) for item in (6, 7)] == [None, 3]


def test_a_full_ring_is_left_as_it_is_when_the_capacity_is_the_same() -> None:
    ring: Ring[int] = Ring()
    for item in range(5):
        ring.put(item, 3)
    ring.fit(3)
    assert (ring.items, ring.oldest) == ([3, 4, 2], 2)


def test_a_part_filled_ring_is_left_as_it_is() -> None:
    ring: Ring[int] = Ring()
    ring.put(1, 3)
    items = ring.items
    ring.fit(3)
    assert ring.items is items


def test_events_alone_and_a_snapshot_alone_bring_everything_back() -> None:
    world = World(rules=Rules(closed_orders_kept_max=2))
    world.buy_at_market("ann", 9)
    world.place("ann", SELL, 3, 10_100, reduce_only=True)
    for name in "xyz":
        world.place("bob", BUY, 4, 9_990, name=name)
    world.cancel("bob", "y")
    world.trade(9_980, 6, SELL)
    world.settle(E8 // 1_000, 10_000, START_NS + 20)
    world.mark(5_000)
    for rebuilt in (rebuilt_from_events(world), rebuilt_from_snapshot(world)):
        assert plain(rebuilt) == plain(world.exchange)
        assert indexes(rebuilt) == indexes(world.exchange)
        assert rebuilt.books_balance()


def test_a_smaller_memory_forgets_the_oldest_at_the_next_start() -> None:
    world = World()
    for name in "abc":
        world.place("ann", BUY, 1, 9_990, name=name)
        world.cancel("ann", name)
    world.buy_at_market("ann", 1)
    for hour in range(3):
        world.settle(1, 10_000, START_NS + hour + 1)
    world.rules = Rules(closed_orders_kept_max=2, funding_kept_max=1)
    smaller = rebuilt_from_snapshot(world)
    assert [order.request.client_order_id for order in smaller.state.wallets["ann"].closed.items] == [
        "c",
        "ann-4",
    ]
    assert len(smaller.state.wallets["ann"].funding.items) == 1
    assert sorted(smaller.members["ann"].orders) == ["ann-4", "c"]


def test_after_a_restart_the_exchange_waits_for_fresh_prices() -> None:
    world = World()
    world.buy_at_market("ann", 9)
    world.exchange = rebuilt_from_snapshot(world)
    world.exchange.record = world._record
    assert refusal(world.place("ann", SELL, 9)) == "NO_MARKET"
    world.mark(10_000, symbol="BETA")
    assert refusal(world.place("ann", BUY, 1, 10_000, symbol="BETA")) == "NO_MARKET"  # ALPHA has no price
    world.mark(10_000)
    assert kinds(world.place("ann", BUY, 1, 10_000, symbol="BETA")) == [OrderAccepted]


def test_margin_after_a_restart_is_what_it_was() -> None:
    world = World()
    world.buy_at_market("ann", 9)
    world.place("ann", BUY, 3, 9_900)
    world.exchange, before = rebuilt_from_snapshot(world), world.exchange
    for symbol in ("ALPHA", "BETA"):
        world.mark(10_000, symbol=symbol)
    for name in ("ann", "bob"):
        was, now = before.members[name], world.exchange.members[name]
        assert (now.initial_usdt, now.equity_usdt) == (was.initial_usdt, was.equity_usdt)


def test_a_description_holds_plain_values_and_the_verdict_on_the_books() -> None:
    world = World()
    world.buy_at_market("ann", 9)
    world.place("ann", SELL, 9, 10_100, name="s")
    described = describe_exchange(world.exchange)
    assert described["books_balance"] is True
    assert described["accounts"]["ann"]["positions"]["ALPHA"]["net_contracts"] == 9
    assert described["accounts"]["ann"]["open_orders"][0]["client_order_id"] == "s"
    assert described["accounts"]["ann"]["cash_usdt"] == world.cash("ann")
    assert described["totals"]["open_orders"] == 1
    world.quote(10_100, 9, 10_101, 0)
    world.settle(E8 // 1_000, 10_000, START_NS + 20)
    ann = describe_exchange(world.exchange)["accounts"]["ann"]
    assert ann["realised_usdt"] == 9 * E8
    assert ann["fees_usdt"] == world.exchange.state.fees_usdt == 72_180_000
    assert ann["cash_usdt"] == ann["deposits_usdt"] + ann["realised_usdt"] - ann["fees_usdt"]
    world.buy_at_market("ann", 10)
    world.settle(E8 // 1_000, 10_000, START_NS + 30)
    assert describe_exchange(world.exchange)["accounts"]["ann"]["funding_usdt"] == E8
    world.exchange.state.wallets["ann"].cash_usdt += 1
    assert describe_exchange(world.exchange)["books_balance"] is False
