"""Where the contract runs: the double always, a real server when VAULT_ADDR and VAULT_TOKEN name one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors.secrets.settings import VaultSettings
from actors.secrets.vault import VaultSource
from tests.contract.vault.server import ROOT, ServedVault

hvac = pytest.importorskip("hvac")


@dataclass
class Bench:
    """A server with a mount, a policy and an AppRole of this test's own."""

    address: str
    admin: Any
    name: str
    folder: Path
    served: ServedVault | None = None

    def put(self, path: str, **values: str) -> int:
        answer = self.admin.secrets.kv.v2.create_or_update_secret(
            path=path, secret=values, mount_point=self.name
        )
        return int(answer["data"]["version"])

    def allow(self, *paths: str) -> None:
        rules = "\n".join(f'path "{path}" {{ capabilities = ["read"] }}' for path in paths)
        self.admin.sys.create_or_update_acl_policy(name=self.name, policy=rules)

    def approle(self, **more: Any) -> tuple[str, str]:
        """Return role id and secret id of a role that has the policy."""
        settings = {"token_policies": [self.name], "token_ttl": "1h", **more}
        self.admin.auth.approle.create_or_update_approle(role_name=self.name, **settings)
        return self.role_id(), self.secret_id()

    def role_id(self) -> str:
        return str(self.admin.auth.approle.read_role_id(role_name=self.name)["data"]["role_id"])

    def secret_id(self) -> str:
        return str(self.admin.auth.approle.generate_secret_id(role_name=self.name)["data"]["secret_id"])

    def credential(self, text: str) -> str:
        path = self.folder / "credential"
        path.write_text(text + "\n", encoding="utf-8")
        return str(path)

    def source(self, role_id: str, credential: str, **more: Any) -> VaultSource:
        settings = VaultSettings(
            address=self.address, role=role_id, credential_file=self.credential(credential), **more
        )
        return VaultSource(settings)


def _prepared(address: str, token: str, name: str, folder: Path, served: ServedVault | None = None) -> Bench:
    # Lists are asked for by GET ...?list=true, which every proxy lets through.
    admin = hvac.Client(url=address, token=token, strict_http=True)
    admin.sys.enable_secrets_engine("kv", path=name, options={"version": "2"})
    if served is None and "approle/" not in admin.sys.list_auth_methods()["data"]:
        admin.sys.enable_auth_method("approle")
    return Bench(address, admin, name, folder, served)


@pytest.fixture(params=["double", "real"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    name = f"polytrade-contract-{os.getpid()}-{abs(hash(request.node.nodeid)) % 10**8}"
    if request.param == "double":
        with ServedVault() as served:
            yield _prepared(served.address, ROOT, name, tmp_path, served)
        return
    address, token = os.environ.get("VAULT_ADDR"), os.environ.get("VAULT_TOKEN")
    if not address or not token:
        pytest.skip("VAULT_ADDR and VAULT_TOKEN name no real server")
    found = _prepared(address, token, name, tmp_path)
    try:
        yield found
    finally:
        found.admin.sys.disable_secrets_engine(name)
        found.admin.sys.delete_acl_policy(name) if hasattr(found.admin.sys, "delete_acl_policy") else None
        found.admin.auth.approle.delete_role(role_name=name)


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Bench]:
    """The double alone, for what cannot be asked of a server that others use."""
    with ServedVault() as served:
        yield _prepared(served.address, ROOT, "mine", tmp_path, served)
