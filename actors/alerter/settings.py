"""What an operator may write about the alerter."""

from __future__ import annotations

from typing import Annotated, Literal

from actors.alerter.quiet import quiet_hours, utc_ns
from actors.runtime.messages import Severity
from actors.runtime.settings import Duration, Reload, Settings, setting

__all__ = ["AlerterSettings", "Route", "Silence"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


class Route(Settings, frozen=True, kw_only=True):
    """Where notifications of at least one severity go."""

    name: Annotated[str, setting("What this route is called in lists and alerts; unique.")] = "log"
    channel: Annotated[Literal["log", "webhook"], setting("How it is delivered.", reload=Reload.LIVE)] = "log"
    severity_min: Annotated[
        Severity, setting("Less important notifications do not take this route.", reload=Reload.LIVE)
    ] = Severity.INFO
    resolved: Annotated[bool, setting("Also tell when an alert is over.", reload=Reload.LIVE)] = True
    url: Annotated[
        str,
        setting(
            "Where a webhook is posted to; treated as a secret in everything that is shown.",
            reload=Reload.LIVE,
            examples=("https://alerts.example/hook",),
        ),
    ] = ""

    def __post_init__(self) -> None:
        if self.channel == "webhook" and not self.url.startswith(("https://", "http://")):
            raise ValueError(f"route {self.name}: a webhook needs a url that starts with https:// or http://")


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
        int, setting("So many alerts are kept; more are counted and dropped.", minimum=1, reload=Reload.LIVE)
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
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two routes are named {name}")
        quiet_hours(self.quiet_hours)
