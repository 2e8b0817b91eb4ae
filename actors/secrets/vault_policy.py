"""The Vault policy that grants a deployment's references, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from actors.secrets.reference import SecretReference

__all__ = ["policy_text"]

HEAD = "# Reads of deployment {name}. What a token may do with itself is in Vault's policy `default`."


def policy_text(name: str, references: Iterable[SecretReference]) -> str:
    """Return the policy in HCL, one rule for each path that is referred to, in order.

    Source: Vault's "KV secrets engine, version 2": reading takes `read` at mount/data/path.
    """
    paths = sorted({f"{one.mount}/data/{one.path}" for one in references})
    rules = [f'path "{path}" {{\n  capabilities = ["read"]\n}}\n' for path in paths]
    return "\n".join([HEAD.format(name=name), *rules])
