"""What each promise of `slo` is measured by: the part that was bad, over a window.

An indicator of time is the mean of a 0 or 1 over the window; one of events is bad over all. No events, no
value: nothing is promised about what did not happen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from actors.deployment.topology import Topology

__all__ = ["INSTANCE", "Indicator", "Series", "indicators_of"]

Series = tuple[str, str]  # name with labels, values
INSTANCE = "deployment, instance"  # what every rule keeps: which node it speaks of


class Indicator(NamedTuple):
    """One promise, measured. `errors` holds WINDOW where the window goes."""

    slo: str
    objective: float
    errors: str
    summary: str
    impact: str  # for the money, while it is being broken
    dashboard: str
    series: Callable[[float], list[Series]]  # for promtool: SPAN steps in which such a part is bad

    @property
    def budget(self) -> float:
        """The part that may be bad."""
        return round(1 - self.objective, 10)


def _events(bad: str, all_: str) -> str:
    return f"sum by ({INSTANCE}) (rate({bad}[WINDOW]))\n/\nsum by ({INSTANCE}) (rate({all_}[WINDOW]))"


def _time(good: str) -> str:
    return f"1 - avg by ({INSTANCE}) (avg_over_time({good}[WINDOW]))"


def indicators_of(topology: Topology) -> list[Indicator]:
    """Return what is promised, as far as the deployment has actors that show it."""
    slo = topology.slo
    places = {plan.kind.partition(".")[0] for plan in topology.actors}
    found = [_availability(slo.availability.objective)]
    if "feed" in places:
        found.append(_freshness(slo.freshness.objective))
    if "venue" in places:
        found.append(_answers(slo.answers.objective))
    if "oms" in places and "risk" in places:
        found.append(_acceptance(slo.acceptance.objective))
        found.append(_latency(slo.latency.objective, slo.latency.within))
    if "reconciler" in places:
        found.append(_agreement(slo.agreement.objective))
    return [one for one in found if one.objective]


def _series(name: str, values: str, **labels: str) -> Series:
    shown = ",".join(f'{key}="{value}"' for key, value in {"instance": "node:1", **labels}.items())
    return f"{name}{{{shown}}}", values


def _gauge(name: str, bad: float, **labels: str) -> Series:
    return _series(name, f"{1 - bad:.10g}xSPAN", **labels)


def _counter(name: str, share: float, **labels: str) -> Series:
    """Return a counter of so many of one event a second."""
    return _series(name, f"0+{60 * share:.10g}xSPAN", **labels)


def _availability(share_e8: int) -> Indicator:
    def series(bad: float) -> list[Series]:
        if bad == 1:  # nobody answers
            return [_series("up", "0xSPAN", job="polytrade"), _series("polytrade_node_ready", "_xSPAN")]
        return [_series("up", "1xSPAN", job="polytrade"), _gauge("polytrade_node_ready", bad)]

    return Indicator(
        "availability",
        share_e8 / 1e8,
        _time("polytrade:node_up:bool"),
        "The node is away or not ready",
        "while the node is away nothing is decided; positions and resting orders are alone at the venue",
        "runtime",
        series,
    )


def _freshness(share_e8: int) -> Indicator:
    return Indicator(
        "freshness",
        share_e8 / 1e8,
        _time("polytrade_feed_live"),
        "Feeds are silent, late or frozen",
        "in symbols without fresh prices nothing is opened, and open positions are valued at old prices",
        "feeds",
        lambda bad: [_gauge("polytrade_feed_live", bad, actor="feed/A")],
    )


def _answers(share_e8: int) -> Indicator:
    path = '{path=~"(POST|DELETE) .*"}'
    lost, answered = "polytrade_venue_requests_lost_total", "polytrade_venue_requests_answered_total"
    bad, good = (f"sum by ({INSTANCE}) (rate({name}{path}[WINDOW]))" for name in (lost, answered))
    simulated = _events("polytrade_venue_unknown_total", "polytrade_oms_orders_submitted_total")

    def series(bad: float) -> list[Series]:
        order = {"actor": "venue/a", "path": "POST /v3/trade/order"}
        return [_counter(lost, bad, **order), _counter(answered, 1 - bad, **order)]

    return Indicator(
        "answers",
        share_e8 / 1e8,
        f"{bad}\n/\n({bad}\n  + {good})\nor\n{simulated}",
        "Orders and cancels get no answer from the venue",
        "each such order may or may not rest at the venue, with its margin reserved until it is found",
        "account",
        series,
    )


def _acceptance(share_e8: int) -> Indicator:
    refused, sent = "polytrade_risk_rejects_total", "polytrade_oms_orders_submitted_total"
    return Indicator(
        "acceptance",
        share_e8 / 1e8,
        _events(refused, sent),
        "The venue refuses orders",
        "wishes to open or close come to nothing; a position that should be closed may stay open",
        "account",
        lambda bad: [_counter(refused, bad, actor="risk/a"), _counter(sent, 1, actor="oms/a")],
    )


def _latency(share_e8: int, within_ns: int) -> Indicator:
    name, stage, upper = "polytrade_oms_stage_latency_seconds", 'stage="wire_to_ack"', within_ns / 1e9
    fast, all_ = f'{name}_bucket{{{stage},le="{upper}"}}', f"{name}_count{{{stage}}}"

    def series(bad: float) -> list[Series]:
        labels = {"actor": "oms/a", "stage": "wire_to_ack"}
        counted = _counter(f"{name}_count", 1, **labels)
        return [_counter(f"{name}_bucket", 1 - bad, **labels, le=str(upper)), counted]

    return Indicator(
        "latency",
        share_e8 / 1e8,
        f"1 - sum by ({INSTANCE}) (rate({fast}[WINDOW]))\n/\nsum by ({INSTANCE}) (rate({all_}[WINDOW]))",
        f"Orders wait longer than {upper:g} s for the venue's first word",
        "orders come late to the market: openings miss their price, and stops close later than they should",
        "account",
        series,
    )


def _agreement(share_e8: int) -> Indicator:
    return Indicator(
        "agreement",
        share_e8 / 1e8,
        _time("polytrade_reconciler_agrees"),
        "Our books do not agree with the venue's",
        "while books differ nothing is opened; what we believe to hold may not be what we hold",
        "account",
        lambda bad: [_gauge("polytrade_reconciler_agrees", bad, actor="reconciler/a")],
    )
