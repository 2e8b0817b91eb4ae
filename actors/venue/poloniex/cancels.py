"""Canceling: one by one while few are wanted, half of them in batches when many are at once.

The two ways have limits of their own at the venue, so together they are about twice as fast: 500 orders leave
in 5 seconds instead of 9. Batches share their limit with questions, so few cancels go without them.
A halt asks for everything in a scope: one request, and what its answer does not speak of goes the way above.
Source: docs/poloniex.md, Rate limits; `poloniex.rate_budget`.
"""

from __future__ import annotations

from functools import partial

from actors.domain.place import Place
from actors.messages.scopes import CancelAll
from actors.messages.venue import CancelOrder, CancelRejected, OutcomeUnknown, RequestKind
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.rate_budget import Priority
from actors.poloniex.request import Request
from actors.runtime.behaviour import Context
from actors.venue.errors import OutcomeUnknownError, VenueError
from actors.venue.poloniex.core import Reading, VenueCore
from actors.venue.poloniex.readings import Steps
from actors.venue.poloniex.requests import BATCH_MAX, cancel_all, cancel_many, cancel_order
from actors.venue.poloniex.rows import read_placed
from actors.venue.poloniex.settings import PoloniexAccountSettings

__all__ = ["VenueCancels", "one_request", "shared_out"]

SINGLES_MAX = 40  # cancels in one turn that go one by one: what the venue takes at once
PATIENCE_NS = 20_000_000  # longer for each cancel beside it: the venue takes 50 a second for long
BATCH_MIN = 3  # a smaller rest of a symbol goes one by one
SCOPE_TTL_NS = 2_000_000_000  # a request for all that is refused twice gives way to those for each
DONE = 200  # a batch's code for an order that is taken


def shared_out(cancels: list[CancelOrder]) -> tuple[list[CancelOrder], list[list[CancelOrder]]]:
    """Return which cancels go one by one, and which in batches of one symbol each; every cancel once."""
    if len(cancels) <= SINGLES_MAX:
        return cancels, []
    half = len(cancels) // 2
    singles, by_symbol = cancels[:half], dict[str, list[CancelOrder]]()
    for one in cancels[half:]:
        by_symbol.setdefault(one.symbol, []).append(one)
    batches = []
    for members in by_symbol.values():
        for start in range(0, len(members), BATCH_MAX):
            part = members[start : start + BATCH_MAX]
            if len(part) < BATCH_MIN:
                singles = [*singles, *part]
            else:
                batches.append(part)
    return singles, batches


