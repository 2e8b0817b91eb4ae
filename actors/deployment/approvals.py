"""Who has agreed to a change before it is applied: bound to the plan by its digest, for a while.

An approval is a line beside the generations, so it survives the node; the journal has it too, as what an
operator commanded, with the user that the control socket saw.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from actors.deployment.change_sections import ApplySection
from actors.deployment.changes import Plan
from actors.deployment.quantities import format_duration
from actors.deployment.secret_values import secrets_of
from actors.deployment.topology import Topology
from actors.domain.persons import same_person

__all__ = ["Approval", "Approvals", "approvals_text", "digest_of", "missing", "why_approved"]

FILE = "approvals.jsonl"
DIGEST = re.compile(r"[0-9a-f]{64}")


class Approval(msgspec.Struct, frozen=True):
    """One person's word."""

    digest: str  # of the plan, see `digest_of`
    by: str
    user_id: int  # as the control socket saw it; -1 when it did not
    reason: str
    at_ns: int


def digest_of(base: int, document: Mapping[str, Any]) -> str:
    """Return what tells a plan from any other: the generation it starts from, and all that it would make."""
    return hashlib.sha256(msgspec.json.encode([base, document], order="sorted")).hexdigest()


def why_approved(section: ApplySection, before: Topology, wanted: Topology, plan: Plan) -> tuple[str, ...]:
    """Return for which of its reasons a change needs approval; none when it needs none."""
    found = {
        "loosens_limit": bool(plan.loosened),
        "live_mode": before.mode == "live",
        "secrets": _references(before) != _references(wanted),
        "anything": True,
    }
    return tuple(name for name in section.when if found[name]) if section.approvals else ()


def _references(topology: Topology) -> set[tuple[str, str]]:
    return {(plan.address, text) for plan in topology.actors for _, text in secrets_of(plan)}


def missing(
    section: ApplySection, approvals: Iterable[Approval], applier: str, user_id: int, now_ns: int
) -> str:
    """Return what a change still lacks, in words; empty when enough others have approved it in time."""
    persons: list[Approval] = [Approval("", applier, user_id, "", now_ns)]
    late = 0
    for one in approvals:
        if one.at_ns + section.expires < now_ns:
            late += 1
        elif not any(_is_one(section, one, other) for other in persons):
            persons.append(one)
    names = [one.by for one in persons[1:]]
    if len(names) >= section.approvals:
        return ""
    told = f"it needs {approvals_text(section.approvals)} and has {len(names)}"
    told += f" ({', '.join(names)})" if names else ""
    told += f"; {late} are older than {format_duration(section.expires)}" if late else ""
    return f"{told}; who applies, {applier}, does not count"


def approvals_text(count: int) -> str:
    """Return a number of approvals in words."""
    return "1 approval" if count == 1 else f"{count} approvals"


def _is_one(section: ApplySection, one: Approval, other: Approval) -> bool:
    is_one_user = section.persons == "users" and one.user_id == other.user_id
    return is_one_user or same_person(one.by, other.by)


class Approvals:
    """Those kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(self, approval: Approval) -> None:
        """Keep one. Errors: ValueError when its digest is none, OSError."""
        if not DIGEST.fullmatch(approval.digest):
            raise ValueError("a plan's digest has 64 hexadecimal digits")
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write(msgspec.json.encode(approval) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def of(self, digest: str) -> list[Approval]:
        """Return those of one plan. A line that was cut off in a crash is none."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                one = msgspec.json.decode(line, type=Approval)
            except msgspec.MsgspecError:
                continue
            if one.digest == digest:
                found.append(one)
        return found
