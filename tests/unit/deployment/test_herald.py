"""The herald takes the alerter's own routes and the node's log, and gives up no page at the first try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.deployment.herald import LOG, NodeHerald
from actors.deployment.loader import load
from actors.deployment.secret_values import keep_alert_secrets
from actors.deployment.topology import Topology
from actors.runtime.errands import News
from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse
from actors.secrets.port import Secret, SecretError, Trouble
from actors.secrets.reference import SecretReference

ROUTES = """
          - {name: log, channel: log}
          - {name: pager, channel: webhook, severity_min: page, url: "http://alerts.example/hook"}
          - {name: quiet, channel: webhook, resolved: false, url: "http://quiet.example/hook"}
"""
MARKETS = Path(__file__).parents[3] / "config/markets"
FILE = f"""
deployment: told
mode: paper
journal: {{path: journal}}
actors:
  alerter:
    kind: alerter
    settings:
      routes: {ROUTES}
"""


class Wire:
    """The far side of all routes."""

    def __init__(self, *answers: int) -> None:
        self.requests: list[HttpRequest] = []
        self._answers = list(answers)

    def send(self, request: HttpRequest) -> HttpResponse | HttpFailure:
        self.requests.append(request)
        status = self._answers.pop(0) if self._answers else 200
        if not status:
            return HttpFailure(request.request_id, False, "refused")
        return HttpResponse(request.request_id, status, (), b"", 1)


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    (tmp_path / "markets").symlink_to(MARKETS)
    (tmp_path / "told.yaml").write_text(FILE)
    return load(str(tmp_path / "told.yaml"))


def tell(topology: Topology, wire: Wire, news: News, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setattr("actors.deployment.herald.PAUSE_NS", 0)
    NodeHerald(topology, wire)(news)  # type: ignore[arg-type]
    lines = (topology.journal_path / LOG).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_page_takes_every_route_and_the_log(topology: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    lines = tell(topology, wire, News("NodeDead", "the node is not there"), monkeypatch)
    assert [request.url for request in wire.requests] == [
        "http://alerts.example/hook",
        "http://quiet.example/hook",
    ]
    body = json.loads(wire.requests[0].body)
    assert (body["status"], body["alert"], body["severity"]) == ("firing", "NodeDead", "page")
    assert (body["deployment"], body["headline"]) == ("told", "the node is not there")
    assert body["firing"][0]["source"] == "heart"
    assert [(line["event"], line["alert"], line["actor"]) for line in lines] == [
        ("alert_firing", "NodeDead", "heart")
    ]


def test_its_end_goes_to_routes_that_want_to_hear_of_ends(
    topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire()
    lines = tell(topology, wire, News("NodeDead", "x", is_over=True), monkeypatch)
    assert [json.loads(request.body)["status"] for request in wire.requests] == ["resolved"]
    assert lines[0]["event"] == "alert_resolved"


def test_a_far_side_that_is_away_for_a_moment_is_tried_again_under_the_same_id(
    topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(0, 503, 200)
    lines = tell(topology, wire, News("LoopStalled", "x"), monkeypatch)
    assert len(wire.requests) == 4
    assert len({request.request_id for request in wire.requests[:3]}) == 1
    assert [line["event"] for line in lines] == ["alert_firing"]


def test_a_delivery_that_is_given_up_stands_in_the_log(
    topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(404, 0, 0, 0)
    lines = tell(topology, wire, News("LoopStalled", "x"), monkeypatch)
    assert [(line["event"], line.get("route")) for line in lines[1:]] == [
        ("alert_delivery_failed", "pager"),
        ("alert_delivery_failed", "quiet"),
    ]
    assert len(wire.requests) == 4, "a refusal is final, silence is not"


def test_a_log_that_cannot_be_written_keeps_nobody_from_hearing(
    topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    topology.journal_path.mkdir(parents=True)
    (topology.journal_path / "log").write_text("a file where a folder should be")
    wire = Wire()
    NodeHerald(topology, wire)(News("NodeDead", "x"))  # type: ignore[arg-type]
    assert len(wire.requests) == 2


SECRET_ROUTES = """
          - {name: team, channel: slack, url: secret://polytrade/alerts#slack_url}
          - {name: duty, channel: pagerduty, routing_key: secret://polytrade/alerts#key, url: "http://duty.example/v2"}
          - {name: later, channel: webhook, at_once: false, url: "http://later.example/hook"}
          - name: mail
            channel: email
            mail: {host: 127.0.0.1, port: 1, security: none, sender: a@example.com, to: [b@example.com]}
      escalation: [{after: 10m, routes: [later]}]
"""


class Source:
    """A store of secrets that may be away."""

    def __init__(self) -> None:
        self.values = {"slack_url": "http://hooks.example/planted-1", "key": "planted-2"}
        self.is_away = False

    def fetch(self, reference: SecretReference) -> Secret:
        if self.is_away:
            raise SecretError(reference, "nobody answers", "wait", Trouble.UNREACHABLE)
        return Secret(self.values[reference.key], 1)


def test_every_channel_is_taken_with_secrets_held_from_before_when_their_store_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.deployment.herald.PAUSE_NS", 0)
    (tmp_path / "markets").symlink_to(MARKETS)
    (tmp_path / "told.yaml").write_text(FILE.replace(ROUTES, SECRET_ROUTES))
    found, source, wire = load(str(tmp_path / "told.yaml")), Source(), Wire()
    keeper = keep_alert_secrets(found, source)
    source.is_away = True
    NodeHerald(found, wire, keeper)(News("NodeDead", "the node is not there"))  # type: ignore[arg-type]
    assert [request.url for request in wire.requests] == [
        "http://hooks.example/planted-1",
        "http://duty.example/v2",
    ]
    event = json.loads(wire.requests[1].body)
    assert (event["routing_key"], event["event_action"]) == ("planted-2", "trigger")
    log = (found.journal_path / LOG).read_text()
    assert "planted" not in log
    assert [json.loads(line).get("route") for line in log.splitlines()] == [None, "mail"], (
        "the mail server is away"
    )
