"""Runs a deployment over history to its end, and returns the record of the run.

The node is the ordinary one: same actors, same loop, same journal code. Only whoever calls its turns differs:
here, as fast as they come, with a look at the account at every sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from actors import __version__
from actors.backtest.chart import Chart
from actors.backtest.code_hash import code_hash, made_with
from actors.backtest.record import DataFile, Manifest, RunInstrument, RunRecord
from actors.backtest.recorder import Recorder
from actors.backtest.scan import Data, digest_of_file
from actors.backtest.tap import TappedStore
from actors.backtest.wish import Wish
from actors.deployment.assemble import assemble
from actors.deployment.finish import Finish
from actors.deployment.topology import ActorPlan, Topology
from actors.exchange.actor import ExchangeActor
from actors.feed.replay import ReplayFeed
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import RuntimeFault
from actors.runtime.node import Node
from actors.runtime.store import Store
from actors.runtime.store_passing import PassingStore
from actors.runtime.virtual_time import pass_time
from actors.venue.delays import read_delays

__all__ = ["BacktestFailed", "BacktestRun", "Progress"]

POINTS_MAX = 20_000  # of the equity curve and of each chart, unless somebody says how far apart they are
SAMPLES_NS = tuple(seconds * 1_000_000_000 for seconds in (60, 300, 900, 3_600, 14_400, 86_400, 604_800))
SETTLE_NS = 10_000_000_000  # of virtual time after the end, for answers that are on their way

Progress = Callable[[float, int], None]  # (part that is done, instant of the virtual clock)


class BacktestFailed(RuntimeFault):
    """The run did not come to its end: an actor gave up, and the text says why."""


class BacktestRun:
    """One run of one deployment. `store` keeps the journal; without one nothing is kept but the record."""

    def __init__(self, topology: Topology, wish: Wish, data: Data, store: Store | None = None) -> None:
        self.topology, self.wish, self.data = topology, wish, data
        self.sample_ns = wish.sample_ns or _sample_ns(data.to_ns - data.from_ns, data.interval_ns)
        self.clock = VirtualClock(data.from_ns)
        feeds = [plan for plan in topology.actors if plan.kind == "feed.replay"]
        self.symbols = tuple(plan.place.symbol for plan in feeds)
        strategies = tuple(plan.address for plan in topology.actors if plan.kind.startswith("strategy."))
        self.recorder = Recorder(
            topology.instruments,
            self.symbols,
            strategies,
            _accounts(topology),
            _initial_usdt(topology),
            self,
        )
        self.store: Store = (
            PassingStore(self.recorder.hear) if store is None else TappedStore(store, self.recorder.read)
        )
        self._finished = False
        finish = CellSpec(
            "finish", partial(Finish, len(feeds), self._finish), reads=tuple(plan.address for plan in feeds)
        )
        self.node: Node = assemble(topology, self.store, self.clock, (finish,))
        self.charts = {
            plan.place.symbol: (plan.address, Chart(self.sample_ns, data.from_ns)) for plan in feeds
        }

    # -- what the recorder asks --------------------------------------------------------------------------

    def touch(self, symbol: str) -> tuple[int, int]:
        """See Probe.touch."""
        return self._exchange.exchange.touch(symbol)

    def mark(self, symbol: str) -> int:
        """See Probe.mark."""
        return self._exchange.exchange.markets[symbol].reference_ticks

    @property
    def _exchange(self) -> ExchangeActor:
        for plan in self.topology.actors:
            if plan.kind == "exchange":
                found = self.node.cell(plan.address).behaviour
                if isinstance(found, ExchangeActor):
                    return found
        raise BacktestFailed("the deployment has no exchange")

    # -- the run -----------------------------------------------------------------------------------------

    def run(self, progress: Progress = lambda part, at_ns: None) -> RunRecord:
        """Run to the end. Errors: BacktestFailed, DataError, JournalError."""
        from_ns, to_ns = self.data.from_ns, self.data.to_ns
        node, recorder, clock = self.node, self.recorder, self.clock
        node.start()
        recorder.sample(from_ns)  # before the first price may lead to an order
        self._run_until(from_ns)
        next_ns = from_ns - from_ns % self.sample_ns + self.sample_ns
        span = max(1, to_ns - from_ns)
        while clock.now_ns() < to_ns:
            self._run_until(min(next_ns, to_ns))
            self._look(clock.now_ns())
            progress(min(1.0, (clock.now_ns() - from_ns) / span), clock.now_ns())
            next_ns += self.sample_ns
        self._run_until(to_ns + SETTLE_NS)
        recorder.sample(to_ns)
        agree = self._books_agree()
        node.stop("the data is at its end")
        return self._record(agree)

    def close(self) -> None:
        """Release what the run holds."""
        self.store.close()

    def _run_until(self, end_ns: int) -> None:
        """Let virtual time pass, with everything that happens on the way."""
        pass_time(self.node, self.clock, end_ns, self._has_failed)
        if self._has_failed():
            raise BacktestFailed(self._why() or self.node.ended)

    def _has_failed(self) -> bool:
        """A run that goes on without one of its actors proves nothing."""
        return bool(self.node.ended or self.recorder.failures)

    def _look(self, at_ns: int) -> None:
        self.recorder.sample(at_ns)
        for address, chart in self.charts.values():
            feed = self.node.cell(address).behaviour
            if isinstance(feed, ReplayFeed):
                chart.take(feed.newest_bars(chart.newest_ns, at_ns))

    def _why(self) -> str:
        return self.recorder.failures[0] if self.recorder.failures else ""

    def _finish(self) -> None:
        self._finished = True

    def _books_agree(self) -> bool:
        """Compare cash and positions of ledger and exchange, to the last unit."""
        wallets = self._exchange.exchange.state.wallets
        for plan in self.topology.actors:
            if plan.kind != "ledger":
                continue
            found = self.node.cell(plan.address).behaviour
            wallet = wallets.get(plan.place.account)
            if not isinstance(found, LedgerActor) or wallet is None:
                return False
            if found.state.cash_usdt != wallet.cash_usdt:
                return False
        return self._exchange.exchange.books_balance()

    def _record(self, agree: bool) -> RunRecord:
        recorder, data = self.recorder, self.data
        recorder.equity.sort(key=_at_ns)
        return RunRecord(
            manifest=self._manifest(),
            instruments=tuple(_instruments(self.topology, self.symbols)),
            symbols=self.symbols,
            strategies=tuple(p.address for p in self.topology.actors if p.kind.startswith("strategy.")),
            initial_usdt=recorder.initial_usdt,
            bars=tuple(tuple(chart.bars()) for _, chart in self.charts.values()),
            equity=tuple(recorder.equity),
            sample_ns=self.sample_ns,
            fills=tuple(recorder.fills),
            funding=tuple(recorder.funding),
            denials=tuple(recorder.denials),
            halts=tuple(recorder.halts),
            trades=tuple(recorder.trades),
            notes=data.notes,
            orders_count=recorder.orders_count,
            books_agree=agree,
        )

    def _manifest(self) -> Manifest:
        wish, data, topology = self.wish, self.data, self.topology
        return Manifest(
            code_version=__version__,
            deployment=topology.deployment,
            config_hash=topology.content_hash,
            overrides=tuple(sorted(wish.overrides.items())),
            seed=topology.seed,
            from_ns=data.from_ns,
            to_ns=data.to_ns,
            files=(*data.files, *_delay_files(topology)),
            settings=tuple(sorted(self._told().items())),
            code_hash=code_hash(),
            made_with=made_with(),
        )

    def _told(self) -> dict[str, str]:
        wish = self.wish
        return {
            **wish.feed,
            "allowed": " ".join(sorted(wish.allowed)),
            "sample_s": str(self.sample_ns // 1_000_000_000),
        }


def _delay_files(topology: Topology) -> Iterator[DataFile]:
    """Return the recorded delays that venues draw from."""
    for plan in topology.actors:
        path = getattr(plan.settings, "latency_path", "")
        if path:
            found = Path(plan.place.directory) / path
            count = len(read_delays(found, path))
            digest = digest_of_file(found)
            yield DataFile("latency", plan.place.account, found.name, digest, "delays", 0, count, 0, 0)


def _at_ns(point: Any) -> int:
    return int(point.at_ns)


def _sample_ns(span_ns: int, interval_ns: int) -> int:
    """Return the shortest usual distance that needs no more than POINTS_MAX points, and no bar twice."""
    usual = (step for step in SAMPLES_NS if step >= interval_ns and span_ns <= step * POINTS_MAX)
    return next(usual, SAMPLES_NS[-1])


def _accounts(topology: Topology) -> dict[str, str]:
    kinds = ("ledger", "oms", "risk")
    return {plan.address: plan.place.account for plan in topology.actors if plan.kind in kinds}


def _initial_usdt(topology: Topology) -> int:
    found = (plan.settings for plan in topology.actors)
    return sum(settings.initial_usdt for settings in found if isinstance(settings, LedgerSettings))


def _instruments(topology: Topology, symbols: tuple[str, ...]) -> Iterator[RunInstrument]:
    for symbol in symbols:
        found = topology.instruments[symbol]
        yield RunInstrument(symbol, found.tick_e8, found.contract_e8, found.tick_value)


def plans_of(topology: Topology, kind: str) -> tuple[ActorPlan, ...]:
    """Return the actors of one kind."""
    return tuple(plan for plan in topology.actors if plan.kind == kind)
