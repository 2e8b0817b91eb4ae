"""What a venue kind must offer so that the scenarios of `test_venue_contract.py` can run against it.

A driver holds our side of a venue and its far side, whatever lies between them: two actors that pass
messages, or an adapter and a server that exchange bytes. A new kind adds its driver to `DRIVERS`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from actors.domain.instrument import Instrument
from actors.domain.money import E8
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.exchange.actor import ExchangeActor
from actors.exchange.settings import ExchangeSettings
from actors.messages.market import BookDepth, FundingSettled, MarkPrice, Trade
from actors.messages.venue import OrderFilled
from actors.runtime.messages import Message
from actors.runtime.testing import Bench
from actors.venue.simulated import SimulatedVenue, SimulatedVenueSettings
from tests.unit.exchange.exchange_world import ALPHA

MS = 1_000_000


class VenueDriver(Protocol):
    """One account at one venue, with a market that the test moves by hand."""

    account: str
    other_account: str  # a second trader, whose orders the first may meet
    instrument: Instrument  # 10,000 ticks is a sensible price

    def request(self, message: Message) -> None:
        """Send a request of `messages.venue` from our side; its account says from which of the two."""

    def market(self, mark: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        """Let the outside market stand like this: mark price and levels, best first."""

    def trade(self, price: int, contracts: int, taker: Side) -> None:
        """Let the outside market trade."""

    def settle_funding(self, rate_e8: int, mark: int) -> None:
        """Let a funding instant pass."""

    def restart_far_side(self) -> None:
        """Let the exchange die and come back; its market data is fed again."""

    def heard(self) -> list[Message]:
        """Let everything on its way arrive; return what our side has told since, for the first account."""

    def now_ns(self) -> int:
        """The venue's clock."""


class SimulatedDriver:
    """`venue.simulated` before the exchange actor, each on its bench, wired by hand."""

    account = "main"
    other_account = "other"
    instrument = replace(ALPHA, symbol="BTC_USDT_PERP", base="BTC")

    def __init__(self, **line: int) -> None:
        symbol = self.instrument.symbol
        deposits = {self.account: 10_000 * E8, self.other_account: 1_000_000 * E8}
        place = Place("test", "exchange/main", "paper", instruments={symbol: self.instrument})
        self._exchange = Bench(
            lambda: ExchangeActor(ExchangeSettings(accounts=deposits), place), name="exchange/main"
        )
        self._venues = {name: self._make_venue(name, line) for name in deposits}
        self._market: list[Message] = []
        self.heard()

    @staticmethod
    def _make_venue(account: str, line: dict[str, int]) -> Bench:
        place = Place("test", f"venue/{account}", "paper", variables={"account": account})
        settings = SimulatedVenueSettings(**line)
        return Bench(lambda: SimulatedVenue(settings, place), name=f"venue/{account}")

    def request(self, message: Message) -> None:
        self._venues[message.account].tell(message, sender=f"oms/{message.account}")
        self._pass_on()

    def market(self, mark: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        symbol, now_ns = self.instrument.symbol, self.now_ns()
        self._market = [
            MarkPrice(symbol, now_ns, mark, mark),
            BookDepth(symbol, now_ns, tuple(bids), tuple(asks)),
        ]
        self._feed(*self._market)

    def trade(self, price: int, contracts: int, taker: Side) -> None:
        self._feed(Trade(self.instrument.symbol, self.now_ns(), price, contracts, taker, "t"))

    def settle_funding(self, rate_e8: int, mark: int) -> None:
        self._feed(FundingSettled(self.instrument.symbol, self.now_ns(), rate_e8, mark))

    def restart_far_side(self) -> None:
        self._exchange.restart()
        self._feed(*self._market)

    def heard(self) -> list[Message]:
        for _ in range(10):
            for bench in (self._exchange, *self._venues.values()):
                bench.advance(20 * MS)
            self._pass_on()
        venue = self._venues[self.account]
        heard = [message for message in venue.published if type(message) not in ExchangeActor.ACCEPTS]
        venue.published = []
        return heard

    def now_ns(self) -> int:
        return self._exchange.now_ns

    def _feed(self, *messages: Message) -> None:
        for message in messages:
            self._exchange.tell(message, sender="feed/BTC_USDT_PERP")
        self._pass_on()

    def _pass_on(self) -> None:
        """Carry what has been published and sent to the other side, until nothing is left to carry."""
        for address, venue in ((bench.name, bench) for bench in self._venues.values()):
            requests = [m for m in venue.published if type(m) in ExchangeActor.ACCEPTS]
            venue.published = [m for m in venue.published if type(m) not in ExchangeActor.ACCEPTS]
            for request in requests:
                self._exchange.tell(request, sender=address)
                for reply in self._exchange.replies:
                    venue.tell(reply, sender="exchange/main")
                self._exchange.replies.clear()
        sent, self._exchange.sent = self._exchange.sent, []
        for address, message in sent:
            self._venues[address.partition("/")[2]].tell(message, sender="exchange/main")


DRIVERS: dict[str, Callable[[], VenueDriver]] = {
    "simulated": SimulatedDriver,
    "simulated with latency": lambda: SimulatedDriver(latency=5 * MS, latency_jitter=5 * MS),
    "simulated with duplicates": lambda: SimulatedDriver(duplicate_fraction=E8),
}


def fills_once(messages: list[Message]) -> list[OrderFilled]:
    """Return the fills among the messages, each trade once: a venue may tell one twice."""
    return list({m.trade_id: m for m in messages if type(m) is OrderFilled}.values())
