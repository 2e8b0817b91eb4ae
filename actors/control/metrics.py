"""Metrics for Prometheus, read from plain ints when somebody scrapes; nothing is counted twice for them.

What there is, and what it means, says the table in metric_table/; schemas/metrics.yaml shows it. Names start
with `polytrade_`, units are base units and stand at the end, counters end in `_total`. A behaviour may give a
gauge labels of its own, with values that are known beforehand: `requests_lost{path=GET /...}`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest

from actors.control.drill_ages import DrillAges
from actors.control.metric_table import PREFIX, TABLE
from actors.control.metric_table.metric import COUNTER, HISTOGRAM
from actors.control.sampler import read_gauges
from actors.runtime.cell import CellState
from actors.runtime.node import Node

__all__ = ["NodeCollector", "exposition", "gauge_name", "make_registry", "scrape"]

GAUGES_PER_ACTOR_MAX = 300  # a behaviour that invents names must not fill the monitoring's memory
NANO = 1e-9
NAMES_KEPT = 4_096  # more than all kinds of actors have; they are the same at each scrape
LABELED = re.compile(r"([^{]+)\{(.*)\}")
LABEL = re.compile(r"([a-z]\w*)=([^,]*)(?:,|$)")

# Counter of the loop -> metric
LOOP_COUNTERS = {
    "turns": "loop_turns",
    "inputs": "loop_inputs",
    "messages": "loop_messages",
    "failures": "loop_failures",
    "conflated": "loop_messages_conflated",
    "refused": "loop_messages_refused",
    "dropped": "loop_messages_dropped",
    "dead_letters": "loop_dead_letters",
    "commits": "journal_commits",
    "events": "journal_events",
    "syncs": "journal_syncs",
}
# Attribute of a cell -> metric
ACTOR_METRICS = {
    "handled_count": "actor_messages_handled",
    "failures_count": "actor_failures",
    "restarts_count": "actor_restarts",
    "refused_count": "actor_messages_refused",
    "waiting_count": "actor_mailbox_messages",
    "capacity": "actor_mailbox_limit_messages",
}
# Unit at the end of a behaviour's gauge -> (unit of the metric, factor)
UNITS = {"ns": ("seconds", 1e-9), "us": ("seconds", 1e-6), "ms": ("seconds", 1e-3), "s": ("seconds", 1.0)}
UNITS |= {"bps": ("ratio", 1e-4), "fraction": ("ratio", 1.0), "count": ("", 1.0), "total": ("", 1.0)}
UNITS |= {"e8": ("ratio", 1e-8), "percent": ("ratio", 1e-2)}


class ConfigurationFigures(Protocol):
    """What tells which configuration runs, and for how long it is on trial."""

    def generation(self) -> int:
        """Return the number of the newest generation."""
        ...

    def canary_left_s(self) -> float:
        """Return the seconds for which a canary has still to do well; 0 without one."""
        ...


class NodeCollector:
    """A prometheus_client collector over one node."""

    def __init__(
        self,
        node: Node,
        information: dict[str, str],
        configuration: ConfigurationFigures | None = None,
        drills: DrillAges | None = None,
    ) -> None:
        self._node = node
        self._information = information
        self._configuration = configuration
        self._drills = drills or DrillAges()
        self.started_at_s = node.loop.now_ns * NANO

    def describe(self) -> Iterable[Metric]:
        """Return nothing: families depend on the deployment, so registering must not collect."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all metric families."""
        yield InfoMetricFamily("polytrade_build", TABLE["build"].meaning, value=self._information)
        yield from self._loop()
        yield from self._journal()
        yield from self._actors()
        yield from self._supervisors()
        yield from self._behaviours()
        passed = self._drills.passed_at_s()
        if passed:
            yield _many("drill_passed_timestamp_seconds", "drill", passed.items())

    def _loop(self) -> Iterator[Metric]:
        counters, node = self._node.loop.counters, self._node
        for name, metric in LOOP_COUNTERS.items():
            yield _one(metric, getattr(counters, name))
        yield _one("loop_busy_seconds", counters.busy_ns * NANO)
        yield _one("loop_progress_timestamp_seconds", node.loop.now_ns * NANO)
        yield _one("loop_inputs_waiting_messages", node.loop.inlet.waiting_count)
        yield _one("node_ready", node.is_ready)
        yield _one("node_start_timestamp_seconds", self.started_at_s)
        yield _one("node_recovery_seconds", node.recovery_ns * NANO)
        yield _one("node_epoch", node.journal.epoch)
        if self._configuration is not None:
            yield _one("node_generation", self._configuration.generation())
            yield _one("canary_left_seconds", self._configuration.canary_left_s())

    def _journal(self) -> Iterator[Metric]:
        loop, journal = self._node.loop, self._node.journal
        yield _one("journal_commit_seconds", loop.counters.commit_ns * NANO)
        yield _one("journal_sync_seconds", loop.counters.sync_ns * NANO)
        yield _one("journal_last_commit_seconds", loop.counters.commit_ns_last * NANO)
        yield _one("journal_written_timestamp_seconds", journal.at_ns * NANO)
        yield _one("journal_sequence", journal.sequence)
        if loop.accepting:
            used, limit = journal.store.usage()
            yield _one("journal_used_bytes", used)
            yield _one("journal_limit_bytes", limit)

    def _actors(self) -> Iterator[Metric]:
        cells = list(self._node.loop.cells.values())
        yield _many("actor_running", "actor", [(c.name, c.state is CellState.RUNNING) for c in cells])
        for attribute, metric in ACTOR_METRICS.items():
            yield _many(metric, "actor", [(cell.name, getattr(cell, attribute)) for cell in cells])

    def _supervisors(self) -> Iterator[Metric]:
        found = list(self._node.tree.supervisors.items())
        yield _many("supervisor_restarts", "supervisor", [(n, len(one.restarts)) for n, one in found])
        yield _many("supervisor_restarts_limit", "supervisor", [(n, one.spec.intensity) for n, one in found])
        yield _many("supervisor_exhausted", "supervisor", [(n, one.is_exhausted) for n, one in found])

    def _behaviours(self) -> Iterator[Metric]:
        families: dict[str, Any] = {}
        histograms: dict[tuple[str, ...], _Histogram] = {}
        for cell in list(self._node.loop.cells.values()):
            owner = (cell.kind or cell.name).partition(".")[0].partition("/")[0]
            for raw, value in list(read_gauges(cell).items())[:GAUGES_PER_ACTOR_MAX]:
                name, labels = _labels(raw)
                metric, factor = gauge_name(owner, name)
                labels = {"actor": cell.name, **labels}
                if (part := _part_of_histogram(owner, name)) is not None:
                    upper = labels.pop("le", "")
                    key = (part, *labels.values())
                    histogram = histograms.setdefault(key, _Histogram(part, labels))
                    histogram.take(name, upper, value)
                    continue
                family = families.get(metric)
                if family is None:
                    family = families[metric] = _family(metric.removeprefix(PREFIX), tuple(labels))
                family.add_metric(list(labels.values()), value * factor)
        for histogram in histograms.values():
            family = families.setdefault(histogram.name, _family(histogram.name, tuple(histogram.labels)))
            family.add_metric(list(histogram.labels.values()), histogram.buckets, histogram.sum)
        yield from families.values()


