"""`polytrade exchange` as a process: killed amid orders it loses nothing it answered; refusals help."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import subprocess
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cli.exit_codes import ExitCode
from tests.contract.clients.served import BTC, KEY, SECRET, RawClient, near
from tests.process.live_path import PROGRAM, free_port
from tests.process.node import wait_for

KILLS = 3


def started(port: int, state: Path, *words: str) -> subprocess.Popen[bytes]:
    given = ("--port", str(port), "--state", str(state), "--symbols", BTC, "--rate-limits", "0")
    account = ("--account", f"{KEY}:{SECRET}:1000000")
    command = [*PROGRAM, "exchange", *given, *account, *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith(b"REST"), line + process.stderr.read()
    return process


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


class Trader(threading.Thread):
    """Places orders until told to stop, and remembers which were answered; some rest, some trade."""

    def __init__(self, client: RawClient, bid: float, number: int) -> None:
        super().__init__(daemon=True)
        self._client, self._bid, self._number = client, bid, number
        self.answered: dict[str, str] = {}
        self.asked: set[str] = set()
        self.is_over = False

    def run(self) -> None:
        count = 0
        while not self.is_over:
            count += 1
            client_id = f"k{self._number}-{count}"
            self.asked.add(client_id)
            more = {"px": near(self._bid, -0.03)} if count % 3 else {}
            side = "SELL" if count % 6 == 3 else "BUY"
            with contextlib.suppress(urllib.error.URLError, OSError, http.client.HTTPException, ValueError):
                placed = self._client.place(side if not more else "BUY", "1", clOrdId=client_id, **more)
                self.answered[client_id] = placed["ordId"]


def every(client: RawClient, path: str, identity: str) -> list[dict[str, str]]:
    """Return all rows of a list, page by page."""
    rows: list[dict[str, str]] = []
    while page := client.get(path, limit=100, **({"from": rows[-1][identity]} if rows else {})):
        rows += page
    return rows


def test_nothing_that_was_answered_is_lost_when_the_exchange_is_killed(tmp_path: Path) -> None:
    port, chance = free_port(), random.Random(7)
    client = RawClient(f"http://127.0.0.1:{port}")
    answered: dict[str, str] = {}
    asked: set[str] = set()
    for number in range(KILLS):
        process = started(port, tmp_path)
        with ended(process):
            bid, _ = client.touch()
            trader = Trader(client, bid, number)
            trader.start()
            wait_for(lambda trader=trader: len(trader.answered) > 20)
            time.sleep(chance.uniform(0.0, 0.3))
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
            trader.is_over = True
            trader.join(10)
        answered |= trader.answered
        asked |= trader.asked
    with ended(started(port, tmp_path)):
        orders = every(client, "/v3/trade/order/opens", "ordId")
        orders += every(client, "/v3/trade/order/history", "ordId")
        found = {order["clOrdId"]: order["ordId"] for order in orders}
        assert len(found) == len(orders), "an order is there twice"
        assert answered.items() <= found.items(), "an order was answered and is gone"
        assert found.keys() <= asked
        fills = every(client, "/v3/trade/order/trades", "id")
        held = sum(float(fill["qty"]) * (1 if fill["side"] == "BUY" else -1) for fill in fills)
        position = sum(
            float(row["qty"]) * (1 if row["side"] == "BUY" else -1)
            for row in client.get("/v3/trade/position/opens")
        )
        assert (held, bool(fills)) == (position, True)
        bills = every(client, "/v3/account/bills", "id")
        cash = float(client.get("/v3/account/balance")["details"][0]["avail"])
        assert cash == pytest.approx(1_000_000 + sum(float(bill["sz"]) for bill in bills))


def test_ctrl_c_ends_it_in_order_and_a_second_start_knows_all(tmp_path: Path) -> None:
    port = free_port()
    client = RawClient(f"http://127.0.0.1:{port}")
    first = started(port, tmp_path)
    with ended(first):
        bid, _ = client.touch()
        placed = client.place("BUY", "1", near(bid, -0.03), clOrdId="stays")
        first.send_signal(signal.SIGINT)
        assert first.wait(10) == 0
        assert first.stderr is not None
        assert b"Traceback" not in first.stderr.read()
    with ended(started(port, tmp_path)):
        assert [one["ordId"] for one in client.get("/v3/trade/order/opens")] == [placed["ordId"]]


def refused(*words: str) -> tuple[int, str]:
    ran = subprocess.run([*PROGRAM, "exchange", *words], capture_output=True, text=True, timeout=30)
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stderr


def test_a_port_or_a_state_in_use_is_told_with_a_remedy(tmp_path: Path) -> None:
    port = free_port()
    with ended(started(port, tmp_path / "one")):
        code, said = refused("--port", str(port), "--forgetful")
        assert code == ExitCode.FAILURE
        assert f"127.0.0.1:{port} cannot be listened on: address already in use" in said.lower()
        assert "choose another --port" in said
        code, said = refused("--port", "0", "--state", str(tmp_path / "one"))
        assert code == ExitCode.JOURNAL_IN_USE
        assert "in use by process" in said
        assert "--state" in said


def test_a_wrong_word_in_the_rules_is_told_with_its_place(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("seeds: 7\n")
    code, said = refused("--config", str(rules))
    assert code == ExitCode.CONFIGURATION
    assert "rules.yaml:1:1" in said
    assert "seed" in said
