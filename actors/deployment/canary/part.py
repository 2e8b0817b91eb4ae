"""The part of a change that one symbol or account owns. Pure: documents (resolved.py) in, a document out.

An actor belongs to a symbol or account by a variable of `for_each` with that value, or by its setting
`symbol` or `account`: a strategy to both. What nobody owns alone waits for the promotion; only who hears the
actors of the part is changed at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["owned_by", "owners", "part_of"]

Document = Mapping[str, Any]
SAID_BY = ("symbol", "account")  # settings that make an actor somebody's


def owners(document: Document) -> set[str]:
    """Return every symbol and account that some actor belongs to."""
    return {owner for one in document["actors"] for owner in _owners_of(one)}


def owned_by(target: str, *documents: Document) -> set[str]:
    """Return the addresses of the actors that belong to a symbol or account."""
    return {
        str(one["address"])
        for document in documents
        for one in document["actors"]
        if target in _owners_of(one)
    }


def part_of(before: Document, wanted: Document, target: str) -> dict[str, Any]:
    """Return what runs, with the actors of a symbol or account as they are wanted.

    Its `content_hash` is still that of what runs.
    """
    owned = owned_by(target, before, wanted)
    new = {one["address"]: one for one in wanted["actors"]}
    actors = []
    for one in before["actors"]:
        if one["address"] not in owned:
            actors.append(_hearing(one, new.get(one["address"], one), owned))
        elif one["address"] in new:
            actors.append(new[one["address"]])
    known = {one["address"] for one in before["actors"]}
    actors += [one for one in wanted["actors"] if one["address"] in owned - known]
    return {**before, "actors": actors}


def _owners_of(actor: Mapping[str, Any]) -> set[str]:
    found = {str(value) for value in actor["variables"].values()}
    settings = actor["settings"]
    return found | {settings[name] for name in SAID_BY if isinstance(settings.get(name), str)}


def _hearing(old: Mapping[str, Any], new: Mapping[str, Any], owned: set[str]) -> dict[str, Any]:
    """Return an actor of nobody as it is, reading those of the part as it is wanted to."""
    wanted = set(new["reads"])
    kept = [address for address in old["reads"] if address not in owned or address in wanted]
    more = [address for address in new["reads"] if address in owned and address not in kept]
    return {**old, "reads": [*kept, *more]}
