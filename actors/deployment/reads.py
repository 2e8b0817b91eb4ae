"""Whose messages reach an actor: addresses and patterns under `reads` become edges that carry something."""

from __future__ import annotations

import re
from collections.abc import Iterable

from actors.deployment.expansion import Cast, Draft
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Span
from actors.deployment.schema import READS_PATTERN
from actors.deployment.topology import Edge
from actors.deployment.yaml_tree import List, Scalar

__all__ = ["carried", "connect"]

NAMES_SHOWN = 6
READS = re.compile(READS_PATTERN)


def connect(cast: Cast, log: FaultLog) -> list[Edge]:
    """Resolve what every actor reads into its `sources`; return the edges that carry messages."""
    drafts = cast.drafts
    known = {draft.address: draft for draft in drafts}
    for draft in drafts:
        node = draft.entry.get("reads")
        draft.misread = node is not None and not isinstance(node, List)
        for item in node.items if isinstance(node, List) else ():
            text = item.text if isinstance(item, Scalar) and isinstance(item.value, str) else ""
            if not READS.fullmatch(text) or _head(text) in cast.unsure:
                draft.misread = True  # told already, or nobody can tell
            elif isinstance(item, Scalar):
                _resolve(draft, item, known, log)
    edges = []
    for draft in drafts:
        for address in draft.sources:
            source = known[address]
            if source.kind is not None and draft.kind is not None:
                messages = carried(source, draft)
                edges.append(Edge(address, draft.address, messages))
    return edges


def _head(text: str) -> str:
    return text.partition("/")[0]


def carried(source: Draft, reader: Draft) -> tuple[str, ...]:
    """Return the names of the messages that one sends and the other accepts."""
    if source.kind is None or reader.kind is None:
        return ()
    accepted = reader.kind.accepts
    return tuple(name for name, kind in source.kind.sends.items() if accepted.get(name) is kind)


def _resolve(draft: Draft, item: Scalar, known: dict[str, Draft], log: FaultLog) -> None:
    text, span = item.text, item.span
    if "*" in text:
        named = _matching(text, known)
        if named == [draft.address]:
            return  # "the others of my kind", of which there are none here
        matches = [address for address in named if address != draft.address]
        useful = [address for address in matches if _may_carry(known[address], draft)]
        if not matches:
            _refuse_pattern(draft, text, span, known, log)
        elif not useful:
            _refuse_edge(draft, text, known[matches[0]], span, log)
        for address in useful:
            draft.sources.setdefault(address, span)
    elif text == draft.address:
        log.add("E215", span, f"actor {draft.name!r} reads from itself")
        draft.misread = True
    elif text in known:
        if not _may_carry(known[text], draft):
            _refuse_edge(draft, text, known[text], span, log)
        draft.sources.setdefault(text, span)
    else:
        _refuse_name(draft, text, span, known, log)


def _may_carry(source: Draft, reader: Draft) -> bool:
    """Return whether an edge makes sense; an actor of an unknown kind gets the benefit of the doubt."""
    return source.kind is None or reader.kind is None or bool(carried(source, reader))


def _matching(pattern: str, addresses: Iterable[str]) -> list[str]:
    """Return the addresses that match; `*` is any part of a name, at the end also all parts that follow."""
    body = "[^/]*".join(re.escape(part) for part in pattern.removesuffix("/*").split("*"))
    form = re.compile(body + "/.+" if pattern.endswith("/*") else body)
    return [address for address in addresses if form.fullmatch(address)]


def _refuse_name(draft: Draft, text: str, span: Span, known: dict[str, Draft], log: FaultLog) -> None:
    draft.misread = True
    members = [address for address in known if address.startswith(f"{text}/")]
    if members:
        message = f"actor {draft.name!r} reads from {text!r}, which stands for {len(members)} actors"
        if len(members) == 1:
            message = f"actor {draft.name!r} reads from {text!r}, whose address is {members[0]!r}"
        log.add("E216", span, message, f"write {members[0]!r}, or '{text}/*' for all of them")
        return
    places = {address: found.key.span for address, found in known.items() if found is not draft}
    message = f"actor {draft.name!r} reads from {text!r}, which is not declared"
    log.add("E201", span, message, did_you_mean(text, places, span.source.name))


def _refuse_pattern(draft: Draft, text: str, span: Span, known: dict[str, Draft], log: FaultLog) -> None:
    draft.misread = True
    head = _head(text)
    names = {found.name: found.key.span for found in known.values() if found is not draft}
    help = did_you_mean(head, names, span.source.name) if head not in names else ""
    if head in names:
        help = f"the address of {head!r} is {next(a for a, d in known.items() if d.name == head)!r}"
    log.add("E203", span, f"actor {draft.name!r} reads from {text!r}, which matches no actor", help)


def _refuse_edge(draft: Draft, text: str, source: Draft, span: Span, log: FaultLog) -> None:
    draft.misread = True
    message = f"actor {draft.name!r} reads from {text!r}, which sends nothing that it accepts"
    sent = list(source.kind.sends) if source.kind else []
    help = f"{text!r} sends nothing at all" if not sent else f"it sends {_few(sent)}"
    log.add("E202", span, message, help)


def _few(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
