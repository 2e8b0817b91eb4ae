"""Telling strategies and risk how orders stand, and counting how well they are executed."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.domain.place import Place
from actors.messages.amending import AmendUpdate
from actors.messages.trading import OrderUpdate
from actors.messages.venue import OrderAccepted, OrderFilled
from actors.oms.execution import ExecutionTally, cost_usdt
from actors.oms.ids import is_of_a_node
from actors.oms.record import OmsRecord
from actors.oms.settings import OmsSettings
from actors.oms.state import Order
from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError
from actors.runtime.messages import Severity

__all__ = ["OmsTelling"]

OPEN = OrderState.OPEN
VENUE_SHARED = "VenueShared"
CLOCKS_APART_NS = 10_000_000_000  # more than the venue's clock and ours may differ by


class OmsTelling(OmsRecord):
    """Says what happened to an order, in the words of its intent."""

    def __init__(self, settings: OmsSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._account = place.account
        self._address = place.address
        self.tally = ExecutionTally()
        self._prefix = ""  # of client_order_ids; set in started(), when the epoch is known
        self._started_at_ns = 0
        self._anomalies_stated = 0  # how many there had been when the reconciler heard our books last
        self._absentees: set[str] = set()  # addresses that left the deployment before their orders did

    def _look_at_stranger(self, accepted: OrderAccepted, context: Context) -> None:
        """An order that we did not make, younger than this node and named as a node does: another one trades.

        Left over from an earlier journal, or from the node before, it would be older.
        """
        if self.settings.account_shared:
            return
        name = accepted.client_order_id
        born_ns = accepted.created_at_ns - CLOCKS_APART_NS
        if born_ns > self._started_at_ns and is_of_a_node(name) and not name.startswith(self._prefix):
            text = (
                f"Another node trades on account {self._account}: order {name} is not ours, and was made now"
            )
            calm_ns = self.settings.shared_calm
            context.alert(VENUE_SHARED, Severity.PAGE, text, key=self._account, ends_after_ns=calm_ns)

    def _tell(self, order: Order, context: Context, state: OrderState | None = None) -> None:
        """Tell who wished the order, and the risk actor that allowed it, how its intent stands.

        `state` is what is told in place of the order's own.
        """
        update = OrderUpdate(
            order.client_order_id,
            order.intent_id,
            order.strategy,
            self._account,
            order.symbol,
            order.side,
            order.before_contracts + order.contracts,
            order.before_contracts + order.filled_contracts,
            order.before_ticks + order.filled_ticks,
            state or order.state,
            order.reason,
            context.now_ns,
            order.before_fee_contracts + order.fee_contracts,
        )
        strategy, risk = order.strategy, order.risk
        if strategy != self._address:
            self._send(strategy, update, context)
            if order.state is OPEN and not order.filled_contracts:
                return  # risk allowed it, and reserves as much for it as before
        if risk:
            self._send(risk, update, context)

    def _send(self, address: str, update: OrderUpdate | AmendUpdate, context: Context) -> None:
        try:
            context.send(address, update)
        except InvariantError:
            # A strategy may leave the deployment while its orders live; the orders matter more than it does.
            if address not in self._absentees:
                self._absentees.add(address)
                context.log("order update has no reader", address=address)

    def _measure_fill(self, order: Order, report: OrderFilled, context: Context) -> None:
        """Count what a fill cost, and how long the first one took."""
        now_ns = context.now_ns
        if not order.filled_contracts:
            self.tally.stage("ack_to_first_fill", order.acked_at_ns or now_ns, now_ns)
        instrument = self.place.instruments.get(report.symbol)
        if instrument is not None and order.arrival_x2:
            side, contracts, value = report.side, report.contracts, instrument.tick_value
            ticks = contracts * report.price_ticks
            self.tally.fill(
                cost_usdt(side, contracts, ticks, order.decision_x2, value),
                cost_usdt(side, contracts, ticks, order.arrival_x2, value),
            )
