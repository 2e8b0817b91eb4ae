"""An alerter on the bench, and short words for what is done to it."""

import json
from typing import Any

from actors.alerter.actor import AlerterActor
from actors.alerter.settings import AlerterSettings, EscalationStep, Route
from actors.alerter.state import AlerterState
from actors.domain.place import Place
from actors.messages.alerting import AcknowledgeAlerts
from actors.runtime.messages import AlertRaised, AlertResolved, Severity
from actors.runtime.pumps.messages import HttpRequest, HttpResponse
from actors.runtime.testing import Bench

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_760_000_000 * SECOND  # 2025-10-09 08:53:20 UTC
PAGE = Severity.PAGE


def hook(name: str, **more: Any) -> Route:
    """A webhook whose url is its name."""
    return Route(name=name, channel="webhook", url=f"https://{name}.example/", **more)


def step(after_ns: int, *routes: str, severity_min: Severity = PAGE) -> EscalationStep:
    return EscalationStep(after=after_ns, routes=routes, severity_min=severity_min)


class Answered(Bench):
    """A bench whose far sides take every request at once, and remember what they were told."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        super().__init__(*arguments, **options)

    def advance(self, delay_ns: int) -> None:
        end = self.now_ns + delay_ns
        self._take()
        while self._timers and self._timers[0][0] <= end:
            super().advance(max(self._timers[0][0] - self.now_ns, 0))
            self._take()
        super().advance(end - self.now_ns)

    def _take(self) -> None:
        while waiting := requests(self):
            for request in waiting:
                self.taken.append((request.url.split("/")[2].split(".")[0], json.loads(request.body)))
                answer(self, request)


def bench_of(secrets: dict[str, str] | None = None, kind: type[Bench] = Bench, **settings: Any) -> Any:
    made = AlerterSettings(**{"group_wait": 0, **settings})
    place = Place("paper", "alerter", "paper", secrets=secrets or {})
    return kind(lambda: AlerterActor(made, place), name="alerter", now_ns=START)


def answered_bench(**settings: Any) -> Answered:
    bench: Answered = bench_of(kind=Answered, **settings)
    return bench


def raised(
    name: str = "FeedStale", key: str = "BTC", severity: Severity = PAGE, summary: str = "BTC is silent"
) -> AlertRaised:
    return AlertRaised(name, key, severity, summary, "feed/BTC", START, ())


def over(name: str = "FeedStale", key: str = "BTC") -> AlertResolved:
    return AlertResolved(name, key, "feed/BTC", START)


def acknowledgement(
    name: str = "FeedStale", key: str = "*", duration_ns: int = 0, *, holds: bool = True, by: str = "ann"
) -> AcknowledgeAlerts:
    return AcknowledgeAlerts(name, key, "*", duration_ns, holds, by, "looking into it")


def state_of(bench: Bench) -> AlerterState:
    state: AlerterState = bench.behaviour.state
    return state


def requests(bench: Bench) -> list[HttpRequest]:
    """Return and forget the requests handed to the HTTP pump."""
    sent = [message for port, message in bench.effects if port == "http"]
    bench.effects.clear()
    return sent  # type: ignore[return-value]


def answer(bench: Bench, request: HttpRequest, status: int = 200) -> None:
    bench.tell(HttpResponse(request.request_id, status, (), b"", 1))


def posted(bench: Answered) -> list[tuple[str, dict[str, Any]]]:
    """Return (route, body) of everything that was taken since the last look."""
    bench.advance(0)
    found, bench.taken = bench.taken, []
    return found


def heard(bench: Answered) -> list[tuple[str, str]]:
    """Return (route, status) of everything that was taken since the last look."""
    return [(route, body["status"]) for route, body in posted(bench)]
