"""Transit, for signatures: ed25519 keys with versions; the private halves do not leave."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from actors.drills.vault.kinds import Call, Refused, TransitKey

__all__ = ["create", "read", "rotate", "sign", "verify"]

PREFIX = "vault"


def create(call: Call) -> Any:
    kind = call.request.body.get("type", "ed25519")
    if kind != "ed25519":
        raise Refused(400, f"unknown key type {kind!r}; this double has ed25519")
    call.space.keys.setdefault((call.parts[0], call.parts[1]), TransitKey())
    if not _found(call).versions:
        rotate(call)


def rotate(call: Call) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = _found(call)
    version = max(key.versions, default=0) + 1
    key.versions[version] = Ed25519PrivateKey.generate()
    key.created_ns[version] = call.vault.clock.now_ns()


def read(call: Call) -> Any:
    key = _found(call)
    keys = {
        str(version): {
            "creation_time": call.vault.time_text(key.created_ns[version]),
            "name": "ed25519",
            "public_key": _text(private.public_key().public_bytes_raw()),
        }
        for version, private in key.versions.items()
    }
    found = {
        "keys": keys,
        "latest_version": max(key.versions),
        "name": call.parts[1],
        "supports_signing": True,
        "type": "ed25519",
    }
    return {"data": found}


def sign(call: Call) -> Any:
    key = _found(call)
    version = max(key.versions)
    signature = key.versions[version].sign(_bytes(call, "input"))
    return {"data": {"signature": f"{PREFIX}:v{version}:{_text(signature)}", "key_version": version}}


def verify(call: Call) -> Any:
    from cryptography.exceptions import InvalidSignature

    key = _found(call)
    parts = str(call.request.body.get("signature", "")).split(":")
    if len(parts) != 3 or parts[0] != PREFIX or not parts[1][1:].isdigit():
        raise Refused(400, "invalid signature: no prefix")
    private = key.versions.get(int(parts[1][1:]))
    if private is None:
        raise Refused(400, "invalid signature version")
    try:
        private.public_key().verify(base64.b64decode(parts[2]), _bytes(call, "input"))
    except (InvalidSignature, binascii.Error):
        return {"data": {"valid": False}}
    return {"data": {"valid": True}}


def _found(call: Call) -> TransitKey:
    key = call.space.keys.get((call.parts[0], call.parts[1]))
    if key is None:
        raise Refused(400, "signing key not found")
    return key


def _bytes(call: Call, name: str) -> bytes:
    try:
        return base64.b64decode(str(call.request.body.get(name, "")), validate=True)
    except binascii.Error:
        raise Refused(400, f"unable to decode {name} as base64") from None


def _text(given: bytes) -> str:
    return base64.b64encode(given).decode("ascii")
