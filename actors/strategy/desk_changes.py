"""Wishes beyond a single order: parent orders that the OMS runs, and amendments of live orders."""

from __future__ import annotations

from actors.domain.amending import AmendState
from actors.domain.orders import Side
from actors.messages.amending import AmendIntent, AmendUpdate
from actors.messages.trading import OrderIntent
from actors.runtime.behaviour import Context
from actors.runtime.errors import require
from actors.strategy.amending import amendable, take_amend
from actors.strategy.desk_base import CONTRACTS_MAX, TICKS_MAX
from actors.strategy.events import SignalDecided
from actors.strategy.launching import Launching
from actors.strategy.protocol import Amend

__all__ = ["DeskChanges"]


class DeskChanges(Launching):
    """Amendments, and through `Launching` parent orders."""

    def _amend(self, decision: Amend, context: Context) -> None:
        """Wish another price or size for an own order."""
        state, symbol, now_ns = self._state, self._symbol, context.now_ns
        found = amendable(state, decision)
        if found is None:
            return
        amends, order = found
        require(
            0 < order.contracts <= CONTRACTS_MAX and 0 < order.limit_ticks <= TICKS_MAX, "an order has a size"
        )
        number = state.intents_count = state.intents_count + 1
        amend_id = state.pending[amends].amend_id = self._prefix + str(number)
        side, why = Side(order.side), decision.why
        price, reasons = self._price(side), self._reasons(why, decision.reasons)
        state.last_action, state.last_why = "amend", why
        net = state.net_contracts
        target = net + side * (order.contracts - order.filled_contracts)
        context.record(SignalDecided(symbol, "amend", why, net, target, price, amend_id, reasons, now_ns))
        wish = OrderIntent(
            *(amend_id, self._address, self._account, symbol, side, order.contracts),
            *(order.order_type, order.limit_ticks, order.time_in_force, order.reduce_only),
            *(price, now_ns, reasons),
        )
        context.publish(AmendIntent(amends, wish))
        context.save()

    def take_amend(self, update: AmendUpdate, context: Context) -> None:
        """An amendment is over. What became of the order itself its own updates tell."""
        if update.account == self._account and take_amend(self._state, update):
            if update.state in (AmendState.KEPT, AmendState.GONE):
                context.log("not amended", intent_id=update.intent_id, state=update.state, why=update.reason)
            context.save()
