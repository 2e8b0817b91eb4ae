"""What is said about a metric: type, labels with their bounds, meaning, and the question that it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["COUNTER", "GAUGE", "HISTOGRAM", "INFO", "LABELS", "PREFIX", "Bound", "Metric", "group"]

PREFIX = "polytrade_"
COUNTER, GAUGE, HISTOGRAM, INFO = "counter", "gauge", "histogram", "info"
# The word that a name ends with, where it is a unit -> the unit; every other metric is a plain number.
UNITS = {
    "timestamp_seconds": "seconds since 1970, UTC",
    "seconds": "seconds",
    "bytes": "bytes",
    "ratio": "a fraction of 1",
    "usdt": "USDT",
    "messages": "messages",
    "contracts": "contracts",
}


class Bound(NamedTuple):
    """What a label may be. `most`: so many different values a node can show."""

    values: str
    most: int


class Metric(NamedTuple):
    """One metric. `name` is without prefix, and without `_total` for counters."""

    name: str
    type: str
    meaning: str
    answers: str
    labels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # of actors that show it; empty: the node itself
    appears: str = ""  # when it is there; empty: always

    @property
    def unit(self) -> str:
        """The base unit, from the end of the name; empty for plain numbers."""
        return next((unit for word, unit in UNITS.items() if self.name.endswith(word)), "")

    @property
    def full_name(self) -> str:
        """The name as it is scraped and queried, without a histogram's endings."""
        return PREFIX + self.name + {COUNTER: "_total", INFO: "_info"}.get(self.type, "")


LABELS: dict[str, Bound] = {
    "actor": Bound("an address of the deployment", 2_000),
    "path": Bound("a method and path of the venue's API that the actor uses", 40),
    "limit_class": Bound("a class of requests that share one limit at the venue", 12),
    "stage": Bound("a stage of an order's way, see `polytrade tca`", 7),
    "le": Bound("the upper end of a bucket, in seconds", 14),
    "limit": Bound("a limit of the account that is in force", 12),
    "level": Bound("no_new_risk, cancel_all, flatten", 3),
    "alert": Bound("an alert of docs/alerts.md", 100),
    "route": Bound("a route of the alerter", 20),
    "severity": Bound("info, ticket, page", 3),
    "supervisor": Bound("a supervisor of the deployment", 50),
    "drill": Bound("an experiment below chaos/", 100),
    "part": Bound("a part of the gap to the model, see docs/parity.md", 8),
    "version": Bound("of Polytrade", 1),
    "deployment": Bound("the deployment's name", 1),
    "mode": Bound("backtest, simulation, paper, shadow, live", 1),
    "configuration_hash": Bound("of what the files say", 1),
}


def group(
    answers: str, kinds: Iterable[str], rows: Iterable[tuple[str, ...]], *, labels: tuple[str, ...] = ()
) -> list[Metric]:
    """Return metrics with one question and one set of kinds: rows of (name, type, meaning, own labels...).

    Whatever an actor shows is labeled with its address.
    """
    found = tuple(kinds)
    first = (("actor",) if found else ()) + labels
    return [
        Metric(name, type, meaning, answers, first + tuple(own), found) for name, type, meaning, *own in rows
    ]
