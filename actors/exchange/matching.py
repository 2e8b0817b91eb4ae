"""Who trades with whom: an incoming order against real orders and displayed liquidity, and resting orders
against what the market does.

Nothing here changes a book or a wallet. The engine asks, decides and records an event, and the event changes
them; only displayed liquidity, which is no state, is consumed by the engine itself.
"""

from __future__ import annotations

import msgspec

from actors.domain.orders import Side
from actors.exchange.accounts import Member, Standing
from actors.exchange.book import BookSide, Node
from actors.exchange.prices import Ladder, Level, Market
from actors.exchange.terms import SelfTrade

__all__ = ["Match", "Taking", "fillable_contracts", "match_taker", "reached_by_quotes", "reached_by_trade"]

BUY = Side.BUY

# (price_ticks, contracts, the resting order met or None for the anonymous market)
Match = tuple[int, int, Node | None]


class Taking(msgspec.Struct, frozen=True, gc=False):
    """What an incoming order would trade now, and what would be left. (A struct is cheap to make.)"""

    matches: list[Match]
    makers: list[Node]  # the resting orders among them
    left: int
    self_trade: bool  # it stopped at an order of its own account
    ladder: Ladder
    level: int  # where the ladder would stand after it
    available: int  # contracts left there
    expired: list[Node] = []  # orders of its own account that give way to it

    @property
    def touched(self) -> bool:
        """Whether it met anything at all."""
        return bool(self.matches) or self.self_trade or bool(self.expired)

    def consume(self) -> None:
        """Take the displayed liquidity that was matched out of the ladder."""
        self.ladder.consume(self.level, self.available)


def match_taker(
    market: Market,
    member: Member,
    side: Side,
    contracts: int,
    limit_ticks: int,
    queue_front: bool,
    self_trade: SelfTrade = SelfTrade.EXPIRE_TAKER,
) -> Taking:
    """Return what an order of a member meets, by price, then time.

    At one price real orders come before displayed liquidity when our orders stand at the front of the queue,
    after it otherwise.
    """
    if side is BUY:
        ladder, resting = market.asks, market.book.asks
    else:
        ladder, resting = market.bids, market.book.bids
    ladder.ready()
    if resting.count:
        return _match_both(ladder, resting, member, contracts, limit_ticks, queue_front, self_trade)
    matches: list[Match] = []
    sign = ladder.sign
    left, index, available = _take_levels(
        ladder.levels, ladder.index, ladder.left, contracts, limit_ticks * sign, sign, matches
    )
    return Taking(matches, [], left, False, ladder, index, available)


def _match_both(
    ladder: Ladder,
    resting: BookSide,
    member: Member,
    contracts: int,
    limit_ticks: int,
    queue_front: bool,
    mode: SelfTrade,
) -> Taking:
    matches: list[Match] = []
    makers: list[Node] = []
    expired: list[Node] = []
    levels, index, available, sign = ladder.levels, ladder.index, ladder.left, ladder.sign
    worst = limit_ticks * sign
    planned: dict[Standing, int] = {}  # contracts by maker, for the sake of reduce-only makers
    self_trade = False
    for node in resting.walk():
        key = node.price_ticks * sign
        if not contracts or key < worst:
            break
        before = key + 1 if queue_front else key
        contracts, index, available = _take_levels(levels, index, available, contracts, before, sign, matches)
        maker = node.standing
        if maker.member is member and mode is not SelfTrade.ALLOWED:
            if not contracts:
                break
            if mode is not SelfTrade.EXPIRE_TAKER:
                expired.append(node)
            if mode is SelfTrade.EXPIRE_MAKER:
                continue
            self_trade = True
            break
        already = planned.get(maker, 0)
        taken = min(fillable_contracts(node, already), contracts)
        if taken:
            matches.append((node.price_ticks, taken, node))
            makers.append(node)
            planned[maker] = already + taken
            contracts -= taken
    if not self_trade:
        contracts, index, available = _take_levels(levels, index, available, contracts, worst, sign, matches)
    return Taking(matches, makers, contracts, self_trade, ladder, index, available, expired)


def _take_levels(
    levels: tuple[Level, ...],
    index: int,
    available: int,
    contracts: int,
    worst_key: int,
    sign: int,
    matches: list[Match],
) -> tuple[int, int, int]:
    """Match displayed levels whose key (price x sign, the greatest is best) is not below the worst.

    Return (contracts left, index, available): where taker and ladder then stand.
    """
    end = len(levels)
    while contracts and index < end:
        price = levels[index][0]
        if price * sign < worst_key:
            break
        if available > contracts:
            matches.append((price, contracts, None))
            return 0, index, available - contracts
        if available:
            matches.append((price, available, None))
            contracts -= available
        index += 1
        available = levels[index][1] if index < end else 0
    return contracts, index, available


def fillable_contracts(node: Node, already: int = 0) -> int:
    """Return how much of a resting order may trade: all that is left, or less when it only reduces.

    `already` contracts of the same account are taken to have traded before it.
    """
    order = node.order
    request = order.request
    left = request.contracts - order.filled_contracts
    if not request.reduce_only:
        return left
    reducible = -request.side * node.standing.holding.position.net_contracts - already
    return max(0, min(left, reducible))


def reached_by_trade(market: Market, price_ticks: int, taker: Side, queue_front: bool) -> Node | None:
    """Return the resting order that a trade of the market at this price fills next, if any.

    A trade through an order's limit reaches it. A trade at the limit does only when the order stands at the
    front of the queue and the market's taker came from the other side.
    """
    touched = 1 if queue_front else 0
    bid = market.book.bids.best()
    if bid is not None and bid.price_ticks > price_ticks - (touched if taker is not BUY else 0):
        return bid
    ask = market.book.asks.best()
    if ask is not None and ask.price_ticks < price_ticks + (touched if taker is BUY else 0):
        return ask
    return None


def reached_by_quotes(market: Market) -> tuple[Node, Ladder] | None:
    """Return the resting order that displayed liquidity crosses, and the side it stands on, if any.

    Liquidity shown at an order's own price has passed all of the queue there, whatever our place in it.
    """
    bid = market.book.bids.best()
    if bid is not None:
        asks = market.asks
        if asks.ready() and asks.levels[asks.index][0] <= bid.price_ticks:
            return bid, asks
    ask = market.book.asks.best()
    if ask is not None:
        bids = market.bids
        if bids.ready() and bids.levels[bids.index][0] >= ask.price_ticks:
            return ask, bids
    return None
