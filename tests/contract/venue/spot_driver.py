"""One spot account at one venue, twice: two actors that pass messages, an adapter and an exchange with bytes.

The market is moved by hand, the same way in both, through the one engine that both far sides run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from actors.domain.instrument import Instrument
from actors.domain.money import E8
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.exchange.server.messages import WebRequest
from actors.exchange.server.spot_engine import spot_instruments
from actors.exchange.settings import SpotExchangeSettings
from actors.exchange.spot import SpotExchangeActor
from actors.feed.poloniex.settings import PoloniexSpotFeedSettings
from actors.feed.poloniex.spot import PoloniexSpotFeed
from actors.messages.market import BookDepth, MarkPrice, Quote, Trade
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import (
    HttpFailure,
    HttpRequest,
    HttpResponse,
    SocketClose,
    SocketClosed,
    SocketFrame,
    SocketOpen,
    SocketOpened,
    SocketSend,
)
from actors.runtime.testing import Bench
from actors.venue.poloniex.settings import PoloniexSpotVenueSettings
from actors.venue.poloniex.spot import PoloniexSpotVenue
from actors.venue.simulated import SimulatedVenue, SimulatedVenueSettings
from tests.unit.exchange.server.served_world import CATALOG, ServedWorld

MS, SECOND = 1_000_000, 1_000_000_000
COIN = spot_instruments(CATALOG)["BTC_USDT"]
INSTRUMENTS = {COIN.symbol: COIN}
DEPOSIT = 10_000 * E8
Levels = list[tuple[int, int]]


class SpotDriver(Protocol):
    """A desk at a spot venue; 8,000,000 ticks are 80,000 USDT, a contract is 0.000001 BTC."""

    account: str
    instrument: Instrument

    def request(self, message: Message) -> None:
        """Send a request of `messages.venue`."""

    def market(self, mark: int, bids: Levels, asks: Levels) -> None:
        """Let the outside market stand like this."""

    def trade(self, price: int, contracts: int, taker: Side) -> None:
        """Let the outside market trade."""

    def restart_far_side(self) -> None:
        """Let the exchange die and come back; its market is fed again."""

    def heard(self) -> list[Message]:
        """Let everything on its way arrive; return what our side has told since."""


class SimulatedSpot:
    """`venue.simulated` before `exchange.spot`."""

    account, instrument = "main", COIN

    def __init__(self) -> None:
        place = Place("test", "exchange/main", "paper", instruments=INSTRUMENTS)
        settings = SpotExchangeSettings(accounts={self.account: DEPOSIT})
        self._exchange = Bench(lambda: SpotExchangeActor(settings, place), name="exchange/main")
        at_venue = Place("test", "venue/main", "paper", variables={"account": self.account})
        self._venue = Bench(lambda: SimulatedVenue(SimulatedVenueSettings(), at_venue), name="venue/main")
        self._market: list[Message] = []
        self.heard()

    def request(self, message: Message) -> None:
        self._venue.tell(message, sender="oms/main")
        self._pass_on()

    def market(self, mark: int, bids: Levels, asks: Levels) -> None:
        now_ns, symbol = self._exchange.now_ns, COIN.symbol
        self._market = [
            MarkPrice(symbol, now_ns, mark, mark),
            BookDepth(symbol, now_ns, tuple(bids), tuple(asks)),
        ]
        self._feed(*self._market)

    def trade(self, price: int, contracts: int, taker: Side) -> None:
        self._feed(Trade(COIN.symbol, self._exchange.now_ns, price, contracts, taker, "t"))

    def restart_far_side(self) -> None:
        self._exchange.restart()
        self._feed(*self._market)

    def heard(self) -> list[Message]:
        for bench in (self._exchange, self._venue):
            bench.advance(200 * MS)
        self._pass_on()
        found, self._venue.published = self._venue.published, []
        return found

    def _feed(self, *messages: Message) -> None:
        for message in messages:
            self._exchange.tell(message, sender="feed/BTC_USDT")
        self._pass_on()

    def _pass_on(self) -> None:
        accepts = SpotExchangeActor.ACCEPTS
        requests = [m for m in self._venue.published if type(m) in accepts]
        self._venue.published = [m for m in self._venue.published if type(m) not in accepts]
        for request in requests:
            self._exchange.tell(request, sender="venue/main")
            for reply in self._exchange.replies:
                self._venue.tell(reply, sender="exchange/main")
            self._exchange.replies.clear()
        sent, self._exchange.sent = self._exchange.sent, []
        for _, message in sent:
            self._venue.tell(message, sender="exchange/main")


class WiredBench(Bench):
    """An actor on a bench; its requests and frames reach an exchange without sockets, which pulses or not."""

    def __init__(
        self, world: ServedWorld, make: Callable[[], Any], name: str, *, pulses: bool = False
    ) -> None:
        self.world = world
        self.sockets: dict[str, int] = {}
        self.lose_answers = 0  # so many answers get lost on their way
        self.requests: list[HttpRequest] = []
        self._later: list[Message] = []
        self._pulses = pulses
        super().__init__(make, name=name, now_ns=world.now_ns)

    def run(self, duration_ns: int) -> None:
        """Let time pass on both sides, and everything arrive."""
        end_ns = self.now_ns + duration_ns
        self._carry()
        while self.now_ns < end_ns or (self._later and not self._pulses):
            self.advance(20 * MS)
            self.world.now_ns = self.now_ns
            if self._pulses:
                self.world.core.pulse(self.now_ns)
                self.world.core.tell_books(self.now_ns)
                self.world._deliver()
            later, self._later = self._later, []
            for message in later:
                self.tell(message)
            self._carry()

    def frame(self, content: Any) -> None:
        """Have a frame come in that the exchange never sent."""
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        for name in self.sockets:
            self.tell(SocketFrame(name, raw, self.now_ns))
        self._carry()

    def _carry(self) -> None:
        effects, self.effects = self.effects, []
        for _, message in effects:
            if isinstance(message, HttpRequest):
                self.requests.append(message)
                self._later.append(self._answer(message))
            elif isinstance(message, SocketOpen):
                self.sockets[message.socket_id] = self.world.connect(urlsplit(message.url).path)
                self._later.append(SocketOpened(message.socket_id))
            elif isinstance(message, SocketClose) and self.sockets.pop(message.socket_id, None):
                self._later.append(SocketClosed(message.socket_id, 1000, "closed"))
            elif isinstance(message, SocketSend) and message.socket_id in self.sockets:
                found = self.world.say(self.sockets[message.socket_id], message.text)
                self._frames(message.socket_id, found)
        for name, socket in self.sockets.items():
            self._frames(name, self.world.heard(socket))

    def _frames(self, name: str, frames: list[Any]) -> None:
        self._later += [SocketFrame(name, json.dumps(frame).encode(), self.now_ns) for frame in frames]

    def _answer(self, request: HttpRequest) -> Message:
        url = urlsplit(request.url)
        headers = tuple((name.lower(), text) for name, text in request.headers)
        wire = WebRequest(1, request.method, url.path, url.query, headers, request.body, "127.0.0.1")
        reply = self.world.core.handle(wire, self.world.now_ns)
        self.world._deliver()
        if self.lose_answers and request.method != "GET":
            self.lose_answers -= 1
            return HttpFailure(request.request_id, True, "no answer in time")
        return HttpResponse(request.request_id, reply.status, (), reply.body, MS)


class SpotVenueBench(WiredBench):
    """`venue.poloniex_spot` before the exchange that speaks Poloniex's API."""

    def __init__(self, world: ServedWorld, **settings: Any) -> None:
        wanted = PoloniexSpotVenueSettings(**({"key": "ann", "secret": "ann-secret"} | settings))
        place = Place("test", "venue/main", "live", variables={"account": "main"}, instruments=INSTRUMENTS)
        super().__init__(world, lambda: PoloniexSpotVenue(wanted, place), "venue/main")
        self.run(5 * SECOND)
        assert self.venue.is_up, self.venue.down_reason

    @property
    def venue(self) -> PoloniexSpotVenue:
        assert isinstance(self.behaviour, PoloniexSpotVenue)
        return self.behaviour


