"""The fault port: /__faults__ over HTTP, for drills and tests."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.exchange.protocol.errors import ApiError
from actors.exchange.protocol.ids import number_of
from actors.exchange.server.faults import KINDS, Fault
from actors.exchange.server.routes import Call, Limit, Route

__all__ = ["FAULT_PORT"]

FIELDS = tuple(one for one in Fault.__struct_fields__ if one not in ("id", "seen", "struck"))
FREE = Limit("faults", 0)


def listed(call: Call) -> Any:
    return {"rules": list(call.core.faults.rules.values())}


def kinds(call: Call) -> Any:
    return KINDS


def added(call: Call) -> Any:
    try:
        rule = call.core.faults.add(msgspec.json.decode(call.body, type=Fault))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ApiError((400, f"Param error: {error}; the fields are {', '.join(FIELDS)}")) from None
    if rule.kind == "revoke_key":
        call.core.hub.cut_revoked()
    return msgspec.to_builtins(rule)


def cleared(call: Call) -> Any:
    return {"removed": len(call.core.faults.remove())}


def removed(call: Call) -> Any:
    number = number_of(call.parts[0], 0)
    if number not in call.core.faults.rules:
        raise ApiError((404, "no such fault"))
    return call.core.faults.remove(number)[0]


FAULT_PORT = (
    Route("GET", "/__faults__", listed, FREE, bare=True),
    Route("GET", "/__faults__/kinds", kinds, FREE, bare=True),
    Route("POST", "/__faults__", added, FREE, bare=True),
    Route("DELETE", "/__faults__", cleared, FREE, bare=True),
    Route("DELETE", "/__faults__/{id}", removed, FREE, bare=True),
)
