"""sys/: health, seal, wrapping, policies, mounts, namespaces."""

from __future__ import annotations

from typing import Any

from actors.drills.vault.kinds import Call, Namespace, Refused
from actors.drills.vault.policy import parse_policy

__all__ = [
    "delete_policy",
    "enable_login",
    "health",
    "look_up_wrapping",
    "make_namespace",
    "mount",
    "read_policy",
    "seal",
    "seal_status",
    "unseal",
    "unwrap",
    "write_policy",
]

VERSION = "1.15.6"  # whose behaviour the double follows
ENGINES = {"kv", "kv-v2", "transit"}
LOGINS = {"approle", "kubernetes"}


def health(call: Call) -> Any:
    body = {
        "initialized": True,
        "sealed": call.vault.is_sealed,
        "standby": False,
        "version": VERSION,
        "server_time_utc": call.vault.clock.now_ns() // 1_000_000_000,
    }
    return int(call.request.query.get("sealedcode", 503)) if call.vault.is_sealed else 200, body


def seal_status(call: Call) -> Any:
    status = {
        "type": "shamir",
        "initialized": True,
        "sealed": call.vault.is_sealed,
        "t": 1,
        "n": 1,
        "progress": 0,
        "version": VERSION,
    }
    return 200, status


def seal(call: Call) -> Any:
    call.vault.is_sealed = True


def unseal(call: Call) -> Any:
    """One share opens it: the root token stands for the key."""
    if call.request.body.get("key") != call.vault.root_token:
        raise Refused(400, "'key' must be a valid hex or base64 string")
    call.vault.is_sealed = False
    return seal_status(call)


def unwrap(call: Call) -> Any:
    """The token is in the body, or is the caller's own. It opens once."""
    given = call.request.body.get("token")
    if given:
        wrapping = call.space.tokens.pop(str(given), None)
        if wrapping is None or wrapping.expires_ns <= call.vault.clock.now_ns():
            raise Refused(400, "wrapping token is not valid or does not exist")
    else:
        wrapping = call.token
    if wrapping is None or wrapping.wrapped is None:
        raise Refused(400, "wrapping token is not valid or does not exist")
    return 200, wrapping.wrapped


def look_up_wrapping(call: Call) -> Any:
    wrapping = call.space.tokens.get(str(call.request.body.get("token") or call.request.token))
    if wrapping is None or wrapping.wrapped is None or wrapping.expires_ns <= call.vault.clock.now_ns():
        raise Refused(400, "wrapping token is not valid or does not exist")
    found = {
        "creation_path": wrapping.created_from,
        "creation_time": call.vault.time_text(wrapping.issued_ns),
        "creation_ttl": wrapping.ttl_ns // 1_000_000_000,
    }
    return {"data": found}


def read_policy(call: Call) -> Any:
    if call.parts[0] not in call.space.policies:
        raise Refused(404)
    return {"data": {"name": call.parts[0], "policy": call.space.policies[call.parts[0]]}}


def write_policy(call: Call) -> Any:
    text = str(call.request.body.get("policy", ""))
    parse_policy(text)
    call.space.policies[call.parts[0]] = text


def delete_policy(call: Call) -> Any:
    call.space.policies.pop(call.parts[0], None)


def mount(call: Call) -> Any:
    kind = str(call.request.body.get("type"))
    if kind not in ENGINES or call.parts[0] in call.space.engines:
        raise Refused(
            400, f"path is already in use at {call.parts[0]}/ or {kind!r} is not known to this double"
        )
    call.space.engines[call.parts[0]] = "transit" if kind == "transit" else "kv"


def enable_login(call: Call) -> Any:
    kind = str(call.request.body.get("type"))
    if kind not in LOGINS or call.parts[0] in call.space.logins:
        raise Refused(
            400, f"path is already in use at {call.parts[0]}/ or {kind!r} is not known to this double"
        )
    call.space.logins[call.parts[0]] = kind


def make_namespace(call: Call) -> Any:
    call.vault.namespaces.setdefault(
        "/".join((*filter(None, (call.request.namespace.strip("/"),)), call.parts[0])), Namespace()
    )
    return {"data": {"path": f"{call.parts[0]}/"}}
