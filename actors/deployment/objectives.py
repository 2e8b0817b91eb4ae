"""What a deployment promises about itself (`slo`), and where its monitoring is (`monitoring`).

The node reads neither: `polytrade monitoring` makes rules, routes and dashboards from them.
"""

from __future__ import annotations

from typing import Annotated

from actors.runtime.settings import E8, Duration, Reload, Settings, setting

__all__ = ["LatencyObjective", "MonitoringSection", "Objective", "SloSection"]

ONE = 100_000_000
MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000 * MILLISECOND_NS
# Upper ends of the buckets in which the OMS counts how long a stage of an order took.
BUCKETS_NS = tuple(
    ms * MILLISECOND_NS for ms in (1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
)
URL = r"^https?://[^\s{}]+$"
RECEIVER = r"^(https?|file)://[^\s{}]+$"

Share = Annotated[
    E8,
    setting(
        "The part of it that shall be good, over 30 days; below 1. 0 makes no promise, and no rules.",
        minimum=0,
        maximum=ONE - 1,
        reload=Reload.NONE,
        examples=("0.999",),
    ),
]


class Objective(Settings, frozen=True, kw_only=True):
    """One promise."""

    objective: Share


class LatencyObjective(Settings, frozen=True, kw_only=True):
    """A promise on how long something takes."""

    objective: Share
    within: Annotated[
        Duration,
        setting(
            "What counts as fast. One of the ends of the buckets: 1ms, 5ms, 10ms, 25ms, 50ms, 100ms, 250ms, "
            "500ms, 1s, 2.5s, 5s, 10s.",
            reload=Reload.NONE,
            minimum=MILLISECOND_NS,
        ),
    ] = 500 * MILLISECOND_NS

    def __post_init__(self) -> None:
        if self.within not in BUCKETS_NS:
            raise ValueError(
                "within must be one of 1ms, 5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s, 2.5s, 5s, 10s"
            )


class SloSection(Settings, frozen=True, kw_only=True):
    """What the deployment promises, each over 30 days. A promise that is being broken fast pages somebody."""

    availability: Annotated[
        Objective, setting("Time in which the node is there and ready.", reload=Reload.NONE)
    ] = Objective(objective=99_900_000)
    freshness: Annotated[
        Objective, setting("Time in which feeds are live, over all symbols.", reload=Reload.NONE)
    ] = Objective(objective=99_500_000)
    answers: Annotated[
        Objective,
        setting("Orders and cancels that get an answer from the venue, whatever it is.", reload=Reload.NONE),
    ] = Objective(objective=99_900_000)
    acceptance: Annotated[
        Objective, setting("Orders that the venue does not refuse.", reload=Reload.NONE)
    ] = Objective(objective=99_000_000)
    latency: Annotated[
        LatencyObjective,
        setting("Orders whose first word from the venue comes `within` the time.", reload=Reload.NONE),
    ] = LatencyObjective(objective=99_000_000)
    agreement: Annotated[
        Objective, setting("Time in which our books agree with the venue's.", reload=Reload.NONE)
    ] = Objective(objective=99_900_000)


class MonitoringSection(Settings, frozen=True, kw_only=True):
    """Where the monitoring is that `polytrade monitoring` makes files for. Put no secret in here: the files
    are read by many."""

    targets: Annotated[
        tuple[str, ...],
        setting(
            "Where Prometheus finds the nodes: numeric addresses, with the port of `control: {http: ...}`.",
            reload=Reload.NONE,
            examples=(["10.0.0.7:9464"],),
        ),
    ] = ("127.0.0.1:9464",)
    scrape_every: Annotated[
        Duration,
        setting(
            "How often Prometheus asks and rules are judged.",
            reload=Reload.NONE,
            minimum=SECOND_NS,
            maximum=60 * SECOND_NS,
        ),
    ] = 5 * SECOND_NS
    alertmanagers: Annotated[
        tuple[str, ...], setting("Where Prometheus sends alerts.", reload=Reload.NONE)
    ] = ("127.0.0.1:9093",)
    runbooks_url: Annotated[
        str,
        setting(
            "Folder on the web with the runbooks; `/FeedStale.md` follows. The default reaches nobody.",
            reload=Reload.NONE,
            pattern=URL,
            examples=("https://git.example/polytrade/runbooks",),
        ),
    ] = "https://runbooks.invalid"
    dashboards_url: Annotated[str, setting("Where Grafana is.", reload=Reload.NONE, pattern=URL)] = (
        "http://127.0.0.1:3000"
    )
    page_url: Annotated[
        str,
        setting(
            "Where Alertmanager posts what wakes somebody. `file:///run/secrets/page_url` when the address "
            "itself is a secret: Alertmanager (0.26 or newer) reads it from there.",
            reload=Reload.NONE,
            pattern=RECEIVER,
        ),
    ] = "http://127.0.0.1:9095/page"
    ticket_url: Annotated[
        str,
        setting(
            "Where it posts what waits for the morning; a file as well.",
            reload=Reload.NONE,
            pattern=RECEIVER,
        ),
    ] = "http://127.0.0.1:9095/ticket"
    heartbeat_url: Annotated[
        str,
        setting(
            "Where it posts once a minute that all of it works; a file as well. Let a service outside tell "
            "you when that stops. Empty: nowhere.",
            reload=Reload.NONE,
            pattern=f"^$|{RECEIVER}",
        ),
    ] = "http://127.0.0.1:9095/heartbeat"
