"""A candle hides which extreme came first: what reduces a position waits at the first one for the second."""

from actors.messages.market import Trade
from tests.unit.exchange.exchange_world import BUY, SELL, World, fills

SECOND_NS = 1_000_000_000


def first_extreme(world: World, price: int, taker, contracts: int = 100) -> list:
    """The market trades at a candle's first extreme; its other one is over in 40 s."""
    late_ns = world.now_ns + 40 * SECOND_NS
    trade = Trade("ALPHA", world.now_ns, price, contracts, taker, "c-1", late_ns)
    return world.exchange.trade(trade, world.now_ns)


def with_target() -> World:
    world = World()
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 5, 10_010, reduce_only=True, name="target")
    return world


def test_a_target_at_the_first_extreme_waits_for_the_second() -> None:
    world = with_target()
    assert first_extreme(world, 10_030, BUY) == []
    world.now_ns += 20 * SECOND_NS
    assert world.quote(9_900, 9, 9_910, 9) == []
    world.now_ns += 20 * SECOND_NS
    assert fills(world.quote(9_950, 9, 9_960, 9)) == [("ann", -5, 10_010, True)]
    assert fills(world.quote(9_950, 9, 9_960, 9)) == []


def test_a_target_whose_position_was_stopped_meanwhile_never_fills() -> None:
    world = with_target()
    first_extreme(world, 10_030, BUY)
    world.sell_at_market("ann", 5)
    world.now_ns += 60 * SECOND_NS
    assert world.mark(10_000) == []
    assert (world.net("ann"), world.exchange.nodes) == (0, {})


def test_entries_do_not_wait_and_take_their_part_of_the_trade() -> None:
    world = with_target()
    world.place("bob", SELL, 2, 10_015, name="entry")
    assert fills(first_extreme(world, 10_030, BUY, contracts=4)) == [("bob", -2, 10_015, True)]
    world.now_ns += 40 * SECOND_NS
    assert fills(world.mark(10_000)) == [("ann", -2, 10_010, True)]


def test_a_target_that_would_open_by_now_waits_for_a_trade_of_its_own() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 5, 10_010, name="target")
    first_extreme(world, 10_030, BUY)
    world.sell_at_market("ann", 5)
    world.now_ns += 40 * SECOND_NS
    assert world.mark(10_000) == []
    assert world.net("ann") == 0


def test_an_order_that_came_later_does_not_meet_the_past() -> None:
    world = with_target()
    first_extreme(world, 10_030, BUY)
    world.cancel("ann", "target")
    world.place("ann", SELL, 5, 10_020, reduce_only=True, name="later")
    world.now_ns += 40 * SECOND_NS
    assert fills(world.trade(10_000, 9, SELL)) == []
    assert world.net("ann") == 5


def test_a_short_position_waits_likewise_and_a_trade_of_a_real_tape_does_not() -> None:
    world = World()
    world.sell_at_market("ann", 5)
    world.place("ann", BUY, 5, 9_990, reduce_only=True, name="target")
    assert first_extreme(world, 9_970, SELL) == []
    assert fills(world.trade(9_970, 100, SELL)) == [("ann", 5, 9_990, True)]
