"""WebSocket text frames: what clients ask, and what the far side says beside data."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.exchange.protocol.envelopes import to_json

__all__ = [
    "PONG",
    "BadFrame",
    "ClientFrame",
    "acknowledged",
    "authenticated",
    "data_frame",
    "decode_frame",
    "failure",
    "subscriptions_listed",
]

PONG = '{"event":"pong"}'
SYMBOLS_MAX = 1_000


class BadFrame(Exception):
    """The frame cannot be understood; the text goes back to the client."""


class AuthParams(msgspec.Struct):
    key: str = ""
    signTimestamp: int | str = ""
    signature: str = ""


class ClientFrame(msgspec.Struct):
    """One request. `params` is decoded by whoever the event concerns."""

    event: str = ""
    channel: list[str] | str = []
    symbols: list[str] | str = []
    depth: int | str = 0
    params: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | int = ""

    @property
    def channels(self) -> list[str]:
        """The channels asked for; a client may write one as text."""
        return [self.channel] if isinstance(self.channel, str) else self.channel

    @property
    def wanted(self) -> list[str]:
        """The symbols asked for."""
        return [self.symbols] if isinstance(self.symbols, str) else self.symbols[:SYMBOLS_MAX]

    def auth(self) -> AuthParams:
        """The parameters of a login. Errors: BadFrame."""
        try:
            return msgspec.json.decode(self.params, type=AuthParams)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadFrame("Invalid auth params") from None


PING = ClientFrame("ping")
_decode = msgspec.json.Decoder(ClientFrame).decode


def decode_frame(text: str) -> ClientFrame:
    """Return what a client asks; a bare `ping` counts as one. Errors: BadFrame."""
    if text.strip().lower() == "ping":
        return PING
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadFrame(f"Not JSON string\uff1a{text[:200]}") from None


def data_frame(channel: str, data: Any, action: str = "") -> str:
    """Return a frame with data."""
    if action:
        return to_json({"channel": channel, "data": data, "action": action}).decode()
    return to_json({"channel": channel, "data": data}).decode()


def acknowledged(event: str, channel: str, symbols: list[str]) -> str:
    """Return the answer to a subscription, or to its end."""
    return to_json({"event": event, "channel": channel, "symbols": symbols}).decode()


def subscriptions_listed(channels: list[str]) -> str:
    """Return what a client is subscribed to."""
    return to_json({"subscriptions": channels}).decode()


def failure(text: str) -> str:
    """Return an error frame; the socket stays open."""
    return to_json({"event": "error", "message": text}).decode()


def authenticated(success: bool, ts_ms: int) -> str:
    """Return the answer to a login."""
    data: dict[str, Any] = {"success": success}
    if not success:
        data["message"] = "Authentication failed!"
    data["ts"] = ts_ms
    return to_json({"data": data, "channel": "auth"}).decode()
