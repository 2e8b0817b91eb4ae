"""Vault's policies: which capabilities a path has. JSON, or the plain form of HCL that people write.

Source: Vault's "Policies" documentation. Parameters, templates and `min_wrapping_ttl` are not known here; a
policy that uses them is refused, so that no drill passes on a policy that the double understood otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from actors.drills.vault.kinds import Refused

__all__ = ["capabilities", "parse_policy"]

KNOWN = frozenset({"create", "read", "update", "patch", "delete", "list", "sudo", "deny"})
COMMENT = re.compile(r"#[^\n]*|//[^\n]*(?=\n|$)")
BLOCK = re.compile(r'\s*path\s+"([^"]+)"\s*\{\s*capabilities\s*=\s*\[([^\]]*)\]\s*\}', re.ASCII)
WORD = re.compile(r'\s*"([a-z]+)"\s*,?')


def parse_policy(text: str) -> dict[str, frozenset[str]]:
    """Return capabilities by path. Errors: Refused, as Vault answers a malformed policy."""
    if text.lstrip().startswith("{"):
        return _from_json(text)
    rest = COMMENT.sub("", text)
    rules: dict[str, frozenset[str]] = {}
    at = 0
    while rest[at:].strip():
        block = BLOCK.match(rest, at)
        if block is None:
            raise Refused(400, f"failed to parse policy: near {rest[at:].strip()[:40]!r}")
        rules[block[1]] = _checked(WORD.findall(block[2]))
        at = block.end()
    return rules


def _from_json(text: str) -> dict[str, frozenset[str]]:
    try:
        paths = json.loads(text)["path"]
        return {path: _checked(rule["capabilities"]) for path, rule in paths.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(400, f"failed to parse policy: {error}") from None


def _checked(words: Iterable[str]) -> frozenset[str]:
    found = frozenset(words)
    if unknown := sorted(found - KNOWN):
        raise Refused(400, f"failed to parse policy: invalid capability {unknown[0]!r}")
    return found


def capabilities(policies: Iterable[dict[str, frozenset[str]]], path: str) -> frozenset[str]:
    """Return what these policies allow at a path; the most specific rule decides, `deny` wins."""
    best: tuple[tuple[int, int, int], frozenset[str]] | None = None
    for rules in policies:
        for pattern, found in rules.items():
            if not _matches(pattern, path):
                continue
            rank = _rank(pattern)
            if best is None or rank > best[0]:
                best = (rank, found)
            elif rank == best[0]:
                best = (rank, best[1] | found)
    if best is None or "deny" in best[1]:
        return frozenset()
    return best[1]


def _matches(pattern: str, path: str) -> bool:
    parts = [r"[^/]+" if part == "+" else re.escape(part) for part in pattern.removesuffix("*").split("/")]
    text = "/".join(parts) + (".*" if pattern.endswith("*") else "")
    return re.fullmatch(text, path) is not None


def _rank(pattern: str) -> tuple[int, int, int]:
    """Literal paths are above those with wildcards, late wildcards above early, long above short."""
    wild = min((at for at in (pattern.find("+"), pattern.find("*")) if at >= 0), default=len(pattern) + 1)
    return (wild, 0 if pattern.endswith("*") else 1, len(pattern))
