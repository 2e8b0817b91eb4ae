"""The served exchange behind a simulated line: its pure core, its pulse, and a note of what it decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from actors.domain.instrument import Instrument
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.events import OrderBooked
from actors.exchange.server.core import ExchangeCore
from actors.exchange.server.messages import StreamSend, WebRequest
from actors.exchange.server.participants import TAKER
from actors.exchange.server.price_path import PricePath
from actors.exchange.server.served_engine import HOUSE
from actors.exchange.server.settings import ServerSettings
from actors.messages.venue import PlaceOrder
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import HttpRequest
from actors.runtime.wire import FarEnd, FarFrame, FarReply, Wire

__all__ = ["ExchangeSide", "Sink"]

PULSE_NS = 100_000_000
BOOKS_NS = 10_000_000
MS_NS = 1_000_000
SIGNING = ("key", "signtimestamp", "signature", "recvwindow")
PEER = "127.0.0.1"


class ExchangeSide:
    """A far side that outlives the node, as the real one does. `on_event` is told of our accounts' events.

    `quiet`: symbols that are listed for whoever asks, and that nobody trades.
    """

    def __init__(
        self,
        settings: ServerSettings,
        instruments: Mapping[str, Instrument],
        *,
        has_spot: bool = True,
        quiet: frozenset[str] = frozenset(),
        paths: Mapping[str, PricePath] | None = None,
    ) -> None:
        self.core = ExchangeCore(settings, instruments, paths=paths)
        if not has_spot:
            self.core.spot.views.clear()  # markets that nobody looks at need no time
        for view in (*self.core.views.values(), *self.core.spot.views.values()):
            view.is_quiet = view.symbol in quiet
        self.core.record = self._record
        self.on_event: list[Callable[[Message], None]] = []
        self.on_house: list[Callable[[OrderBooked], None]] = []  # told of others' orders that traded
        self._wire: Wire
        self._requests = 0
        self._are_books_due = False

    def start(self, wire: Wire) -> None:
        """Let the market begin."""
        self._wire = wire
        self.core.start(wire.world.now_ns)
        wire.world.after(PULSE_NS, self._pulse)

    def _record(self, event: Any) -> None:
        self.core.apply(event)
        request = getattr(event, "request", None)
        if request is None or not request.account.startswith(HOUSE):
            for tell in self.on_event:
                tell(event)
        elif isinstance(event, OrderBooked) and event.executions:
            for tell_house in self.on_house:
                tell_house(event)

    def _pulse(self) -> None:
        self.core.pulse(self._wire.world.now_ns)
        self._wire.flush(self)
        self._want_books()
        self._wire.world.after(PULSE_NS, self._pulse)

    def _want_books(self) -> None:
        if not self._are_books_due and self.core.books_wanted():
            self._are_books_due = True
            self._wire.world.after(BOOKS_NS, self._tell_books)

    def _tell_books(self) -> None:
        self._are_books_due = False
        self.core.tell_books(self._wire.world.now_ns)
        self._wire.flush(self)

    def sweep(self, now_ns: int) -> None:
        """Have a participant sell through all that rests down to 3% below the index."""
        engine = self.core.engine
        for view in self.core.views.values():
            resting = sum(node.order.request.contracts for node in view.market.book.bids.walk())
            limit = view.index_ticks * 97 // 100
            contracts = min(resting, view.instrument.contracts_max_limit)
            if contracts and limit:
                name = f"s{engine.state.orders_count + 1}"
                request = PlaceOrder(
                    TAKER,
                    name,
                    view.symbol,
                    Side.SELL,
                    contracts,
                    OrderType.LIMIT,
                    limit,
                    TimeInForce.IOC,
                    False,
                )
                self.core.absorb(engine.place(request, now_ns), now_ns)
        self._wire.flush(self)

    def flush(self) -> None:
        """Send what was told out of turn."""
        self._wire.flush(self)

    # -- the line's side: see FarSide ----------------------------------------------------------------

    def request(self, request: HttpRequest, now_ns: int) -> FarReply:
        """See FarSide."""
        self._requests += 1
        url = urlsplit(request.url)
        given = {name.lower(): value for name, value in request.headers}
        headers = tuple((name, given[name]) for name in SIGNING if name in given)
        asked = WebRequest(self._requests, request.method, url.path, url.query, headers, request.body, PEER)
        reply = self.core.handle(asked, now_ns)
        self._want_books()
        return FarReply(reply.status, reply.headers, reply.body, reply.delay_ms * MS_NS, reply.cut_at)

    def opened(self, number: int, path: str, now_ns: int) -> None:
        """See FarSide."""
        self.core.open_socket(number, path, now_ns)

    def frame(self, number: int, text: str, now_ns: int) -> None:
        """See FarSide."""
        self.core.frame(number, text, now_ns)
        self._want_books()

    def closed(self, number: int) -> None:
        """See FarSide."""
        self.core.close_socket(number)

    def take_out(self) -> list[FarFrame | FarEnd]:
        """See FarSide."""
        return [
            FarFrame(item.socket_ids, item.text, item.delay_ms * MS_NS)
            if type(item) is StreamSend
            else FarEnd(item.socket_id)
            for item in self.core.take_out()
        ]


class Sink:
    """Any other host: it takes what is sent, such as an alert, and says so."""

    def __init__(self) -> None:
        self.taken = 0

    def request(self, request: HttpRequest, now_ns: int) -> FarReply:
        """See FarSide."""
        self.taken += 1
        return FarReply(200, (), b"")

    def opened(self, number: int, path: str, now_ns: int) -> None:
        """See FarSide."""

    def frame(self, number: int, text: str, now_ns: int) -> None:
        """See FarSide."""

    def closed(self, number: int) -> None:
        """See FarSide."""

    def take_out(self) -> list[FarFrame | FarEnd]:
        """See FarSide."""
        return []
