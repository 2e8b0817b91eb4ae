"""`polytrade exchange` and `polytrade up config/local.yaml` as processes, and what both say afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from actors.deployment.loader import load
from actors.deployment.topology import Topology
from actors.domain.money import E8
from tests.contract.clients.served import RawClient
from tests.process.node import Books, wait_for

HERE = Path(__file__).parent
CONFIG = ("config/local.yaml", str(HERE / "fast.yaml"))
PROGRAM = (sys.executable, "-c", "from actors.cli.main import main; main()")
KEY, SECRET, DEPOSIT = "local-key", "local-secret", 10_000 * E8
PAGE = 100
GIVEN_UP = ("rejected", "proven_absent")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class LivePath:
    """Both ends, in a folder of their own. `stop` and the context's end leave no process behind."""

    RULES = "fast_exchange.yaml"  # of the exchange

    def __init__(self, folder: Path, *, config: tuple[str, ...] = CONFIG, **inputs: str) -> None:
        self.folder = folder
        self.config = config
        self.port = free_port()
        self.inputs = {"host": f"127.0.0.1:{self.port}", "pace": "60ms", **inputs}
        self.environment = os.environ | {
            "POLYTRADE_STATE": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "NO_COLOR": "1",
        }
        self.client = RawClient(f"http://127.0.0.1:{self.port}", KEY, SECRET)
        self.exchange: subprocess.Popen[bytes] | None = None
        self.node: subprocess.Popen[bytes] | None = None

    # -- processes -----------------------------------------------------------------------------------

    def start_exchange(self) -> None:
        state, rules = str(self.folder / "exchange"), str(HERE / self.RULES)
        words = ("exchange", "--port", str(self.port), "--state", state, "--config", rules)
        with (self.folder / "exchange.log").open("ab") as log:
            self.exchange = subprocess.Popen([*PROGRAM, *words], stdout=log, stderr=log)
        wait_for(self._exchange_listens)

    def start_node(self, **environment: str) -> None:
        given = [word for name, text in self.inputs.items() for word in ("--input", f"{name}={text}")]
        words = ("up", *self.config, "--for", "120s", "--json", "--plain", *given)
        with (self.folder / "up.json").open("wb") as out, (self.folder / "up.err").open("ab") as err:
            self.node = subprocess.Popen(
                [*PROGRAM, *words], stdout=out, stderr=err, env=self.environment | environment
            )

    def fall_quiet(self, *, takers: tuple[str, ...] = ("risk/main",)) -> None:
        """Have every account take its orders back, and wait until both sides have said all there is to say.

        An order that is on its way, or rests, when the node stops may fill afterwards: no error, but then the
        books are only equal again after the next start.
        """
        assert tuple(self.halt("all", "cancel_all")) == takers
        wait_for(lambda: not self.view()["orders_live"], 30.0)
        wait_for(lambda: self.view()["totals"]["ledger_agrees"], 30.0)

    def halt(self, scope: str, level: str) -> list[str]:
        """Halt; return who took the order."""
        return self._order("/v1/halt", {"scope": scope, "level": level})

    def resume(self, scope: str) -> list[str]:
        """Release a halt; return who took the order."""
        return self._order("/v1/resume", {"scope": scope})

    def _order(self, path: str, body: dict[str, str]) -> list[str]:
        from actors.cli.client import ControlClient

        topology = self.topology()
        client = ControlClient(topology.socket_path, topology.deployment)
        found = client.post(path, {**body, "actor": "test", "reason": "test"})
        assert found["accepted"], found
        return [answer["actor"] for answer in found["answers"]]

    def stop_node(self) -> dict[str, Any]:
        """Stop it as Ctrl-C does once its reconciler agrees; return what `--json` says about the run."""
        wait_for(lambda: self.view()["totals"]["ledger_agrees"], 30.0)
        assert self.node is not None
        self.node.send_signal(signal.SIGINT)
        assert self.node.wait(40) == 0, self.said()
        found: dict[str, Any] = json.loads((self.folder / "up.json").read_text())
        return found

    def kill_exchange(self) -> None:
        assert self.exchange is not None
        self.exchange.kill()
        self.exchange.wait()

    def kill_node(self) -> None:
        """Kill the node itself; its heart starts it again."""
        pid = self.view()["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.view().get("pid") != pid)

    def kill_everything(self) -> None:
        """Kill node and heart together, as a host that is gone."""
        pid = int(self.view()["pid"])
        heart = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        assert self.node is not None
        for one in (heart, pid, self.node.pid):
            os.kill(one, signal.SIGKILL)
        self.node.wait()

    def lose_answers(self, count: int) -> None:
        """Have the exchange accept so many orders and cut the connection instead of answering."""
        rule = {"kind": "lose_answer", "path": "/v3/trade/order", "method": "POST", "count": count}
        status, _ = self.client.send("POST", "/__faults__", body=rule, sign=False)
        assert status == 200

    def close(self) -> None:
        for process in (self.node, self.exchange):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(30)
                process.kill()
                process.wait()

    # -- what they say -------------------------------------------------------------------------------

    def said(self) -> str:
        return (self.folder / "up.err").read_text()[-4_000:]

    def view_or_none(self) -> dict[str, Any] | None:
        from actors.cli.client import ControlClient
        from actors.cli.problems import Problem

        assert self.node is not None
        assert self.node.poll() is None, self.said()
        with contextlib.suppress(Problem):
            topology = self.topology()
            client = ControlClient(topology.socket_path, topology.deployment)
            found: dict[str, Any] = client.get("/v1/view", 2.5)
            return found
        return None

    def view(self) -> dict[str, Any]:
        found: dict[str, Any] = wait_for(self.view_or_none)
        return found

    def topology(self) -> Topology:
        return load(self.config, inputs=self.inputs, environment=self.environment)

    def await_trading(self, more: int = 4) -> None:
        """Wait until so many more fills have been booked."""
        began = self._fills()
        wait_for(lambda: self._fills() >= began + more, 30.0)

    def _fills(self) -> int:
        return int(self.view()["totals"]["fills"])

    def _exchange_listens(self) -> bool:
        assert self.exchange is not None
        assert self.exchange.poll() is None
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False

    # -- the far side, by a client of its own --------------------------------------------------------

    def rows(self, path: str, order_id: str) -> list[dict[str, Any]]:
        """Return all rows of one of the venue's lists."""
        found: dict[str, dict[str, Any]] = {}
        after = ""
        while True:
            query = {"limit": str(PAGE)} | ({"from": after, "direct": "NEXT"} if after else {})
            status, answer = self.client.send("GET", path, query)
            assert (status, answer["code"]) == (200, 200), answer
            page = answer["data"]
            found |= {row[order_id]: row for row in page}
            if len(page) < PAGE:
                return list(found.values())
            after = page[-1][order_id]


def check(path: LivePath, report: dict[str, Any]) -> Books:
    """Both ends agree: every fill once, every order once, the same money and positions."""
    books = Books(path.topology())
    assert books.chain_break is None
    ours, submitted, given_up = Counter[str](), Counter[str](), set[str]()
    for cell, raw in books.entries:
        name, *fields = msgspec.msgpack.decode(raw)
        if (cell, name) == ("oms/main", "OrderFillApplied"):
            ours[f"{fields[2]}/{fields[3]}"] += 1
        if (cell, name) == ("oms/main", "OrderSubmitted"):
            submitted[fields[0]] += 1
        if (cell, name) == ("oms/main", "OrderStateChanged") and fields[1] in GIVEN_UP:
            given_up.add(fields[0])
    fills = path.rows("/v3/trade/order/trades", "id")
    orders = path.rows("/v3/trade/order/history", "ordId") + path.rows("/v3/trade/order/opens", "ordId")
    theirs = Counter(f"{row['symbol']}/{row['trdId']}" for row in fills)
    assert ours == theirs
    assert set(ours.values()) == {1}
    names = Counter(row["clOrdId"] for row in orders)
    assert set(names.values()) == {1}, "an order arrived twice"
    assert set(names) <= set(submitted)
    assert not given_up & set(names), "an order was declared dead that the exchange has"
    assert set(submitted.values()) == {1}
    _, balance = path.client.send("GET", "/v3/account/balance")
    (usdt,) = [row for row in balance["data"]["details"] if row["ccy"] == "USDT"]
    assert cash_of(usdt) == books.ledger.cash_usdt
    _, answer = path.client.send("GET", "/v3/trade/position/opens")
    held = {row["symbol"]: int(row["qty"]) * (1 if row["side"] == "BUY" else -1) for row in answer["data"]}
    assert held == {s: p.net_contracts for s, p in books.ledger.holdings.items() if p.net_contracts}
    assert (report["failures"], report["dead_letters"]) == (0, 0)
    return books


def cash_of(row: dict[str, str]) -> int:
    from decimal import Decimal

    return int((Decimal(row["eq"]) - Decimal(row["upl"])) * E8)


@contextlib.contextmanager
def live_path(folder: Path, *, config: tuple[str, ...] = CONFIG, **inputs: str) -> Iterator[LivePath]:
    path = LivePath(folder, config=config, **inputs)
    try:
        yield path
    finally:
        path.close()


def pause(seconds: float) -> None:
    time.sleep(seconds)
