"""The heart's herald: tells people over the alerter's own routes what its node cannot tell them.

It runs in a process of its own, beside a node that stands still or is gone. It knows no grouping, no quiet
hours, no silences and no escalation: what it has to tell is a page, told once when it begins and once when it
is over, on the routes that are told at once. They are those of the node's start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from actors.alerter.channels import CHANNELS
from actors.alerter.channels.channel import Attempt
from actors.alerter.delivery import Answer, Verdict, judge
from actors.alerter.notification import AlertLine, Notification
from actors.alerter.settings import AlerterSettings, Route
from actors.alerter.state import RANK
from actors.deployment.secret_values import keep_alert_secrets
from actors.deployment.topology import Topology
from actors.direct.wire import HttpWire, SystemTimes
from actors.runtime.errands import News
from actors.runtime.messages import Message, Severity
from actors.runtime.pumps.mail import MailSession
from actors.runtime.pumps.messages import HttpRequest, MailRequest
from actors.secrets.keeper import SecretKeeper
from actors.secrets.reference import is_reference

__all__ = ["HEART", "NodeHerald"]

HEART = "heart"
LOG = Path("log/node.jsonl")  # of the node: who reads why it stopped speaking reads it there
ATTEMPTS = 3
PAUSE_NS = 2_000_000_000


@dataclass
class _Outside:
    """As much of an actor's context as a channel needs; what it asks for is done after it."""

    name: str
    now_ns: int
    requests: list[HttpRequest | MailRequest] = field(default_factory=list)
    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def effect(self, port: str, message: Message, *, key: str = "") -> None:
        if isinstance(message, HttpRequest | MailRequest):
            self.requests.append(message)

    def log(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))


class NodeHerald:
    """Made before the heart is forked, from what the deployment says; called in a process for each news."""

    def __init__(
        self, topology: Topology, wire: HttpWire | None = None, keeper: SecretKeeper | None = None
    ) -> None:
        self._deployment = topology.deployment
        self._directory = str(topology.directory)
        self._log = topology.journal_path / LOG
        self._alerters = [
            (plan.address, plan.settings)
            for plan in topology.actors
            if isinstance(plan.settings, AlerterSettings)
        ]
        self._keeper = keeper or keep_alert_secrets(topology)
        self._wire = wire or HttpWire()
        self._times = SystemTimes()

    def __call__(self, news: News) -> None:
        """Tell it over every route that takes pages, each tried a few times."""
        now_ns = self._times.now_ns()
        line = AlertLine("", HEART, Severity.PAGE, news.text, {}, _utc(now_ns), False)
        firing, resolved = ((), (line,)) if news.is_over else ((line,), ())
        told = Notification(news.alert, Severity.PAGE, firing, resolved, 0, _utc(now_ns))
        self._keeper.fetch()  # they may have been changed since; what cannot be had stays as it was
        routes = [(owner, route) for owner in self._alerters for route in owner[1].routes if route.at_once]
        asked = _Outside(HEART, now_ns)
        event = "alert_resolved" if news.is_over else "alert_firing"
        asked.log(event, alert=news.alert, severity=Severity.PAGE.value, summary=news.text, source=HEART)
        self._write(asked)
        for owner, route in routes:
            if RANK[Severity.PAGE] >= RANK[route.severity_min] and (firing or route.resolved):
                self._deliver(told, owner, route, now_ns)

    def _deliver(
        self, told: Notification, owner: tuple[str, AlerterSettings], route: Route, now_ns: int
    ) -> None:
        if route.channel == "log":
            return  # it has been written
        asked = _Outside(HEART, now_ns)
        address, settings = owner
        values = self._keeper.values_of(address)
        attempt = Attempt(
            f"{HEART}#{now_ns}-{route.name}",
            self._deployment,
            settings.delivery_timeout,
            lambda text: values.get(text, "") if is_reference(text) else text,
            self._directory,
        )
        CHANNELS[route.channel].send(told, route, attempt, asked)  # type: ignore[arg-type]
        for request in asked.requests:
            if not self._sent(request):
                asked.log("alert_delivery_failed", alert=told.name, route=route.name, level="warning")
        self._write(asked)

    def _sent(self, request: HttpRequest | MailRequest) -> bool:
        for number in range(ATTEMPTS):
            if number:
                self._times.sleep_ns(PAUSE_NS)
            if isinstance(request, MailRequest):
                answer: Answer = MailSession(request).run()
            else:
                answer = self._wire.send(request)
            verdict = judge(answer).verdict
            if verdict is not Verdict.RETRY:
                return verdict is Verdict.DELIVERED
        return False

    def _write(self, asked: _Outside) -> None:
        """Append to the node's log, in its form; a log that cannot be written keeps nobody from hearing."""
        for event, fields in asked.lines:
            shown: dict[str, Any] = {
                "at": _utc(asked.now_ns),
                "level": fields.pop("level", "info"),
                "event": event,
                "actor": HEART,
                "turn": 0,
                "cause": 0,
                **fields,
            }
            try:
                self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                file = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                try:
                    os.write(file, msgspec.json.encode(shown) + b"\n")
                finally:
                    os.close(file)
            except OSError:
                continue


def _utc(at_ns: int) -> str:
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns // 1_000 % 1_000_000:06d}Z"
