"""Messages by name: how stored bytes become typed messages again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from actors.runtime.errors import JournalError, JournalNotUnderstood
from actors.runtime.messages import Message

__all__ = ["decode_message", "decoder_for", "encode_message", "message_name", "message_types"]

_encoder = msgspec.msgpack.Encoder()


def message_name(kind: type[Message]) -> str:
    """Return the name a message type has on the wire and in the journal."""
    return kind.__name__


def message_types() -> dict[str, type[Message]]:
    """Return every message type imported so far, by name. Errors: JournalError when two share a name."""
    found: dict[str, type[Message]] = {}
    for kind in _all_types():
        other = found.setdefault(kind.__name__, kind)
        if other is not kind and other.__module__ != kind.__module__:
            raise _ambiguous(other, kind)
    return found


def _all_types() -> Iterator[type[Message]]:
    waiting = list(Message.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        yield kind


def _ambiguous(one: type[Message], other: type[Message]) -> JournalError:
    return JournalError(f"two message types are named {one.__name__}: {one.__module__}, {other.__module__}")


@lru_cache(maxsize=1024)
def _type_named(name: str) -> type[Message]:
    """Find one type; what is found is remembered, because every stored timer and message asks."""
    found = {kind.__module__: kind for kind in _all_types() if kind.__name__ == name}
    if not found:
        raise JournalNotUnderstood(f"no message type {name!r} in this version of the code")
    kind, *others = found.values()
    if others:
        raise _ambiguous(kind, others[0])
    return kind


def encode_message(message: Message) -> bytes:
    """Return the MessagePack form: an array of the type's name and its fields."""
    return _encoder.encode(message)


def decode_message(raw: bytes) -> Message:
    """Return the message behind MessagePack bytes. Errors: JournalError when they are none that we know."""
    kind = _type_named(msgspec.msgpack.decode(raw, type=list[Any])[0])
    try:
        message: Message = decoder_for((kind,)).decode(raw)
    except msgspec.MsgspecError as error:
        raise JournalNotUnderstood(f"a stored {kind.__name__} cannot be read: {error}") from error
    return message


@lru_cache(maxsize=1024)
def _decoder(kinds: tuple[type[Message], ...]) -> msgspec.msgpack.Decoder[Any]:
    union: Any = kinds[0]
    for kind in kinds[1:]:
        union = union | kind
    return msgspec.msgpack.Decoder(union)


def decoder_for(kinds: Iterable[type[Message]]) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder for a union of message types, told apart by name."""
    return _decoder(tuple(kinds))
