"""`venue.poloniex` before the exchange that speaks Poloniex's API: the same scenarios, over bytes."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from actors.domain.money import E8
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.exchange.funding import settle_funding
from actors.exchange.server.core import ExchangeCore
from actors.exchange.server.settings import AccountSettings
from actors.exchange.server.state import ServerState
from actors.messages.market import BookDepth, MarkPrice, Trade
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import SocketClosed
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexVenueSettings
from tests.contract.venue.spot_driver import SECOND, Levels, WiredBench
from tests.unit.exchange.exchange_world import ALPHA
from tests.unit.exchange.server.served_world import HeldPath, ServedWorld

INSTRUMENT = replace(ALPHA, symbol="BTC_USDT_PERP", base="BTC")
SYMBOL = INSTRUMENT.symbol
LOOK_NS = 70 * SECOND  # after which the adapter has looked for bills


class OneMarketWorld(ServedWorld):
    """An exchange with one market, at 100 USDT."""

    def _open(self, state=None) -> None:  # type: ignore[no-untyped-def]
        if state is None:
            self.now_ns += 3_420 * SECOND  # three minutes before a full hour
        self.paths = {SYMBOL: HeldPath(10_000)}
        self.core = ExchangeCore(self.settings, {SYMBOL: INSTRUMENT}, state, self.paths)
        self.core.record = self._record
        self.core.start(self.now_ns)

    def reopen(self) -> None:
        """Rebuild the exchange from nothing but its events, as after a kill."""
        state = ServerState()
        rebuilt = ExchangeCore(self.settings, {SYMBOL: INSTRUMENT}, state, self.paths)
        for event in self.events:
            rebuilt.apply(event)
        self._open(msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ServerState))


class PoloniexDriver:
    """Two accounts at one served exchange, each with an adapter of its own."""

    account, other_account, instrument = "main", "other", INSTRUMENT

    def __init__(self) -> None:
        accounts = tuple(
            AccountSettings(key=name, secret=f"{name}-secret", usdt=usdt * E8, spot={}, name=name)
            for name, usdt in ((self.account, 10_000), (self.other_account, 1_000_000))
        )
        self.world = OneMarketWorld(accounts=accounts, symbols=(SYMBOL,))
        self.benches = {name: self._bench(name) for name in (self.account, self.other_account)}
        self._market: tuple[int, Levels, Levels] = (0, [], [])
        self.heard()

    def _bench(self, account: str) -> WiredBench:
        settings = PoloniexVenueSettings(key=account, secret=f"{account}-secret")
        place = Place(
            "test",
            f"venue/{account}",
            "live",
            variables={"account": account},
            instruments={SYMBOL: INSTRUMENT},
        )
        bench = WiredBench(self.world, lambda: PoloniexVenue(settings, place), f"venue/{account}")
        bench.run(5 * SECOND)
        assert bench.behaviour.is_up, bench.behaviour.down_reason  # type: ignore[attr-defined]
        return bench

    def request(self, message: Message) -> None:
        account = message.account  # type: ignore[attr-defined]
        self.benches[account].tell(message, sender=f"oms/{account}")
        self.benches[account].run(SECOND)

    def market(self, mark: int, bids: Levels, asks: Levels) -> None:
        self._market = (mark, bids, asks)
        now_ns, engine = self.world.now_ns, self.world.core.engine
        outcomes = [*engine.mark(MarkPrice(SYMBOL, now_ns, mark, mark), now_ns)]
        outcomes += engine.depth(BookDepth(SYMBOL, now_ns, tuple(bids), tuple(asks)), now_ns)
        self._tell(outcomes)

    def trade(self, price: int, contracts: int, taker: Side) -> None:
        now_ns = self.world.now_ns
        self._tell(self.world.core.engine.trade(Trade(SYMBOL, now_ns, price, contracts, taker, "t"), now_ns))

    def settle_funding(self, rate_e8: int, mark: int) -> None:
        """The adapter reads bills after full hours only, so the settlement waits for one."""
        hour_ns = 3_600 * SECOND
        for bench in self.benches.values():
            bench.run(hour_ns - bench.now_ns % hour_ns)
        now_ns, engine = self.world.now_ns, self.world.core.engine
        self._tell(settle_funding(engine, engine.markets[SYMBOL], rate_e8, mark, now_ns, now_ns))
        for bench in self.benches.values():
            bench.run(LOOK_NS)

    def _tell(self, outcomes: list[Message]) -> None:
        self.world.core.absorb(outcomes, self.world.now_ns)
        self.world._deliver()

    def restart_far_side(self) -> None:
        self.world.reopen()
        self.market(*self._market)
        for bench in self.benches.values():
            for name in list(bench.sockets):
                del bench.sockets[name]
                bench.tell(SocketClosed(name, 1006, "reset"))
            bench.run(5 * SECOND)

    def heard(self) -> list[Message]:
        for bench in self.benches.values():
            bench.run(6 * SECOND)
        bench = self.benches[self.account]
        found, bench.published = bench.published, []
        return found

    def now_ns(self) -> int:
        return self.world.now_ns
