"""Whether a journal is what was written: its chain of hashes, and its anchors outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from actors.control.journal_reader import JournalReader
from actors.runtime.anchors import Anchor
from actors.runtime.journal import ChainBreak

__all__ = ["Finding", "Signatures", "check_signatures", "verify"]


class Finding(NamedTuple):
    """What checking a journal found."""

    records: int
    from_sequence: int
    last_sequence: int  # up to which everything is as it was written
    chain: str  # hash of the record of that event
    anchors_agreeing: int
    anchors_foreign: int  # of other journals, as of the one before this one
    fault: ChainBreak | None


def verify(
    reader: JournalReader, anchors: Sequence[Anchor] = (), from_sequence: int = 1, to_sequence: int = 0
) -> Finding:
    """Walk the chain and hold it against the anchors of this journal; the first fault counts.

    Kinds of faults are those of ChainBreak, and `anchor`: the records fit each other, but they are not those
    that were anchored. Read the anchors first, so that a journal that goes on meanwhile has all of them.
    Errors: JournalError.
    """
    identity = reader.identity
    walk = _Walk(reader, [anchor for anchor in anchors if anchor.journal == identity], from_sequence)
    verdict = reader.verify(from_sequence, to_sequence, walk.seen)
    fault = verdict.fault
    if walk.differing is not None:
        fault = _rewritten(walk.differing, walk.agreeing, from_sequence)
    elif fault is None or fault.kind == "tail":
        fault = _cut(walk, to_sequence) or fault
    foreign = sum(anchor.journal != identity for anchor in anchors)
    if fault is None and foreign == len(anchors) > 0:
        fault = _stranger(identity, foreign)
    is_whole = fault is verdict.fault
    last = verdict.last_sequence if is_whole or fault is None else fault.sequence - 1
    chain = verdict.chain if is_whole else ""
    return Finding(verdict.records, from_sequence, last, chain, walk.agreeing_count, foreign, fault)


class Signatures(NamedTuple):
    """What signatures of anchors prove: the chain binds everything before a signed one."""

    sequence: int  # of the newest event that a good signature vouches for; 0 for none
    unsigned: int  # anchors after it that bear none
    fault: ChainBreak | None


def check_signatures(
    identity: str, anchors: Sequence[Anchor], is_signed: Callable[[str, str], bool]
) -> Signatures:
    """Check the newest signature among the anchors of a journal. Errors: those of `is_signed`."""
    own = sorted((one for one in anchors if one.journal == identity), key=lambda one: one.sequence)
    signed = [one for one in own if one.signature]
    if not own:
        return Signatures(0, 0, None)
    if not signed:
        reason = f"none of its {len(own)} anchors bears a signature, and all of them should"
        return Signatures(0, len(own), ChainBreak(1, reason, "anchor", own[0].at_ns))
    newest = signed[-1]
    if not is_signed(newest.signed_text, newest.signature):
        reason = f"the anchor of event {newest.sequence} bears a signature that is not of its key"
        return Signatures(0, 0, ChainBreak(newest.sequence, reason, "anchor", newest.at_ns))
    return Signatures(newest.sequence, sum(one.sequence > newest.sequence for one in own), None)


class _Walk:
    """Holds every anchor against the record it is of, as the records pass by."""

    def __init__(self, reader: JournalReader, anchors: list[Anchor], from_sequence: int) -> None:
        begin = next(reader.raw_records(from_sequence), (1, b""))[0]
        self.waiting = deque(sorted((a for a in anchors if a.sequence >= begin), key=lambda a: a.sequence))
        self.agreeing_count = 0
        self.agreeing = 0  # the last event that an anchor vouches for
        self.differing: Anchor | None = None
        self.last = 0

    def seen(self, sequence: int, chain: bytes) -> None:
        """A sound record ends with this event."""
        self.last = sequence
        while self.waiting and self.waiting[0].sequence <= sequence and self.differing is None:
            anchor = self.waiting.popleft()
            if anchor.sequence == sequence and anchor.chain == chain.hex():
                self.agreeing_count += 1
                self.agreeing = sequence
            else:
                self.differing = anchor


def _rewritten(anchor: Anchor, agreeing: int, from_sequence: int) -> ChainBreak:
    first = max(from_sequence, agreeing + 1)
    reason = (
        f"events {first} to {anchor.sequence} are not those that were anchored: "
        "the records fit each other, so the chain was hashed anew"
    )
    return ChainBreak(first, reason, "anchor", anchor.at_ns)


def _cut(walk: _Walk, to_sequence: int) -> ChainBreak | None:
    """Return the fault when an anchor knows of an event behind the last one there is."""
    if not walk.waiting or to_sequence:
        return None
    first, newest = walk.last + 1, walk.waiting[-1]
    reason = (
        f"events {first} to {newest.sequence} are missing at the end; they were there when it was anchored"
    )
    return ChainBreak(first, reason, "tail", newest.at_ns)


def _stranger(identity: str, foreign: int) -> ChainBreak:
    name = identity or "without a name"
    reason = f"none of the {foreign} anchors is of this journal ({name}): it is another one"
    return ChainBreak(1, reason, "anchor")
