"""`polytrade alerts` against a node with an alerter, over its real control socket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.alerter.actor import AlerterActor
from actors.alerter.settings import AlerterSettings, EscalationStep, Route
from actors.cli.exit_codes import ExitCode
from actors.cli.incident import _screen, collect
from actors.cli.running import announced
from actors.cli.screen import Screen
from actors.cli.targets import Target
from actors.control.server import ControlServer
from actors.domain.place import Place
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity
from actors.runtime.node import Node
from actors.runtime.pumps.messages import HttpRequest, HttpResponse
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.supervision import SupervisorSpec
from tests.unit.cli.conftest import running_house
from tests.unit.control.house import Plan, running

MINUTE = 60_000_000_000


class FarSide:
    """An HTTP pump whose far side answers at once, or not at all."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.statuses: dict[str, int] = {}  # by host; 0: no answer
        self.requests: list[HttpRequest] = []

    def put(self, message: Message, address: str) -> None:
        assert isinstance(message, HttpRequest)
        self.requests.append(message)
        status = self.statuses.get(message.url.split("/")[2], 200)
        if status:
            told = HttpResponse(message.request_id, status, (), b"no such hook", 1)
            self.node.deliver_from_outside(address, told)


class House:
    def __init__(self, node: Node, far: FarSide, plan: Plan) -> None:
        self.node, self.far, self.plan = node, far, plan

    def fire(self, name: str = "FeedStale", key: str = "BTC", severity: Severity = Severity.PAGE) -> None:
        before = self.node.cell("alerter").handled_count
        self.node.tell("alerter", AlertRaised(name, key, severity, f"{key} is silent", "feed/BTC", 0, ()))
        self.until(lambda: self.node.cell("alerter").handled_count > before)

    def over(self, name: str = "FeedStale", key: str = "BTC") -> None:
        before = self.node.cell("alerter").handled_count
        self.node.tell("alerter", AlertResolved(name, key, "feed/BTC", 0))
        self.until(lambda: self.node.cell("alerter").handled_count > before)

    def until(self, condition: Callable[[], Any]) -> None:
        give_up = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < give_up
            time.sleep(0.002)


@pytest.fixture
def alerting(plan: Plan) -> Iterator[House]:
    settings = AlerterSettings(
        routes=(
            Route(),
            Route(name="hook", channel="webhook", url="http://hook/x"),
            Route(name="boss", channel="webhook", url="http://boss/x", at_once=False),
        ),
        escalation=(EscalationStep(after=10 * MINUTE, routes=("boss",)),),
        group_wait=0,
    )
    place = Place("house", "alerter", "paper")
    cells = (CellSpec("alerter", lambda: AlerterActor(settings, place), kind="alerter"),)
    store = LmdbStore(plan.journal_path, Durability.PROCESS)
    node = Node(cells, (SupervisorSpec("root"),), store, SystemClock(), facts={"deployment": "house"})
    far = FarSide(node)
    node.loop.pumps["http"] = far
    with running(node):
        server = ControlServer(node, plan)
        server.start()
        with announced(running_house(plan, str(plan.journal_path.parent / "house.yaml"))):
            yield House(node, far, plan)
    server.stop()


def test_what_fires_is_listed_with_who_takes_care(cli, alerting: House) -> None:
    assert cli("alerts", "ls").stdout == "nothing fires\n"
    alerting.fire()
    alerting.fire("MarkMissing", "ETH", Severity.TICKET)
    shown = cli("alerts", "ls").stdout.splitlines()
    assert shown[0].split() == ["SEVERITY", "ALERT", "KEY", "SINCE", "(UTC)", "CARE", "SUMMARY"]
    assert shown[1].split()[:3] == ["page", "FeedStale", "BTC"]
    assert "goes to boss at 2" in shown[1]
    assert "nobody" in shown[2]
    answered = cli("alerts", "ack", "FeedStale", "BTC", "--by", "ann", "--reason", "cable", "--for", "1h")
    assert answered.exit_code == 0
    assert "FeedStale BTC: ann takes care until" in answered.stdout
    assert "taken by ann until" in cli("alerts", "ls").stdout
    found = json.loads(cli("alerts", "ls", "--json").stdout)
    assert [one["acknowledged_by"] for one in found["active"]] == ["ann", ""]
    assert [one["acknowledged_reason"] for one in found["active"]] == ["cable", ""]


