"""Our side of an exchange that is an actor of the same node: relays requests to it and its answers back.

Without latency and faults everything passes in the same turn. With them it behaves as a network would:
messages travel, get lost, come twice, always from the cell's seeded stream. A request without an answer ends
in OutcomeUnknown, whether or not the far side acted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from actors.domain.money import E8 as ONE
from actors.domain.place import Place
from actors.messages.scopes import CancelAll
from actors.messages.terms import SetLeverage
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    RequestKind,
    VenueAccount,
    VenueConnection,
    VenueOrder,
)
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message
from actors.runtime.settings import E8, Duration, Reload, Settings, setting
from actors.venue.delays import read_delays

__all__ = ["AnswerTravels", "CheckAnswers", "RequestTravels", "SimulatedVenue", "SimulatedVenueSettings"]

SECOND_NS = 1_000_000_000
CHECKS_PER_TIMEOUT = 4  # a lost answer is noticed at most a quarter of the timeout late

Request = PlaceOrder | CancelOrder | CancelAll | QueryOrder | QueryAccount | SetLeverage
Answer = (
    OrderAccepted
    | OrderRejected
    | OrderFilled
    | OrderCanceled
    | CancelRejected
    | FundingPaid
    | VenueOrder
    | VenueAccount
)


def _fraction(help: str) -> Meta:
    return setting(help, minimum=0, maximum=ONE, reload=Reload.RESTART)


class SimulatedVenueSettings(Settings, frozen=True, kw_only=True):
    """How good the line to the simulated exchange is."""

    latency: Annotated[
        Duration, setting("How long each message travels, each way; 0 is at once.", minimum=0)
    ] = 0
    latency_jitter: Annotated[
        Duration, setting("At most this much is added to the latency of each message.", minimum=0)
    ] = 0
    latency_path: Annotated[
        str,
        setting(
            "Recorded delays, one per line in milliseconds: each message draws one, and it is added to "
            "`latency`. Relative to the deployment file; empty for none.",
            reload=Reload.FIXED,
            examples=("data/latency.csv",),
        ),
    ] = ""
    answer_timeout: Annotated[
        Duration,
        setting("A request without an answer for so long has an unknown outcome.", minimum=1_000_000),
    ] = 5 * SECOND_NS
    lose_request_fraction: Annotated[E8, _fraction("Of requests, lost before the exchange saw them.")] = 0
    lose_answer_fraction: Annotated[E8, _fraction("Of answers, lost after the exchange acted.")] = 0
    lose_event_fraction: Annotated[
        E8, _fraction("Of fills, funding and cancels that nobody asked for, lost on the way to us.")
    ] = 0
    duplicate_fraction: Annotated[E8, _fraction("Of answers and events, delivered twice.")] = 0


def _accepted(message: OrderAccepted, sent_at_ns: int) -> OrderAccepted:
    return OrderAccepted(
        message.account, message.client_order_id, message.venue_order_id, message.at_ns, sent_at_ns
    )


class RequestTravels(Message, frozen=True):
    """A request on its way to the exchange."""

    request: Request


class AnswerTravels(Message, frozen=True):
    """An answer or event on its way to us."""

    answer: Answer


class CheckAnswers(Message, frozen=True):
    """Time to look for requests that nobody answered."""


class SimulatedVenue(Behaviour):
    """Relays between the OMS and the reconciler on one side and the exchange actor on the other."""

    ACCEPTS: ClassVar = (
        PlaceOrder,
        CancelOrder,
        CancelAll,
        QueryOrder,
        QueryAccount,
        SetLeverage,
        OrderAccepted,
        OrderRejected,
        OrderFilled,
        OrderCanceled,
        CancelRejected,
        FundingPaid,
        VenueOrder,
        VenueAccount,
        RequestTravels,
        AnswerTravels,
        CheckAnswers,
    )
    EMITS: ClassVar = (
        PlaceOrder,
        CancelOrder,
        CancelAll,
        QueryOrder,
        QueryAccount,
        SetLeverage,
        OrderAccepted,
        OrderRejected,
        OrderFilled,
        OrderCanceled,
        CancelRejected,
        FundingPaid,
        VenueOrder,
        VenueAccount,
        OutcomeUnknown,
        VenueConnection,
    )
    PERSISTENCE: ClassVar = Persistence.EPHEMERAL
    PHASE: ClassVar = Phase.SOURCE

    def __init__(self, settings: SimulatedVenueSettings, place: Place) -> None:
        self.settings = settings
        self.account = place.account
        path = settings.latency_path
        self._delays_ns = read_delays(Path(place.directory) / path, path) if path else ()
        self.is_direct = not any(
            (
                settings.latency,
                settings.latency_jitter,
                settings.latency_path,
                settings.lose_request_fraction,
                settings.lose_answer_fraction,
                settings.lose_event_fraction,
                settings.duplicate_fraction,
            )
        )
        # Requests without an answer so far: id -> when they were sent.
        self.placing: dict[str, int] = {}
        self.canceling: dict[str, int] = {}
        self.asking: dict[str, int] = {}
        self.is_up = True
        self.heard_count = 0
        self.heard_count_checked = 0
        self.lost_count = 0
        self.unknown_count = 0
        self._check_waits = False
        self._request_due_ns = 0
        self._answer_due_ns = 0

    def started(self, context: Context) -> None:
        context.publish(VenueConnection(self.account, True, "started", context.now_ns))

    # -- from our side ------------------------------------------------------------------------------

    def on_place_order(self, message: PlaceOrder, context: Context) -> None:
        self._expect(self.placing, message.client_order_id, context)
        if self.is_direct:
            context.publish(message)
        else:
            self._send_off(message, context)

    def on_cancel_order(self, message: CancelOrder, context: Context) -> None:
        self._expect(self.canceling, message.client_order_id, context)
        if self.is_direct:
            context.publish(message)
        else:
            self._send_off(message, context)

    def on_cancel_all(self, message: CancelAll, context: Context) -> None:
        for client_order_id in message.client_order_ids:
            self._expect(self.canceling, client_order_id, context)
        if self.is_direct:
            context.publish(message)
        else:
            self._send_off(message, context)

    def on_query_order(self, message: QueryOrder, context: Context) -> None:
        self._expect(self.asking, message.client_order_id, context)
        self._send_off(message, context)

    def on_query_account(self, message: QueryAccount, context: Context) -> None:
        self._expect(self.asking, message.request_id, context)
        self._send_off(message, context)

    def on_set_leverage(self, message: SetLeverage, context: Context) -> None:
        self._send_off(message, context)

    # -- from the far side --------------------------------------------------------------------------

    def on_order_accepted(self, message: OrderAccepted, context: Context) -> None:
        name = message.client_order_id
        if self.is_direct:
            sent_at_ns = self.placing.pop(name, 0)
            self._tell(_accepted(message, sent_at_ns), context)
        else:
            sent = _accepted(message, self.placing.get(name, 0))
            self._take_in(sent, self.settings.lose_answer_fraction, context)

    def on_order_filled(self, message: OrderFilled, context: Context) -> None:
        if self.is_direct:
            self._tell(message, context)
        else:
            self._take_in(message, self.settings.lose_event_fraction, context)

    def on_order_canceled(self, message: OrderCanceled, context: Context) -> None:
        asked_for = message.client_order_id in self.canceling
        settings = self.settings
        lost = settings.lose_answer_fraction if asked_for else settings.lose_event_fraction
        self._take_in(message, lost, context)

    def on_funding_paid(self, message: FundingPaid, context: Context) -> None:
        self._take_in(message, self.settings.lose_event_fraction, context)

    def on_order_rejected(self, message: OrderRejected, context: Context) -> None:
        self._take_in(message, self.settings.lose_answer_fraction, context)

    def on_cancel_rejected(self, message: CancelRejected, context: Context) -> None:
        self._take_in(message, self.settings.lose_answer_fraction, context)

    def on_venue_order(self, message: VenueOrder, context: Context) -> None:
        self._take_in(message, self.settings.lose_answer_fraction, context)

    def on_venue_account(self, message: VenueAccount, context: Context) -> None:
        self._take_in(message, self.settings.lose_answer_fraction, context)

    # -- on the way ---------------------------------------------------------------------------------

    def on_request_travels(self, message: RequestTravels, context: Context) -> None:
        context.publish(message.request)

    def on_answer_travels(self, message: AnswerTravels, context: Context) -> None:
        self._deliver(message.answer, context)

    def on_check_answers(self, message: CheckAnswers, context: Context) -> None:
        """Give up on requests nobody answered; when nothing at all was heard, the far side is mute."""
        before_ns = context.now_ns - self.settings.answer_timeout
        given_up = self._give_up(self.placing, RequestKind.PLACE, before_ns, context)
        given_up += self._give_up(self.canceling, RequestKind.CANCEL, before_ns, context)
        given_up += self._give_up(self.asking, RequestKind.QUERY, before_ns, context)
        if given_up and self.is_up and self.heard_count == self.heard_count_checked:
            self.is_up = False
            context.publish(
                VenueConnection(self.account, False, "the exchange does not answer", context.now_ns)
            )
        self._check_waits = False
        if self.placing or self.canceling or self.asking:
            self._check_later(context)

    def describe(self) -> dict[str, object]:
        return {
            "is_up": self.is_up,
            "unanswered": {
                "place": len(self.placing),
                "cancel": len(self.canceling),
                "query": len(self.asking),
            },
            "lost_count": self.lost_count,
            "unknown_count": self.unknown_count,
        }

    def gauges(self) -> dict[str, int | float]:
        return {
            "is_up": int(self.is_up),
            "unanswered_count": len(self.placing) + len(self.canceling) + len(self.asking),
            "unknown_count": self.unknown_count,
        }

    # -- steps --------------------------------------------------------------------------------------

    def _deliver(self, message: Answer, context: Context) -> None:
        """Tell our side, and count the request as answered."""
        if isinstance(message, OrderAccepted | OrderRejected):
            self.placing.pop(message.client_order_id, None)
        elif isinstance(message, OrderCanceled | CancelRejected):
            self.canceling.pop(message.client_order_id, None)
        elif isinstance(message, VenueOrder):
            self.asking.pop(message.client_order_id, None)
        elif isinstance(message, VenueAccount):
            self.asking.pop(message.request_id, None)
        self._tell(message, context)

    def _tell(self, message: Answer, context: Context) -> None:
        self.heard_count += 1
        if not self.is_up:
            self.is_up = True
            reason = "the exchange answers again"
            context.publish(VenueConnection(self.account, True, reason, context.now_ns))
        context.publish(message)

    def _send_off(self, request: Request, context: Context) -> None:
        if self._happens(self.settings.lose_request_fraction, context):
            self.lost_count += 1
            return
        due_ns = self._request_due_ns = max(self._request_due_ns, context.now_ns + self._delay_ns(context))
        if due_ns <= context.now_ns:
            context.publish(request)
        else:
            context.schedule(due_ns - context.now_ns, RequestTravels(request))

    def _take_in(self, answer: Answer, lose_fraction: int, context: Context) -> None:
        if self._happens(lose_fraction, context):
            self.lost_count += 1
            return
        copies = 2 if self._happens(self.settings.duplicate_fraction, context) else 1
        for _ in range(copies):
            due_ns = self._answer_due_ns = max(self._answer_due_ns, context.now_ns + self._delay_ns(context))
            if due_ns <= context.now_ns:
                self._deliver(answer, context)
            else:
                context.schedule(due_ns - context.now_ns, AnswerTravels(answer))

    def _delay_ns(self, context: Context) -> int:
        """Return how long a message travels. The line keeps the order of what it carries."""
        jitter, recorded = self.settings.latency_jitter, self._delays_ns
        delay_ns = self.settings.latency + (context.random.randint(0, jitter) if jitter else 0)
        return delay_ns + (context.random.choice(recorded) if recorded else 0)

    def _happens(self, fraction: int, context: Context) -> bool:
        return fraction > 0 and context.random.randrange(ONE) < fraction

    def _give_up(self, waiting: dict[str, int], kind: RequestKind, before_ns: int, context: Context) -> int:
        late = [name for name, sent_at_ns in waiting.items() if sent_at_ns <= before_ns]
        for name in late:
            del waiting[name]
            reason = "no answer in time"
            context.publish(OutcomeUnknown(self.account, name, kind, reason, context.now_ns))
        self.unknown_count += len(late)
        return len(late)

    def _expect(self, waiting: dict[str, int], name: str, context: Context) -> None:
        """A request goes out: its answer is looked for until it is there."""
        waiting[name] = context.now_ns
        if not self._check_waits:
            self._check_later(context)

    def _check_later(self, context: Context) -> None:
        self._check_waits = True
        self.heard_count_checked = self.heard_count
        delay_ns = self.settings.answer_timeout // CHECKS_PER_TIMEOUT
        context.schedule(delay_ns, CheckAnswers(), key="answers")
