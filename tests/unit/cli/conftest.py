"""A command line without a terminal, and a small house that runs behind a control socket."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.cli.main import main
from actors.cli.running import Running, announced
from actors.control.logs import NodeLog
from actors.control.server import ControlServer
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.unit.control.house import HousePing, Plan, make_node, running

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def own_run_directory(tmp_path, monkeypatch) -> Path:
    """Keep the deployments that run on this machine out of the tests, and the other way round."""
    folder = tmp_path / "session"
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.delenv("POLYTRADE_DEBUG", raising=False)
    return folder


@pytest.fixture
def cli() -> Run:
    """Call the command line; the result has exit_code, stdout and stderr."""

    def call(*words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, list(words), input=stdin, prog_name="polytrade")

    return call


@pytest.fixture
def plan(tmp_path) -> Plan:
    return Plan(tmp_path / "journal")


@pytest.fixture
def house(plan) -> Iterator[Plan]:
    """Run the small house, announced as a running deployment."""
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    log = NodeLog(plan.journal_path / "log")
    log.watch(node)
    file = str(plan.journal_path.parent / "house.yaml")
    with running(node):
        server = ControlServer(node, plan)
        server.start()
        node.tell("clerk/main", HousePing("one"))
        while not node.cell("clerk/main").handled_count:
            time.sleep(0.002)
        with announced(running_house(plan, file)):
            yield plan
    server.stop()
    log.stop()


def running_house(plan: Plan, file: str = "house.yaml") -> Running:
    return Running("house", "paper", file, "", str(plan.journal_path), str(plan.socket_path), 1)
