"""Who may halt over HTTP: whoever signs with the token. A request counts once, and only while it is fresh.

The signature is HMAC-SHA256 over `<unix seconds>.<nonce>.<body>`, in hex. So neither an old request nor a
changed one is worth anything to whoever overheard it, nor one from before this node was started.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

__all__ = ["AT", "HOOK_PATH", "NONCE", "SIGNATURE", "HaltHook", "signature_of"]

HOOK_PATH = "/v1/hooks/halt"
AT, NONCE, SIGNATURE = "X-Polytrade-At", "X-Polytrade-Nonce", "X-Polytrade-Signature"
FRESH_S = 60
NONCES_MAX = 10_000  # within the time in which one counts; only those who can sign fill it
NONCE_LENGTH_MIN, NONCE_LENGTH_MAX = 8, 64
SECOND_NS = 1_000_000_000


class HaltHook:
    """Judges requests. `token` is asked for each time: it may be changed while the node runs."""

    def __init__(self, token: Callable[[], str], now_ns: Callable[[], int]) -> None:
        self._token = token
        self._now_ns = now_ns
        self._began_s = now_ns() // SECOND_NS
        self._nonces: dict[str, int] = {}  # nonce -> until when it is refused
        self.refused_count = 0

    def refusal(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return why a request is not taken; empty when it is, and then it is not taken again."""
        fault = self._fault(headers, body)
        self.refused_count += bool(fault)
        return fault

    def _fault(self, headers: Mapping[str, str], body: bytes) -> str:
        at, nonce, signature = (headers.get(name, "") for name in (AT, NONCE, SIGNATURE))
        token = self._token()
        if not token or not hmac.compare_digest(
            signature_of(token, at, nonce, body).encode(), signature.encode()
        ):
            return "the signature is not right"
        if not (at.isascii() and at.isdecimal() and len(at) <= 12):
            return f"{AT} must be the time in whole seconds since 1970"
        if not NONCE_LENGTH_MIN <= len(nonce) <= NONCE_LENGTH_MAX:
            return f"{NONCE} must have {NONCE_LENGTH_MIN} to {NONCE_LENGTH_MAX} characters"
        now_s, at_s = self._now_ns() // SECOND_NS, int(at)
        if abs(now_s - at_s) > FRESH_S or at_s < self._began_s:
            return "the request is not of now"
        return self._seen(nonce, now_s)

    def _seen(self, nonce: str, now_s: int) -> str:
        if len(self._nonces) >= NONCES_MAX:
            self._nonces = {one: until for one, until in self._nonces.items() if until >= now_s}
        if nonce in self._nonces or len(self._nonces) >= NONCES_MAX:
            return "the request was taken before"
        self._nonces[nonce] = now_s + 2 * FRESH_S
        return ""


def signature_of(token: str, at: str, nonce: str, body: bytes) -> str:
    """Return the signature of a request, in hex."""
    text = f"{at}.{nonce}.".encode("utf-8", "surrogatepass") + body
    return hmac.digest(token.encode(), text, "sha256").hex()
