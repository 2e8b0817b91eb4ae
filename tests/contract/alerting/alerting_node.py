"""A node with an alerter and the pumps of a real one; a test turns it by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from actors.alerter.actor import AlerterActor
from actors.alerter.settings import AlerterSettings, Mail, Route
from actors.alerter.state import AlerterState
from actors.domain.place import Place
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity
from actors.runtime.node import Node
from actors.runtime.pumps.http import HttpPump
from actors.runtime.pumps.mail import MailPump
from actors.runtime.pumps.thread import PumpThread
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from tests.contract.alerting import mail_server, services

NAMES = ("slack_url", "hook_authorization", "pagerduty_key", "telegram_token", "mail_password")
REFERENCES = {name: f"secret://polytrade/alerts#{name}" for name in NAMES}
PLANTED = "planted-"  # begins every secret of these tests
SECOND = 1_000_000_000


def secrets_for(far: services.Services) -> dict[str, str]:
    values = (
        far.url + services.SLACK_PATH,
        services.HOOK_AUTHORIZATION,
        services.PAGERDUTY_KEY,
        services.TELEGRAM_TOKEN,
        mail_server.PASSWORD,
    )
    return dict(zip(REFERENCES.values(), values, strict=True))


def routes_to(far: services.Services, mail: mail_server.MailServer) -> tuple[Route, ...]:
    """One route over every channel that leaves the node."""
    box = Mail(
        host="127.0.0.1",
        port=mail.port,
        ca_file=str(mail.certificate),
        username=mail_server.USER,
        password=REFERENCES["mail_password"],
        sender="polytrade@example.com",
        to=("ops@example.com", "boss@example.com"),
    )
    return (
        Route(name="slack", channel="slack", url=REFERENCES["slack_url"]),
        Route(
            name="hook",
            channel="webhook",
            url=f"{far.url}/hook",
            authorization=REFERENCES["hook_authorization"],
        ),
        Route(
            name="duty",
            channel="pagerduty",
            url=f"{far.url}/v2/enqueue",
            routing_key=REFERENCES["pagerduty_key"],
        ),
        Route(
            name="phone",
            channel="telegram",
            url=far.url,
            token=REFERENCES["telegram_token"],
            chat=services.CHAT,
        ),
        Route(name="mail", channel="email", mail=box),
    )


class AlertingNode:
    """One alerter in a node of its own; `store` is what outlives it."""

    def __init__(
        self,
        pumps: PumpThread,
        secrets: dict[str, str],
        routes: tuple[Route, ...],
        store: MemoryStore | None = None,
        **settings: Any,
    ) -> None:
        wanted = AlerterSettings(
            **{"routes": routes, "group_wait": 0, "group_interval": 0, "retry_wait": SECOND // 10, **settings}
        )
        place = Place("paper", "alerter", "paper", secrets=secrets)
        cells = (CellSpec("alerter", lambda: AlerterActor(wanted, place)),)
        self.logs: list[tuple[str, dict[str, object]]] = []
        self.store = store or MemoryStore()
        self.node = Node(cells, (SupervisorSpec("root"),), self.store, SystemClock())
        self.node.loop.log_sink = lambda _, event, fields, __: self.logs.append((event, fields))
        self.node.loop.pumps["http"] = HttpPump(pumps, self.node.deliver_from_outside)
        self.node.loop.pumps["mail"] = MailPump(pumps, self.node.deliver_from_outside)
        self.node.start()

    @property
    def state(self) -> AlerterState:
        found: AlerterState = self.node.cell("alerter").behaviour.state
        return found

    @property
    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self.node.cell("alerter").behaviour.describe()
        return found

    def tell(self, message: Message) -> None:
        self.node.tell("alerter", message)

    def ask(self, message: Message) -> Any:
        future = self.node.cell("alerter").actor.actor_ref.ask(message, block=False)
        while self.node.turn():
            pass
        return future.get(timeout=5)

    def until(self, condition: Callable[[], Any], timeout_s: float = 15.0) -> None:
        give_up = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < give_up, (self.shown["routes"], self.logs)
            if not self.node.turn():
                self.node.loop.wait(10_000_000)

    def until_told(self) -> None:
        """Go on until every delivery was taken or given up."""
        self.until(lambda: self.state.notifications_count and not self.state.deliveries)

    def errors(self) -> dict[str, str]:
        """Return what is wrong with routes, by name."""
        return {route["name"]: route["error"] for route in self.shown["routes"] if route["error"]}


def raised(
    key: str = "BTC_USDT_PERP", summary: str = "BTC_USDT_PERP: nothing came for 9 s", **more: str
) -> AlertRaised:
    details = tuple(more.items())
    return AlertRaised("FeedStale", key, Severity.PAGE, summary, "feed/BTC_USDT_PERP", 0, details)


def over(key: str = "BTC_USDT_PERP") -> AlertResolved:
    return AlertResolved("FeedStale", key, "feed/BTC_USDT_PERP", 0)
