"""Both sides' statements in short, and a reconciler on the bench that is told them."""

from __future__ import annotations

from itertools import count
from typing import Any

from actors.domain.instrument import Instrument, RiskTier
from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.messages.account import LedgerPosition, LedgerSnapshot
from actors.messages.control import ReconcileFinished
from actors.messages.trading import KnownFill, OpenOrder, OrdersSnapshot, OrdersSnapshotRequest
from actors.messages.venue import (
    FundingPaid,
    OrderFilled,
    QueryAccount,
    VenueAccount,
    VenueOrder,
    VenuePosition,
)
from actors.reconciler.actor import ReconcilerActor
from actors.reconciler.settings import ReconcilerSettings
from actors.runtime.testing import Bench

MS = 1_000_000
SECOND = 1_000 * MS
HOUR = 3_600 * SECOND
BTC = "BTC_USDT_PERP"
ETH = "ETH_USDT_PERP"
NOW = 1_760_000_000_000_000_000
SINCE = NOW - 100 * SECOND
CASH = 1_000_000_000
LEVERAGE = 20  # of every contract


def order(name: str = "o1", **changes: Any) -> OpenOrder:
    """Return an order of ours: buys 10 BTC, open, unless told otherwise."""
    fields: dict[str, Any] = {
        "client_order_id": name,
        "venue_order_id": f"v{name}",
        "symbol": BTC,
        "side": Side.BUY,
        "contracts": 10,
        "filled_contracts": 0,
        "state": OrderState.OPEN,
    }
    return OpenOrder(**(fields | changes))


def shown(name: str = "o1", **changes: Any) -> VenueOrder:
    """Return the same order as the venue shows it."""
    fields: dict[str, Any] = {
        "account": "main",
        "client_order_id": name,
        "symbol": BTC,
        "found": True,
        "venue_order_id": f"v{name}",
        "state": OrderState.OPEN,
        "side": Side.BUY,
        "contracts": 10,
        "filled_contracts": 0,
        "limit_ticks": 1,
        "reduce_only": False,
        "fills": (),
        "at_ns": NOW,
    }
    return VenueOrder(**(fields | changes))


def fill(trade_id: str = "t1", contracts: int = 4, **changes: Any) -> OrderFilled:
    """Return a fill as the venue reports it: 10 seconds old, of order o1."""
    fields: dict[str, Any] = {
        "account": "main",
        "client_order_id": "o1",
        "venue_order_id": "vo1",
        "symbol": BTC,
        "trade_id": trade_id,
        "side": Side.BUY,
        "contracts": contracts,
        "price_ticks": 100,
        "fee_usdt": 1,
        "maker": False,
        "liquidation": False,
        "at_ns": NOW - 10 * SECOND,
    }
    return OrderFilled(**(fields | changes))


def known(report: OrderFilled) -> KnownFill:
    """Return how the OMS states that it knows a fill."""
    return KnownFill(report.symbol, report.trade_id, report.side * report.contracts, report.at_ns)


def funding(funding_id: str = "f1", payment_usdt: int = 5) -> FundingPaid:
    """Return a settlement."""
    return FundingPaid("main", BTC, funding_id, 4, 100, 10, payment_usdt, NOW - 10 * SECOND)


def venue_account(**changes: Any) -> VenueAccount:
    """Return the venue's statement; nothing is open unless told otherwise. positions: {symbol: net}."""
    positions, leverage = changes.pop("positions", {}), changes.pop("leverage", LEVERAGE)
    fields: dict[str, Any] = {
        "account": "main",
        "request_id": "r1",
        "cash_usdt": CASH,
        "positions": tuple(
            VenuePosition(symbol, net, net, leverage, False) for symbol, net in positions.items()
        ),
        "open_orders": (),
        "fills": (),
        "funding": (),
        "at_ns": NOW,
    }
    return VenueAccount(**(fields | changes))


