"""`polytrade halt --direct` as a process, with a real exchange over sockets: alive, stopped, dead nodes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.process.live_path import PROGRAM, LivePath, live_path
from tests.process.node import wait_for

BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"
TRADE = "/v3/trade/"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[LivePath]:
    with live_path(tmp_path) as found:
        found.start_exchange()
        yield found


def halt(path: LivePath, *words: str, code: int = 0) -> dict[str, Any]:
    """Run the command as an operator does, naming the journal, and return what `--json` says."""
    command = [*PROGRAM, "halt", str(path.folder / "local"), "--direct", "--json", "--reason", "test", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=path.environment, timeout=90)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def fault(path: LivePath, kind: str, where: str, **more: Any) -> None:
    status, _ = path.client.send(
        "POST", "/__faults__", body={"kind": kind, "path": where, **more}, sign=False
    )
    assert status == 200


def at_the_venue(path: LivePath) -> tuple[int, dict[str, int]]:
    """Return how many orders rest, and what is open, by a client of our own."""
    _, answer = path.client.send("GET", TRADE + "position/opens")
    held = {row["symbol"]: int(row["qty"]) for row in answer["data"] if int(row["qty"])}
    return len(path.rows(TRADE + "order/opens", "ordId")), held


def rest_orders_by_hand(path: LivePath, count: int) -> None:
    """Orders that no node knows of, far from the market; and a position."""
    _, ticker = path.client.send("GET", "/v3/market/tickers", {"symbol": BTC}, sign=False)
    price = int(float(ticker["data"][0]["bPx"]) * 0.98)
    order = {"symbol": BTC, "side": "BUY", "mgnMode": "CROSS", "posSide": "BOTH", "sz": "1"}
    for _ in range(count):
        status, answer = path.client.send(
            "POST", TRADE + "order", body=order | {"type": "LIMIT", "px": str(price)}
        )
        assert (status, answer["code"]) == (200, 200), answer
    status, answer = path.client.send("POST", TRADE + "order", body=order | {"type": "MARKET", "sz": "3"})
    assert (status, answer["code"]) == (200, 200), answer


def kill_all_of_it(path: LivePath) -> None:
    """Kill the heart, the node and whoever started them, all with -9."""
    assert path.node is not None
    node = path.view()["pid"]
    heart = int(Path(f"/proc/{node}/stat").read_text().rsplit(")", 1)[1].split()[1])
    for pid in (heart, node, path.node.pid):
        os.kill(pid, signal.SIGKILL)
    path.node.wait()


def test_a_dead_nodes_account_is_flat_and_the_next_node_begins_halted(path: LivePath) -> None:
    path.start_node()
    path.await_trading()
    kill_all_of_it(path)
    rest_orders_by_hand(path, 25)
    fault(path, "rate_limit", TRADE, every=3)
    fault(path, "http_error", TRADE + "allOrders", status=500, count=1)
    fault(path, "lose_answer", TRADE + "positionAll", count=1)
    fault(path, "delay", TRADE + "order/opens", delay_ms=300)
    found = halt(path, "--flatten")
    path.client.send("DELETE", "/__faults__", sign=False)
    assert at_the_venue(path) == (0, {})
    (account,) = found["accounts"]
    assert (found["proven"], found["node"]) == (True, "does not run here")
    assert (account["orders"], account["positions"]) == ([], {})
    assert account["positions_before"]
    assert account["requests_refused"] > 0
    (again,) = halt(path, "--flatten")["accounts"]
    assert (again["proven"], again["canceled"], again["closing_orders"]) == (True, 0, 0)
    path.start_node()
    halts = wait_for(lambda: (path.view_or_none() or {}).get("halts"))
    assert halts[0]["scope"] == "all"
    wait_for(lambda: path.view()["totals"]["ledger_agrees"], 30.0)
    assert at_the_venue(path) == (0, {})
    assert "test" in json.dumps(halts)


def test_a_stopped_node_is_no_hindrance_and_finds_the_latch_when_it_goes_on(path: LivePath) -> None:
    path.start_node()
    path.await_trading()
    pid = path.view()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        rest_orders_by_hand(path, 3)
        found = halt(path, "--flatten")
        assert (found["proven"], found["node"]) == (True, "does not answer")
        assert at_the_venue(path) == (0, {})
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: (path.view_or_none() or {}).get("halts"))
    wait_for(lambda: at_the_venue(path) == (0, {}))


@pytest.mark.long
def test_a_node_that_trades_is_halted_with_its_account(path: LivePath) -> None:
    path.start_node()
    path.await_trading()
    found = halt(path, "--flatten")
    assert (found["proven"], found["node"]) == (True, "takes the halt")
    assert at_the_venue(path) == (0, {})
    assert path.view()["halts"]
    wait_for(lambda: path.view()["totals"]["ledger_agrees"], 30.0)
    assert at_the_venue(path) == (0, {})


@pytest.mark.long
def test_a_symbol_is_stopped_and_the_others_go_on(path: LivePath) -> None:
    path.start_node()
    path.await_trading()
    found = halt(path, "--symbol", BTC, "--flatten")
    assert found["proven"]
    assert [halt["scope"] for halt in path.view()["halts"]] == [f"symbol/{BTC}"]
    _, held = at_the_venue(path)
    assert BTC not in held
    path.await_trading(3)


@pytest.mark.long
def test_nothing_is_claimed_of_a_venue_that_does_not_answer(path: LivePath) -> None:
    path.start_node()
    path.await_trading()
    kill_all_of_it(path)
    rest_orders_by_hand(path, 3)
    fault(path, "drop", TRADE)
    found = halt(path, "--within", "3s", code=13)
    assert not found["proven"]
    path.client.send("DELETE", "/__faults__", sign=False)
    assert at_the_venue(path)[0] == 3


@pytest.mark.long
def test_halts_of_every_scope_and_level_outlive_kill_9(path: LivePath) -> None:
    path.start_node()
    path.await_trading()
    levels = ("no_new_risk", "cancel_all", "flatten")
    wanted = {}
    scopes = ("all", "account/main", f"symbol/{BTC}", f"symbol/{ETH}", f"strategy/pulse/{BTC}")
    for number, scope in enumerate(scopes):
        wanted[scope] = "cancel_all" if scope.startswith("strategy") else levels[number % 3]
        path.halt(scope, wanted[scope])
    for _ in range(2):
        path.kill_node()
        found = wait_for(lambda: len((view := path.view())["halts"]) == len(scopes) and view["halts"])
        assert {one["scope"] for one in found} == set(scopes)
    levels_now = inspected(path)
    assert levels_now == {scope: level.upper() for scope, level in wanted.items()}


def inspected(path: LivePath) -> dict[str, str]:
    from actors.cli.client import ControlClient

    client = ControlClient(path.topology().socket_path, "local")
    halts = client.get("/v1/actors/risk/main")["description"]["halts"]
    return {scope: halt[0] for scope, halt in halts.items()}
