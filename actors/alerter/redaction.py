"""Keeps secrets out of what people are told: an exception's text may quote a request, a key or a password."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["redacted"]

MASK = "***"
VALUE_LETTERS_MIN = 8  # a shorter value would blank words that have nothing to do with it
# What stands behind the name of a secret, and what keys of well-known makers look like wherever they stand.
NAMED = re.compile(
    r"((?:secret|password|passwd|passphrase|token|credentials?|signature|api[_-]?key|private[_-]?key"
    r"|routing[_-]?key|authorization)[\"']?\s*[=:]\s*[\"']?)(?!//|secret://)(?:bearer\s+|basic\s+)?[^\s\"'&,;)}\]]+",
    re.IGNORECASE,
)
BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
USER_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]{0,15}://)[^/\s:@]{1,200}:[^/\s@]{1,200}@", re.IGNORECASE)
KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\bhvs\.[\w-]{20,}|\bxox[abp]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b"
    r"|hooks\.slack\.com/services/[\w/]+|\bbot\d{6,}:[\w-]{20,}|\b\d{8,10}:[\w-]{35}\b"
)


def redacted(text: str, values: Iterable[str] = ()) -> str:
    """Return a text without what looks like a secret, and without these values."""
    for value in values:
        if len(value) >= VALUE_LETTERS_MIN:
            text = text.replace(value, MASK)
    text = KEYS.sub(MASK, text)
    text = USER_IN_URL.sub(rf"\1{MASK}@", text)
    text = NAMED.sub(rf"\1{MASK}", text)
    return BEARER.sub(rf"\1 {MASK}", text)