def test_who_acknowledged_is_on_the_record_and_on_every_screen(cli, alerting: House) -> None:
    alerting.fire()
    cli("alerts", "ack", "FeedStale", "--by", "ann", "--reason", "cable")
    target = Target("house", alerting.plan.journal_path, alerting.plan.socket_path)
    [noted] = target.client.get("/v1/events?type=OperatorCommanded")["events"]
    for part in ("ann", "/v1/alerts/acknowledge", "cable"):
        assert part in str(noted)
    screen = "\n".join(_screen(collect(target, "")))
    assert "taken by ann until" in screen
    assert "alerts ack" in screen
    view = target.client.get("/v1/view")
    assert "taken by ann" in str(Screen()._warnings(view))
    alerting.fire("MarkMissing", "ETH")
    assert "nobody takes care" not in screen
    alerting.until(lambda: "goes to boss" in "\n".join(_screen(collect(target, "MarkMissing"))))


def test_what_is_over_and_how_routes_do_is_shown_when_asked_for(cli, alerting: House) -> None:
    alerting.fire()
    alerting.over()
    assert "FeedStale" not in cli("alerts", "ls").stdout
    shown = cli("alerts", "ls", "--all").stdout
    assert "OVER" in shown
    assert "after 10m" in next(line for line in shown.splitlines() if line.startswith("boss"))
    assert set(json.loads(cli("alerts", "ls", "--all", "--json").stdout)) > {"ended", "routes", "escalation"}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("ack", "FeedFrozen", "--reason", "x"), ExitCode.NOT_FOUND, "what fires: FeedStale"),
        (("ack", "FeedStale", "ETH", "--reason", "x"), ExitCode.NOT_FOUND, "no alert fires that fits"),
        (("ack", "FeedStale"), ExitCode.USAGE, "--reason"),
        (("ack",), ExitCode.USAGE, "wanted [FILE] ALERT [KEY]"),
        (("ack", "FeedStale", "--reason", "x", "--for", "soon"), ExitCode.USAGE, "no duration"),
        (("unack", "FeedStale"), ExitCode.REFUSED, "is acknowledged"),
        (("silence", "Feed*", "--reason", "x", "--for", "0"), ExitCode.USAGE, "unsilence"),
        (("silence", "Feed*", "--reason", " ", "--for", "1h"), ExitCode.USAGE, "with a reason"),
        (("unsilence", "Feed*"), ExitCode.REFUSED, "No silence of Feed*"),
        (("test", "pager"), ExitCode.NOT_FOUND, "there are log, hook, boss"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_code_and_a_remedy(
    cli, alerting: House, words: tuple[str, ...], code: ExitCode, text: str
) -> None:
    alerting.fire()
    shown = cli("alerts", *words)
    assert shown.exit_code == code
    assert text in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_silence_is_made_listed_and_ended(cli, alerting: House) -> None:
    made = cli("alerts", "silence", "Feed*", "BTC", "--for", "2h", "--reason", "moved", "--by", "bob")
    assert made.exit_code == 0
    alerting.fire()
    shown = cli("alerts", "ls").stdout
    assert "silenced" in shown
    assert "bob: moved" in shown
    assert alerting.far.requests == []
    assert cli("alerts", "unsilence", "Feed*", "BTC").exit_code == 0
    alerting.until(lambda: alerting.far.requests)
    assert "silenced" not in cli("alerts", "ls").stdout


def test_routes_are_tried_and_a_failure_has_a_code(cli, alerting: House) -> None:
    shown = cli("alerts", "test")
    assert shown.exit_code == 0
    assert [line.split()[:3] for line in shown.stdout.splitlines()[1:]] == [
        ["log", "log", "delivered"],
        ["hook", "webhook", "delivered"],
        ["boss", "webhook", "delivered"],
    ]
    alerting.far.statuses["boss"] = 404
    failed = cli("alerts", "test", "boss")
    assert failed.exit_code == ExitCode.FAILURE
    assert "refused with status 404: no such hook" in failed.stdout
    assert "not delivered: boss" in failed.stderr
    found = json.loads(cli("alerts", "test", "hook", "--json").stdout)
    assert found["delivered"]
    assert [(one["route"], one["outcome"]) for one in found["routes"]] == [("hook", "delivered")]


def test_a_route_that_does_not_deliver_is_told_beside_the_list(cli, alerting: House) -> None:
    alerting.far.statuses["hook"] = 401
    alerting.fire()
    alerting.until(lambda: len(alerting.far.requests) >= 1)
    shown = cli("alerts", "ls")
    assert "AlertDeliveryFailed" in shown.stdout
    assert "route hook does not deliver: refused with status 401" in shown.stderr