class VenueCancels(VenueCore):
    """Takes orders back. One is gone when the stream or the lists say so, not when a cancel is taken."""

    def __init__(self, settings: PoloniexAccountSettings, place: Place) -> None:
        super().__init__(settings, place)
        self.repeats_count = 0
        self._wanted: list[CancelOrder] = []  # in this turn

    def on_cancel_order(self, message: CancelOrder, context: Context) -> None:
        """Take an order back, together with what else this turn wants canceled."""
        client_order_id = message.client_order_id
        if message.account != self.account:
            return
        if client_order_id in self.state.canceling:
            self.repeats_count += 1
            return
        self.state.canceling[client_order_id] = message.symbol
        self._wanted.append(message)
        context.save()

    def on_cancel_all(self, message: CancelAll, context: Context) -> None:
        """Take everything in a scope back with one request; orders that it may have missed with their own."""
        if message.account != self.account:
            return
        named = [
            CancelOrder(self.account, name, symbol)
            for name, symbol in zip(message.client_order_ids, message.symbols, strict=True)
            if name not in self.state.canceling
        ]
        self.repeats_count += len(message.client_order_ids) - len(named)
        self.state.canceling.update((one.client_order_id, one.symbol) for one in named)
        context.save()
        self.begin(
            one_request(self.cancel_all_request(message.symbol)),
            partial(self._scope_taken, named),
            partial(self._scope_failed, named),
            context,
            priority=Priority.URGENT,
            timeout_ns=SCOPE_TTL_NS,
        )

    def caught_up(self, context: Context) -> None:
        """Nothing waits any more: send the cancels of this turn."""
        if not self._wanted:
            return
        wanted, self._wanted = self._wanted, []
        singles, batches = shared_out(wanted)
        for one in singles:
            name = one.client_order_id
            self._begin_cancel(
                self.cancel_request(one),
                partial(self._cancel_taken, name),
                partial(self._not_canceled, name),
                len(wanted),
                context,
            )
        for part in batches:
            names = tuple([one.client_order_id for one in part])
            self._begin_cancel(
                self.cancel_many_request(part[0].symbol, names),
                partial(self._batch_taken, names),
                partial(self._batch_failed, names),
                len(wanted),
                context,
            )

    def _begin_cancel(
        self, request: Request, done: object, failed: object, beside: int, context: Context
    ) -> None:
        self.begin(
            one_request(request),
            done,  # type: ignore[arg-type]
            failed,  # type: ignore[arg-type]
            context,
            priority=Priority.URGENT,
            timeout_ns=self.settings.cancel_ttl + beside * PATIENCE_NS,
        )

    def _cancel_taken(self, client_order_id: str, answer: Answer, reading: Reading, context: Context) -> None:
        self._forget_request(self.state.canceling, client_order_id, context)

    def _not_canceled(
        self, client_order_id: str, error: VenueError, reading: Reading, context: Context
    ) -> None:
        self._forget_request(self.state.canceling, client_order_id, context)
        if isinstance(error, OutcomeUnknownError):
            self._lose(client_order_id, RequestKind.CANCEL, str(error), context)
        else:
            self._refuse_cancel(client_order_id, error.code, error.text, context)

    def _scope_taken(
        self, named: list[CancelOrder], answer: Answer, reading: Reading, context: Context
    ) -> None:
        """Believe the answer about orders it says were taken; ask for every other one by name."""
        try:
            said = self.batch_rows(answer)
        except Malformed as error:
            self.surprise(f"cancel of all: {error}", context)
            said = {}
        for one in named:
            if said.get(one.client_order_id, (0, ""))[0] == DONE:
                self._forget_request(self.state.canceling, one.client_order_id, context)
        self._want_rest(named)

    def _scope_failed(
        self, named: list[CancelOrder], error: VenueError, reading: Reading, context: Context
    ) -> None:
        """Whether it was carried out or not: a cancel by name does no harm twice."""
        context.log("the venue did not cancel all", error=str(error), orders=len(named))
        self._want_rest(named)

    def _want_rest(self, named: list[CancelOrder]) -> None:
        """Cancel by name what neither the answer nor the stream has shown to be gone."""
        self._wanted.extend(one for one in named if one.client_order_id in self.state.canceling)

    def _batch_taken(
        self, names: tuple[str, ...], answer: Answer, reading: Reading, context: Context
    ) -> None:
        """Take what the venue says to each; one that it does not speak of has no answer."""
        try:
            said = self.batch_rows(answer)
        except Malformed as error:
            self.surprise(f"batch of cancels: {error}", context)
            said = {}
        for name in names:
            self._forget_request(self.state.canceling, name, context)
            if name not in said:
                self._lose(name, RequestKind.CANCEL, "the batch's answer does not speak of it", context)
                continue
            code, text = said[name]
            if code != DONE:
                self._refuse_cancel(name, str(code), text, context)

    def _batch_failed(
        self, names: tuple[str, ...], error: VenueError, reading: Reading, context: Context
    ) -> None:
        for name in names:
            self._not_canceled(name, error, reading, context)

    # -- the venue's requests: another market has others --------------------------------------------

    def cancel_request(self, message: CancelOrder) -> Request:
        """Return the request that cancels an order."""
        return cancel_order(message.symbol, message.client_order_id)

    def cancel_all_request(self, symbol: str) -> Request:
        """Return the request that cancels all that rests, of one symbol or of all."""
        return cancel_all(symbol)

    def cancel_many_request(self, symbol: str, names: tuple[str, ...]) -> Request:
        """Return the request that cancels several orders of a symbol."""
        return cancel_many(symbol, names)

    def batch_rows(self, answer: Answer) -> dict[str, tuple[int, str]]:
        """Return (code, text) by client_order_id. Errors: Malformed."""
        return {row.clOrdId: (row.code, row.msg) for row in read_placed(answer)}

    # -- steps ---------------------------------------------------------------------------------------

    def _refuse_cancel(self, client_order_id: str, code: str, text: str, context: Context) -> None:
        context.publish(CancelRejected(self.account, client_order_id, code, text, context.now_ns))

    def _lose(self, client_order_id: str, kind: RequestKind, reason: str, context: Context) -> None:
        context.publish(OutcomeUnknown(self.account, client_order_id, kind, reason, context.now_ns))

    def _forget_request(self, under_way: dict[str, str], client_order_id: str, context: Context) -> None:
        if under_way.pop(client_order_id, None) is not None:
            context.save()


def one_request(request: Request) -> Steps[Answer]:
    """A command that is one request. What the venue refuses comes out as its failure."""
    return (yield request)
