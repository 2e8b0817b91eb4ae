"""Every order at the venue's port, held against the limits in force by the exchange's own books.

Nothing of the risk actor is asked. Positions, resting orders, prices and equity are the exchange's; what the
OMS has on its way there is added. Prices move between risk's look and this one, so values have a little
slack; counts have none. Limits of the portfolio are held by the books of all
accounts at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from actors.domain.correlation import correlated_exposure
from actors.domain.orders import OrderType
from actors.exchange.terms import holding_keys
from actors.messages.venue import PlaceOrder
from actors.risk.settings import RiskSettings
from actors.venue.simulated import SimulatedVenue

__all__ = ["LimitAuditor"]

E8 = 100_000_000
SECOND_NS = 1_000_000_000
SLACK = 1.03  # the mark moves by less between a decision and its order
TOLD_NS = 30 * SECOND_NS  # portfolio_age_max: figures of other accounts are no older
KNOWN_NS = 5 * SECOND_NS  # for so long a loss must have been there before risk must know of it


class Standing:
    """What one account holds, and what could still fill, by the exchange and the OMS."""

    def __init__(self, node: Any, account: str, upto: str = "") -> None:
        """Count what lives; of what is on its way, no order of after `upto`."""
        exchange = node.cell("exchange").behaviour.exchange
        state, oms = exchange.state, node.cell(f"oms/{account}").behaviour.state
        holdings = state.wallets[account].holdings
        self.account = account
        self.markets, self.member = exchange.markets, exchange.members[account]
        self.net: Counter[str] = Counter()
        self.buys: Counter[str] = Counter()
        self.sells: Counter[str] = Counter()
        self.live: Counter[str] = Counter()  # orders by symbol
        self.of_strategy: Counter[str] = Counter()
        self.oms_net = oms.net_contracts
        for symbol in self.markets:
            for key in holding_keys(symbol):
                if key in holdings:
                    self.net[symbol] += holdings[key].position.net_contracts
        # Closes of the OMS itself are nobody's wish: risk hears of them a moment after they left.
        closers = {name for name, order in oms.live.items() if order.strategy == f"oms/{account}"}
        seen = set(closers)
        for order in state.open_orders.values():
            name = order.request.client_order_id
            if order.request.account == account and name not in closers:
                seen.add(name)
                self._count(order.request, order.request.contracts - order.filled_contracts)
        closed = {order.request.client_order_id for order in state.wallets[account].closed.items}
        for order in oms.live.values():
            self.of_strategy[order.strategy] += 1
            if order.client_order_id not in seen and order.client_order_id not in closed:
                self._count(order, order.contracts - order.filled_contracts)
            if order.client_order_id == upto:
                break  # the same turn may hold later ones, which were judged after it

    def _count(self, order: Any, left: int) -> None:
        self.live[order.symbol] += 1
        side = self.buys if order.side > 0 else self.sells
        side[order.symbol] += left

    def worst(self, symbol: str) -> int:
        return max(self.net[symbol] + self.buys[symbol], self.sells[symbol] - self.net[symbol])

    def value(self, symbol: str, contracts: int) -> int:
        market = self.markets[symbol]
        return contracts * market.reference_ticks * market.tick_value

    def lean(self, side: int) -> int:
        """Return by how much one side could outweigh the other.

        A position that has just been reduced at the exchange counts until the OMS hears of it: reductions
        are never held back, and what they leave the other side with is not what an order was judged by.
        """
        reserved = self.buys if side > 0 else self.sells
        held = {s: min(side * self.net[s], side * self.oms_net.get(s, 0)) for s in self.markets}
        return sum(self.value(s, held[s] + reserved[s]) for s in self.markets)

    def signed(self, symbol: str) -> int:
        """Return the worst case's value, short ones negative."""
        worst = self.value(symbol, self.worst(symbol))
        return worst if self.worst(symbol) == self.net[symbol] + self.buys[symbol] else -worst

    def gross(self) -> int:
        return sum(self.value(symbol, self.worst(symbol)) for symbol in self.markets)

    def reduces(self, order: PlaceOrder) -> bool:
        held = (self.net[order.symbol], self.oms_net.get(order.symbol, 0))
        return order.reduce_only or any(net * order.side < 0 and order.contracts <= abs(net) for net in held)


