"""Keys out of a Vault, changed while a real node trades over real sockets; and the server taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract.vault.server import ROOT, ServedVault
from tests.process import live_path
from tests.process.live_path import CONFIG, HERE, LivePath, check
from tests.process.node import wait_for

hvac = pytest.importorskip("hvac")

PLANTED = ("local-secret", "second-secret")


class RotatingPath(LivePath):
    """Node, exchange with two keys, and a Vault that knows the first one."""

    RULES = "two_keys.yaml"

    def __init__(self, folder: Path, served: ServedVault) -> None:
        self.served = served
        self.admin = hvac.Client(url=served.address, token=ROOT)
        self.admin.sys.enable_secrets_engine("kv", path="local", options={"version": "2"})
        self.put("local-key", "local-secret")
        self.admin.sys.create_or_update_acl_policy(
            "node", 'path "local/data/exchange" { capabilities = ["read"] }'
        )
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

    def actor(self, address: str) -> Any:
        from actors.cli.client import ControlClient

        topology = self.topology()
        return ControlClient(topology.socket_path, topology.deployment).get(f"/v1/actors/{address}")

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
        return found.exit_code, json.loads(found.stdout)["references"]

    def fault(self, **rule: object) -> None:
        status, _ = self.client.send("POST", "/__faults__", body=rule, sign=False)
        assert status == 200


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


def test_a_key_is_changed_under_load_without_a_failed_order(path: RotatingPath) -> None:
    path.put("second-key", "second-secret")
    code, rows = path.rotate()
    assert (code, {row["in_use"] for row in rows}) == (0, {2}), rows
    path.await_trading()
    path.fault(kind="revoke_key", key="local-key")
    path.client = live_path.RawClient(f"http://127.0.0.1:{path.port}", "second-key", "second-secret")
    path.await_trading(8)
    process = Path(f"/proc/{path.view()['pid']}")
    seen = process.joinpath("cmdline").read_bytes() + process.joinpath("environ").read_bytes()
    assert not any(secret.encode() in seen for secret in (*PLANTED, path.token))
    path.fall_quiet()
    report = path.stop_node()
    books = check(path, report)
    assert report["node_restarts"] == 0
    events = [msgspec.msgpack.decode(raw) for cell, raw in books.entries if cell == "oms/main"]
    states = [event[1] for event in events if event[0] == "OrderStateChanged"]
    assert not {"rejected", "lost"} & set(states), sorted(set(states))
    assert not planted(path.folder, (*PLANTED, path.token))


def test_a_vault_that_is_gone_leaves_reductions_only_and_a_new_key_is_refused_quietly(
    path: RotatingPath,
) -> None:
    path.put("stranger", "stranger-secret")
    code, rows = path.rotate()
    assert (code, {(row["outcome"], row["in_use"]) for row in rows}) == (5, {("refused", 1)}), rows
    path.await_trading()
    path.admin.sys.seal()
    wait_for(lambda: "SecretStoreDown" in str(path.view()["alerts"]))
    path.await_trading()
    wait_for(lambda: "SecretExpiring" in str(path.view()["alerts"]), 30.0)
    wait_for(lambda: any("unconfirmed" in halt["reason"] for halt in path.view()["halts"]), 30.0)
    assert path.view()["ready"]
    path.fall_quiet()


def planted(folder: Path, secrets: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return in which files of the node's a secret stands; the credential itself is where we put it.

    The exchange is the far side: it prints its keys for whoever wants to try it.
    """
    found = []
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in ("credential", "exchange.log"):
            raw = file.read_bytes()
            found += [(file.name, secret) for secret in secrets if secret.encode() in raw]
    return found
