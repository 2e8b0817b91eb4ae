"""Keys of fifty accounts changed at once over real sockets, and the old ones deleted while orders go on.

A node in this process with its journal on the disk, its HTTP and socket pumps, and an encrypted file that the
watch of secrets reads; `polytrade exchange` without limits in another. Both share the machine, so the rate is
one that it carries without a rotation: what counts is what a rotation adds.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial, reduce
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from actors.cli.benchmarks.kill_switch import BTC
from actors.cli.benchmarks.kill_switch_node import StandingMarket
from actors.cli.benchmarks.rotated import (
    ACCOUNTS,
    KEY,
    SECRET,
    Asking,
    Outcome,
    account_specs,
    keys_each,
    outcome_of,
)
from actors.cli.benchmarks.world import CATALOG
from actors.domain.catalog import load_catalog
from actors.domain.money import E8
from actors.domain.place import Place
from actors.messages.secrets import LookForSecrets
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.errors import require
from actors.runtime.node import Node
from actors.runtime.pumps.http import HttpPump
from actors.runtime.pumps.socket import SocketPump
from actors.runtime.pumps.thread import PumpThread
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.supervision import SupervisorSpec
from actors.secrets.actor import SecretsWatch
from actors.secrets.desk import PORT, SecretDesk, SecretPump
from actors.secrets.encrypted_file import EncryptedFile, FileSource
from actors.secrets.keeper import SecretKeeper
from actors.secrets.settings import SecretsWatchSettings

__all__ = ["Windows", "added_percent", "bare_percent", "measured"]

ORDERS_PER_S = 200  # what two cores, shared by both ends and others, acknowledge within 100 ms
PAIRS = 4  # of windows, one with a rotation and one without
WARM_UP_S, WINDOW_S, AFTER_S = 3.0, 3.0, 2.0
READY_S, ADOPTED_S = 60.0, 30.0
LOOK_S = 0.02
SECOND_NS = 1_000_000_000
HOST = "127.0.0.1"
SWITCH_INTERVAL_S = 50e-6  # as a node's process does
PASSPHRASE = "a passphrase of the benchmark"
EXCHANGE = (sys.executable, "-c", "from actors.cli.main import main; main()", "exchange")


class Windows(NamedTuple):
    """What came of the orders of the windows with a rotation, and of those without."""

    rotated: Outcome
    quiet: Outcome


def added_percent() -> float:
    """Return how many percent more of the orders fail or come later than 100 ms while keys change.

    Windows of 3 s take turns: in one all keys are changed and the old ones deleted, in the next nothing
    happens; so what else the machine does falls on both.
    """
    found = measured(ORDERS_PER_S, is_rotated=True)
    return found.rotated.percent - found.quiet.percent


def bare_percent() -> float:
    """Return the same where no window has a rotation: what this machine does by itself."""
    found = measured(ORDERS_PER_S, is_rotated=False)
    return found.rotated.percent - found.quiet.percent


def measured(orders_per_s: int, *, is_rotated: bool) -> Windows:
    """Return what came of the orders at such a rate."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        with tempfile.TemporaryDirectory() as directory, _exchange(Path(directory)) as port:
            return RotatedNode(Path(directory), port, orders_per_s).measure(is_rotated=is_rotated)
    finally:
        sys.setswitchinterval(interval_s)


