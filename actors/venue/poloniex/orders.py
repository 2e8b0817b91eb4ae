"""Placing, and what the private stream tells about orders.

Never double: a request whose outcome is unknown is not sent again by anybody; one that certainly did not
happen is sent again under the same client_order_id. When the venue says "duplicate", an earlier send arrived.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import NamedTuple, TypeVar

from actors.domain.lifecycle import OrderState
from actors.domain.place import Place
from actors.messages.venue import (
    OrderAccepted,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    RequestKind,
    VenueOrder,
)
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import OrderRow, StreamFillRow
from actors.poloniex.rate_budget import Priority
from actors.poloniex.request import Request
from actors.runtime.behaviour import Context
from actors.venue.errors import OutcomeUnknownError, VenueError
from actors.venue.poloniex.cancels import VenueCancels, one_request
from actors.venue.poloniex.core import MS, SECOND, Reading
from actors.venue.poloniex.failures import DUPLICATE_CODES
from actors.venue.poloniex.readings import OrderFinding, Steps, read_order, read_order_fills
from actors.venue.poloniex.reports import ENDED, state_of
from actors.venue.poloniex.requests import place_order
from actors.venue.poloniex.rows import FillRow, read_placed
from actors.venue.poloniex.settings import PoloniexAccountSettings

__all__ = ["VenueOrders", "one_request"]

V = TypeVar("V")

REMEMBERED_MAX = 4_096  # fills, accepted and ended orders; whoever hears one twice sets it aside as well
LACKING_AFTER_NS = 2 * SECOND  # an order shows more than its fills do: the fills' stream lost something
LACKING_MAX = 1_000
LACKING_ATTEMPTS_MAX = 10


class Lacking(NamedTuple):
    """An order of which more was filled than fills have been told."""

    symbol: str
    contracts: int  # that the venue counts as filled
    due_ns: int  # when to ask for its fills
    attempts: int = 0


class VenueOrders(VenueCancels):
    """Orders out, reports in."""

    def __init__(self, settings: PoloniexAccountSettings, place: Place) -> None:
        super().__init__(settings, place)
        self.is_up = False
        self.down_reason = "starting"
        self.fills_heard = 0
        self._sending: dict[str, Reading] = {}  # placements under way, by client_order_id
        self._accepted: dict[str, str] = {}  # client_order_id -> venue_order_id; bounded
        self._fills: set[str] = set()
        self._fills_order: deque[str] = deque()
        self._filled: dict[str, int] = {}  # client_order_id -> contracts told; bounded
        self._lacking: dict[str, Lacking] = {}  # by client_order_id
        self._ended: dict[str, tuple[OrderState, int]] = {}  # venue_order_id -> end told, contracts; bounded

    # -- placing -------------------------------------------------------------------------------------

    def on_place_order(self, message: PlaceOrder, context: Context) -> None:
        """Bring an order to the venue."""
        if message.account != self.account:
            return
        client_order_id = message.client_order_id
        if client_order_id in self.state.placing:
            self.repeats_count += 1
            return
        code, text = self.refusal(message)
        if code:
            self._reject(client_order_id, code, text, context)
            return
        self.state.placing[client_order_id] = message.symbol
        self._sending[client_order_id] = self.begin(
            one_request(self.place_request(message)),
            partial(self._placed, message),
            partial(self._not_placed, message),
            context,
            priority=Priority.URGENT if message.reduce_only else Priority.NORMAL,
            timeout_ns=self.settings.order_ttl,
        )
        context.save()

    def refusal(self, message: PlaceOrder) -> tuple[str, str]:
        """Return why an order must not even be sent; "" when it may be."""
        if not self.reporter.knows(message.symbol):
            return "unknown_symbol", f"{message.symbol} is not in the catalog"
        if not self.is_up and not message.reduce_only:
            return "not_connected", f"only orders that reduce risk leave now: {self.down_reason}"
        return "", ""

    def _placed(self, message: PlaceOrder, answer: Answer, reading: Reading, context: Context) -> None:
        """The venue took it: asynchronously, so what became of it comes by the stream."""
        venue_order_id, name = self.names_of(answer)
        if name not in ("", message.client_order_id):
            error = OutcomeUnknownError("foreign_answer", f"the venue answered about {name}")
            self._not_placed(message, error, reading, context)
            return
        self._forget_request(self.state.placing, message.client_order_id, context)
        self._accept(message.client_order_id, venue_order_id, self.venue_now_ns(), context)
        self._sending.pop(message.client_order_id, None)

    def _not_placed(self, message: PlaceOrder, error: VenueError, reading: Reading, context: Context) -> None:
        client_order_id = message.client_order_id
        self._sending.pop(client_order_id, None)
        if error.code in DUPLICATE_CODES:
            # An earlier send arrived, whatever its answer was. The venue's lists say what became of it.
            self._verify(message.symbol, client_order_id, context)
            return
        self._forget_request(self.state.placing, client_order_id, context)
        if isinstance(error, OutcomeUnknownError):
            self._lose(client_order_id, RequestKind.PLACE, str(error), context)
        else:
            self._reject(client_order_id, error.code, error.text, context)

    def _verify(self, symbol: str, client_order_id: str, context: Context) -> None:
        self.begin(
            self.order_steps(symbol, client_order_id),
            partial(self._verified, client_order_id),
            partial(self._not_verified, client_order_id),
            context,
        )

    def _verified(
        self, client_order_id: str, finding: OrderFinding, reading: Reading, context: Context
    ) -> None:
        if finding.row is None:
            error = OutcomeUnknownError("duplicate", "the venue has it and does not show it")
            self._not_verified(client_order_id, error, reading, context)
            return
        self._forget_request(self.state.placing, client_order_id, context)
        self.tell_order(finding, client_order_id, reading.began_ns, context)

    def _not_verified(
        self, client_order_id: str, error: VenueError, reading: Reading, context: Context
    ) -> None:
        self._forget_request(self.state.placing, client_order_id, context)
        self._lose(client_order_id, RequestKind.PLACE, f"duplicate: {error}", context)

    # -- what the stream and the lists tell ------------------------------------------------------------

    def order_row(self, row: OrderRow, context: Context) -> None:
        """Tell what one row says about an order that was placed, filled or canceled."""
        try:
            state = state_of(row)
        except Malformed as error:
            self.surprise(str(error), context)
            return
        if self._is_repeated_end(row, state):
            self.repeats_count += 1
            return
        client_order_id = row.clOrdId
        if state is OrderState.REJECTED:
            self._reject(client_order_id, row.state, row.cancelReason, context)
            return
        if client_order_id not in self._accepted:
            self._accept(client_order_id, row.ordId, (row.uTime or row.cTime) * MS, context, row.cTime * MS)
        if row.execQty > self._filled.get(client_order_id, 0):
            self._expect_fills(row, context)
        if state is OrderState.CANCELED:
            self._forget_request(self.state.canceling, client_order_id, context)
            context.publish(self.reporter.canceled(row))

    def _is_repeated_end(self, row: OrderRow, state: OrderState) -> bool:
        """Tell whether this end has been told: two streams say it during a rotation, lists say it again."""
        if state not in (OrderState.CANCELED, OrderState.REJECTED):
            return False
        end = (state, row.execQty)
        if self._ended.get(row.ordId) == end:
            return True
        _remember(self._ended, row.ordId, end)
        return False

    def fill_row(self, row: FillRow | StreamFillRow, context: Context) -> None:
        """Tell one fill, unless it has been told."""
        try:
            self.tell_fill(self.reporter.fill(row), context)
        except Malformed as error:
            self.surprise(f"fill {row.trdId}: {error}", context)

    def tell_fill(self, fill: OrderFilled, context: Context) -> None:
        """Publish a fill the first time it is heard."""
        name = fill.symbol + "/" + fill.trade_id
        if name in self._fills:
            self.repeats_count += 1
            return
        self._fills.add(name)
        self._fills_order.append(name)
        if len(self._fills_order) > REMEMBERED_MAX:
            self._fills.discard(self._fills_order.popleft())
        self.fills_heard += 1
        client_order_id = fill.client_order_id
        filled = self._filled.get(client_order_id, 0) + fill.contracts
        _remember(self._filled, client_order_id, filled)
        lacking = self._lacking.get(client_order_id)
        if lacking is not None and filled >= lacking.contracts:
            del self._lacking[client_order_id]
        context.publish(fill)
        at_ms = min(fill.at_ns, self.venue_now_ns()) // MS
        if at_ms > self.state.synced_ms:
            self.state.synced_ms = at_ms
            context.save()

    def tell_order(
        self, finding: OrderFinding, client_order_id: str, read_from_ns: int, context: Context
    ) -> None:
        """Publish the venue's account of one order, dated by when it began to be read; fills included."""
        if finding.row is None:
            return
        try:
            found = self.reporter.order(finding.row, finding.fills, client_order_id, read_from_ns)
        except Malformed as error:
            self.surprise(f"order {client_order_id}: {error}", context)
            self._lose(client_order_id, RequestKind.QUERY, str(error), context)
            return
        self._note_told(found)
        context.publish(found)

    def look_for_lacking_fills(self, context: Context) -> None:
        """Read the fills of orders that show more than was told of them."""
        now_ns = context.now_ns
        due = [(name, lacking) for name, lacking in self._lacking.items() if lacking.due_ns <= now_ns]
        for client_order_id, lacking in due:
            if lacking.attempts >= LACKING_ATTEMPTS_MAX:
                del self._lacking[client_order_id]
                self.surprise(f"the fills of {client_order_id} do not add up to what it shows", context)
                continue
            again_ns = now_ns + self.settings.reading_timeout
            self._lacking[client_order_id] = lacking._replace(due_ns=again_ns, attempts=lacking.attempts + 1)
            steps = self.fills_steps(lacking.symbol, client_order_id)
            self.begin(steps, partial(self._lacking_found, client_order_id), self._ignored, context)

    # -- the venue's requests: another market has others --------------------------------------------

    def place_request(self, message: PlaceOrder) -> Request:
        """Return the request that places an order."""
        return place_order(self.reporter.order_body(message))

    def names_of(self, answer: Answer) -> tuple[str, str]:
        """Return the venue's and our name of an order that was placed; empty where it does not say."""
        try:
            rows = read_placed(answer)
        except Malformed:
            rows = []
        return (rows[0].ordId, rows[0].clOrdId) if rows else ("", "")

    def order_steps(self, symbol: str, client_order_id: str) -> Steps[OrderFinding]:
        """Return the reading of one order."""
        return read_order(symbol, client_order_id)

    def fills_steps(self, symbol: str, client_order_id: str) -> Steps[list[FillRow]]:
        """Return the reading of one order's fills."""
        return read_order_fills(symbol, client_order_id)

    # -- steps ---------------------------------------------------------------------------------------

    def _lacking_found(
        self, client_order_id: str, rows: list[FillRow], reading: Reading, context: Context
    ) -> None:
        for row in reversed(rows):
            self.fill_row(row, context)
        lacking = self._lacking.get(client_order_id)
        if lacking is not None and sum(row.qty for row in rows) >= lacking.contracts:
            del self._lacking[client_order_id]

    def _ignored(self, error: VenueError, reading: Reading, context: Context) -> None:
        """It will be asked again."""

    def _expect_fills(self, row: OrderRow, context: Context) -> None:
        if len(self._lacking) < LACKING_MAX:
            due_ns = context.now_ns + LACKING_AFTER_NS
            self._lacking[row.clOrdId] = Lacking(row.symbol, row.execQty, due_ns)

    def _note_told(self, found: VenueOrder) -> None:
        """Its fills are told by the account: what the stream repeats of them is new to nobody."""
        told = sum(fill.contracts for fill in found.fills)
        if told > self._filled.get(found.client_order_id, 0):
            _remember(self._filled, found.client_order_id, told)
        if found.state in ENDED and told >= found.filled_contracts:
            self._lacking.pop(found.client_order_id, None)

    def _accept(
        self, client_order_id: str, venue_order_id: str, at_ns: int, context: Context, created_at_ns: int = 0
    ) -> None:
        if self._accepted.get(client_order_id):
            return
        _remember(self._accepted, client_order_id, venue_order_id)
        sending = self._sending.pop(client_order_id, None)
        sent_at_ns = sending.call.left_ns if sending is not None and sending.call is not None else 0
        names = client_order_id, venue_order_id
        context.publish(OrderAccepted(self.account, *names, at_ns, sent_at_ns, created_at_ns))

    def _reject(self, client_order_id: str, code: str, text: str, context: Context) -> None:
        context.publish(OrderRejected(self.account, client_order_id, code, text, context.now_ns))


def _remember(known: dict[str, V], name: str, value: V) -> None:
    """Keep a value; the oldest names are forgotten."""
    known[name] = value
    if len(known) > REMEMBERED_MAX:
        del known[next(iter(known))]
