"""Metrics for Prometheus, read from plain ints when somebody scrapes; nothing is counted twice for them.

Names start with `polytrade_`, units are base units and stand at the end, counters end in `_total`. The only
label with more than a few values is `actor`, and a deployment names its actors beforehand. A behaviour may
give a gauge one label of its own, with values that are known beforehand too: `requests_lost{path=GET /...}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from actors.control.sampler import read_gauges
from actors.runtime.cell import CellState
from actors.runtime.node import Node

__all__ = ["NodeCollector", "exposition", "gauge_name", "make_registry"]

GAUGES_PER_ACTOR_MAX = 100  # a behaviour that invents names must not fill the monitoring's memory
NANO = 1e-9
LABELED = re.compile(r"([^{]+)\{([a-z]\w*)=(.*)\}")

# Counter of the loop -> (metric, help)
LOOP_COUNTERS = {
    "turns": ("loop_turns", "Turns the loop has run."),
    "inputs": ("loop_inputs", "Messages from outside and timers taken into turns."),
    "messages": ("loop_messages", "Messages handled by all actors."),
    "failures": ("loop_failures", "Messages whose handling raised an error."),
    "conflated": ("loop_messages_conflated", "Messages dropped because a newer one replaced them."),
    "refused": ("loop_messages_refused", "Messages refused because a mailbox was full."),
    "dropped": ("loop_messages_dropped", "Messages for actors that had left the node."),
    "dead_letters": ("loop_dead_letters", "Messages put aside because their reader failed on them."),
    "commits": ("journal_commits", "Transactions written to the journal."),
    "events": ("journal_events", "Events written to the journal."),
}
# Attribute of a cell -> (metric, help)
ACTOR_COUNTERS = {
    "handled_count": ("actor_messages_handled", "Messages the actor has handled."),
    "failures_count": ("actor_failures", "Times the actor's code raised an error."),
    "restarts_count": ("actor_restarts", "Times the actor was rebuilt from the journal."),
    "refused_count": ("actor_messages_refused", "Messages refused because the actor's mailbox was full."),
}
# Unit at the end of a behaviour's gauge -> (unit of the metric, factor)
UNITS = {"ns": ("seconds", 1e-9), "us": ("seconds", 1e-6), "ms": ("seconds", 1e-3), "s": ("seconds", 1.0)}
UNITS |= {"bps": ("ratio", 1e-4), "fraction": ("ratio", 1.0), "count": ("", 1.0), "total": ("", 1.0)}
UNITS |= {"e8": ("ratio", 1e-8), "percent": ("ratio", 1e-2)}


class NodeCollector:
    """A prometheus_client collector over one node."""

    def __init__(self, node: Node, information: dict[str, str]) -> None:
        self._node = node
        self._information = information
        self.started_at_s = node.loop.now_ns * NANO

    def describe(self) -> Iterable[Metric]:
        """Return nothing: families depend on the deployment, so registering must not collect."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all metric families."""
        yield InfoMetricFamily("polytrade_build", "Which code and deployment runs.", value=self._information)
        yield from self._loop()
        yield from self._journal()
        yield from self._actors()
        yield from self._gauges()

    def _loop(self) -> Iterator[Metric]:
        counters, node = self._node.loop.counters, self._node
        for name, (metric, text) in LOOP_COUNTERS.items():
            yield CounterMetricFamily(f"polytrade_{metric}", text, value=getattr(counters, name))
        yield _counter("loop_busy_seconds", "Time the loop has spent in turns.", counters.busy_ns * NANO)
        yield _gauge("node_ready", "1 when all actors have recovered and agree.", node.is_ready)
        yield _gauge("node_start_timestamp_seconds", "When this node started.", self.started_at_s)
        yield _gauge("node_recovery_seconds", "How long recovery took at start.", node.recovery_ns * NANO)
        yield _gauge("node_epoch", "How often this journal has been opened by a node.", node.journal.epoch)

    def _journal(self) -> Iterator[Metric]:
        loop, journal = self._node.loop, self._node.journal
        counters = loop.counters
        text = "Time spent waiting for the journal's disk."
        yield _counter("journal_commit_seconds", text, counters.commit_ns * NANO)
        text = "How long the newest commit took."
        yield _gauge("journal_last_commit_seconds", text, counters.commit_ns_last * NANO)
        yield _gauge("journal_sequence", "Number of the newest event.", journal.sequence)
        if loop.accepting:
            used, limit = journal.store.usage()
            yield _gauge("journal_used_bytes", "Bytes the journal uses.", used)
            yield _gauge("journal_limit_bytes", "Bytes the journal may use.", limit)

    def _actors(self) -> Iterator[Metric]:
        cells = list(self._node.loop.cells.values())
        for attribute, (metric, text) in ACTOR_COUNTERS.items():
            family = CounterMetricFamily(f"polytrade_{metric}", text, labels=["actor"])
            for cell in cells:
                family.add_metric([cell.name], getattr(cell, attribute))
            yield family
        running = GaugeMetricFamily("polytrade_actor_running", "1 while the actor runs.", labels=["actor"])
        text = "Messages waiting in the actor's mailbox."
        waiting = GaugeMetricFamily("polytrade_actor_mailbox_messages", text, labels=["actor"])
        text = "Messages the actor's mailbox may hold."
        capacity = GaugeMetricFamily("polytrade_actor_mailbox_limit_messages", text, labels=["actor"])
        for cell in cells:
            running.add_metric([cell.name], cell.state is CellState.RUNNING)
            waiting.add_metric([cell.name], cell.waiting_count)
            capacity.add_metric([cell.name], cell.capacity)
        yield from (running, waiting, capacity)

    def _gauges(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for cell in self._node.loop.cells.values():
            owner = (cell.kind or cell.name).partition(".")[0].partition("/")[0]
            for name, value in list(read_gauges(cell).items())[:GAUGES_PER_ACTOR_MAX]:
                name, labels = _labels(name)
                metric, factor = gauge_name(owner, name)
                family = families.get(metric)
                if family is None:
                    text = f"{name.replace('_', ' ').capitalize()}, as the {owner} actor states it."
                    family = families[metric] = GaugeMetricFamily(metric, text, labels=["actor", *labels])
                family.add_metric([cell.name, *labels.values()], value * factor)
        yield from families.values()


def _labels(name: str) -> tuple[str, dict[str, str]]:
    """Return a gauge's name and its own label, if it has one: `requests_lost{path=GET /v3/...}`."""
    found = LABELED.fullmatch(name)
    return (found[1], {found[2]: found[3]}) if found else (name, {})


def gauge_name(owner: str, name: str) -> tuple[str, float]:
    """Return a behaviour's gauge as a metric name with its base unit, and the factor to that unit.

    `quote_age_ms` of a risk actor is `polytrade_risk_quote_age_seconds`; `fills_count` becomes `..._fills`.
    """
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    factor = 1.0
    if len(words) > 1 and words[-1] in UNITS:
        unit, factor = UNITS[words[-1]]
        words[-1:] = [unit] if unit else []
    top = re.sub(r"[^a-z0-9]+", "_", owner.lower()).strip("_")
    if len(words) > 1 and words[0] == top:
        del words[0]
    return "_".join(["polytrade", top, *words]), factor


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"polytrade_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"polytrade_{name}", text, value=float(value))


def make_registry(node: Node, information: dict[str, str]) -> CollectorRegistry:
    """Return a registry of its own with the node's metrics and the process's."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NodeCollector(node, information))
    ProcessCollector(registry=registry)
    return registry


def exposition(registry: Any) -> bytes:
    """Return the text format of everything registered."""
    return generate_latest(registry)
