"""What a change of the configuration costs: the plan of many actors, and the others' latency meanwhile."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from actors.cli.benchmarks.measure import percentile
from actors.cli.benchmarks.orders import Probe, Timed
from actors.cli.benchmarks.world import Market
from actors.deployment.applying import Applier, Wish
from actors.deployment.assemble import assemble
from actors.deployment.beginning import first_generation
from actors.deployment.changes import Plan
from actors.deployment.generations import Generations
from actors.deployment.loader import load
from actors.deployment.process import SWITCH_INTERVAL_S
from actors.deployment.resolved import resolved
from actors.deployment.secret_values import keep_secrets
from actors.deployment.topology import ActorPlan, Topology
from actors.domain.place import Place
from actors.messages.market import MarkPrice, Quote
from actors.runtime.clock import SystemClock
from actors.runtime.errors import require
from actors.runtime.node import Node
from actors.runtime.settings import Settings
from actors.runtime.store_lmdb import Durability, LmdbStore

__all__ = [
    "LoadedFeed",
    "LoadedPulse",
    "apply_other_p99_percent",
    "bare_p99_percent",
    "large_deployment",
    "plan_thousand_s",
]

CONFIG = Path(__file__).parents[3] / "config"
ACCOUNTS = 43  # with 18 symbols: 1,009 actors
OFFERED_PER_S = 500
WINDOW_S = 1.0  # in which one setting is changed, or nothing
PAIRS = 20
WARM_UP_S = 3.0
MARK_EVERY_S = 1.0
DEPTH_CONTRACTS = 1_000_000
ORDERS_OPEN_MAX = 100_000  # never reached
RISK, CHANGED = "risk/main", "pulse/BTC_USDT_PERP"
HERE = "actors.cli.benchmarks.changing"


# -- the plan ----------------------------------------------------------------------------------------------


def plan_thousand_s() -> float:
    """Return the CPU seconds of `polytrade plan`, start of Python included, for 1,009 actors.

    A default of 774 strategies has been changed in the file; generation 1 is what it said before.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = large_deployment(Path(directory), fast=8)
        topology = load(file)
        require(len(topology.actors) >= 1_000, "the deployment has a thousand actors")
        first_generation(topology, Generations(topology.journal_path), "bench", 1)
        large_deployment(Path(directory), fast=9)
        before = _children_s()
        command = [sys.executable, "-m", "actors.cli.main", "plan", str(file), "--json"]
        # An installed program is compiled already.
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        found = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        require(found.returncode == 2, "the plan tells of changes")
        return _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def large_deployment(folder: Path, fast: int) -> Path:
    """Write a deployment of 1,009 actors into a folder; return its file."""
    names = [f"a{number}" for number in range(ACCOUNTS)]
    cash = ", ".join(f'{name}: "10000"' for name in names)
    each = "for_each: {account: $accounts}"
    symbols = ", ".join(load(CONFIG / "paper.yaml").instruments)
    file = folder / "large.yaml"
    file.write_text(f"""
deployment: large
mode: paper
seed: 7
catalog: {CONFIG}/markets/poloniex-futures.json
journal: {{path: journal, durability: process}}
inputs:
  symbols: {{type: list, default: [{symbols}], description: All markets.}}
  accounts: {{type: list, default: [{", ".join(names)}], description: All accounts.}}
supervisors:
  root: {{strategy: one_for_one, intensity: 5, period: 60s, exhausted: flatten}}
actors:
  feed: {{kind: feed.synthetic, for_each: {{symbol: $symbols}}}}
  exchange: {{kind: exchange, reads: [venue/*, feed/*], settings: {{accounts: {{{cash}}}}}}}
  venue: {{kind: venue.simulated, {each}, reads: [oms/$account, reconciler/$account, exchange]}}
  oms: {{kind: oms, {each}, reads: [risk/$account, venue/$account, reconciler/$account]}}
  ledger:
    kind: ledger
    {each}
    reads: [oms/$account, venue/$account, reconciler/$account, feed/*]
    settings: {{initial_usdt: "10000"}}
  reconciler: {{kind: reconciler, {each}, reads: [venue/$account, oms/$account, ledger/$account]}}
  risk:
    kind: risk
    {each}
    reads: [trend/$account/*, oms/$account, ledger/$account, reconciler/$account, feed/*]
    settings: {{max_open_orders: 20, daily_loss_usdt: "500"}}
  trend:
    kind: strategy.trend_follow
    for_each: {{account: $accounts, symbol: $symbols}}
    reads: [feed/$symbol, risk/$account, oms/$account]
    settings: {{account: $account, bar: 5s, fast: {fast}, slow: 24}}
  alerter: {{kind: alerter}}
""")
    return file


# -- the others' latency -----------------------------------------------------------------------------------


class LoadedFeed(Market):
    """Says what it is told to say, in a deployment."""

    def __init__(self, settings: Settings, place: Place) -> None:
        super().__init__(place.symbol)


class LoadedPulse(Timed):
    """A strategy whose acknowledgements are timed, in a deployment."""


BEHAVIOURS = {"feed.synthetic": f"{HERE}:LoadedFeed", "strategy.pulse": f"{HERE}:LoadedPulse"}


