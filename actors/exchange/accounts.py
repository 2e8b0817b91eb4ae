"""One account at work: its wallet beside what margin decisions need at hand.

The wallet is state. A member's sums are not: they follow from the wallet and the prices of the moment.
"""

from __future__ import annotations

from collections.abc import Iterator

from actors.exchange.margin import exposures_ticks, initial_margin, worst_contracts
from actors.exchange.prices import Market
from actors.exchange.state import Holding, Order, Wallet

__all__ = ["Member", "Standing"]


class Standing:
    """One account in one symbol: the holding, valued at the reference price of the moment."""

    __slots__ = ("holding", "initial_usdt", "market", "member", "reduce_only", "unrealised_usdt")

    def __init__(self, member: Member, market: Market, holding: Holding) -> None:
        self.member = member
        self.market = market
        self.holding = holding
        self.unrealised_usdt = 0
        self.initial_usdt = 0
        self.reduce_only: dict[int, Order] = {}  # resting, by number

    def refresh(self) -> None:
        """Value the holding anew and carry the difference into the member's sums. No price, no value."""
        market = self.market
        mark = market.reference_ticks
        if not mark:
            return
        holding, member = self.holding, self.member
        net, cost = holding.position
        value = (net * mark - cost) * market.tick_value
        member.unrealised_usdt += value - self.unrealised_usdt
        self.unrealised_usdt = value
        exposure, _ = exposures_ticks(holding, mark)
        margin = initial_margin(exposure, market.tick_value, self.leverage) if exposure else 0
        member.initial_usdt += margin - self.initial_usdt
        self.initial_usdt = margin

    @property
    def leverage(self) -> int:
        """The account's leverage, or less where the size of the holding does not allow it."""
        market = self.market
        worst = worst_contracts(self.holding)
        if worst <= market.leverage_contracts_max:
            return market.leverage
        return min(market.leverage, market.instrument.tier(worst).leverage_max)

    @property
    def maintenance_usdt(self) -> int:
        """What equity must stay above, for this position alone."""
        market = self.market
        net = self.holding.position.net_contracts
        return market.instrument.maintenance_margin(net, market.reference_ticks)


class Member:
    """One account: wallet, orders by the client's ids, standings by symbol, and their sums."""

    __slots__ = (
        "initial_usdt",
        "name",
        "open_count",
        "orders",
        "standings",
        "unpriced_count",
        "unrealised_usdt",
        "wallet",
    )

    def __init__(self, name: str, wallet: Wallet) -> None:
        self.name = name
        self.wallet = wallet
        self.orders: dict[str, Order] = {}  # by client_order_id: open ones and those not yet forgotten
        self.standings: dict[str, Standing] = {}
        self.open_count = 0
        self.unpriced_count = 0
        self.unrealised_usdt = 0
        self.initial_usdt = 0

    @property
    def equity_usdt(self) -> int:
        """Cash and open profit at the reference prices."""
        return self.wallet.cash_usdt + self.unrealised_usdt

    def standing(self, market: Market) -> Standing:
        """Return the standing in a symbol, a new and empty one for a symbol never traded."""
        standing = self.standings.get(market.symbol)
        if standing is None:
            holding = self.wallet.holdings.get(market.symbol) or Holding()
            standing = self.standings[market.symbol] = Standing(self, market, holding)
        return standing

    def positions(self) -> Iterator[Standing]:
        """Yield the standings with an open position, by symbol."""
        for _, standing in sorted(self.standings.items()):
            if standing.holding.position.net_contracts:
                yield standing

    def count_unpriced(self) -> None:
        """Count the positions whose symbol has no price yet; while there are any, equity is not known.

        Needed only when a symbol gets its first price: without one nobody can trade it.
        """
        self.unpriced_count = sum(1 for held in self.positions() if not held.market.reference_ticks)