class SpotFeedBench(WiredBench):
    """`feed.poloniex_spot` before the same exchange, whose participants make a market."""

    def __init__(self, **settings: Any) -> None:
        place = Place(
            "test", "feed/BTC_USDT", "live", variables={"symbol": COIN.symbol}, instruments=INSTRUMENTS
        )
        wanted = PoloniexSpotFeedSettings(**settings)
        world = ServedWorld(participants=True)
        world.advance(1)
        super().__init__(world, lambda: PoloniexSpotFeed(wanted, place), "feed/BTC_USDT", pulses=True)

    @property
    def feed(self) -> PoloniexSpotFeed:
        assert isinstance(self.behaviour, PoloniexSpotFeed)
        return self.behaviour


class PoloniexSpot:
    """`venue.poloniex_spot` before the spot side of the exchange that speaks Poloniex's API."""

    account, instrument = "main", COIN

    def __init__(self) -> None:
        from actors.exchange.server.settings import AccountSettings

        account = AccountSettings(key="ann", secret="ann-secret", usdt=0, spot={"USDT": DEPOSIT})
        self.world = ServedWorld(accounts=(account,))
        self.bench = SpotVenueBench(self.world)
        self.bench.published.clear()
        self._market: tuple[int, Levels, Levels] = (0, [], [])

    def request(self, message: Message) -> None:
        self.bench.tell(message, sender="oms/main")

    def market(self, mark: int, bids: Levels, asks: Levels) -> None:
        self._market = (mark, bids, asks)
        now_ns, symbol = self.world.now_ns, COIN.symbol
        spot = self.world.core.spot
        outcomes = spot.engine.mark(MarkPrice(symbol, now_ns, mark, mark), now_ns)
        outcomes = [
            *outcomes,
            *spot.engine.depth(BookDepth(symbol, now_ns, tuple(bids), tuple(asks)), now_ns),
        ]
        spot.absorb(outcomes, now_ns)
        self.world._deliver()
        best = (*bids[0], *asks[0]) if bids and asks else (0, 0, 0, 0)
        self.bench.tell(Quote(symbol, now_ns, *best), sender="feed/BTC_USDT")

    def trade(self, price: int, contracts: int, taker: Side) -> None:
        spot, now_ns = self.world.core.spot, self.world.now_ns
        trade = Trade(COIN.symbol, now_ns, price, contracts, taker, "t")
        spot.absorb(spot.engine.trade(trade, now_ns), now_ns)
        self.world._deliver()

    def restart_far_side(self) -> None:
        self.world.reopen()
        for name in list(self.bench.sockets):
            del self.bench.sockets[name]
            self.bench.tell(SocketClosed(name, 1006, "reset"))
        self.market(*self._market)
        self.bench.run(5 * SECOND)
        self.bench.published.clear()
        self.market(*self._market)

    def heard(self) -> list[Message]:
        self.bench.run(2 * SECOND)
        found, self.bench.published = self.bench.published, []
        return found


SPOT_DRIVERS: dict[str, Callable[[], SpotDriver]] = {
    "simulated": SimulatedSpot,
    "poloniex over bytes": PoloniexSpot,
}
