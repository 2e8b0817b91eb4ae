"""Signatures of Poloniex requests: one string, HMAC-SHA256, base64. Spot and futures sign alike.

The string is `METHOD \\n PATH \\n PARAMETERS`. With a body the parameters are the exact body text and the
timestamp; without one they are the query's pairs and the timestamp, sorted by name.
Source: docs/poloniex.md, Authentication.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

__all__ = ["auth_headers", "login_text", "query_text", "sign", "sign_login", "string_to_sign"]

UNENCODED = "~()*!'"  # what encodeURIComponent leaves alone; the venue's own clients do the same
LOGIN_PATH = "/ws"  # in the string of a WebSocket login, whatever the socket's own path is


def query_text(query: Mapping[str, str]) -> str:
    """Return a query as it is sent and signed: percent-encoded pairs in the order given."""
    return "&".join(f"{name}={quote(text, safe=UNENCODED)}" for name, text in query.items())


def string_to_sign(
    method: str, path: str, timestamp_ms: int, query: Mapping[str, str] | None = None, body: str | None = None
) -> str:
    """Return the text a signature is made of. `body` is the exact JSON text that is sent; None is no body."""
    if body is not None:
        parameters = f"requestBody={body}&signTimestamp={timestamp_ms}"
    else:
        pairs = {**(query or {}), "signTimestamp": str(timestamp_ms)}
        parameters = query_text(dict(sorted(pairs.items())))
    return f"{method}\n{path}\n{parameters}"


def sign(
    secret: bytes,
    method: str,
    path: str,
    timestamp_ms: int,
    query: Mapping[str, str] | None = None,
    body: str | None = None,
) -> str:
    """Return the signature of a request, base64 with padding. `timestamp_ms` is UTC milliseconds."""
    text = string_to_sign(method, path, timestamp_ms, query, body)
    return b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()


def sign_login(secret: bytes, timestamp_ms: int) -> str:
    """Return the signature of a WebSocket login."""
    return sign(secret, "GET", LOGIN_PATH, timestamp_ms)


def auth_headers(key: str, signature: str, timestamp_ms: int) -> tuple[tuple[str, str], ...]:
    """Return the headers that carry a signature."""
    return (
        ("key", key),
        ("signTimestamp", str(timestamp_ms)),
        ("signature", signature),
        ("signatureMethod", "HmacSHA256"),
        ("signatureVersion", "2"),
    )


def login_text(key: str, secret: bytes, timestamp_ms: int) -> str:
    """Return the frame that logs a WebSocket in."""
    params = {
        "key": key,
        "signTimestamp": timestamp_ms,
        "signature": sign_login(secret, timestamp_ms),
        "signatureMethod": "HmacSHA256",
        "signatureVersion": "2",
    }
    return msgspec.json.encode({"event": "subscribe", "channel": ["auth"], "params": params}).decode()
