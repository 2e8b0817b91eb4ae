"""Keys out of a Vault, changed while a real node trades over real sockets; and the server taken away."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.cli.client import ControlClient
from tests.contract.vault.server import ROOT, ServedVault
from tests.process import live_path, planted
from tests.process.live_path import CONFIG, HERE, LivePath, check
from tests.process.node import wait_for

hvac = pytest.importorskip("hvac")

# Nobody listens there: what fails to be delivered is told, and must be told without these.
PAGER = {
    "url": "http://127.0.0.1:9/planted-hook",
    "authorization": "Bearer planted-word",
    "password": "planted-mail",
}
# The exchange is the far side: it holds its keys, and prints them for whoever wants to try it.
NOT_THE_NODES = frozenset({"credential", "exchange", "exchange.log"})


class RotatingPath(LivePath):
    """Node, exchange with two keys, and a Vault that knows the first one."""

    RULES = "two_keys.yaml"

    def __init__(self, folder: Path, served: ServedVault) -> None:
        self.served = served
        self.admin = hvac.Client(url=served.address, token=ROOT)
        self.admin.sys.enable_secrets_engine("kv", path="local", options={"version": "2"})
        self.put("local-key", "local-secret")
        self.admin.sys.create_or_update_acl_policy(
            "node",
            'path "local/data/exchange" { capabilities = ["read"] }\n'
            'path "local/data/pager" { capabilities = ["read"] }',
        )
        self.admin.secrets.kv.v2.create_or_update_secret(path="pager", secret=PAGER, mount_point="local")
        token = self.admin.auth.token.create(policies=["node"], ttl="1h")["auth"]["client_token"]
        (folder / "credential").write_text(token)
        self.token = token
        config = (*CONFIG, str(HERE / "rotating.yaml"))
        inputs = {"vault": served.address, "credential": str(folder / "credential")}
        super().__init__(folder, config=config, **inputs)

    def put(self, key: str, secret: str) -> None:
        self.admin.secrets.kv.v2.create_or_update_secret(
            path="exchange", secret={"key": key, "secret": secret}, mount_point="local"
        )

    @property
    def control(self) -> ControlClient:
        topology = self.topology()
        return ControlClient(topology.socket_path, topology.deployment)

    def actor(self, address: str) -> Any:
        return self.control.get(f"/v1/actors/{address}")

    def versions(self, name: str) -> set[int]:
        return {one[name] for one in self.actor("secrets")["description"]["references"]}

    def rotate(self) -> tuple[int, list[dict[str, Any]]]:
        """Return the exit code of `polytrade secrets rotate`, and what it says of each reference."""
        from click.testing import CliRunner

        from actors.cli.secrets import secrets

        found = CliRunner().invoke(secrets, ["rotate", str(self.topology().journal_path), "--json"])
        assert not any(value in found.output for value in ("second", "stranger", "local-secret")), (
            found.output
        )
        rows = json.loads(found.stdout)["references"]
        return found.exit_code, [row for row in rows if "/exchange#" in row["reference"]]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything the node knows and nobody may see: every key and secret it was given, and its token."""
        keys = ("local-key", "local-secret", "second-key", "second-secret", "stranger-secret")
        return (*keys, "planted-hook", "planted-word", "planted-mail", self.token)

    def leaks_of_running(self) -> list[tuple[str, str]]:
        """Return where a secret stands: in what the node answers, its processes, what commands say."""
        topology, up = self.topology(), self.node
        assert up is not None
        journal, given = str(topology.journal_path), []
        for name, text in self.inputs.items():
            given += ["--input", f"{name}={text}"]
        made = self.folder / "made"
        made.mkdir(exist_ok=True)
        actors = [plan.address for plan in topology.actors]
        commands = [
            ["plan", *self.config, *given, "--json", "--out", str(made / "plan.json")],
            ["render", *self.config, *given],
            ["secrets", "list", *self.config, *given],
            ["secrets", "check", *self.config, *given],
            ["secrets", "policy", *self.config, *given],
            ["doctor", *self.config, *given],
            ["backup", journal, "--into", str(made / "backups")],
            ["incident", journal, "--export", str(made / "incident.tar.gz"), "--json"],
            ["journal", "cat", journal],
            ["audit", "export", journal, "--all"],
            ["generations", journal, "--json"],
            *(["state", journal, address, "--json"] for address in actors),
        ]
        return planted.leaks(
            self.secrets,
            itertools.chain(
                planted.what_the_node_answers(self.control),
                planted.of_processes(up.pid),
                planted.what_commands_say(commands, self.environment),
            ),
        )

    def leaks_in_files(self) -> list[tuple[str, str]]:
        """Return where a secret stands in what the node and the commands have left behind."""
        return planted.leaks(self.secrets, planted.of_files(self.folder, NOT_THE_NODES))

    def fault(self, **rule: object) -> None:
        status, _ = self.client.send("POST", "/__faults__", body=rule, sign=False)
        assert status == 200

    def stream_losses(self) -> int:
        """Return how often the private stream was lost, those before the newest key included."""
        found: int = self.actor("venue/main")["description"]["stream"]["losses"]
        return found


