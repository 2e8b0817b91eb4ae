"""From JSON bytes to typed values, first strictly and fast, then once more with all the tolerance there is.

The venue writes most numbers as text and some as numbers, and has changed its mind about single fields. So a
message that does not fit is read a second time with every number as its own text (never as a float), absent
where it says null, and only then given up.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec

__all__ = ["Count", "Malformed", "Milliseconds", "Name", "Row", "Size", "decode", "decoder_of"]

T = TypeVar("T")

# Bounds of what is read: larger numbers would not fit into our messages once they are multiplied.
Size = Annotated[int, msgspec.Meta(ge=0, le=10**12)]  # contracts in a book, or of the market
Count = Annotated[int, msgspec.Meta(ge=0, le=10**7)]  # contracts of one of our orders or fills
Name = Annotated[str, msgspec.Meta(max_length=200)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=9 * 10**12)]  # UTC; up to the year 2255

DECODE_ERRORS = (ValueError, RecursionError)  # msgspec's own errors are ValueErrors
WHOLE_AS_DECIMAL = re.compile(r"-?[0-9]{1,18}\.0+", re.ASCII)

_loose = msgspec.json.Decoder(float_hook=str)


class Malformed(ValueError):
    """Bytes from the venue that cannot mean what they should. `what` names the kind of message."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{what}: {text}")
        self.what = what
        self.text = text


class Row(msgspec.Struct, gc=False):
    """Parent of everything that is read. Unknown fields are ignored; what may be missing has a default."""


def decoder_of(kind: type[T] | Any) -> msgspec.json.Decoder[T]:
    """Return a decoder that takes numbers written as text where a number is wanted."""
    decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind, strict=False)
    return decoder


def decode(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, what: str) -> T:
    """Return the typed value of JSON bytes. Errors: Malformed, and nothing else."""
    try:
        return decoder.decode(raw)
    except DECODE_ERRORS:
        pass
    try:
        found: T = msgspec.convert(_as_text(_loose.decode(raw)), decoder.type, strict=False)
    except DECODE_ERRORS as error:
        raise Malformed(what, str(error)[:200]) from None
    return found


def _as_text(tree: Any) -> Any:
    """Return a tree with every scalar as text, whole numbers without a point, and nothing where null was."""
    if isinstance(tree, dict):
        return {name: _as_text(value) for name, value in tree.items() if value is not None}
    if isinstance(tree, list):
        return [_as_text(value) for value in tree]
    if isinstance(tree, bool):
        return "true" if tree else "false"
    if isinstance(tree, str):
        return tree.partition(".")[0] if WHOLE_AS_DECIMAL.fullmatch(tree) else tree
    return "" if tree is None else str(tree)
