"""The served exchange as an actor: bytes to the core, events to the journal, answers to the sockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from actors.domain.place import Place
from actors.exchange.answers import describe_exchange
from actors.exchange.events import (
    CashMoved,
    FeesSet,
    FundingCharged,
    LeverageSet,
    MarginMoved,
    OrderBooked,
    OrderUnbooked,
    PositionLiquidated,
    RestingOrderExecuted,
    WalletOpened,
)
from actors.exchange.server.core import ExchangeCore
from actors.exchange.server.events import PositionModeSet, SpotHappened
from actors.exchange.server.messages import (
    HTTP_PORT,
    SOCKET_PORT,
    BooksDue,
    Pulse,
    StreamClosed,
    StreamFrame,
    StreamOpened,
    StreamsGone,
    WebRequest,
)
from actors.exchange.server.price_path import PricePath
from actors.exchange.server.settings import ServerSettings
from actors.exchange.server.state import ServerState
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message

__all__ = ["ServedExchange"]

PULSE_NS = 100_000_000
BOOKS_NS = 10_000_000  # changes of a book within this time go out as one


class ServedExchange(Behaviour):
    """Answers clients of the venue's API, and lets the market live between their requests."""

    ACCEPTS: ClassVar = (WebRequest, StreamOpened, StreamFrame, StreamClosed, Pulse, BooksDue)
    EVENTS: ClassVar = (
        WalletOpened,
        OrderBooked,
        RestingOrderExecuted,
        OrderUnbooked,
        FundingCharged,
        PositionLiquidated,
        LeverageSet,
        MarginMoved,
        CashMoved,
        FeesSet,
        PositionModeSet,
        SpotHappened,
    )
    STATE: ClassVar = ServerState
    PERSISTENCE: ClassVar = Persistence.EVENT_SOURCED
    PHASE: ClassVar = Phase.SOURCE

    def __init__(
        self, settings: ServerSettings, place: Place, paths: Mapping[str, PricePath] | None = None
    ) -> None:
        self.settings = settings
        self._instruments = place.instruments
        self._paths = paths
        self._are_books_due = False
        self.core = ExchangeCore(settings, place.instruments, None, paths)

    @property
    def state(self) -> ServerState:
        """The core's state; setting it, as a recovery does, builds the core anew."""
        return self.core.engine.served

    @state.setter
    def state(self, state: ServerState) -> None:
        self.core = ExchangeCore(self.settings, self._instruments, state, self._paths)

    def started(self, context: Context) -> None:
        context.effect(SOCKET_PORT, StreamsGone())
        self.core.record = context.record
        self.core.start(context.now_ns)
        context.schedule(PULSE_NS, Pulse(), key="pulse")

    def receive(self, message: Message, context: Context) -> None:
        self.core.record = context.record
        self.HANDLERS[type(message)](self, message, context)
        for frame in self.core.take_out():
            context.effect(SOCKET_PORT, frame)
        if not self._are_books_due and self.core.books_wanted():
            self._are_books_due = True
            context.schedule(BOOKS_NS, BooksDue(), key="books")

    # -- what comes in ------------------------------------------------------------------------------

    def on_web_request(self, message: WebRequest, context: Context) -> None:
        context.effect(HTTP_PORT, self.core.handle(message, context.now_ns))

    def on_stream_opened(self, message: StreamOpened, context: Context) -> None:
        self.core.open_socket(message.socket_id, message.path, context.now_ns)

    def on_stream_frame(self, message: StreamFrame, context: Context) -> None:
        self.core.frame(message.socket_id, message.text, context.now_ns)

    def on_stream_closed(self, message: StreamClosed, context: Context) -> None:
        self.core.close_socket(message.socket_id)

    def on_pulse(self, message: Pulse, context: Context) -> None:
        self.core.pulse(context.now_ns)
        context.schedule(PULSE_NS, Pulse(), key="pulse")

    def on_books_due(self, message: BooksDue, context: Context) -> None:
        self._are_books_due = False
        self.core.tell_books(context.now_ns)

    # -- events -------------------------------------------------------------------------------------

    def apply(self, event: Message) -> None:
        self.core.apply(event)

    def _apply(self, event: Any) -> None:
        self.core.apply(event)

    apply_wallet_opened = apply_order_booked = apply_resting_order_executed = apply_order_unbooked = _apply
    apply_funding_charged = apply_position_liquidated = apply_leverage_set = apply_margin_moved = _apply
    apply_cash_moved = apply_fees_set = apply_position_mode_set = apply_spot_happened = _apply

    # -- for operators ------------------------------------------------------------------------------

    def describe(self) -> Any:
        return describe_exchange(self.core.engine)

    def gauges(self) -> dict[str, int | float]:
        state = self.core.engine.state
        return {
            "open_orders": len(state.open_orders),
            "orders_count": state.orders_count,
            "trades_count": state.trades_count,
            "sessions": len(self.core.hub.sessions),
        }
