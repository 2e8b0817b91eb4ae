"""A double that is ready for one deployment: values, policy, and a role to log in with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actors.drills.vault.core import VaultDouble
from actors.drills.vault.kinds import Request
from actors.secrets.reference import SecretReference
from actors.secrets.vault_policy import policy_text

__all__ = ["ROLE", "fill"]

ROLE = "polytrade"


def fill(
    double: VaultDouble, name: str, references: Iterable[SecretReference], values: Mapping[str, str]
) -> tuple[str, str]:
    """Write a value for every reference, those given or made-up ones; return role id and secret id."""
    wanted: dict[tuple[str, str], dict[str, str]] = {}
    references = list(references)
    for one in references:
        made_up = f"local-{one.key}"
        wanted.setdefault((one.mount, one.path), {})[one.key] = values.get(str(one), made_up)
    for (mount, path), data in wanted.items():
        double.namespaces[""].engines.setdefault(mount, "kv")
        _ask(double, f"{mount}/data/{path}", {"data": data})
    _ask(double, f"sys/policies/acl/{name}", {"policy": policy_text(name, references)})
    _ask(double, f"auth/approle/role/{ROLE}", {"token_policies": [name], "token_ttl": "1h"})
    _ask(double, f"auth/approle/role/{ROLE}/role-id", {"role_id": ROLE})
    secret_id = _ask(double, f"auth/approle/role/{ROLE}/secret-id", {})["data"]["secret_id"]
    return ROLE, str(secret_id)


def _ask(double: VaultDouble, path: str, body: dict[str, object]) -> dict[str, dict[str, object]]:
    status, answer = double.handle(Request("POST", path, {}, body, double.root_token))
    if status >= 400:
        raise ValueError(f"{path}: {answer}")
    return answer or {}