class LimitAuditor:
    """Watches the port of every account of one node."""

    def __init__(self, node: Callable[[], Any], limits: Mapping[str, RiskSettings]) -> None:
        self.faults: list[str] = []
        self.orders = Counter[str]()  # seen: opening, reducing
        self.tightened: dict[tuple[str, str], int] = {}  # (account, limit) -> value in force
        self._node, self._limits = node, limits
        self._equities: dict[str, list[tuple[int, int]]] = {}
        self._leans: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._starts: dict[str, int] = {}

    def install(self, patch: Any) -> None:
        original = SimulatedVenue.HANDLERS[PlaceOrder]

        def placed(venue: Any, order: PlaceOrder, context: Any) -> None:
            self.look(order, context.now_ns)
            original(venue, order, context)

        patch.setitem(SimulatedVenue.HANDLERS, PlaceOrder, placed)

    def sample(self, now_ns: int) -> None:
        """Note what each account is worth now."""
        for account in self._limits:
            member = self._node().cell("exchange").behaviour.exchange.members.get(account)
            if member is not None:
                self._starts.setdefault(account, member.equity_usdt)
                self._equities.setdefault(account, []).append((now_ns, member.equity_usdt))
                standing = Standing(self._node(), account)
                for side in (1, -1):
                    self._leans.setdefault((account, side), []).append((now_ns, standing.lean(side)))

    def look(self, order: PlaceOrder, now_ns: int) -> None:
        standing = Standing(self._node(), order.account, order.client_order_id)
        if standing.reduces(order):
            self.orders["reducing"] += 1
            return
        self.orders["opening"] += 1
        for text, found, limit in self._measures(standing, order, now_ns):
            if limit and found > limit:
                self.faults.append(f"{order.client_order_id} {order.symbol}: {text} {found} of {limit}")

    def _limit(self, account: str, symbol: str, name: str) -> int:
        limits = self._limits[account]
        own = getattr(limits.symbols.get(symbol), name, None)
        value = int(getattr(limits, name) if own is None else own)
        tightened = self.tightened.get((account, name), 0)
        return min(value or tightened, tightened) if tightened else value

    def _measures(self, standing: Standing, order: PlaceOrder, now_ns: int) -> Any:
        account, symbol = order.account, order.symbol

        def limit(name: str) -> int:
            return self._limit(account, symbol, name)

        def loosely(name: str) -> int:
            return int(limit(name) * SLACK)

        # The OMS counts the order as live already.
        worst, market = standing.worst(symbol), standing.markets[symbol]
        gross = standing.gross()
        engaged = sum(1 for s in standing.markets if standing.worst(s) > 0)
        yield "contracts", order.contracts, limit("max_order_contracts")
        yield "value", standing.value(symbol, order.contracts), loosely("max_order_notional_usdt")
        yield "position", worst, limit("max_position_contracts")
        yield "position's value", standing.value(symbol, worst), loosely("max_position_notional_usdt")
        yield "orders of the symbol", standing.live[symbol], limit("max_symbol_orders")
        yield "orders", standing.live.total(), limit("max_open_orders")
        yield "symbols", engaged, limit("max_open_trades")
        yield "gross", gross, loosely("max_gross_usdt")
        yield "net", standing.lean(order.side), loosely("max_net_usdt")
        yield from self._measures_of_all(standing, order, now_ns)
        leverage = self._limits[account].max_leverage
        yield "leverage", gross, int(standing.member.equity_usdt * leverage * SLACK) // E8
        oms = self._node().cell(f"oms/{account}").behaviour.state
        strategy = oms.live[order.client_order_id].strategy if order.client_order_id in oms.live else ""
        own = self._limits[account].strategies.get(strategy)
        if own is not None:
            yield "orders of the strategy", standing.of_strategy[strategy], own.max_open_orders
        mark = market.reference_ticks
        if order.order_type is not OrderType.MARKET and mark:
            away = abs(order.limit_ticks - mark) * E8 // mark
            yield "price", away, int(limit("price_band") + (SLACK - 1) * E8) if limit("price_band") else 0
        lost = self._lost(account, now_ns)
        yield "day's loss", lost, int(self._limits[account].daily_loss_usdt * 1.05)

    def _measures_of_all(self, standing: Standing, order: PlaceOrder, now_ns: int) -> Any:
        node, settings = self._node(), self._limits[order.account]
        others = [Standing(node, one) for one in self._limits if one != order.account]
        accounts = [standing, *others]
        slack = {
            name: int(self._limit(order.account, order.symbol, name) * SLACK)
            for name in ("portfolio_gross_usdt", "portfolio_net_usdt", "portfolio_correlated_usdt")
        }
        yield "gross of all", sum(one.gross() for one in accounts), slack["portfolio_gross_usdt"]
        if settings.portfolio_net_usdt:
            known = sum(self._lean_told(one, order.side, now_ns) for one in others)
            yield "net of all", standing.lean(order.side) + known, slack["portfolio_net_usdt"]
        if settings.portfolio_correlated_usdt:
            weights = {s: sum(one.signed(s) for one in accounts) for s in standing.markets}
            told = node.cell("portfolio").behaviour
            found = correlated_exposure(
                weights, told._symbols, told._correlations, told.settings.shrinkage / E8
            )
            yield "correlated exposure of all", found, slack["portfolio_correlated_usdt"]

    def _lean_told(self, other: Standing, side: int, now_ns: int) -> int:
        """Return how far another account leans for certain: it may have lost a hedge since it was told."""
        samples = self._leans.get((other.account, side), [])
        recent = [lean for at_ns, lean in samples if at_ns >= now_ns - TOLD_NS]
        return min([other.lean(side), *recent])

    def _lost(self, account: str, now_ns: int) -> int:
        """Return the smallest loss that has been there for long enough to be known."""
        start = self._starts.get(account, 0)
        recent = [
            equity for at_ns, equity in self._equities.get(account, []) if at_ns >= now_ns - 3 * KNOWN_NS
        ]
        known = [at_ns for at_ns, _ in self._equities.get(account, []) if at_ns <= now_ns - KNOWN_NS]
        return start - max(recent) if recent and known and len(recent) > 1 else 0
