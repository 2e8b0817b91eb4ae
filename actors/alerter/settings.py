"""What an operator may write about the alerter."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

from actors.alerter.quiet import quiet_hours, utc_ns
from actors.alerter.route import EscalationStep, Mail, Route
from actors.runtime.settings import Duration, Reload, Settings, setting

__all__ = ["AlerterSettings", "EscalationStep", "Mail", "Route", "Silence"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
ROUTES_MAX = 20  # each is a label in the metrics; more belong into the service that they lead to


class Silence(Settings, frozen=True, kw_only=True):
    """A planned time without notifications about matching alerts; they stay listed."""

    name: Annotated[str, setting("Shell pattern of alert names.", examples=("Feed*",))] = "*"
    key: Annotated[str, setting("Shell pattern of alert keys.", examples=("BTC_USDT_PERP",))] = "*"
    source: Annotated[str, setting("Shell pattern of the actors that raise.", examples=("feed/*",))] = "*"
    starts_at: Annotated[str, setting("UTC instant.", examples=("2026-11-21T22:00:00Z",))]
    ends_at: Annotated[str, setting("UTC instant.", examples=("2026-11-22T02:00:00Z",))]
    reason: Annotated[str, setting("Why, for whoever wonders at the quiet.")]

    def __post_init__(self) -> None:
        if utc_ns(self.starts_at) >= utc_ns(self.ends_at):
            raise ValueError(f"silence of {self.name}: starts_at must lie before ends_at")


class AlerterSettings(Settings, frozen=True, kw_only=True):
    """Grouping, quiet times and delivery of alerts, for the whole deployment."""

    routes: Annotated[tuple[Route, ...], setting("Every route that fits is taken.", reload=Reload.LIVE)] = (
        Route(),
    )
    runbooks: Annotated[
        str,
        setting(
            "Folder of your own runbooks, one `AlertName.md` each, relative to the deployment file; it must "
            "have one for every alert of this deployment. Empty: the program's own.",
            reload=Reload.LIVE,
            examples=("../runbooks",),
        ),
    ] = ""
    escalation: Annotated[
        tuple[EscalationStep, ...],
        setting("Whom else to tell of an alert that nobody acknowledges, in this order.", reload=Reload.LIVE),
    ] = ()
    escalation_repeat: Annotated[
        Duration,
        setting(
            "So long after the last step everything begins again with the routes that are told at once. "
            "0: it does not.",
            minimum=0,
            reload=Reload.LIVE,
        ),
    ] = 0
    acknowledged_for: Annotated[
        Duration,
        setting(
            "How long an acknowledgement holds that names no time; what still fires then is told anew.",
            minimum=MINUTE_NS,
            reload=Reload.LIVE,
        ),
    ] = 4 * 60 * MINUTE_NS
    runbooks_url: Annotated[
        str,
        setting(
            "Where the runbooks are published; `/AlertName.md` is appended. Empty: messages name commands.",
            reload=Reload.LIVE,
            examples=("https://wiki.example/runbooks",),
            pattern=r"^(https?://\S+[^/\s])?$",
        ),
    ] = ""
    group_wait: Annotated[
        Duration,
        setting(
            "How long a first notification waits for more alerts of its name.", minimum=0, reload=Reload.LIVE
        ),
    ] = 5 * SECOND_NS
    group_interval: Annotated[
        Duration,
        setting("Shortest time between two notifications about one name.", minimum=0, reload=Reload.LIVE),
    ] = MINUTE_NS
    repeat_interval: Annotated[
        Duration,
        setting(
            "After this time an alert that still holds is told again.", minimum=MINUTE_NS, reload=Reload.LIVE
        ),
    ] = 4 * 60 * MINUTE_NS
    flap_count: Annotated[
        int,
        setting(
            "So many raises of one alert within flap_window count as flapping.", minimum=2, reload=Reload.LIVE
        ),
    ] = 4
    flap_window: Annotated[
        Duration,
        setting(
            "A flapping alert is over after so long without a raise.", minimum=SECOND_NS, reload=Reload.LIVE
        ),
    ] = 10 * MINUTE_NS
    acknowledged_calm: Annotated[
        Duration,
        setting(
            "An alert that tells of an event is over so long after somebody acknowledged it, and the last of "
            "it came.",
            minimum=SECOND_NS,
            reload=Reload.LIVE,
        ),
    ] = MINUTE_NS
    quiet_hours: Annotated[
        str,
        setting(
            "Daily time, UTC, in which only pages are told; the rest waits for its end.",
            reload=Reload.LIVE,
            pattern=r"^(\d\d:\d\d-\d\d:\d\d)?$",
            examples=("21:00-06:00",),
        ),
    ] = ""
    silences: Annotated[
        tuple[Silence, ...], setting("Planned times without notifications.", reload=Reload.LIVE)
    ] = ()
    alerts_max: Annotated[
        int,
        setting(
            "So many alerts are kept, not counting tickets when a page comes; more are counted and dropped.",
            minimum=1,
            reload=Reload.LIVE,
        ),
    ] = 1_000
    deliveries_max: Annotated[
        int,
        setting(
            "So many deliveries wait for an answer; more push out the oldest.", minimum=1, reload=Reload.LIVE
        ),
    ] = 200
    delivery_timeout: Annotated[
        Duration, setting("How long one attempt may take.", minimum=SECOND_NS // 10, reload=Reload.LIVE)
    ] = 10 * SECOND_NS
    retry_wait: Annotated[
        Duration,
        setting(
            "Pause before the second attempt; doubles with each one.",
            minimum=SECOND_NS // 10,
            reload=Reload.LIVE,
        ),
    ] = SECOND_NS
    retry_wait_max: Annotated[
        Duration, setting("Longest pause between two attempts.", minimum=SECOND_NS // 10, reload=Reload.LIVE)
    ] = 5 * MINUTE_NS
    attempts_max: Annotated[
        int, setting("After so many attempts a delivery is given up.", minimum=1, reload=Reload.LIVE)
    ] = 12

    def __post_init__(self) -> None:
        names = [route.name for route in self.routes]
        if len(names) > ROUTES_MAX:
            raise ValueError(f"{len(names)} routes are more than {ROUTES_MAX}")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two routes are named {name}")
        quiet_hours(self.quiet_hours)
        check_escalation(self)


def check_escalation(settings: AlerterSettings) -> None:
    """Errors: ValueError when a step leads nowhere, or a route is never taken."""
    known = {route.name: route for route in settings.routes}
    before_ns = 0
    for number, step in enumerate(settings.escalation, 1):
        if not step.routes:
            raise ValueError(f"escalation step {number} tells nobody: write where it leads to")
        for name in step.routes:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                help = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                raise ValueError(
                    f"escalation step {number} leads to {name!r}, and no route has this name; {help}"
                )
        if step.after <= before_ns:
            raise ValueError(f"escalation step {number} must come later than the step before it")
        before_ns = step.after
    reached = {name for step in settings.escalation for name in step.routes}
    for route in settings.routes:
        if not route.at_once and route.name not in reached:
            raise ValueError(
                f"route {route.name} is not told at_once, and no step of the escalation leads to it"
            )
    if settings.escalation_repeat and not settings.escalation:
        raise ValueError("escalation_repeat begins the escalation again, and there is none")
