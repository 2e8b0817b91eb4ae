"""Messages and events as named fields: plain values that JSON can hold and a person can read.

Works on the MessagePack arrays themselves, so an event of a type this process does not know still shows its
values, by position.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from actors.runtime.codec import message_types
from actors.runtime.messages import Message

__all__ = ["MASK", "FieldNames", "is_secret", "masked", "plain"]

MASK = "***"
SECRET = re.compile(
    r"(secret|token|passw(or)?d|passphrase|signature|credential|private_?key|api_?key|authorization)", re.I
)
BYTES_SHOWN = 64  # of a field that holds raw bytes


class FieldNames:
    """The field names of every message type this process knows, by the type's name."""

    def __init__(self, types: Mapping[str, type[Message]] | None = None) -> None:
        self._types = message_types() if types is None else types

    def named(self, item: Any) -> Any:
        """Return a decoded MessagePack value with every message in it as {"type": ..., field: value}."""
        if isinstance(item, list | tuple):
            fields = self.fields(item)
            if fields is not None:
                return {"type": item[0], **fields}
            return [self.named(value) for value in item]
        if isinstance(item, dict):
            return {str(key): self.named(value) for key, value in item.items()}
        return shown_bytes(item) if isinstance(item, bytes) else item

    def fields(self, item: list[Any] | tuple[Any, ...]) -> dict[str, Any] | None:
        """Return the named fields of a message's array; None when it is no message we know."""
        kind = self._types.get(item[0]) if item and isinstance(item[0], str) else None
        if kind is None or len(item) - 1 > len(kind.__struct_fields__):
            return None
        return {
            name: self.named(value) for name, value in zip(kind.__struct_fields__, item[1:], strict=False)
        }

    def event(self, raw: bytes | msgspec.Raw) -> tuple[str, dict[str, Any]]:
        """Return an event's type and fields; fields of an unknown type are called `0`, `1`, ..."""
        item = msgspec.msgpack.decode(raw)
        if not isinstance(item, list) or not item:
            return "?", {"0": self.named(item)}
        fields = self.fields(item)
        if fields is None:
            fields = {str(index): self.named(value) for index, value in enumerate(item[1:])}
        return str(item[0]), fields

    def message(self, message: object) -> dict[str, Any]:
        """Return a message as {"type": ..., "fields": {...}}."""
        if not isinstance(message, Message):
            return {"type": type(message).__name__, "fields": {"text": str(message)[:200]}}
        name, fields = self.event(msgspec.msgpack.encode(message))
        return {"type": name, "fields": fields}


def shown_bytes(value: bytes) -> str:
    """Return bytes as hex, cut to a length worth reading."""
    shown = value[:BYTES_SHOWN].hex()
    return shown if len(value) <= BYTES_SHOWN else f"{shown}... ({len(value)} bytes)"


def plain(value: object) -> Any:
    """Return what JSON can hold in place of a value it cannot (for encoders' hooks)."""
    if isinstance(value, bytes | bytearray | memoryview):
        return shown_bytes(bytes(value))
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    return str(value)


def is_secret(name: str) -> bool:
    """Tell whether a field of this name holds something nobody should read in a log or an answer."""
    return SECRET.search(name) is not None


def masked(value: Any) -> Any:
    """Return plain values with everything masked that is called like a secret; references stay readable."""
    if isinstance(value, dict):
        return {key: _mask(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return value


def _mask(key: object, value: Any) -> Any:
    if not is_secret(str(key)) or value in ("", None) or isinstance(value, bool):
        return masked(value)
    if isinstance(value, str) and value.startswith("secret://"):
        return value  # where it is kept, not what it is
    return MASK
