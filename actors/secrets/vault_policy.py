"""The Vault policy that grants a deployment's references, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from actors.secrets.reference import SecretReference

__all__ = ["policy_text"]

HEAD = "# What deployment {name} needs. What a token may do with itself is in Vault's policy `default`."


def policy_text(name: str, references: Iterable[SecretReference], sign_with: str = "") -> str:
    """Return the policy in HCL, one rule for each path that is asked for, in order.

    Source: Vault's "KV secrets engine, version 2": reading takes `read` at mount/data/path; "Transit secrets
    engine": signing and verifying take `update` at mount/sign/name and mount/verify/name.
    """
    wanted = {f"{one.mount}/data/{one.path}": "read" for one in references}
    if sign_with:
        mount, _, key = sign_with.rpartition("/")
        wanted |= {f"{mount}/{verb}/{key}": "update" for verb in ("sign", "verify")}
    rules = [
        f'path "{path}" {{\n  capabilities = ["{capability}"]\n}}\n'
        for path, capability in sorted(wanted.items())
    ]
    return "\n".join([HEAD.format(name=name), *rules])
