"""What a process begins with: what its files say, or what was applied to the process before it.

What had not been proven when that one ended, a change that was still watched or a canary, is not trusted.
"""

from __future__ import annotations

import msgspec

from actors.deployment.applying import HEART
from actors.deployment.changes import NEW_JOURNAL
from actors.deployment.generations import Generation, Generations
from actors.deployment.resolved import from_resolved, resolved
from actors.deployment.topology import Topology

__all__ = ["OtherMode", "first_generation", "look_at_mode"]


class OtherMode(ValueError):
    """A journal was made with other money: positions and cash in it are none of this mode's."""


def look_at_mode(topology: Topology, current: Generation | None) -> None:
    """Refuse a journal of another mode, whose books would be taken for this one's. Errors: OtherMode."""
    if current is not None and current.document.get("mode", topology.mode) != topology.mode:
        change = f"mode: {current.document['mode']} -> {topology.mode}"
        raise OtherMode(f"{topology.journal_path}: {change} {NEW_JOURNAL}")


def first_generation(topology: Topology, generations: Generations, run: str, now_ns: int) -> Topology:
    """Return what a process shall run, and keep it as a generation when it is new.

    A node that its heart starts again goes on with what was applied to the one before, but for a change that
    was still watched when that one died: then the generation before it runs again. Another `polytrade up`
    begins with what its files say. Errors: ConfigError, OtherMode, OSError.
    """
    current = generations.current()
    look_at_mode(topology, current)
    if current is not None and current.run == run:
        current = _without_unproven(current, generations, now_ns)
        current = _without_canary(current, generations, now_ns, run)
        if current.content_hash == topology.content_hash:
            return topology
        return from_resolved(current.document, topology)
    generations.proven()
    if current is not None and _is_meant(topology, current):
        current = _without_canary(current, generations, now_ns, run)
        return from_resolved(current.document, topology)
    if current is None or current.content_hash != topology.content_hash:
        number = current.number + 1 if current is not None else 1
        generations.add(
            Generation(
                number=number,
                at_ns=now_ns,
                actor="up",
                reason="started with these files",
                content_hash=topology.content_hash,
                files=topology.files,
                document=resolved(topology),
                run=run,
            )
        )
    return topology


def _without_unproven(current: Generation, generations: Generations, now_ns: int) -> Generation:
    """Return the generation to run: the one before, kept anew, when the node died while this was watched."""
    number = current.number
    if generations.unproven() == number and number > 1:
        reason = f"taken back: the node died while generation {number} was watched"
        before = generations.read(number - 1)
        current = msgspec.structs.replace(
            before, number=number + 1, at_ns=now_ns, actor=HEART, approver="", reason=reason, of=number - 1
        )
        generations.add(current)
    generations.proven()
    return current


def _is_meant(topology: Topology, current: Generation) -> bool:
    """Tell whether files say what a canary that still ran is a part of."""
    return current.canary is not None and current.canary.wanted["content_hash"] == topology.content_hash


def _without_canary(current: Generation, generations: Generations, now_ns: int, run: str) -> Generation:
    """Return the generation to run: the one before a canary, kept anew, when the node ended while it ran."""
    if current.canary is None:
        return current
    base = current.canary.base
    reason = f"rolled back: the node ended while it was a canary of {current.canary.target}"
    back = msgspec.structs.replace(
        generations.read(base),
        number=current.number + 1,
        at_ns=now_ns,
        actor=HEART,
        approver="",
        reason=reason,
        of=base,
        run=run,
        canary=None,
    )
    generations.add(back)
    return back