@pytest.fixture
def path(tmp_path: Path) -> Iterator[RotatingPath]:
    with ServedVault() as served:
        found = RotatingPath(tmp_path, served)
        try:
            found.start_exchange()
            found.start_node()
            found.await_trading()
            yield found
        finally:
            found.close()


def test_keys_are_refused_and_changed_under_load_and_then_the_vault_is_gone(path: RotatingPath) -> None:
    """One node for all three: to start one takes longer than any of them."""
    _a_stranger_is_refused(path)
    _a_good_key_is_used_and_the_old_one_is_deleted(path)
    assert path.leaks_of_running() == []
    assert {one.name for one in (path.folder / "made").iterdir()} == {
        "plan.json",
        "incident.tar.gz",
        "backups",
    }
    assert list(path.topology().journal_path.glob("tape/*"))
    _without_a_vault_only_reductions_are_left(path)
    path.fall_quiet()
    report = path.stop_node()
    books = check(path, report)
    assert report["node_restarts"] == 0
    events = [msgspec.msgpack.decode(raw) for cell, raw in books.entries if cell == "oms/main"]
    states = [event[1] for event in events if event[0] == "OrderStateChanged"]
    assert not {"rejected", "lost"} & set(states), sorted(set(states))
    assert path.leaks_in_files() == []


def _a_stranger_is_refused(path: RotatingPath) -> None:
    path.put("stranger", "stranger-secret")
    code, rows = path.rotate()
    assert (code, {(row["outcome"], row["in_use"]) for row in rows}) == (5, {("refused", 1)}), rows
    path.await_trading(2)


def _a_good_key_is_used_and_the_old_one_is_deleted(path: RotatingPath) -> None:
    path.put("second-key", "second-secret")
    code, rows = path.rotate()
    assert (code, {(row["outcome"], row["in_use"]) for row in rows}) == (0, {("adopted", 3)}), rows
    path.fault(kind="revoke_key", key="local-key")
    path.client = live_path.RawClient(f"http://127.0.0.1:{path.port}", "second-key", "second-secret")
    path.await_trading(8)
    assert path.stream_losses() == 0
    assert path.actor("reconciler/main")["description"]["disagreements_count"] == 0


def _without_a_vault_only_reductions_are_left(path: RotatingPath) -> None:
    path.admin.sys.seal()
    wait_for(lambda: "SecretStoreDown" in str(path.view()["alerts"]))
    path.await_trading(2)
    wait_for(lambda: "SecretExpiring" in str(path.view()["alerts"]), 30.0)
    wait_for(lambda: any("unconfirmed" in halt["reason"] for halt in path.view()["halts"]), 30.0)
    assert path.view()["ready"]
    wait_for(lambda: "AlertDeliveryFailed" in str(path.view()["alerts"]))
    assert planted.leaks(path.secrets, planted.what_the_node_answers(path.control)) == []
