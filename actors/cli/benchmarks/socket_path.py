"""How long a book update takes from the socket to a strategy's decision, through the pumps and the loop."""

from __future__ import annotations

import sys
import threading
import time
from queue import SimpleQueue
from typing import Any

from actors.cli.benchmarks.market_server import streaming
from actors.cli.benchmarks.measure import percentile
from actors.cli.benchmarks.world import CATALOG
from actors.domain.catalog import load_catalog
from actors.domain.place import Place
from actors.feed.poloniex.actor import PoloniexFeed
from actors.feed.poloniex.settings import PoloniexFeedSettings
from actors.messages.market import Quote
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.pumps.http import HttpPump
from actors.runtime.pumps.messages import SocketFrame
from actors.runtime.pumps.socket import SocketPump
from actors.runtime.pumps.thread import PumpThread
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.strategy.actor import StrategyActor
from actors.strategy.library.pulse import PulseSettings
from actors.strategy.protocol import Decision, View

__all__ = ["bare_handover_ms", "socket_to_decision_burst_ms", "socket_to_decision_ms"]

SYMBOLS = 20
WARM_S, MEASURED_S = 3.0, 5.0
SWITCH_INTERVAL_S = 50e-6  # as the node's process has it
NEVER_NS = 3_600_000_000_000
MS = 1_000_000
DATE, DATE_DIGITS = b'"ts":', 13
UPDATE = b'"action":"update"'
HANDOVERS = 4_000


class Watch:
    """When each update was read from its socket, and how long it then took to a decision."""

    def __init__(self) -> None:
        self.read_ns: dict[str, dict[int, int]] = {}  # by symbol, then by the venue's date of the update
        self.delays_ms: list[float] = []
        self.is_measuring = False
        self._clock = SystemClock()

    def frame(self, symbol: str, frame: SocketFrame) -> None:
        """An update was read; called by the pumps' thread."""
        if UPDATE in frame.data[-24:]:
            at = frame.data.index(DATE) + len(DATE)
            self.read_ns[symbol][int(frame.data[at : at + DATE_DIGITS])] = frame.received_at_ns

    def decided(self, quote: Quote) -> None:
        """The strategy has decided on a quote."""
        read_ns = self.read_ns[quote.symbol].pop(quote.at_ns // MS, 0)
        if read_ns:
            delay_ms = (self._clock.now_ns() - read_ns) / 1e6
            if self.is_measuring:
                self.delays_ms.append(delay_ms)


class Watched(StrategyActor):
    """A strategy whose decisions are timed."""

    def __init__(self, settings: PulseSettings, place: Place, watch: Watch) -> None:
        super().__init__(settings, place)
        decide = self.strategy.on_quote  # type: ignore[attr-defined]

        def timed(quote: Quote, view: View) -> Decision:
            decision: Decision = decide(quote, view)
            watch.decided(quote)
            return decision

        self._on_quote = timed


def _node(url: str, watch: Watch) -> Node:
    catalog = load_catalog(CATALOG.read_text())
    btc = catalog["BTC_USDT_PERP"]
    feed = PoloniexFeedSettings(
        stream_url=url,
        rest_url=url.replace("ws", "http", 1),
        silent_after=NEVER_NS,
        cross_check_every=NEVER_NS,
    )
    specs = []
    for number in range(SYMBOLS):
        symbol = f"S{number}_USDT_PERP"
        watch.read_ns[symbol] = {}
        place = Place("bench", f"feed/{symbol}", "paper", 0, {"symbol": symbol}, {symbol: btc})
        specs.append(CellSpec(f"feed/{symbol}", lambda place=place: PoloniexFeed(feed, place)))  # type: ignore[misc]
        specs.append(
            CellSpec(
                f"pulse/{symbol}",
                lambda place=place: Watched(PulseSettings(), place, watch),  # type: ignore[misc]
                reads=(f"feed/{symbol}",),
            )
        )
    return Node(specs, (SupervisorSpec("root"),), MemoryStore(), SystemClock())


def _measure(*, bursts: bool) -> float:
    watch, before = Watch(), sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with streaming(bursts=bursts) as url:
        node, pumps = _node(url, watch), PumpThread()

        def deliver(address: str, message: Message) -> None:
            if type(message) is SocketFrame:
                watch.frame(address.partition("/")[2], message)
            node.deliver_from_outside(address, message)

        node.loop.pumps["http"] = HttpPump(pumps, node.deliver_from_outside)
        node.loop.pumps["socket"] = SocketPump(pumps, deliver, node.loop.clock)
        node.start()
        node.act_later(int(WARM_S * 1e9), lambda: setattr(watch, "is_measuring", True))
        node.act_later(int((WARM_S + MEASURED_S) * 1e9), node.request_stop)
        node.run()
        pumps.stop()
    sys.setswitchinterval(before)
    return percentile(watch.delays_ms, 0.99)


def socket_to_decision_ms() -> float:
    """Return the p99 from socket read to decision, 20 symbols with 100 updates a second each, ms."""
    return _measure(bursts=False)


def socket_to_decision_burst_ms() -> float:
    """Return the same while each second begins with a tenth of a second at ten times the pace, ms."""
    return _measure(bursts=True)


def bare_handover_ms() -> float:
    """Return the p99 of handing an item from one thread to another, 2,000 times a second, ms."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    line: SimpleQueue[Any] = SimpleQueue()

    def produce() -> None:
        for _ in range(HANDOVERS):
            time.sleep(0.0005)
            line.put(time.perf_counter())

    thread = threading.Thread(target=produce)
    thread.start()
    delays = []
    for _ in range(HANDOVERS):
        sent = line.get()
        delays.append((time.perf_counter() - sent) * 1e3)
    thread.join()
    sys.setswitchinterval(before)
    return percentile(delays, 0.99)