@contextlib.contextmanager
def _exchange(folder: Path) -> Iterator[int]:
    """Serve an exchange that knows both keys of every account; yield its port."""
    rules = {
        "symbols": [BTC],
        "participants": False,
        "rate_limits": 0,
        "faults": True,
        "accounts": [
            {"key": one.key, "secret": one.secret, "name": one.name, "usdt": str(one.usdt // E8)}
            for one in keys_each(PAIRS + 1)
        ],
    }
    port = _free_port()
    (folder / "rules.yaml").write_text(json.dumps(rules))
    words = ("--port", str(port), "--config", str(folder / "rules.yaml"), "--state", str(folder / "exchange"))
    with (folder / "exchange.log").open("wb") as log:
        process = subprocess.Popen([*EXCHANGE, *words], stdout=log, stderr=log)
    try:
        _await(lambda: _listens(port), READY_S, "the exchange listens")
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1.0):
        return True
    return False


def _await(condition: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        require(time.monotonic() < until, what)
        time.sleep(LOOK_S)


class RotatedNode:
    """A node with fifty accounts at that exchange. `measure()` once."""

    def __init__(self, folder: Path, port: int, orders_per_s: int) -> None:
        self._port = port
        self._every_ns = len(ACCOUNTS) * SECOND_NS // orders_per_s
        self._instruments = {BTC: load_catalog(CATALOG.read_text())[BTC]}
        self._folder = folder
        for newest in range(1, PAIRS + 2):
            self._seal_keys(newest)
        self._put_keys(1)
        (folder / "passphrase").touch(0o600)
        (folder / "passphrase").write_text(PASSPHRASE)
        references = {f"venue/{name}": (KEY.format(name), SECRET.format(name)) for name in ACCOUNTS}
        self._keeper = SecretKeeper(FileSource(folder / "secrets", str(folder / "passphrase")), references)
        require(not self._keeper.fetch(), "every key is in the file")
        self._store = LmdbStore(folder / "journal", Durability.DISK)
        self._clock = SystemClock()
        self._node = Node(self._specs(), (SupervisorSpec("root"),), self._store, self._clock)
        self._pumps = PumpThread()
        deliver, pumps = self._node.deliver_from_outside, self._node.loop.pumps
        pumps["http"] = HttpPump(self._pumps, deliver)
        pumps["socket"] = SocketPump(self._pumps, deliver, self._clock)
        pumps[PORT] = self._secrets = SecretPump(SecretDesk(self._keeper), deliver)

    def measure(self, *, is_rotated: bool) -> Windows:
        """Return what came of the orders placed in windows with and without a rotation."""
        node = self._node
        loop = Thread(target=self._run, daemon=True)
        loop.start()
        spans: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        try:
            _await(lambda: node.is_ready, READY_S, "the node is ready")
            time.sleep(WARM_UP_S)
            for number in range(1, PAIRS + 1):
                for rotates in (True, False) if number % 2 else (False, True):
                    newest = number + 1 if rotates and is_rotated else 0
                    spans[rotates].append(self._window(newest))
            time.sleep(AFTER_S)
        finally:
            node.request_stop()
            loop.join()
        self._secrets.stop()
        self._pumps.stop()
        return Windows(self._outcome(spans[True]), self._outcome(spans[False]))

    def _window(self, newest: int) -> tuple[int, int]:
        """Let a window pass, with a rotation at its beginning when there is a newest version; return it."""
        began_ns = self._clock.now_ns()
        if newest:
            self._rotate(newest)
        time.sleep(max(0.0, WINDOW_S - (self._clock.now_ns() - began_ns) / SECOND_NS))
        return began_ns, self._clock.now_ns()

    def _outcome(self, spans: list[tuple[int, int]]) -> Outcome:
        found = [self._node.cell(f"ask/{name}").behaviour for name in ACCOUNTS]
        askings = [one for one in found if isinstance(one, Asking)]
        return reduce(Outcome.plus, (outcome_of(askings, *span) for span in spans))

    def _run(self) -> None:
        self._node.start()
        self._node.run()

    def _rotate(self, newest: int) -> None:
        """Write new keys, have them used, and delete the old ones at the exchange as soon as they are."""
        adopted = self._adopted() + len(ACCOUNTS)
        self._put_keys(newest)
        self._node.deliver_from_outside("secrets", LookForSecrets())
        _await(lambda: self._adopted() == adopted, ADOPTED_S, "every key is adopted")
        for name in ACCOUNTS:
            self._delete(f"{name}-{newest - 1}")

    def _adopted(self) -> int:
        return int(self._node.cell("secrets").behaviour.gauges()["adopted"])

    def _delete(self, key: str) -> None:
        connection = HTTPConnection(HOST, self._port)
        connection.request("POST", "/__faults__", json.dumps({"kind": "revoke_key", "key": key}))
        require(connection.getresponse().status == 200, "the key is deleted")
        connection.close()

    def _put_keys(self, newest: int) -> None:
        """Replace the file as `polytrade secrets set` does, which runs elsewhere."""
        (self._folder / f"secrets-{newest}").rename(self._folder / "secrets")

    def _seal_keys(self, newest: int) -> None:
        numbers = range(1, newest + 1)
        EncryptedFile(self._folder / f"secrets-{newest}", PASSPHRASE).write(
            {
                f"bench/{name}": {
                    "key": {str(number): f"{name}-{number}" for number in numbers},
                    "secret": {str(number): f"{name}-{number}-s" for number in numbers},
                }
                for name in ACCOUNTS
            }
        )

    def _specs(self) -> list[CellSpec]:
        feed, ticks = f"feed/{BTC}", self._instruments[BTC].reference_ticks
        host = f"{HOST}:{self._port}"
        watch, place = SecretsWatchSettings(), Place("bench", "secrets", "paper")
        specs = [CellSpec(feed, lambda: StandingMarket(BTC, ticks), ())]
        for name in ACCOUNTS:
            specs += account_specs(name, host, feed, ticks, self._every_ns, partial(self._place, name))
        venues = tuple(f"venue/{name}" for name in ACCOUNTS)
        risks = tuple(f"risk/{name}" for name in ACCOUNTS)
        specs.append(CellSpec("secrets", lambda: SecretsWatch(watch, place), (*venues, *risks)))
        return specs

    def _place(self, name: str, address: str) -> Place:
        return Place(
            *("bench", address, "paper"),
            variables={"account": name},
            instruments=self._instruments,
            secrets=self._keeper.values_of(address),
        )