def _loaded(topology: Topology) -> Topology:
    def plan(one: ActorPlan) -> ActorPlan:
        return replace(one, behaviour=BEHAVIOURS.get(one.kind, one.behaviour))

    return replace(topology, actors=tuple(map(plan, topology.actors)))


class LoadedApplier(Applier):
    """Applies to a node whose market and strategies are the benchmark's."""

    def plan(self, document: Any) -> tuple[Topology, Plan]:
        wanted, found = super().plan(document)
        return _loaded(wanted), found


def apply_other_p99_percent() -> float:
    """Return by how many percent the p99 of acknowledgements moves while a setting is changed and watched.

    500 orders/s, every turn on the disk. Windows of a second take turns: in one a setting of a strategy or of
    the risk actor is changed, in the next none; so what else the machine does falls on both.
    """
    return _measured_once(is_changed=True)


def bare_p99_percent() -> float:
    """Return the same where nothing is changed in any window: what this machine does by itself."""
    return _measured_once(is_changed=False)


def _measured_once(is_changed: bool) -> float:
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # as a node's process does
    try:
        with tempfile.TemporaryDirectory() as directory:
            return LoadedNode(Path(directory)).measure(is_changed)
    finally:
        sys.setswitchinterval(interval_s)


class LoadedNode:
    """The bench deployment in this process, with quotes from a thread."""

    def __init__(self, folder: Path) -> None:
        environment = {"POLYTRADE_STATE": str(folder)}
        self._topology = _loaded(load(CONFIG / "examples" / "bench.yaml", environment=environment))
        self._generations = Generations(folder)
        first_generation(self._topology, self._generations, "bench", 1)
        secrets = keep_secrets(self._topology)
        self._store = LmdbStore(folder / "journal", Durability.DISK)
        self.node: Node = assemble(self._topology, self._store, SystemClock(), (), secrets)
        self._applier = LoadedApplier(self.node, self._topology, secrets, self._generations, "bench")
        self._probe = Probe()
        self.node.loop.pumps["probe"] = self._probe
        self._over = threading.Event()
        self.expected_restarts: dict[str, int] = {}  # by the changes made so far

    def measure(self, is_changed: bool) -> float:
        """Return the percent. Once."""
        loop = threading.Thread(target=self._run, daemon=True)
        loop.start()
        source = threading.Thread(target=self._offer, daemon=True)
        source.start()
        time.sleep(WARM_UP_S)
        odd: list[float] = []
        even: list[float] = []
        for number in range(PAIRS):
            for samples in (odd, even) if number % 2 else (even, odd):
                samples += self._window(number, is_changed and samples is odd)
        self._over.set()
        source.join()
        self.node.request_stop()
        loop.join()
        return (percentile(odd, 0.99) / percentile(even, 0.99) - 1) * 100

    def _run(self) -> None:
        self.node.start()
        self.node.run(longest_wait_ns=1_000_000)

    def _window(self, number: int, is_changed: bool) -> list[float]:
        """Return the latencies of a window, in ms."""
        self._probe.samples_ms = []
        began = time.perf_counter()
        if is_changed:
            self._change(number)
        time.sleep(max(0.0, began + WINDOW_S - time.perf_counter()))
        return self._probe.samples_ms

    def _change(self, number: int) -> None:
        document = resolved(self._applier.topology)
        actors = {one["address"]: one for one in document["actors"]}
        if number % 2:
            actors[RISK]["settings"]["max_open_orders"] = ORDERS_OPEN_MAX + number
        else:
            actors[CHANGED]["settings"]["contracts_max"] = number + 1
        current = self._generations.current()
        base = current.number if current is not None else 0
        applied = self._applier.apply(Wish(document, base, "bench", "measured", prove_s=WINDOW_S / 2))
        require(not applied.taken_back, "the change stays", why=applied.taken_back)
        for address in applied.restarted:
            self.expected_restarts[address] = self.expected_restarts.get(address, 0) + 1
        changed = RISK if number % 2 else CHANGED
        require({*applied.restarted, *applied.told} == {changed}, "nobody else restarts")

    def _offer(self) -> None:
        """Offer one quote after the other at a steady rate, each the cause of one order."""
        node, probe, put = self.node, self._probe, self.node.loop.inlet.put
        feeds = [
            (node.cell(f"feed/{symbol}"), symbol, instrument.reference_ticks)
            for symbol, instrument in self._topology.instruments.items()
            if f"feed/{symbol}" in node.loop.cells
        ]
        for number, due in enumerate(_due()):
            while (left := due - time.perf_counter()) > 0:
                time.sleep(left if left > 0.0002 else 0)
            if self._over.is_set():
                return
            cell, symbol, ticks = feeds[number % len(feeds)]
            now_ns = node.loop.clock.now_ns()
            if number % int(OFFERED_PER_S * MARK_EVERY_S) < len(feeds):
                put(cell, MarkPrice(symbol, now_ns, ticks, ticks))
            probe.offered[f"pulse/{symbol}"] = time.perf_counter_ns()
            put(cell, Quote(symbol, now_ns, ticks - 1, DEPTH_CONTRACTS, ticks + 1, DEPTH_CONTRACTS))


def _due() -> Iterator[float]:
    began, number = time.perf_counter(), 0
    while True:
        yield began + number / OFFERED_PER_S
        number += 1
