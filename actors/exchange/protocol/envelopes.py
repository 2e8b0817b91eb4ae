"""Answers as bytes: futures in an envelope, spot bare, the gateway in a shape of its own."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "JSON_HEADERS",
    "failed",
    "gateway_refusal",
    "no_such_path",
    "spot_refusal",
    "succeeded",
    "to_json",
]

JSON_HEADERS = (("Content-Type", "application/json"), ("ratelimit-filter", "updated"))
to_json = msgspec.json.Encoder().encode


class _Success(msgspec.Struct):
    code: int
    msg: str
    data: Any


def succeeded(data: Any, text: str) -> bytes:
    """Return a futures answer."""
    return to_json(_Success(200, text, data))


def failed(code: int, text: str, data: Any = "") -> bytes:
    """Return a futures refusal; it travels with HTTP 200."""
    return to_json(_Success(code, text, data))


def spot_refusal(code: int, text: str) -> bytes:
    """Return a spot refusal."""
    return to_json({"code": code, "message": text})


def gateway_refusal(code: int, text: str) -> bytes:
    """Return what the gateway says before anybody else has seen the request."""
    return to_json({"code": code, "message": text})


def no_such_path(path: str) -> bytes:
    """Return the answer to a path that is not there."""
    text = f'Resources do not exist [404 NOT_FOUND "No static resource {path.lstrip("/")}."]'
    return gateway_refusal(404, text)
