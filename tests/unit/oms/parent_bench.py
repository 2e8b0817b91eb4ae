"""An OMS on the bench that runs parent orders; risk allows every child unless told otherwise."""

from __future__ import annotations

from itertools import count
from typing import Any

from actors.domain.orders import Side
from actors.messages.control import ReconcileFinished
from actors.messages.market import FeedState, FeedStatus, MarkPrice, Quote, Trade
from actors.messages.parents import ChildIntent, ParentIntent, ParentUpdate, SubmitParent
from actors.messages.plans import Plan
from actors.messages.trading import OrderDenied, SubmitOrder
from actors.messages.venue import PlaceOrder
from actors.oms.parents.state import Parent
from tests.unit.oms.oms_bench import BTC, RISK, TREND, OmsBench


class ParentBench(OmsBench):
    """Speaks for risk, the venue and the feed."""

    def __init__(self, **options: Any) -> None:
        self._parents = count(1_000)
        self.allows = True
        super().__init__(**options)
        self.agree()

    def agree(self) -> None:
        """Have the reconciler find the books to agree."""
        self.tell(ReconcileFinished("main", True, (), self.now_ns))
        self.vet()

    def launch(self, plan: Plan, side: Side = Side.SELL, contracts: int = 10, **changes: Any) -> str:
        """Submit a parent order; return its id."""
        fields: dict[str, Any] = {
            "intent_id": f"{TREND}#1.{next(self._parents)}",
            "strategy": TREND,
            "account": "main",
            "symbol": BTC,
            "side": side,
            "contracts": contracts,
            "reduce_only": True,
            "plan": plan,
            "decision_ticks": 0,
            "decided_at_ns": self.now_ns,
        }
        intent = ParentIntent(**(fields | changes))
        self.tell(SubmitParent(intent, self.now_ns), sender=RISK)
        self.vet()
        return intent.intent_id

    def vet(self) -> None:
        """Let risk answer whatever children were asked for."""
        while children := self.take(ChildIntent):
            for child in children:
                intent = child.intent
                if self.allows:
                    self.tell(SubmitOrder(intent, self.now_ns), sender=RISK)
                else:
                    self.tell(
                        OrderDenied(
                            *(intent.intent_id, intent.strategy, "main", intent.symbol, "halted"),
                            *("halted", 1, 0, self.now_ns),
                        ),
                        sender=RISK,
                    )

    def restart(self, **options: Any) -> None:
        super().restart(**options)
        self.vet()

    def advance(self, delay_ns: int) -> None:
        super().advance(delay_ns)
        self.vet()

    def mark(self, ticks: int, at_ns: int = 0) -> None:
        self.tell(MarkPrice(BTC, at_ns or self.now_ns, ticks, ticks))
        self.vet()

    def last(self, ticks: int) -> None:
        self.tell(Trade(BTC, self.now_ns, ticks, 1, Side.BUY, "t"))
        self.vet()

    def quote(self, bid: int, ask: int) -> None:
        self.tell(Quote(BTC, self.now_ns, bid, 1, ask, 1))
        self.vet()

    def feed(self, state: FeedState) -> None:
        self.tell(FeedStatus(BTC, self.now_ns, state, self.now_ns, "test"))
        self.vet()

    def long(self, contracts: int = 10) -> None:
        """Have a position of so many contracts, bought with an order of our own."""
        self.fill(self.opened(contracts=contracts), contracts)
        self.published.clear()

    def sold(self, placed: PlaceOrder, contracts: int | None = None) -> None:
        """Fill an order at the venue."""
        size = placed.contracts if contracts is None else contracts
        self.fill(placed.client_order_id, size, side=placed.side)
        self.vet()

    def only(self) -> PlaceOrder:
        """Return the one order that went to the venue since last time."""
        (placed,) = self.take(PlaceOrder)
        return placed

    def parent(self, parent_id: str) -> Parent:
        state = self.oms.state
        found = state.parents.get(parent_id) or state.parents_ended.get(parent_id)
        assert found is not None
        return found

    def told(self) -> list[str]:
        """Return the states that the strategy was told of since last time."""
        return [update.state.value for update in self.take(ParentUpdate)]
