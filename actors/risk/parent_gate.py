"""Parent orders at the gate: judged as a whole when asked for, child by child when those are sent."""

from __future__ import annotations

from actors.messages.parents import ChildIntent, ParentIntent, SubmitParent
from actors.messages.plans import CloseAll, Iceberg, Twap, Vwap
from actors.messages.trading import OrderIntent
from actors.risk.amends import AmendGate
from actors.risk.parents import ABOUT_ONE_ORDER, ParentAllowed, parent_fault, worst_case
from actors.risk.picture import Market
from actors.risk.rule import Denial
from actors.runtime.behaviour import Context

__all__ = ["ParentGate"]


class ParentGate(AmendGate):
    """The part of the risk actor that knows parent orders."""

    def _vet(self, intent: OrderIntent, market: Market, is_exit: bool, context: Context) -> None:
        raise NotImplementedError

    def _deny(self, intent: OrderIntent | ParentIntent, rule: str, denial: Denial, context: Context) -> None:
        raise NotImplementedError

    def on_parent_intent(self, intent: ParentIntent, context: Context) -> None:
        """Judge a parent as a whole, by the worst it can do. Nothing is reserved: its children will be."""
        if intent.account != self._account:
            return
        market = self._markets.get(intent.symbol)
        if market is None and (intent.symbol or not isinstance(intent.plan, CloseAll)):
            denial = Denial(f"{intent.symbol!r} is not among this deployment's symbols", 0, 1)
            self._deny(intent, "unknown_symbol", denial, context)
            return
        if context.sender and context.sender != intent.strategy:
            denial = Denial(f"{context.sender} speaks for {intent.strategy}", 0, 1)
            self._deny(intent, "wrong_sender", denial, context)
            return
        fault = parent_fault(intent)
        if fault:
            self._deny(intent, "parent_form", Denial(fault, 1, 0), context)
            return
        worst = worst_case(intent)
        if worst is not None and market is not None:
            picture = self._picture
            left_out = ABOUT_ONE_ORDER if isinstance(intent.plan, Twap | Vwap | Iceberg) else ()
            picture.look(worst, market, context.now_ns)
            for name, check in market.checks_reducing if picture.reduces else market.checks:
                denied = None if name in left_out else check(worst, picture)
                if denied is not None:
                    self._deny(intent, name, denied, context)
                    return
        context.record(
            ParentAllowed(
                *(intent.intent_id, intent.strategy, intent.symbol, type(intent.plan).__name__),
                *(intent.side, intent.contracts, context.now_ns),
            )
        )
        context.publish(SubmitParent(intent, context.now_ns))

    def on_child_intent(self, child: ChildIntent, context: Context) -> None:
        """Judge an order that the OMS wishes on a parent's behalf, by the rules in force now."""
        intent = child.intent
        market = self._markets.get(intent.symbol)
        if intent.account != self._account:
            return
        if market is None:
            denial = Denial(f"{intent.symbol} is not among this deployment's symbols", 0, 1)
            self._deny(intent, "unknown_symbol", denial, context)
            return
        self._vet(intent, market, intent.reduce_only, context)
