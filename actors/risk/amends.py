"""Amendments of live orders, judged as the order would become: what it reserves counts once, at any time.

While an amendment is under way its order reserves the larger of both sizes: either may fill. The rest is
judged once more when it could be placed, under the limits, halts and position of that moment.
"""

from __future__ import annotations

from msgspec.structs import replace

from actors.domain.amending import AmendState
from actors.messages.amending import (
    AmendIntent,
    AmendUpdate,
    PlaceReplacement,
    ReplacementDenied,
    ReplacementReady,
    SubmitAmend,
)
from actors.messages.trading import OrderIntent
from actors.risk.events import AmendAllowed, AmendSettled, ReplacementAllowed
from actors.risk.guard import Guard
from actors.risk.rule import Denial
from actors.risk.state import Book, Reservation
from actors.runtime.behaviour import Context

__all__ = ["AmendGate"]

AMEND = "amend"  # named as the rule where there is nothing that could be amended
ASKED_ONCE = ("duplicate_intent", "order_rate")  # rules about the wish, not about what is placed


class AmendGate(Guard):
    """The gate for orders that shall change."""

    def on_amend_intent(self, intent: AmendIntent, context: Context) -> None:
        """Allow or deny an amendment."""
        wish = intent.order
        if wish.account != self._account:
            return
        reserved = self.state.reserved.get(intent.amends)
        denial = self._no_amend(intent, reserved, context.sender)
        if reserved is None or denial is not None:
            self._deny(wish, AMEND, denial or Denial(f"{intent.amends} does not live", 0, 1), context)
            return
        rest = replace(wish, contracts=wish.contracts - reserved.filled_contracts)
        denied = self._judge_instead(rest, intent.amends, (), context)
        if denied is not None:
            self._deny(wish, denied[0], denied[1], context)
            return
        picture = self._picture
        context.record(
            AmendAllowed(
                *(intent.amends, wish.intent_id, wish.strategy, wish.symbol, wish.side, wish.contracts),
                *(picture.price_ticks, picture.worst_contracts, context.now_ns),
            )
        )
        picture.revalue(self._markets[wish.symbol], self.book(wish.symbol))
        if self._tallied:
            picture.tally.begin(self.state.reserved)
        context.publish(SubmitAmend(intent, context.now_ns))

    def _no_amend(self, intent: AmendIntent, reserved: Reservation | None, sender: str) -> Denial | None:
        """Return why there is nothing to judge; None when there is."""
        wish = intent.order
        if sender and sender != wish.strategy:
            return Denial(f"{sender} speaks for {wish.strategy}", 0, 1)
        if reserved is None or wish.symbol not in self._markets:
            return Denial(f"{intent.amends} does not live", 0, 1)
        if (reserved.symbol, reserved.side) != (wish.symbol, wish.side):
            return Denial("an amendment changes price and size, nothing else", 0, 1)
        if wish.contracts <= reserved.filled_contracts:
            return Denial("so much has filled already", wish.contracts, reserved.filled_contracts + 1)
        return None

    def _judge_instead(
        self, rest: OrderIntent, intent_id: str, left_out: tuple[str, ...], context: Context
    ) -> tuple[str, Denial] | None:
        """Judge the rest of an order as if what its intent reserves now were not there."""
        state, picture = self.state, self._picture
        market, book = self._markets[rest.symbol], self.book(rest.symbol)
        all_reserved, mine = state.reserved, state.reserved[intent_id]
        size = max(0, mine.contracts - mine.filled_contracts)
        state.reserved = {name: held for name, held in all_reserved.items() if name != intent_id}
        _add(book, mine.side, -size)
        if self._tallied:
            picture.tally.add(mine.strategy, mine.symbol, mine.side, -size, -1)
        try:
            picture.look(rest, market, context.now_ns)
            for name, check in market.checks_reducing if picture.reduces else market.checks:
                denied = None if name in left_out else check(rest, picture)
                if denied is not None:
                    return name, denied
        finally:
            state.reserved = all_reserved
            _add(book, mine.side, size)
            if self._tallied:
                picture.tally.add(mine.strategy, mine.symbol, mine.side, size, 1)
        return None

    def on_replacement_ready(self, ready: ReplacementReady, context: Context) -> None:
        """The order has ended: say whether the rest may be placed as things are now."""
        rest = ready.order
        intent_id = rest.intent_id
        if ready.account != self._account:
            return
        if intent_id not in self.state.reserved:
            denied: tuple[str, Denial] | None = (AMEND, Denial("nothing is reserved for it", 0, 1))
        else:
            denied = self._judge_instead(rest, intent_id, ASKED_ONCE, context)
        if denied is not None:
            rule, denial = denied
            self._note_denial(rest, rule, denial, context)
            context.reply(ReplacementDenied(intent_id, ready.amend_id, rule, denial.text))
            return
        picture = self._picture
        context.record(
            ReplacementAllowed(
                *(intent_id, ready.amend_id, rest.symbol, rest.side, rest.contracts),
                *(picture.price_ticks, picture.worst_contracts, context.now_ns),
            )
        )
        context.reply(PlaceReplacement(intent_id, ready.amend_id, rest.contracts))

    def on_amend_update(self, update: AmendUpdate, context: Context) -> None:
        """An amendment is over: the order reserves what it has now. One that is gone ends by itself."""
        reserved = self.state.reserved.get(update.intent_id)
        settled = update.state is AmendState.AMENDED or update.state is AmendState.KEPT
        if not settled or reserved is None or not update.contracts or update.account != self._account:
            return
        if reserved.contracts != update.contracts:
            context.record(AmendSettled(update.intent_id, update.contracts, context.now_ns))
            self._picture.revalue(self._markets[reserved.symbol], self.book(reserved.symbol))
            if self._tallied:
                self._picture.tally.begin(self.state.reserved)

    def _deny(self, intent: OrderIntent, rule: str, denial: Denial, context: Context) -> None:
        raise NotImplementedError

    def _note_denial(self, intent: OrderIntent, rule: str, denial: Denial, context: Context) -> None:
        raise NotImplementedError


def _add(book: Book, side: int, contracts: int) -> None:
    if side > 0:
        book.buy_contracts += contracts
    else:
        book.sell_contracts += contracts
