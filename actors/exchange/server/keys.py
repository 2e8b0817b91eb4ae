"""Who is asking: keys, signatures, and how old a request may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from actors.exchange.protocol.errors import GatewayError
from actors.exchange.protocol.ids import number_of
from actors.exchange.protocol.signing import is_signed, sign_text

__all__ = ["ApiKey", "Keyring"]

MS_NS = 1_000_000


class ApiKey(NamedTuple):
    """One key and whose it is."""

    key: str
    secret: str
    account: str


class Keyring:
    """All keys. `skew_ms_max` is how far a timestamp may lie from the server's clock."""

    def __init__(self, keys: Iterable[ApiKey], skew_ms_max: int) -> None:
        self._keys = {key.key: key for key in keys}
        self.skew_ms_max = skew_ms_max

    def account_of(self, key: str) -> str:
        """Return the account that a key claims; empty for a stranger."""
        found = self._keys.get(key)
        return found.account if found is not None else ""

    def check(
        self, headers: Mapping[str, str], method: str, path: str, query: str, body: bytes, now_ns: int
    ) -> str:
        """Return the account of a signed request. Errors: GatewayError."""
        found = self._known(headers.get("key", ""))
        stamp = headers.get("signtimestamp", "")
        self._check_time(stamp, headers.get("recvwindow", ""), now_ns)
        if not is_signed(found.secret, headers.get("signature", ""), method, path, query, body, stamp):
            raise GatewayError(401, 401, "Invalid signature")
        return found.account

    def check_socket(self, key: str, stamp: str, signature: str, now_ns: int) -> str:
        """Return the account of a WebSocket login. Errors: GatewayError."""
        found = self._known(key)
        self._check_time(stamp, "", now_ns)
        expected = sign_text(found.secret, f"GET\n/ws\nsignTimestamp={stamp}")
        if expected != signature:
            raise GatewayError(401, 401, "Invalid signature")
        return found.account

    def _known(self, key: str) -> ApiKey:
        found = self._keys.get(key)
        if found is None:
            raise GatewayError(401, 401, "Invalid api key")
        return found

    def _check_time(self, stamp: str, window: str, now_ns: int) -> None:
        signed_ms = number_of(stamp, 0)
        now_ms = now_ns // MS_NS
        if not signed_ms or abs(now_ms - signed_ms) > self.skew_ms_max:
            raise GatewayError(400, 400, "Param error signTimestamp")
        allowed_ms = number_of(window, 0)
        if allowed_ms and now_ms - signed_ms > allowed_ms:
            raise GatewayError(408, 408, "Request timeout: recvWindow exceeded")
