"""The control API over real sockets."""

import http.client
import json
import os
import socket
import stat
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest

from actors.control.server import LAST_RUN_FILE, ControlServer
from actors.control.sockets import ControlUnavailable, bind_socket, connect_socket
from actors.domain.markets_file import read_markets_file
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.unit.control.house import HousePing, Plan, make_node, running


def request(connection: socket.socket, method: str, path: str, body: Any = None, host: str = "localhost"):
    client = http.client.HTTPConnection(host)
    client.sock = connection
    client.request(method, path, json.dumps(body) if body is not None else None)
    answer = client.getresponse()
    raw = answer.read()
    client.close()
    return answer.status, json.loads(raw) if "json" in answer.headers["Content-Type"] else raw.decode()


def over_socket(plan: Plan, method: str, path: str, body: Any = None):
    return request(connect_socket(plan.socket_path), method, path, body)


def over_http(server: ControlServer, method: str, path: str, host: str = "localhost"):
    address = server.http_address.removeprefix("http://").rsplit(":", 1)
    return request(socket.create_connection((address[0], int(address[1]))), method, path, host=host)


@pytest.fixture
def plan(tmp_path) -> Plan:
    return Plan(tmp_path / "journal", http_enabled=True)


@pytest.fixture
def server(plan):
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    with running(node):
        serving = ControlServer(node, plan)
        serving.start()
        assert serving.faults == []
        yield serving
    serving.stop()


def test_a_scrape_that_takes_long_holds_up_nobody_else(server, plan, monkeypatch) -> None:
    """The thread that answers carries the bytes to and from the venue, too."""
    begun, over = threading.Event(), threading.Event()

    def slow(registry: object) -> bytes:
        begun.set()
        assert over.wait(10)
        return b"polytrade_node_ready 1.0\n"

    monkeypatch.setattr("actors.control.metrics.exposition", slow)
    scraped: list[tuple[int, Any]] = []
    scraper = threading.Thread(target=lambda: scraped.append(over_socket(plan, "GET", "/metrics")))
    scraper.start()
    assert begun.wait(10)
    status, _ = over_socket(plan, "GET", "/healthz")  # it would wait for ever
    assert (status, scraped) == (200, [])
    over.set()
    scraper.join(10)
    assert scraped == [(200, "polytrade_node_ready 1.0\n")]


def test_every_reading_path_answers(server, plan) -> None:
    server._node.tell("clerk/main", HousePing("one"))
    for path in ("/healthz", "/readyz", "/v1/status", "/v1/actors", "/v1/events", "/v1/view"):
        status, body = over_socket(plan, "GET", path)
        assert (status, isinstance(body, dict)) == (200, True), path
    status, body = over_socket(plan, "GET", "/v1/actors/clerk/main")
    assert (status, body["address"]) == (200, "clerk/main")
    status, text = over_socket(plan, "GET", "/metrics")
    assert status == 200
    assert 'polytrade_actor_messages_handled_total{actor="clerk/main"} 1.0' in text


def test_a_node_that_is_not_ready_says_whom_it_waits_for(server, plan) -> None:
    server._node.cell("clerk/main").is_ready = False
    status, body = over_socket(plan, "GET", "/readyz")
    assert (status, body) == (503, {"ready": False, "waiting_for": ["clerk/main"]})
    assert over_socket(plan, "GET", "/healthz")[0] == 200


def test_orders_are_taken_over_the_socket(server, plan) -> None:
    status, body = over_socket(plan, "POST", "/v1/halt", {"scope": "all", "actor": "ann", "reason": "drill"})
    assert (status, body["accepted"]) == (200, True)
    assert over_socket(plan, "POST", "/v1/halt", {"scope": "account/other"})[0] == 409
    assert over_socket(plan, "POST", "/v1/resume", {"scope": "all", "reason": "over"})[0] == 200
    status, body = over_socket(plan, "POST", "/v1/actors/clerk/main/restart")
    assert (status, body["restarts"]) == (200, 1)


def test_who_orders_what_is_journaled_before_it_is_done(server, plan) -> None:
    over_socket(plan, "POST", "/v1/halt", {"actor": "ann", "reason": "drill", "api_token": "hunter2"})
    over_socket(plan, "POST", "/v1/halt", {"level": "very much"})
    over_socket(plan, "GET", "/v1/status")
    _, body = over_socket(plan, "GET", "/v1/events?type=OperatorCommanded")
    first, second = (event["fields"] for event in body["events"])
    assert (first["who"], first["command"], first["reason"]) == ("ann", "/v1/halt", "drill")
    assert first["user_id"] == os.getuid()
    assert json.loads(first["detail"]) == {"actor": "ann", "reason": "drill", "api_token": "***"}
    assert second["detail"] == '{"level":"very much"}'


def test_a_stop_ends_the_node(plan) -> None:
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    server = ControlServer(node, plan)
    with running(node):
        server.start()
        assert over_socket(plan, "POST", "/v1/stop", {})[0] == 202
    server.stop()
    assert node._stop_requested
    assert not plan.socket_path.exists()


