"""What happens to the Vault double of a stage: sealed, a permission taken away, all of it given back."""

from __future__ import annotations

from typing import Any

from actors.drills import wire
from actors.drills.actions.guard import stage_to_disturb
from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed

__all__ = ["POLICY", "vault_deny", "vault_seal", "vault_well", "vault_write"]

Given = dict[str, Any] | None
POLICY = 'path "local/data/exchange" { capabilities = ["read"] }'  # of the node's token
NOTHING = 'path "nothing" { capabilities = ["read"] }'


def vault_seal(configuration: Given = None) -> str:
    """Seal it: it answers 503 to everything but questions about its seal."""
    ask(_stage(configuration), "PUT", "sys/seal", {})
    return "sealed"


def vault_deny(configuration: Given = None) -> str:
    """Take the node's permission to read its keys away."""
    ask(_stage(configuration), "PUT", "sys/policies/acl/node", {"policy": NOTHING})
    return "the node's token may read nothing"


def vault_well(configuration: Given = None) -> str:
    """Unseal it and give the permission back; no harm when nothing was taken."""
    stage = _stage(configuration)
    ask(stage, "PUT", "sys/unseal", {"key": stage.vault_token})
    ask(stage, "PUT", "sys/policies/acl/node", {"policy": POLICY})
    return "open, with all permissions"


def vault_write(key: str = "", secret: str = "", configuration: Given = None) -> str:
    """Write a new version of the exchange's keys; without words those that it takes."""
    stage = _stage(configuration)
    data = {"key": key or stage.key, "secret": secret or stage.secret}
    found = ask(stage, "POST", "local/data/exchange", {"data": data})
    return f"version {found['data']['version']}"


def ask(stage: Stage, method: str, path: str, body: Any) -> Any:
    """Return what the double answers to its root token."""
    return wire.request(method, f"{stage.vault}/v1/{path}", body, {"X-Vault-Token": stage.vault_token})


def _stage(configuration: Given) -> Stage:
    stage = stage_to_disturb(configuration)
    if not stage.vault:
        raise DrillFailed("the stage has no Vault; one with an input `vault` has")
    return stage
