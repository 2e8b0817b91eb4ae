"""One account at work: its wallet beside what margin decisions need at hand.

The wallet is state. A member's sums are not: they follow from the wallet and the prices of the moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actors.exchange.margin import exposures_ticks, initial_margin, worst_contracts
from actors.exchange.prices import Market
from actors.exchange.state import Holding, Order, Wallet
from actors.exchange.terms import Slot, slot_of

__all__ = ["Member", "Standing"]

NO_STANDINGS: list[Standing] = []


class Standing:
    """One of an account's positions in one symbol: the holding, valued at the reference price of the moment.

    What an isolated position is worth counts for itself alone: only what its orders tie up is the member's.
    """

    __slots__ = (
        "contracts_max",
        "holding",
        "initial_usdt",
        "is_isolated",
        "key",
        "leverage_chosen",
        "maker_fee_e8",
        "market",
        "member",
        "reduce_only",
        "slot",
        "taker_fee_e8",
        "unrealised_usdt",
    )

    def __init__(self, member: Member, market: Market, holding: Holding, slot: Slot = Slot.CROSS) -> None:
        self.member = member
        self.market = market
        self.holding = holding
        self.slot = slot
        self.key = market.keys[slot]
        self.is_isolated = slot >= Slot.ISOLATED
        self.choose()
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
        exposure, _ = exposures_ticks(holding, mark)
        if self.is_isolated:
            exposure -= abs(net) * mark  # its margin has left the cash
        else:
            member.unrealised_usdt += value - self.unrealised_usdt
        self.unrealised_usdt = value
        margin = initial_margin(exposure, market.tick_value, self.leverage) if exposure else 0
        member.initial_usdt += margin - self.initial_usdt
        self.initial_usdt = margin

    @property
    def leverage(self) -> int:
        """The account's leverage, or less where the size of the holding does not allow it."""
        market = self.market
        worst = worst_contracts(self.holding)
        if worst <= self.contracts_max:
            return self.leverage_chosen
        return min(self.leverage_chosen, market.instrument.tier(worst).leverage_max)

    @property
    def equity_usdt(self) -> int:
        """What stands behind an isolated position: its margin and its open profit."""
        return self.holding.margin_usdt + self.unrealised_usdt

    def choose(self) -> None:
        """Take over the leverage and the fees that the account has for this position."""
        wallet, market = self.member.wallet, self.market
        leverage = wallet.leverages.get(self.key, 0)
        self.leverage_chosen = leverage or market.leverage
        self.contracts_max = market.contracts_max_at(leverage) if leverage else market.leverage_contracts_max
        self.maker_fee_e8 = wallet.fees_e8.get("maker", market.maker_fee_e8)
        self.taker_fee_e8 = wallet.fees_e8.get("taker", market.taker_fee_e8)

    @property
    def maintenance_usdt(self) -> int:
        """What equity must stay above, for this position alone."""
        market = self.market
        net = self.holding.position.net_contracts
        return market.instrument.maintenance_margin(net, market.reference_ticks)


class Member:
    """One account: wallet, orders by the client's ids, standings by symbol, and their sums."""

    __slots__ = (
        "closed_kept_max",
        "initial_usdt",
        "name",
        "open_count",
        "orders",
        "standings",
        "standings_by_symbol",
        "unpriced_count",
        "unrealised_usdt",
        "wallet",
    )

    def __init__(self, name: str, wallet: Wallet, closed_kept_max: int) -> None:
        self.name = name
        self.wallet = wallet
        self.closed_kept_max = closed_kept_max  # ended orders that are remembered
        self.orders: dict[str, Order] = {}  # by client_order_id: open ones and those not yet forgotten
        self.standings: dict[str, Standing] = {}  # by `terms.holding_keys`
        self.standings_by_symbol: dict[str, list[Standing]] = {}
        self.open_count = 0
        self.unpriced_count = 0
        self.unrealised_usdt = 0
        self.initial_usdt = 0

    @property
    def equity_usdt(self) -> int:
        """Cash and open profit at the reference prices."""
        return self.wallet.cash_usdt + self.unrealised_usdt

    def standing(self, market: Market, slot: Slot = Slot.CROSS) -> Standing:
        """Return the standing in a symbol, a new and empty one for a symbol never traded."""
        key = market.keys[slot]
        standing = self.standings.get(key)
        if standing is None:
            holding = self.wallet.holdings.get(key) or Holding()
            standing = self.standings[key] = Standing(self, market, holding, slot)
            self.standings_by_symbol.setdefault(market.symbol, []).append(standing)
        return standing

    def standing_of(self, key: str, markets: Mapping[str, Market]) -> Standing:
        """Return the standing of a holding's key."""
        standing = self.standings.get(key)
        if standing is None:
            symbol, slot = slot_of(key)
            standing = self.standing(markets[symbol], slot)
        return standing

    def positions_in(self, symbol: str) -> list[Standing]:
        """Return the standings in a symbol with an open position."""
        standings = self.standings_by_symbol.get(symbol, NO_STANDINGS)
        return [standing for standing in standings if standing.holding.position[0]]

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
