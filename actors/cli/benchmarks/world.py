"""A whole trading chain for benchmarks: real actors, and a market that says what the benchmark wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from actors.cli.benchmarks.resting import Resting
from actors.domain.catalog import load_catalog
from actors.domain.instrument import Instrument
from actors.domain.place import Place
from actors.exchange.actor import ExchangeActor
from actors.exchange.settings import ExchangeSettings
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.market import FeedState, FeedStatus, MarkPrice, Quote
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.reconciler.actor import ReconcilerActor
from actors.reconciler.settings import ReconcilerSettings
from actors.risk.actor import RiskActor
from actors.risk.settings import RiskSettings
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.cell import Cell, CellSpec
from actors.runtime.clock import Clock, VirtualClock
from actors.runtime.errors import require
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store import Store
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.turn import LoopLimits
from actors.runtime.virtual_time import pass_time
from actors.strategy.actor import StrategyActor
from actors.strategy.library.pulse import PulseSettings
from actors.venue.simulated import SimulatedVenue, SimulatedVenueSettings

__all__ = ["World"]

DEPOSIT = 100_000_000 * 100_000_000  # 1e-8 USDT: never the limit of a benchmark
SPREAD_TICKS = 1
DEPTH_CONTRACTS = 1_000_000
UNLIMITED = 0
FOREVER_NS = 1 << 62
MINUTE_NS = 60_000_000_000
MARK_EVERY_NS = 5_000_000_000
CATALOG = Path(__file__).parents[3] / "config" / "markets" / "poloniex-futures.json"

RESTING = "resting"

MakeStrategy = Callable[[Place], Behaviour]


class Market(Behaviour):
    """Says what it is told to say."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Quote, MarkPrice)
    EMITS: ClassVar[tuple[type[Message], ...]] = (Quote, MarkPrice, FeedStatus)
    PHASE = Phase.SOURCE

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol

    def started(self, context: Context) -> None:
        now_ns = context.now_ns
        context.publish(FeedStatus(self._symbol, now_ns, FeedState.LIVE, now_ns, "benchmark"))

    def on_quote(self, message: Quote, context: Context) -> None:
        context.publish(message)

    def on_mark_price(self, message: MarkPrice, context: Context) -> None:
        context.publish(message)


def pulse(place: Place) -> Behaviour:
    """Return the strategy that trades on every quote."""
    return StrategyActor(PulseSettings(), place)


