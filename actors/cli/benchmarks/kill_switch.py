"""From the trigger of a halt to the last cancel sent: 500 orders resting, and a node that does not answer.

The exchange is a process of its own on loopback. A Unix socket that takes connections and never answers
stands for the control API of a node whose loop is blocked. Each sample is one account with its 500 orders;
some are stopped at once, so that the answers 429, every third one, fall where chance wants them.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from actors.cli.direct import NodeAsked
from actors.deployment.direct_plan import DirectPlan, write_plan
from actors.deployment.direct_run import DirectOrder, DirectRun
from actors.deployment.sections import DeadManSection, SecretsSection
from actors.direct.account import FUTURES, AccountPlan, Shown
from actors.direct.driver import Driver
from actors.direct.wire import HttpWire, SystemTimes
from actors.messages.control import HaltLevel
from actors.runtime.errors import require
from actors.venue.poloniex.credentials import Credentials
from actors.venue.poloniex.readings import Steps
from actors.venue.poloniex.requests import OrderBody, place_many

__all__ = [
    "bare_request_ms",
    "kill_switch_command_s",
    "kill_switch_limits_s",
    "kill_switch_ms",
    "stop_samples",
]

BTC = "BTC_USDT_PERP"
ORDERS, BATCH = 500, 10
ACCOUNTS, AT_ONCE = 100, 4
USDT = 1_000_000
RULES = {"kind": "rate_limit", "path": "/v3/trade", "every": 3}
PROGRAM = (sys.executable, "-c", "from actors.cli.main import main; main()")
START_S = 30.0
SECOND_NS = 1_000_000_000


def kill_switch_ms() -> float:
    """Return the p99 in ms without rate limits: until the last cancel has been sent."""
    return percentile(stop_samples(ACCOUNTS, limits=0, refuses=False), 99) * 1e3


def kill_switch_limits_s() -> float:
    """Return the p99 in s at the venue's limits, a third of all answers being 429."""
    return percentile(stop_samples(ACCOUNTS, limits=1, refuses=True), 99)


def kill_switch_command_s() -> float:
    """Return the median in s of the whole command, Python's start included, at the venue's limits."""
    return percentile(stop_samples(12, limits=1, refuses=True, as_command=True), 50)


def bare_request_ms() -> float:
    """Return the median of one request to that exchange over a connection that stands."""
    with _exchange(1, limits=0) as (url, _):
        wire, took = HttpWire(), []
        from actors.poloniex.request import server_time, to_http

        for number in range(200):
            began = time.perf_counter()
            wire.send(to_http(server_time(), str(number), url, (), SECOND_NS))
            took.append(time.perf_counter() - began)
    return percentile(took, 50) * 1e3


def percentile(samples: Sequence[float], rank: int) -> float:
    """Return a percentile; of few samples the one that is at least as bad."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, len(ordered) * rank // 100)]


def stop_samples(count: int, *, limits: int, refuses: bool, as_command: bool = False) -> list[float]:
    """Return the seconds from trigger to last cancel of so many accounts with 500 orders each."""
    with _exchange(count, limits=limits) as (url, folder), _silent_node(folder) as node:
        accounts = [_plan(number, url) for number in range(count)]
        with ThreadPoolExecutor(32) as pool:
            price = _far_from_the_market(url)
            list(pool.map(lambda one: _rest(one, price), accounts))
        if refuses:
            _post(url, "/__faults__", RULES)
        stop = _command if as_command else _stop
        with ThreadPoolExecutor(1 if as_command else AT_ONCE) as pool:
            return list(pool.map(lambda one: stop(one, folder, node), accounts))


def _stop(account: AccountPlan, folder: Path, node: Path) -> float:
    run = DirectRun(_deployment(account, folder, node), _order(account))
    run.latch()
    asked = NodeAsked(run.plan, run.order)
    asked.start()
    run.keys()
    run.prepare()
    asked.when_silent(run.widen)
    require(run.stop(), "the account was not stopped", shown=run.shown)
    require(run.shown[0].canceled_count == ORDERS, "not all orders were there", shown=run.shown)
    return run.shown[0].last_cancel_ns / SECOND_NS


def _command(account: AccountPlan, folder: Path, node: Path) -> float:
    plan = _deployment(account, folder, node)
    write_plan(plan, Path(plan.journal))
    words = (*PROGRAM, "halt", plan.journal, "--direct", "--json")
    began_ns = time.time_ns()
    done = subprocess.run(words, capture_output=True, check=True)
    found = json.loads(done.stdout)
    started_s = (found["began_at_ns"] - began_ns) / SECOND_NS
    return float(started_s + found["accounts"][0]["last_cancel_s"])


# -- what it needs -------------------------------------------------------------------------------------------


@contextmanager
def _exchange(accounts: int, *, limits: int) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory() as directory:
        port = _free_port()
        keys = [word for n in range(accounts) for word in ("--account", f"key-{n}:secret-{n}:{USDT}")]
        words = ("exchange", "--port", str(port), "--forgetful", "--faults", "--rate-limits", str(limits))
        log = Path(directory) / "exchange.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                (*PROGRAM, *words, "--symbols", BTC, *keys), stdout=output, stderr=output
            )
        try:
            _await(process, port, log)
            yield f"http://127.0.0.1:{port}", Path(directory)
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def _silent_node(folder: Path) -> Iterator[Path]:
    path = folder / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(1_024)
        yield path


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        require(process.poll() is None, "the exchange did not start", said=log.read_text()[-500:])
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    require(False, "the exchange did not start in time")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _plan(number: int, url: str) -> AccountPlan:
    return AccountPlan(
        account=f"a{number}",
        address=f"venue/a{number}",
        kind=FUTURES,
        rest_url=url,
        key=f"key-{number}",
        secret=f"secret-{number}",
    )


def _deployment(account: AccountPlan, folder: Path, node: Path) -> DirectPlan:
    journal = folder / account.account
    return DirectPlan(
        deployment="bench",
        mode="paper",
        journal=str(journal),
        socket=str(node),
        file=str(folder / "bench.yaml"),
        folder=str(folder),
        accounts=(account,),
        secrets=SecretsSection(),
        dead_man=DeadManSection(),
    )


def _order(account: AccountPlan) -> DirectOrder:
    return DirectOrder("all", HaltLevel.CANCEL_ALL, "bench", "measured", (account.account,))


def _rest(account: AccountPlan, price: str) -> None:
    """Place what is to be canceled, at the pace the venue allows."""
    times = SystemTimes()
    driver = Driver(
        account,
        Credentials(account.key, account.secret),
        HttpWire(),
        times,
        Shown(account.account),
        times.monotonic_ns(),
    )
    driver.widen()
    driver.run(_placing(account.account, price), times.monotonic_ns() + 600 * SECOND_NS)


def _placing(name: str, price: str) -> Steps[None]:
    for first in range(0, ORDERS, BATCH):
        bodies = tuple(
            OrderBody(
                *(BTC, "BUY", "CROSS", "BOTH", "LIMIT", "1", price, "GTC"), clOrdId=f"{name}n{first + one}"
            )
            for one in range(BATCH)
        )
        yield place_many(bodies)


def _post(url: str, path: str, body: object) -> None:
    from urllib.request import Request, urlopen

    request = Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=5.0) as answer:
        answer.read()


def _far_from_the_market(url: str) -> str:
    """Return a price at which orders to buy rest."""
    from urllib.request import urlopen

    with urlopen(f"{url}/v3/market/tickers?symbol={BTC}", timeout=5.0) as answer:
        return str(int(float(json.load(answer)["data"][0]["bPx"]) * 0.97))
