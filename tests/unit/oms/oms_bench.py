"""An OMS on the bench, and the venue's and risk's words in short."""

from __future__ import annotations

from itertools import count
from typing import Any

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.messages.control import FlattenPositions, ReconcileFinished
from actors.messages.trading import CancelOrders, OrderIntent, OrdersSnapshotRequest, SubmitOrder
from actors.messages.venue import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    RequestKind,
    VenueOrder,
)
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.oms.state import Order
from actors.runtime.testing import Bench

MS = 1_000_000
SECOND = 1_000 * MS
BTC = "BTC_USDT_PERP"
ETH = "ETH_USDT_PERP"
TREND = f"trend/{BTC}"
RISK = "risk/main"
CONTRACTS = 10
PRICE = 500_000


class OmsBench(Bench):
    """A bench that speaks for risk and the venue. Orders are 10 contracts of BTC unless told otherwise."""

    def __init__(self, settings: OmsSettings | None = None, **place: Any) -> None:
        self._counter = count(1)
        self._trades = count(1)
        stands = Place("paper", "oms/main", "paper", 7, {"account": "main"}, **place)
        super().__init__(lambda: OmsActor(settings or OmsSettings(), stands), name="oms/main")

    @property
    def oms(self) -> OmsActor:
        behaviour = self.behaviour
        assert isinstance(behaviour, OmsActor)
        return behaviour

    def order(self, client_order_id: str) -> Order:
        return self.oms.state.known(client_order_id)

    # -- our side

    def intent(self, **changes: Any) -> OrderIntent:
        fields: dict[str, Any] = {
            "intent_id": f"{changes.get('strategy', TREND)}#1.{next(self._counter)}",
            "strategy": TREND,
            "account": "main",
            "symbol": BTC,
            "side": Side.BUY,
            "contracts": CONTRACTS,
            "order_type": OrderType.LIMIT,
            "limit_ticks": PRICE,
            "time_in_force": TimeInForce.GTC,
            "reduce_only": False,
            "decision_ticks": PRICE,
            "decided_at_ns": self.now_ns,
        }
        return OrderIntent(**(fields | changes))

    def submit(self, intent: OrderIntent | None = None, **changes: Any) -> str:
        """Submit an intent; return the client_order_id of what went to the venue."""
        before = len(self.placed())
        self.tell(SubmitOrder(intent or self.intent(**changes), self.now_ns), sender=RISK)
        placed = self.placed()[before:]
        return placed[0].client_order_id if placed else ""

    def opened(self, **changes: Any) -> str:
        client_order_id = self.submit(**changes)
        self.accept(client_order_id)
        return client_order_id

    def unknown(self, **changes: Any) -> str:
        client_order_id = self.submit(**changes)
        self.lose(client_order_id, RequestKind.PLACE)
        return client_order_id

    def cancel(self, **scope: Any) -> None:
        fields = {"account": "main", "symbol": "", "strategy": "", "intent_id": "", "reason": "test"}
        self.tell(CancelOrders(**(fields | scope)), sender=RISK)

    def tell_cancel(self, client_order_id: str) -> None:
        """Cancel one order."""
        self.cancel(intent_id=self.order(client_order_id).intent_id)

    def flatten(self, symbol: str = "") -> None:
        self.tell(FlattenPositions("main", symbol, "test"), sender=RISK)

    def state_books(self) -> None:
        """Have the reconciler ask for the books, as at the beginning of a comparison."""
        self.tell(OrdersSnapshotRequest("main", "r", 0), sender="reconciler/main")

    def find_agreement(self) -> None:
        """Have the comparison end, in agreement."""
        self.tell(ReconcileFinished("main", True, (), self.now_ns))

    def placed(self) -> list[PlaceOrder]:
        return [m for m in self.published if type(m) is PlaceOrder]

    # -- the venue

    def accept(self, client_order_id: str, venue_order_id: str | None = None) -> None:
        venue_order_id = f"v{client_order_id}" if venue_order_id is None else venue_order_id
        self.tell(OrderAccepted("main", client_order_id, venue_order_id, self.now_ns))

    def reject(self, client_order_id: str) -> None:
        self.tell(OrderRejected("main", client_order_id, "11", "no margin", self.now_ns))

    def filled(self, client_order_id: str, contracts: int = CONTRACTS, **changes: Any) -> OrderFilled:
        """Return a fill report; each has a trade_id of its own unless one is given."""
        fields: dict[str, Any] = {
            "account": "main",
            "client_order_id": client_order_id,
            "venue_order_id": "",
            "symbol": BTC,
            "trade_id": f"t{next(self._trades)}",
            "side": Side.BUY,
            "contracts": contracts,
            "price_ticks": PRICE,
            "fee_usdt": 7,
            "maker": False,
            "liquidation": False,
            "at_ns": self.now_ns,
        }
        return OrderFilled(**(fields | changes))

    def fill(self, client_order_id: str, contracts: int = CONTRACTS, **changes: Any) -> OrderFilled:
        report = self.filled(client_order_id, contracts, **changes)
        self.tell(report)
        return report

    def canceled(self, client_order_id: str, filled_contracts: int = 0) -> None:
        self.tell(OrderCanceled("main", client_order_id, "", "by request", filled_contracts, self.now_ns))

    def refuse_cancel(self, client_order_id: str) -> None:
        self.tell(CancelRejected("main", client_order_id, "12", "not found", self.now_ns))

    def lose(self, client_order_id: str, request: RequestKind) -> None:
        self.tell(OutcomeUnknown("main", client_order_id, request, "connection reset", self.now_ns))

    def evidence(self, client_order_id: str, state: OrderState, **changes: Any) -> VenueOrder:
        """Return the venue's account of an order; ABSENT means not found."""
        fills: tuple[OrderFilled, ...] = changes.get("fills", ())
        fields: dict[str, Any] = {
            "account": "main",
            "client_order_id": client_order_id,
            "symbol": BTC,
            "found": state is not OrderState.ABSENT,
            "venue_order_id": "",
            "state": state,
            "side": Side.BUY,
            "contracts": CONTRACTS,
            "filled_contracts": sum(fill.contracts for fill in fills),
            "limit_ticks": PRICE,
            "reduce_only": False,
            "fills": fills,
            "at_ns": self.now_ns,
        }
        return VenueOrder(**(fields | changes))

    def show(self, client_order_id: str, state: OrderState, **changes: Any) -> None:
        self.tell(self.evidence(client_order_id, state, **changes))