class _Histogram:
    """One histogram of one actor, put together from its parts."""

    def __init__(self, name: str, labels: dict[str, str]) -> None:
        self.name = name
        self.labels = labels
        self.buckets: list[tuple[str, float]] = []
        self.sum = 0.0

    def take(self, part: str, upper: str, value: float) -> None:
        if upper:
            self.buckets.append((upper, value))
        elif part.endswith("_count"):
            self.buckets.append(("+Inf", value))
        else:
            self.sum = value * NANO


@lru_cache(NAMES_KEPT)
def _part_of_histogram(owner: str, name: str) -> str | None:
    """Return which histogram of the table a part (`x_bucket`, `x_sum_ns`, `x_count`) belongs to, if any."""
    stem, _, _ = name.removesuffix("_sum_ns").removesuffix("_count").partition("_bucket")
    found = TABLE.get(f"{owner}_{stem}_seconds")
    return found.name if found is not None and found.type == HISTOGRAM and stem != name else None


def _labels(name: str) -> tuple[str, dict[str, str]]:
    """Return a gauge's name and its own labels, if it has some: `requests_lost{path=GET /v3/...}`."""
    found = LABELED.fullmatch(name)
    return (found[1], dict(LABEL.findall(found[2]))) if found else (name, {})


@lru_cache(NAMES_KEPT)
def gauge_name(owner: str, name: str) -> tuple[str, float]:
    """Return a behaviour's gauge as a metric name with its base unit, and the factor to that unit.

    `quote_age_ms` of a risk actor is `polytrade_risk_quote_age_seconds`; `fills_count` becomes `..._fills`;
    an instant, `heard_at_ns`, is a `..._heard_timestamp_seconds`.
    """
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    factor = 1.0
    if words[-2:] == ["at", "ns"] and len(words) > 2:
        words[-2] = "timestamp"
    if len(words) > 1 and words[-1] in UNITS:
        unit, factor = UNITS[words[-1]]
        words[-1:] = [unit] if unit else []
    top = re.sub(r"[^a-z0-9]+", "_", owner.lower()).strip("_")
    if len(words) > 1 and words[0] == top:
        del words[0]
    return "_".join(["polytrade", top, *words]), factor


def _family(name: str, labels: tuple[str, ...]) -> Any:
    """Return an empty family; what the table does not know is a gauge that says so."""
    known = TABLE.get(name)
    make: Any = GaugeMetricFamily
    if known is not None and known.type in (COUNTER, HISTOGRAM):
        make = CounterMetricFamily if known.type == COUNTER else HistogramMetricFamily
    text = known.meaning if known is not None else "Not in the catalogue of metrics."
    return make(PREFIX + name, text, labels=labels)


def _one(name: str, value: float) -> Metric:
    family = _family(name, ())
    family.add_metric([], float(value))
    return family  # type: ignore[no-any-return]


def _many(name: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = _family(name, (label,))
    for key, value in values:
        family.add_metric([key], float(value))
    return family  # type: ignore[no-any-return]


def make_registry(
    node: Node, information: dict[str, str], configuration: ConfigurationFigures | None = None
) -> CollectorRegistry:
    """Return a registry of its own with the node's metrics and the process's."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NodeCollector(node, information, configuration))
    ProcessCollector(registry=registry)
    return registry


async def scrape(registry: Any) -> bytes:
    """Return the text format of everything registered.

    Of a thousand actors it takes a tenth of a second of CPU time. The thread that asks also carries every
    byte to and from the venue, so another one does it; they take turns every 50 microseconds.
    """
    return await asyncio.to_thread(exposition, registry)


def exposition(registry: Any) -> bytes:
    """Return the text format of everything registered."""
    return generate_latest(registry)