def orders_snapshot(**changes: Any) -> OrdersSnapshot:
    """Return the OMS's statement. positions: {symbol: net}."""
    positions = changes.pop("positions", {})
    fields: dict[str, Any] = {
        "account": "main",
        "request_id": "r1",
        "orders": (),
        "net_contracts": tuple(positions.items()),
        "fills": (),
        "fills_since_ns": SINCE,
        "fills_count": 0,
        "at_ns": NOW,
    }
    return OrdersSnapshot(**(fields | changes))


def ledger_snapshot(**changes: Any) -> LedgerSnapshot:
    """Return the ledger's statement. positions: {symbol: net}."""
    positions = changes.pop("positions", {})
    fields: dict[str, Any] = {
        "account": "main",
        "request_id": "r1",
        "cash_usdt": CASH,
        "positions": tuple(LedgerPosition(symbol, net, net) for symbol, net in positions.items()),
        "fills_count": 0,
        "funding_ids": (),
        "at_ns": NOW,
    }
    return LedgerSnapshot(**(fields | changes))


def instrument(symbol: str) -> Instrument:
    """Return a contract of which one tick is worth one 1e-8 USDT; its leverage is 20."""
    tier = RiskTier(1_000_000, 50, 1_000_000)
    return Instrument(
        symbol, symbol[:3], 1, 10**8, 1, 10**6, 10**6, 50, LEVERAGE, 10**7, 20_000, 60_000, 8 * HOUR, (tier,)
    )


class ReconcilerBench(Bench):
    """A reconciler whose questions the test answers. `venue` and `ours` are what both sides would say."""

    def __init__(self, settings: ReconcilerSettings | None = None, *, catalog: bool = False) -> None:
        self.venue: dict[str, Any] = {}
        self.orders: dict[str, Any] = {}
        self.ledger: dict[str, Any] = {}
        self._counter = count(1)
        instruments = {symbol: instrument(symbol) for symbol in (BTC, ETH)} if catalog else {}
        place = Place("paper", "reconciler/main", "paper", 7, {"account": "main"}, instruments)
        super().__init__(
            lambda: ReconcilerActor(settings or ReconcilerSettings(), place),
            name="reconciler/main",
            now_ns=NOW,
        )

    @property
    def reconciler(self) -> ReconcilerActor:
        behaviour = self.behaviour
        assert isinstance(behaviour, ReconcilerActor)
        return behaviour

    def positions(self, ours: dict[str, int], theirs: dict[str, int]) -> None:
        """Set what both sides hold, in agreement between OMS and ledger."""
        self.venue["positions"] = theirs
        self.orders["positions"] = self.ledger["positions"] = ours

    def asked(self) -> bool:
        """Tell whether a question waits for the venue's answer."""
        return any(type(m) is QueryAccount for m in self.published)

    def look(self) -> None:
        """Answer the open question by all three sides."""
        (query,) = self.take(QueryAccount)
        dated = {"request_id": query.request_id, "at_ns": self.now_ns}
        self.tell(venue_account(**(dated | self.venue)))
        (request,) = self.take(OrdersSnapshotRequest)
        assert (request.request_id, request.fills_since_ns) == (query.request_id, query.fills_since_ns)
        since = {"fills_since_ns": request.fills_since_ns}
        self.tell(orders_snapshot(**(dated | since | self.orders)), sender="oms/main")
        self.tell(ledger_snapshot(**(dated | self.ledger)), sender="ledger/main")

    def run_round(self) -> None:
        """Answer until the round has ended."""
        for _ in range(30):
            if self.asked():
                self.look()
            if self.verdicts():
                return
            self.advance(100 * MS)
        raise AssertionError("the round does not end")

    def verdicts(self) -> list[ReconcileFinished]:
        return [m for m in self.published if type(m) is ReconcileFinished]

    def verdict(self) -> ReconcileFinished:
        """Run a round; return how it ended."""
        self.run_round()
        (verdict,) = self.take(ReconcileFinished)
        return verdict
