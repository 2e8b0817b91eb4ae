"""Price-time priority, held against an implementation too simple to be wrong."""

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.orders import Side
from actors.exchange.book import EMPTY_LEVELS_KEPT, Book
from actors.exchange.rules import Rules
from actors.exchange.state import Order
from actors.messages.venue import OrderFilled, PlaceOrder
from tests.unit.exchange.exchange_world import GTC, LIMIT, World

ACCOUNTS = ("ann", "bob", "cat", "dan")

orders = st.tuples(
    st.sampled_from(ACCOUNTS), st.sampled_from(Side), st.integers(1, 30), st.integers(9_990, 10_010)
)
cancels = st.integers(0, 30)
actions = st.lists(st.one_of(orders, orders, orders, cancels), max_size=60)


class NaiveBook:
    """Orders in a list; the next to trade is found by looking at all of them."""

    def __init__(self) -> None:
        self.resting = []  # [number, account, side, contracts left, limit]
        self.fills = []

    def place(self, number, account, side, contracts, limit) -> None:
        while contracts:
            others = [o for o in self.resting if o[2] is not side and o[4] * side <= limit * side]
            if not others:
                self.resting.append([number, account, side, contracts, limit])
                return
            best = min(others, key=lambda o: (o[4] * side, o[0]))
            if best[1] == account:
                return  # the taker expires
            traded = min(contracts, best[3])
            self.fills.append((number, best[0], traded, best[4]))
            contracts -= traded
            best[3] -= traded
            if not best[3]:
                self.resting.remove(best)

    def cancel(self, number) -> None:
        self.resting = [order for order in self.resting if order[0] != number]


@given(actions, st.booleans())
def test_real_orders_trade_as_in_the_naive_book(actions, queue_front) -> None:
    world = World(accounts=ACCOUNTS, deposit_usdt=10_000_000, rules=Rules(queue_front=queue_front))
    naive = NaiveBook()
    owners = {}
    number = 0
    fills = []
    for action in actions:
        if isinstance(action, int):
            if action in owners:
                world.cancel(owners[action], str(action))
                naive.cancel(action)
            continue
        number += 1
        account, side, contracts, limit = action
        owners[number] = account
        outcomes = world.place(account, side, contracts, limit, name=str(number))
        traded = [o for o in outcomes if type(o) is OrderFilled]
        takers = [o for o in traded if not o.maker]
        makers = [o for o in traded if o.maker]
        fills += [
            (int(t.client_order_id), int(m.client_order_id), t.contracts, t.price_ticks)
            for t, m in zip(takers, makers, strict=True)
        ]
        naive.place(number, account, side, contracts, limit)
    assert fills == naive.fills
    left = sorted(
        (int(node.order.request.client_order_id), node.order.request.contracts - node.order.filled_contracts)
        for node in world.exchange.nodes.values()
    )
    assert left == sorted((order[0], order[3]) for order in naive.resting)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(Side), st.integers(1, 60)),
        st.tuples(st.just("remove"), st.integers(0, 200), st.just(0)),
        st.tuples(st.just("best"), st.sampled_from(Side), st.just(0)),
    ),
    max_size=200,
)


@given(steps)
def test_a_book_keeps_price_time_order_through_any_adding_and_removing(steps) -> None:
    book = Book()
    nodes = {}
    for number, (what, first, price) in enumerate(steps):
        if what == "add":
            request = PlaceOrder("ann", str(number), "ALPHA", first, 1, LIMIT, price, GTC, False)
            nodes[number] = book.add(Order(number, str(number), request, 0, None), None)
        elif what == "remove" and first in nodes:
            node = nodes.pop(first)
            node.side.remove(node)
            node.side.remove(node)  # a second time changes nothing
        elif what == "best":
            book.side(first).best()
        for side in Side:
            expected = sorted(
                (-node.price_ticks * side, number)
                for number, node in nodes.items()
                if node.order.request.side is side
            )
            assert [n.order.number for n in book.side(side).walk()] == [number for _, number in expected]
            best = book.side(side).best()
            assert (best.order.number if best else None) == (expected[0][1] if expected else None)
            assert book.side(side).count == len(expected)


def test_prices_that_come_and_go_leave_nothing_behind() -> None:
    book = Book()
    for number in range(5_000):
        request = PlaceOrder("ann", str(number), "ALPHA", Side.BUY, 1, LIMIT, 1 + number, GTC, False)
        node = book.add(Order(number, str(number), request, 0, None), None)
        if number:
            book.bids.remove(node)
    assert len(book.bids._keys) <= 2 * EMPTY_LEVELS_KEPT + 2
    assert len(book.bids._levels) == len(book.bids._keys)
