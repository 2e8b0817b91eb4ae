"""Which signature a request must carry: the far side verifies what clients of every make have signed.

The text is `METHOD\\nPATH\\nPARAMETERS`. Clients differ in how they escape values, so a request may match any
of three texts: its query as it came, or its values escaped again in one of the two customary ways.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import parse_qsl, quote

__all__ = ["is_signed", "sign_text", "signed_texts"]

SAFE_SCRIPT = "~()*!'"  # what encodeURIComponent leaves alone
SAFE_RFC = "~"


def sign_text(secret: str, text: str) -> str:
    """Return base64(HMAC-SHA256(secret, text))."""
    return b64encode(hmac.digest(secret.encode(), text.encode(), sha256)).decode()


def signed_texts(method: str, path: str, query: str, body: bytes, timestamp: str) -> Iterator[str]:
    """Yield the texts that a client may have signed, the likeliest first."""
    head = f"{method}\n{path}\n"
    if body:
        yield f"{head}requestBody={body.decode('utf-8', 'replace')}&signTimestamp={timestamp}"
        return
    stamp = f"signTimestamp={timestamp}"
    if not query:
        yield head + stamp
        return
    yield head + "&".join(sorted([*query.split("&"), stamp], key=_name))
    pairs = sorted([*parse_qsl(query, keep_blank_values=True), ("signTimestamp", timestamp)])
    for safe in (SAFE_SCRIPT, SAFE_RFC):
        yield head + "&".join(f"{name}={quote(value, safe=safe)}" for name, value in pairs)


def is_signed(
    secret: str, signature: str, method: str, path: str, query: str, body: bytes, timestamp: str
) -> bool:
    """Tell whether a signature fits a request in any of the accepted forms."""
    given = signature.encode("utf-8", "replace")
    return any(
        hmac.compare_digest(sign_text(secret, text).encode(), given)
        for text in signed_texts(method, path, query, body, timestamp)
    )


def _name(pair: str) -> str:
    return pair.partition("=")[0]