class World:
    """A node with one market and some strategies per symbol. `start()` it, then offer quotes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        strategies_per_symbol: int = 2,
        make_strategy: MakeStrategy = pulse,
        make_feed: Callable[[str], Behaviour] = Market,
        limits: LoopLimits | None = None,
        symbols_count: int = 18,
        resting_orders: int = 0,
        looks_every_ns: int = MINUTE_NS,
    ) -> None:
        instruments = load_catalog(json.loads(CATALOG.read_text()))
        self.instruments: dict[str, Instrument] = dict(list(instruments.items())[:symbols_count])
        self._marked_at_ns = 0
        self._looks_every = looks_every_ns  # pause of ledger and reconciler when nothing happens
        self._make_strategy = make_strategy
        self._make_feed = make_feed
        self._per_symbol = strategies_per_symbol
        self.clock = clock
        self._resting_orders = resting_orders
        specs = [*self._account(), *self._markets(), *self._resting()]
        self.node = Node(specs, (SupervisorSpec("root"),), store, clock, limits=limits)
        self.feeds: list[tuple[Cell, str, int]] = [
            (self.node.cell(f"feed/{symbol}"), symbol, instrument.reference_ticks)
            for symbol, instrument in self.instruments.items()
        ]

    def _place(self, address: str, **variables: str) -> Place:
        return Place("bench", address, "paper", 0, variables, self.instruments)

    def _account(self) -> list[CellSpec]:
        feeds = [f"feed/{symbol}" for symbol in self.instruments]
        at = partial(self._place, account="main")
        exchange = ExchangeSettings(accounts={"main": DEPOSIT})
        risk = RiskSettings(
            max_orders_per_second=UNLIMITED,
            daily_loss_usdt=UNLIMITED,
            max_open_orders=UNLIMITED,
            max_open_trades=UNLIMITED,
        )
        ledger = LedgerSettings(initial_usdt=DEPOSIT, heartbeat=self._looks_every, mark_interval=MINUTE_NS)
        reconciler = ReconcilerSettings(every=self._looks_every)
        venue = SimulatedVenueSettings()
        names = ["venue/main", "oms/main", "ledger/main", "reconciler/main", "risk/main"]
        v, o, n, r, k = names
        return [
            CellSpec("exchange", lambda: ExchangeActor(exchange, self._place("exchange")), (v, *feeds)),
            CellSpec(v, lambda: SimulatedVenue(venue, at(v)), (o, r, "exchange")),
            CellSpec(o, lambda: OmsActor(OmsSettings(), at(o)), (k, v, r)),
            CellSpec(n, lambda: LedgerActor(ledger, at(n)), (o, v, r, *feeds)),
            CellSpec(r, lambda: ReconcilerActor(reconciler, at(r)), (v, o, n)),
            CellSpec(k, lambda: RiskActor(risk, at(k)), (o, n, r, *feeds, *self._deciders())),
        ]

    def _resting(self) -> list[CellSpec]:
        if not self._resting_orders:
            return []
        markets = [(symbol, instrument.reference_ticks) for symbol, instrument in self.instruments.items()]
        make = partial(Resting, RESTING, markets, self._resting_orders)
        return [CellSpec(RESTING, make, ("risk/main", "oms/main"))]

    def _strategies(self) -> list[str]:
        return [f"s{n}/{symbol}" for symbol in self.instruments for n in range(self._per_symbol)]

    def _deciders(self) -> list[str]:
        return [*self._strategies(), *([RESTING] if self._resting_orders else [])]

    def _markets(self) -> list[CellSpec]:
        specs = [CellSpec(f"feed/{symbol}", partial(self._make_feed, symbol)) for symbol in self.instruments]
        for address in self._strategies():
            symbol = address.partition("/")[2]
            place = self._place(address, symbol=symbol)
            reads = (f"feed/{symbol}", "risk/main", "oms/main")
            specs.append(CellSpec(address, partial(self._make_strategy, place), reads))
        return specs

    def start(self) -> None:
        """Start, let the reconciler approve, tell every mark once."""
        self.node.start()
        self.mark()
        if isinstance(self.clock, VirtualClock):
            self.pass_time(lambda: self.node.is_ready)
        while not self.node.is_ready:
            self.node.turn()
        self.settle()

    def pass_time(self, is_over: Callable[[], bool]) -> None:
        """Let virtual time pass until something is so and nothing waits."""
        require(isinstance(self.clock, VirtualClock), "a real clock passes by itself")
        pass_time(self.node, self.clock, FOREVER_NS, is_over)  # type: ignore[arg-type]

    def mark(self) -> None:
        """Tell every market's mark price."""
        now_ns = self._marked_at_ns = self.clock.now_ns()
        for cell, symbol, ticks in self.feeds:
            self.node.loop.inlet.put(cell, MarkPrice(symbol, now_ns, ticks, ticks))

    def quote(self) -> None:
        """Offer one quote per symbol to the loop, and now and then the marks: risk takes no old ones."""
        if self.clock.now_ns() - self._marked_at_ns > MARK_EVERY_NS:
            self.mark()
        put, now_ns = self.node.loop.inlet.put, self.clock.now_ns()
        for cell, symbol, ticks in self.feeds:
            put(
                cell,
                Quote(
                    symbol,
                    now_ns,
                    ticks - SPREAD_TICKS,
                    DEPTH_CONTRACTS,
                    ticks + SPREAD_TICKS,
                    DEPTH_CONTRACTS,
                ),
            )

    def settle(self) -> None:
        """Run turns until nothing is left to do."""
        while self.node.turn():
            pass

    @property
    def open_orders_count(self) -> int:
        """Orders that rest at the venue, as the OMS knows them."""
        return len(self.node.cell("oms/main").behaviour.state.live)

    @property
    def fills_count(self) -> int:
        """Fills that the ledger has booked."""
        return int(self.node.cell("ledger/main").behaviour.state.fills_count)
