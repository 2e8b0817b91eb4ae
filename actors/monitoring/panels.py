"""What a dashboard is made of: panels of queries. SEL in a query is the choice of instances."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "Dashboard",
    "Panel",
    "Query",
    "budget_left",
    "graph",
    "mean_of_paths",
    "rate_of",
    "ratio_of_paths",
    "stage_quantile",
    "stat",
    "table",
]


class Query(NamedTuple):
    """One line of a panel, or one number."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """`kind`: stat, timeseries or table. `warn` and `bad`: where yellow and red begin; higher is worse."""

    title: str
    kind: str
    unit: str
    queries: tuple[Query, ...]
    says: str = ""
    width: int = 12
    warn: float | None = None
    bad: float | None = None
    lower_is_worse: bool = False


class Dashboard(NamedTuple):
    """One page. `name` is the end of its uid."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def stat(title: str, unit: str, expr: str, says: str = "", **how: object) -> Panel:
    """Return a big number, six to a row."""
    return Panel(title, "stat", unit, (Query(expr),), says, 4, **how)  # type: ignore[arg-type]


def graph(title: str, unit: str, *queries: tuple[str, str], says: str = "", **how: object) -> Panel:
    """Return lines over time, two to a row."""
    return Panel(title, "timeseries", unit, tuple(Query(*one) for one in queries), says, **how)  # type: ignore[arg-type]


def table(title: str, expr: str, says: str = "", unit: str = "none") -> Panel:
    """Return rows of labels with a value."""
    return Panel(title, "table", unit, (Query(expr),), says)


def rate_of(*counters: str, by: str = "actor") -> str:
    """Return how much some counters grow a second, together, for each value of a label."""
    rates = " + ".join(f"rate(polytrade_{one}_total{{SEL}}[$__rate_interval])" for one in counters)
    return f"sum by ({by}) ({rates})"


def ratio_of_paths(owner: str, what: str) -> str:
    """Return how many of an owner's requests went wrong in one way, by path."""
    all_ = rate_of(f"{owner}_requests_answered", f"{owner}_requests_lost", by="path")
    return f"{rate_of(f'{owner}_requests_{what}', by='path')} / {all_}"


def mean_of_paths(owner: str) -> str:
    """Return how long an owner's requests take, by path."""
    elapsed = rate_of(f"{owner}_requests_elapsed_seconds", by="path")
    return f"{elapsed} / {rate_of(f'{owner}_requests_answered', by='path')}"


def stage_quantile(quantile: float) -> str:
    """Return a quantile of each stage of an order."""
    return (
        f"histogram_quantile({quantile}, sum by (le, stage) "
        "(rate(polytrade_oms_stage_latency_seconds_bucket{SEL}[$__rate_interval])))"
    )


def budget_left(owner: str) -> str:
    """Return the part of each rate limit's burst that is free."""
    full, burst = (
        f"polytrade_{owner}_rate_budget_{end}_seconds{{SEL}}" for end in ("full_timestamp", "burst")
    )
    return f"clamp_min(1 - clamp_min({full} - time(), 0) / {burst}, 0)"
