"""The others: made-up traders whose orders are real orders in the book.

One fills the book on both sides of a reference price and moves with it, one takes now and then. What they
do follows from the seed and the clock alone, and they find their own orders again after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from zlib import crc32

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.book import BookSide
from actors.exchange.engine import Exchange
from actors.exchange.provisions import set_leverage
from actors.exchange.server.market_view import MarketView
from actors.exchange.server.price_path import scatter
from actors.exchange.server.served_engine import HOUSE
from actors.exchange.state import Order
from actors.messages.venue import CancelOrder, PlaceOrder
from actors.runtime.messages import Message

__all__ = ["MAKER", "TAKER", "Participants"]

MAKER, TAKER = f"{HOUSE}maker", f"{HOUSE}taker"
LEVELS = 24  # the public window of 20 stays full when the best ones trade
KEPT_BEYOND = 8  # levels further out than wanted that may stay, so that small moves cost nothing
GRID_MILLIONTHS = 80  # distance of two levels, of the price
ORDERS_PER_STEP_MAX = 12
TAKES_PER_HUNDRED = 40
DEPOSIT_USDT = 10**9 * 10**8


class Participants:
    """Acts for both of them."""

    def __init__(self, engine: Exchange, absorb: Callable[[list[Message], int], None], seed: int) -> None:
        self._engine = engine
        self._absorb = absorb
        self._seed = seed

    def start(self, views: Iterable[MarketView], now_ns: int) -> None:
        """Open the accounts. The lowest leverage allows the largest positions."""
        engine = self._engine
        for name in (MAKER, TAKER):
            engine.open_account(name, DEPOSIT_USDT, now_ns)
            for view in views:
                standing = engine.members[name].standing(view.market)
                if standing.leverage_chosen != 1:
                    set_leverage(engine, standing, 1, now_ns)

    def step(self, view: MarketView, now_ns: int, *, is_eager: bool = False) -> None:
        """Let them act once in one symbol; an eager taker takes for certain."""
        if view.status != "OPEN" or not view.index_ticks:
            return
        grid = max(1, view.index_ticks * GRID_MILLIONTHS // 1_000_000)
        noise = scatter(self._seed ^ crc32(view.symbol.encode()), now_ns)
        outcomes: list[Message] = []
        self._quote(view, grid, noise, outcomes, now_ns)
        if is_eager or noise % 100 < TAKES_PER_HUNDRED:
            self._take(view, grid, noise >> 8, outcomes, now_ns)
        if outcomes:
            self._absorb(outcomes, now_ns)

    # -- quoting ------------------------------------------------------------------------------------

    def _quote(self, view: MarketView, grid: int, noise: int, outcomes: list[Message], now_ns: int) -> None:
        middle = view.index_ticks // grid
        best, reach = middle * grid, (LEVELS + KEPT_BEYOND) * grid
        book = view.market.book
        bids, gone_bids = _sorted_out(book.bids, range(best - reach, best + 1, grid))
        asks, gone_asks = _sorted_out(book.asks, range(best, best + reach + 1, grid))
        for order in gone_bids + gone_asks:
            self._cancel(order, outcomes, now_ns)
        budget = ORDERS_PER_STEP_MAX if bids and asks else 2 * LEVELS
        for step in range(LEVELS):
            bid, ask = best - step * grid, best + (step + 1) * grid
            for side, price, stay in ((Side.BUY, bid, bids), (Side.SELL, ask, asks)):
                if price not in stay and price > 0 and budget:
                    budget -= 1
                    self._place(view, side, price, _size(view, noise, step), outcomes, now_ns)

    def _cancel(self, order: Order, outcomes: list[Message], now_ns: int) -> None:
        request = order.request
        asked = CancelOrder(MAKER, request.client_order_id, request.symbol)
        outcomes += self._engine.cancel(asked, now_ns)

    def _place(
        self, view: MarketView, side: Side, price: int, contracts: int, outcomes: list[Message], now_ns: int
    ) -> None:
        number = self._engine.state.orders_count + 1
        request = PlaceOrder(
            MAKER,
            f"m{number}",
            view.symbol,
            side,
            contracts,
            OrderType.LIMIT,
            price,
            TimeInForce.GTC,
            False,
        )
        outcomes += self._engine.place(request, now_ns)

    # -- taking -------------------------------------------------------------------------------------

    def _take(self, view: MarketView, grid: int, noise: int, outcomes: list[Message], now_ns: int) -> None:
        engine = self._engine
        held = engine.members[MAKER].standing(view.market).holding.position.net_contracts
        side = Side.BUY if noise & 1 else Side.SELL
        if abs(held) > view.instrument.tiers[-1].contracts_max // 4:
            side = Side.BUY if held > 0 else Side.SELL  # take the maker's load off it
        contracts = _size(view, noise >> 1, 0)
        best = view.market.book.side(side.opposite).best()
        if best is None:
            return
        number = engine.state.orders_count + 1
        request = PlaceOrder(
            TAKER,
            f"t{number}",
            view.symbol,
            side,
            contracts,
            OrderType.LIMIT,
            best.price_ticks + 2 * grid * side,
            TimeInForce.IOC,
            False,
        )
        outcomes += engine.place(request, now_ns)


def _sorted_out(side: BookSide, wanted: range) -> tuple[set[int], list[Order]]:
    """Return the prices the maker quotes already, and its orders that lie elsewhere, best first."""
    stay: set[int] = set()
    gone: list[Order] = []
    for node in side.walk():
        if node.order.request.account == MAKER:
            if node.price_ticks in wanted:
                stay.add(node.price_ticks)
            else:
                gone.append(node.order)
    return stay, gone


def _size(view: MarketView, noise: int, step: int) -> int:
    """Return a size that fits the symbol's risk tiers, larger further out."""
    most = max(1, view.instrument.tiers[-1].contracts_max // 400)
    return max(view.instrument.contracts_min, 1 + (noise >> step) % most + step * most // LEVELS)
