"""What comes with a request to the control API: its body, its numbers, and who sent it."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from actors.control.desk import ControlError
from actors.control.persons import person_of
from actors.control.sockets import peer_user_id

__all__ = ["asked", "asking", "body_of", "number_of", "text_of"]


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the object that came with a request; an empty one for none. Errors: msgspec.MsgspecError."""
    raw = await request.read()
    return msgspec.json.decode(raw, type=dict[str, Any]) if raw.strip() else {}


def asking(request: web.Request, body: dict[str, Any]) -> tuple[str, int]:
    """Return who asks, and as which user of the machine."""
    user_id = peer_user_id(request.transport.get_extra_info("socket") if request.transport else None)
    return person_of(text_of(body, "actor", "operator"), user_id), user_id


async def asked(request: web.Request) -> dict[str, Any]:
    """Return a body with who sent it, whatever it says of that itself."""
    body = await body_of(request)
    actor, user_id = asking(request, body)
    return {**body, "actor": actor, "user_id": user_id}


def text_of(body: dict[str, Any], name: str, default: str) -> str:
    """Return a text out of a body. Errors: ControlError 400."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise ControlError(400, f"{name} must be text, not {value!r}", f'send {{"{name}": "..."}}')
    return value


def number_of(text: str, name: str) -> int:
    """Return a whole number out of a path or a query. Errors: ControlError 400."""
    if not text.isascii() or not text.isdigit():
        raise ControlError(400, f"{name} must be a whole number, not {text!r}", f"send ?{name}=0")
    return int(text)
