"""What a REST answer says before anybody looks at its data: futures wrap it, spot does not, gateways differ.

Source: docs/poloniex.md, Envelopes and HTTP behaviour.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import msgspec

from actors.poloniex.decoding import Malformed, Row, decode, decoder_of

__all__ = ["OK", "Answer", "read_answer", "rows_of"]

T = TypeVar("T")

OK = "200"
NO_DATA = (b"null", b'""', b"[]", b"{}", b"")


class Answer(NamedTuple):
    """An answer. `code` is "200" for success, the venue's for a refusal, "" when the body says nothing."""

    code: str
    text: str
    data: bytes
    status: int

    @property
    def is_empty(self) -> bool:
        """Whether there is no data in it: the venue writes that in four ways."""
        return self.data.strip() in NO_DATA


class _Envelope(Row):
    code: int | str
    msg: str | None = None
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_envelope: msgspec.json.Decoder[_Envelope] = decoder_of(_Envelope)


def read_answer(status: int, body: bytes, *, spot: bool = False) -> Answer:
    """Return what an answer says; never raises. With `spot`, a body without a code is the data itself."""
    try:
        envelope = _envelope.decode(body)
    except (ValueError, RecursionError):
        return _without_envelope(status, body, spot)
    code = str(envelope.code)
    text = envelope.msg or envelope.message or ""
    if spot and code == OK:
        return Answer(OK if status < 500 else "", text, body, status)
    if code == OK and status >= 500:
        code = ""
    return Answer(code, text[:200], bytes(envelope.data), status)


def _without_envelope(status: int, body: bytes, spot: bool) -> Answer:
    if spot and status < 400 and body.lstrip()[:1] in (b"{", b"["):
        return Answer(OK, "", body, status)
    return Answer("", body[:100].decode("utf-8", "replace"), b"", status)


def rows_of(answer: Answer, decoder: msgspec.json.Decoder[list[T]], what: str) -> list[T]:
    """Return the rows of an answer; one object counts as one row, no data as none. Errors: Malformed."""
    if answer.is_empty:
        return []
    data = answer.data.strip()
    return decode(decoder, b"[" + data + b"]" if data[:1] == b"{" else data, what)


def row_of(answer: Answer, decoder: msgspec.json.Decoder[list[T]], what: str) -> T:
    """Return the only row of an answer. Errors: Malformed."""
    rows = rows_of(answer, decoder, what)
    if len(rows) != 1:
        raise Malformed(what, f"{len(rows)} rows where there must be one")
    return rows[0]
