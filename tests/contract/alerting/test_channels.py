"""Every channel against a far side with the service's documented rules, over real HTTP and SMTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actors.messages.alerting import AcknowledgeAlerts, TestRoutes
from actors.runtime.pumps.thread import PumpThread
from tests.contract.alerting import mail_server, services
from tests.contract.alerting.alerting_node import (
    PLANTED,
    SECOND,
    AlertingNode,
    over,
    raised,
    routes_to,
    secrets_for,
)


class Scene:
    """The far sides, and nodes that speak to them."""

    def __init__(self, far: services.Services, mail: mail_server.MailServer, pumps: PumpThread) -> None:
        self.far, self.mail, self.pumps = far, mail, pumps
        self.routes = {route.name: route for route in routes_to(far, mail)}
        self.nodes: list[AlertingNode] = []

    def node(self, *names: str, secrets: dict[str, str] | None = None, **more: Any) -> AlertingNode:
        routes = tuple(self.routes[name] for name in names or self.routes)
        made = AlertingNode(self.pumps, secrets_for(self.far) if secrets is None else secrets, routes, **more)
        self.nodes.append(made)
        return made

    def bodies(self, service: str) -> list[dict[str, Any]]:
        return [body for name, body in self.far.accepted if name == service]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    pumps = PumpThread("pumps under test")
    with services.Services() as far, mail_server.MailServer(tmp_path) as mail:
        found = Scene(far, mail, pumps)
        yield found
        for node in found.nodes:
            if node.node.loop.accepting:
                node.node.stop("the test is over")
    pumps.stop()


def test_an_alert_its_acknowledgement_and_its_end_arrive_everywhere(scene: Scene) -> None:
    node = scene.node(runbooks_url="https://wiki.example/runbooks")
    node.tell(raised(age="9 s"))
    node.until_told()
    node.ask(AcknowledgeAlerts("FeedStale", "*", "*", 0, True, "ann", "the network is down"))
    node.until(lambda: not node.state.deliveries and node.state.notifications_count == 2)
    node.tell(over())
    node.until(lambda: not node.state.deliveries and node.state.notifications_count == 3)
    assert node.errors() == {}

    first, second, third = scene.bodies("slack")
    assert first["text"] == "[paper] page: FeedStale BTC_USDT_PERP"
    [attachment] = first["attachments"]
    assert attachment["color"] == "danger"
    assert "nothing came for 9 s (age 9 s)" in attachment["text"]
    assert "`polytrade alerts ack FeedStale BTC_USDT_PERP --reason '...'`" in attachment["text"]
    assert attachment["title_link"] == "https://wiki.example/runbooks/FeedStale.md"
    assert second["text"] == "[paper] acknowledged: FeedStale BTC_USDT_PERP"
    assert "[taken by ann until" in second["attachments"][0]["text"]
    assert third["text"] == "[paper] resolved: FeedStale BTC_USDT_PERP"
    assert third["attachments"][0]["color"] == "good"

    actions = [event["event_action"] for event in scene.bodies("pagerduty")]
    assert actions == ["trigger", "acknowledge", "resolve"]
    assert scene.far.incidents == {"paper/FeedStale/feed/BTC_USDT_PERP/BTC_USDT_PERP": "resolved"}
    trigger = scene.bodies("pagerduty")[0]
    assert trigger["payload"]["severity"] == "critical"
    assert trigger["links"] == [
        {"href": "https://wiki.example/runbooks/FeedStale.md", "text": "Runbook FeedStale"}
    ]

    message = scene.bodies("telegram")[0]
    assert message["text"].startswith("<b>[paper] page: FeedStale BTC_USDT_PERP</b>\n")
    assert not message["disable_notification"]
    assert scene.bodies("telegram")[2]["disable_notification"]

    assert [body["status"] for body in scene.bodies("webhook")] == ["firing", "acknowledged", "resolved"]

    sender, to, mail = scene.mail.mails[0]
    assert (sender, to) == ("polytrade@example.com", ["ops@example.com", "boss@example.com"])
    assert mail["Subject"] == "[paper] page: FeedStale BTC_USDT_PERP"
    assert mail["Importance"] == "high"
    assert mail["From"] == "polytrade <polytrade@example.com>"
    assert "  $ polytrade runbook run FeedStale --key BTC_USDT_PERP" in mail.get_content()
    ids = {one["Message-ID"] for _, _, one in scene.mail.mails}
    threads = {one["References"] for _, _, one in scene.mail.mails}
    assert (len(ids), len(threads)) == (3, 1)


def test_an_incident_that_nobody_takes_care_of_any_more_is_opened_anew(scene: Scene) -> None:
    node = scene.node("duty")
    node.tell(raised())
    node.until_told()
    node.ask(AcknowledgeAlerts("FeedStale", "*", "*", 0, True, "ann", "looking"))
    node.until(lambda: "acknowledged" in scene.far.incidents.values())
    node.ask(AcknowledgeAlerts("FeedStale", "*", "*", 0, False, "ann", "going home"))
    node.until(lambda: len(scene.bodies("pagerduty")) == 4)
    assert [event["event_action"] for event in scene.bodies("pagerduty")] == [
        *("trigger", "acknowledge", "resolve", "trigger"),
    ]
    assert set(scene.far.incidents.values()) == {"triggered"}, "it wakes somebody again"


def test_no_secret_is_kept_or_shown_or_logged(scene: Scene) -> None:
    node = scene.node(attempts_max=1)
    scene.far.faults += [(500, {}, "no")] * 4
    scene.mail.refusals.append("451 4.3.0 later")
    node.tell(raised(summary=f"a request failed: token={services.TELEGRAM_TOKEN}"))
    node.tell(over())
    node.tell(raised("ETH", f"posting to {scene.far.url}{services.SLACK_PATH} failed"))
    node.until_told()
    kept = [str(value) for name in ("events", "snapshots", "outbox", "meta") for value in _all(node, name)]
    told = [str(body) for _, body in scene.far.requests if "event_action" not in body]
    for text in (*kept, *told, str(node.shown), str(node.logs), str(scene.mail.mails)):
        assert PLANTED not in text
    assert any("FeedStale" in text for text in kept), "the search looks where something is"


def _all(node: AlertingNode, name: str) -> list[Any]:
    return [value for _, value in node.store.items(name)]


@pytest.mark.parametrize(
    ("route", "reference", "value", "error"),
    [
        ("slack", "slack_url", "{url}/services/T0000/B0000/other", "refused with status 404: no_service"),
        ("hook", "hook_authorization", "Bearer other", "refused with status 401: who are you?"),
        ("duty", "pagerduty_key", "x" * 32, "refused with status 400: Invalid routing key"),
        ("phone", "telegram_token", f"987654321:{'x' * 35}", "refused with status 401: Unauthorized"),
        ("phone", "telegram_token", "nonsense", "refused with status 404: Not Found"),
        (
            "mail",
            "mail_password",
            "other",
            "refused by the mail server: 535 5.7.8 Username and Password not accepted",
        ),
        ("slack", "slack_url", "no-url-at-all", "the url is no address of a web server"),
    ],
)
def test_a_wrong_secret_is_told_in_the_services_words(
    scene: Scene, route: str, reference: str, value: str, error: str
) -> None:
    secrets = secrets_for(scene.far) | {
        f"secret://polytrade/alerts#{reference}": value.format(url=scene.far.url)
    }
    node = scene.node(route, secrets=secrets, attempts_max=1)
    node.tell(raised())
    node.until(lambda: node.errors() and not node.state.deliveries)
    assert node.errors() == {route: error}
    [failed] = [one for one in node.shown["active"] if one["name"] == "AlertDeliveryFailed"]
    assert failed["summary"] == f"Route {route} does not deliver: {error}"
    assert value not in str(node.shown) + str(node.logs)


@pytest.mark.parametrize(
    ("route", "fault"),
    [
        ("slack", (429, {"Retry-After": "1"}, "rate_limited")),
        ("duty", (429, {}, "")),
        ("duty", (503, {}, "")),
        ("phone", (429, {}, '{"ok":false,"error_code":429,"parameters":{"retry_after":1}}')),
        ("phone", (502, {}, "<html>Bad Gateway</html>")),
    ],
)
def test_what_passes_is_waited_for_as_long_as_the_service_asks(
    scene: Scene, route: str, fault: services.Fault
) -> None:
    node = scene.node(route)
    scene.far.faults.append(fault)
    began = time.monotonic()
    node.tell(raised())
    node.until_told()
    assert len(scene.far.requests) == 2
    assert scene.far.requests[0] == scene.far.requests[1]
    asks = fault[1] or "retry_after" in fault[2]
    assert time.monotonic() - began > (0.9 if asks else 0.09)
    assert node.errors() == {}


def test_a_service_that_hangs_holds_up_nobody_else(scene: Scene) -> None:
    node = scene.node(delivery_timeout=SECOND // 2, attempts_max=2)
    scene.far.hanging.add("telegram")
    scene.mail.hangs_at = "EHLO"
    node.tell(raised())
    node.until(lambda: len(scene.far.accepted) >= 3)
    assert {name for name, _ in scene.far.accepted} == {"slack", "webhook", "pagerduty"}
    assert set(node.errors()) <= {"phone", "mail"}
    node.until(lambda: {"phone", "mail"} <= set(node.errors()) and not node.state.deliveries)
    assert node.errors() == {"phone": "no answer in time", "mail": "no answer in time"}


def test_each_route_is_told_in_order_whatever_fails(scene: Scene) -> None:
    node = scene.node("slack", "duty")
    scene.far.faults += [(500, {}, "no")] * 3
    for number in range(6):
        node.tell(raised(str(number)))
        node.until(lambda number=number: node.state.notifications_count > number)
    node.until(lambda: not node.state.deliveries)
    triggers = [event["payload"]["custom_details"]["key"] for event in scene.bodies("pagerduty")]
    assert triggers == [str(number) for number in range(6)]
    counts = [body["attachments"][0]["text"].count("nothing came") for body in scene.bodies("slack")]
    assert counts == [1, 2, 3, 4, 5, 6]


def test_a_node_that_is_killed_before_the_answer_tells_again_in_the_next_life(scene: Scene) -> None:
    first = scene.node("slack", "mail")
    scene.far.hanging.add("slack")
    scene.mail.hangs_at = "DATA"
    first.tell(raised())
    first.until(lambda: scene.far.requests and "DATA" in scene.mail.talk)
    scene.far.hanging.clear()
    scene.mail.hangs_at = ""
    second = scene.node("slack", "mail", store=first.store)  # the first is never heard of again
    second.until(lambda: not second.state.deliveries)
    assert len(scene.bodies("slack")) == 1
    assert len(scene.mail.mails) == 1
    assert second.state.routes["slack"].delivered_count == 1


@pytest.mark.parametrize("text", ["<!channel> & <b>bold", "a < b && c > d", "&lt;script&gt; `x` *y* _z_"])
def test_a_text_calls_nobody_and_breaks_no_markup(scene: Scene, text: str) -> None:
    node = scene.node("slack", "phone")
    node.tell(raised(summary=text))
    node.until_told()
    assert node.errors() == {}
    shown, fault = services.shown_text(scene.bodies("telegram")[0]["text"])
    assert not fault
    assert text in shown


@pytest.mark.parametrize("letter", ["x", "&", "\N{GRINNING FACE}", "é"])
def test_a_storm_of_long_alerts_fits_every_services_limits(scene: Scene, letter: str) -> None:
    node = scene.node(group_wait=SECOND // 5, runbooks_url="https://wiki.example/runbooks")
    for number in range(120):
        node.tell(raised(f"KEY-{number}", letter * 990, detail="d" * 500))
    node.until_told()
    assert node.errors() == {}
    assert scene.bodies("telegram")
    assert len(scene.bodies("pagerduty")) == 120
    assert len(scene.far.incidents) == 120


def test_two_alerts_with_long_keys_alike_are_two_incidents(scene: Scene) -> None:
    node = scene.node("duty")
    node.tell(raised("k" * 300 + "1"))
    node.tell(raised("k" * 300 + "2"))
    node.until_told()
    assert len(scene.far.incidents) == 2
    assert node.errors() == {}


def test_trying_the_routes_tells_which_deliver_and_leaves_no_incident(scene: Scene) -> None:
    node = scene.node()
    scene.far.faults.append((403, {}, "action_prohibited"))
    ids = node.ask(TestRoutes("", "ann")).text.split()
    node.until(lambda: all(node.shown["trials"][one]["outcome"] != "waiting" for one in ids))
    outcomes = {one["route"]: one["outcome"] for one in node.shown["trials"].values()}
    assert sorted(outcomes.values()).count("failed") == 1
    assert set(scene.far.incidents.values()) <= {"resolved"}
    assert node.shown["active"] == [], "a route that is only tried pages nobody"
    assert "nothing is wrong" in scene.mail.mails[0][2]["Subject"]


def test_a_route_that_was_tried_well_is_well(scene: Scene) -> None:
    node = scene.node("slack", attempts_max=1)
    scene.far.faults.append((404, {}, "no_service"))
    node.tell(raised())
    node.until(lambda: node.errors())
    scene.far.faults.append((404, {}, "no_service"))  # for the alert about it
    node.until(lambda: len(scene.far.requests) == 2)
    node.ask(TestRoutes("slack", "ann"))
    node.until(lambda: not node.state.deliveries and not node.errors())
    assert [one["name"] for one in node.shown["active"]] == ["FeedStale"]


# -- mail -------------------------------------------------------------------------------------------


def test_no_password_leaves_unencrypted(scene: Scene) -> None:
    scene.mail.offers_tls = False
    node = scene.node("mail", attempts_max=1)
    node.tell(raised())
    node.until(lambda: node.errors() and not node.state.deliveries)
    assert "offers no encryption" in node.errors()["mail"]
    assert "AUTH" not in scene.mail.talk


def test_a_server_that_nobody_vouches_for_gets_nothing(scene: Scene) -> None:
    mail = scene.routes["mail"].mail
    assert mail is not None
    scene.routes["mail"] = replace(scene.routes["mail"], mail=replace(mail, ca_file=""))
    node = scene.node("mail", attempts_max=1)
    node.tell(raised())
    node.until(lambda: node.errors() and not node.state.deliveries)
    assert "offers no trusted encryption: self-signed certificate" in node.errors()["mail"]
    assert scene.mail.mails == []
    assert "AUTH" not in scene.mail.talk


def test_a_server_that_is_encrypted_from_the_start_takes_mails_too(scene: Scene) -> None:
    scene.mail.from_the_start = True
    mail = scene.routes["mail"].mail
    assert mail is not None
    scene.routes["mail"] = replace(scene.routes["mail"], mail=replace(mail, security="tls"))
    node = scene.node("mail")
    node.tell(raised())
    node.until_told()
    assert len(scene.mail.mails) == 1


def test_a_recipient_that_is_not_there_keeps_the_mail_from_nobody_else(scene: Scene) -> None:
    mail = scene.routes["mail"].mail
    assert mail is not None
    both = (mail_server.UNKNOWN, "ops@example.com")
    scene.routes["mail"] = replace(scene.routes["mail"], mail=replace(mail, to=both))
    node = scene.node("mail")
    node.tell(raised())
    node.until_told()
    assert scene.mail.mails[0][1] == ["ops@example.com"]
    assert ("alert_partly_delivered", {"route": "mail", "reason": "not taken for nobody@example.com"}) in [
        (event, fields) for event, fields in node.logs
    ]
    scene.routes["mail"] = replace(scene.routes["mail"], mail=replace(mail, to=(mail_server.UNKNOWN,)))
    alone = scene.node("mail", attempts_max=1)
    alone.tell(raised())
    alone.until(lambda: alone.errors() and not alone.state.deliveries)
    assert "550 5.1.1 No such user here" in alone.errors()["mail"]


def test_a_server_that_asks_for_patience_gets_the_same_mail_later(scene: Scene) -> None:
    scene.mail.refusals.append("451 4.3.0 Try again later")
    node = scene.node("mail")
    node.tell(raised())
    node.until_told()
    assert len(scene.mail.mails) == 1
    assert scene.mail.talk.count("DATA") == 2


def test_a_server_that_drips_is_given_up_at_the_deadline(scene: Scene) -> None:
    scene.mail.drips = True
    node = scene.node("mail", attempts_max=1, delivery_timeout=SECOND // 2)
    began = time.monotonic()
    node.tell(raised())
    node.until(lambda: node.errors() and not node.state.deliveries)
    assert node.errors() == {"mail": "no answer in time"}
    assert time.monotonic() - began < 2.5