def test_a_stopped_server_leaves_the_last_view(plan) -> None:
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    server = ControlServer(node, plan)
    with running(node):
        server.start()
    server.stop()
    view = json.loads((plan.journal_path / LAST_RUN_FILE).read_text())
    assert view["totals"]["fills"] == 7
    assert view["positions"][0]["net_contracts"] == -4
    assert view["ended"] == ""


def test_a_server_stopped_before_it_started_serves_nothing(plan) -> None:
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    server = ControlServer(node, plan)
    with running(node):
        pass
    server.stop()
    server.start()
    assert not plan.socket_path.exists()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/actors/nobody", None, 404),
        ("GET", "/v1/nothing", None, 404),
        ("DELETE", "/v1/view", None, 405),
        ("GET", "/v1/events?since=-1", None, 400),
        ("GET", "/v1/events?limit=many", None, 400),
        ("POST", "/v1/halt", {"level": "very much"}, 400),
        ("POST", "/v1/halt", {"scope": 7}, 400),
        ("POST", "/v1/halt", ["all"], 400),
        ("POST", "/v1/resume", {"scope": "all"}, 400),
    ],
)
def test_a_wrong_request_is_answered_with_a_remedy(server, plan, method, path, body, status) -> None:
    found, answer = over_socket(plan, method, path, body)
    assert found == status
    assert answer["error"]
    assert answer["remedy"]


def test_the_socket_belongs_to_its_owner_alone(server, plan) -> None:
    assert stat.S_IMODE(plan.socket_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(plan.journal_path.stat().st_mode) == 0o700


def test_http_answers_questions_and_takes_no_orders(server) -> None:
    assert over_http(server, "GET", "/healthz")[0] == 200
    status, body = over_http(server, "POST", "/v1/stop")
    assert status == 403
    assert "Unix socket" in body["error"]
    assert not server._node._stop_requested


def test_http_refuses_a_page_that_renamed_this_machine(server) -> None:
    assert over_http(server, "GET", "/v1/status", host="evil.example")[0] == 403


def test_http_that_cannot_be_served_leaves_the_socket(tmp_path, capsys) -> None:
    plan = Plan(tmp_path / "journal", http_enabled=True, http_host="203.0.113.7")
    node = make_node()
    server = ControlServer(node, plan)
    with running(node):
        server.start()
        assert over_socket(plan, "GET", "/healthz")[0] == 200
    server.stop()
    assert len(server.faults) == 1
    assert "control API" in capsys.readouterr().err


def test_a_socket_of_a_dead_node_is_replaced(tmp_path) -> None:
    path = tmp_path / "control.sock"
    bind_socket(path).close()
    assert path.exists()
    again = bind_socket(path)
    connect_socket(path).close()
    again.close()


def test_a_socket_of_a_living_node_is_left_alone(tmp_path) -> None:
    path = tmp_path / "control.sock"
    first = bind_socket(path)
    with pytest.raises(ControlUnavailable, match="another process answers"):
        bind_socket(path)
    connect_socket(path).close()
    first.close()


def test_a_file_in_the_way_is_not_removed(tmp_path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("mine")
    with pytest.raises(ControlUnavailable, match="in the way"):
        bind_socket(path)
    assert path.read_text() == "mine"


def test_a_socket_may_lie_as_deep_as_it_likes(tmp_path) -> None:
    deep = tmp_path.joinpath(*["a" * 40] * 5)
    deep.mkdir(parents=True)
    listening = bind_socket(deep / "control.sock")
    assert len(os.fsencode(deep)) > 108
    connect_socket(deep / "control.sock").close()
    again = None
    listening.close()
    again = bind_socket(deep / "control.sock")
    again.close()


def test_a_name_that_is_too_long_by_itself_is_told(tmp_path) -> None:
    with pytest.raises(ControlUnavailable, match="at most 107 bytes"):
        bind_socket(tmp_path / ("s" * 120))


def test_a_folder_that_takes_no_socket_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlUnavailable, match="cannot be made"):
        bind_socket(tmp_path / "file" / "control.sock")


def test_the_markets_are_answered_with_their_age(plan) -> None:
    path = Path(__file__).parents[3] / "config" / "markets" / "poloniex-futures.json"
    file = read_markets_file(path.read_text("utf-8"), str(path))
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    plan.catalogs = (SimpleNamespace(file=file),)
    with running(node):
        serving = ControlServer(node, plan)
        serving.start()
        status, found = over_socket(plan, "GET", "/markets/poloniex-futures-v3")
        assert (status, found["markets"], found["as_of"]) == (200, list(file.rows), file.as_of)
        assert abs(found["age_s"] - (time.time() - file.as_of_ns / 1e9)) < 60
        assert "BTC_USDT_PERP" not in found["unconfirmed"]
        assert found["unconfirmed"]["SOL_USDT_PERP"]
        assert over_http(serving, "GET", "/markets/poloniex-futures") == (200, found | {"age_s": ANY})
        status, listed = over_socket(plan, "GET", "/markets")
        assert (status, [one["venue"] for one in listed["files"]]) == (200, ["poloniex-futures"])
        status, refused = over_socket(plan, "GET", "/markets/kraken")
        assert (status, refused["remedy"]) == (404, "this node has poloniex-futures")
    serving.stop()
