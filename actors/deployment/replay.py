"""A deployment played again from its node's tape, in memory and without a word to anybody outside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import actors.messages.audit  # noqa: F401  (types that a tape may hold, and that no kind of actor knows)
from actors.deployment.assemble import assemble
from actors.deployment.changes import compare
from actors.deployment.generations import Generations
from actors.deployment.resolved import from_resolved
from actors.deployment.secret_values import keep_secrets, secrets_of
from actors.deployment.switching import reshape_between
from actors.deployment.topology import Topology
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import JournalError
from actors.runtime.node import Node
from actors.runtime.reshape import Reshape
from actors.runtime.store_memory import MemoryStore
from actors.runtime.tape import play, read_tape
from actors.secrets.keeper import SecretKeeper
from actors.secrets.port import Secret
from actors.secrets.reference import SecretReference

__all__ = ["Played", "invented_secrets", "play_deployment", "tape_folder"]


class Played(NamedTuple):
    """What playing left: the disk, and the node at the end."""

    store: MemoryStore
    node: Node


def tape_folder(topology: Topology) -> Path:
    """Return where the deployment's node keeps its tape."""
    return topology.journal_path / "tape"


class _Invented:
    """Gives every reference the same value: nothing that is played again reaches anybody."""

    def fetch(self, reference: SecretReference) -> Secret:
        """See SecretSource."""
        return Secret("played-again")


def invented_secrets(topology: Topology) -> SecretKeeper:
    """Return a keeper of values that open nothing."""
    return keep_secrets(topology, _Invented())


class _Lives:
    """What the deployment was in each life of its node, by the generations it has run with."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._kept = Generations(topology.journal_path)
        self._secrets = invented_secrets(topology)

    def at(self, now_ns: int) -> tuple[Topology, SecretKeeper]:
        """Return what a node began with at an instant; without generations what the files say."""
        numbers = [number for number in self._kept.numbers() if self._kept.read(number).at_ns <= now_ns]
        found = self._of(numbers[-1]) if numbers else self._topology
        return found, self._keeper(found)

    def shape(self, number: int) -> Reshape:
        """Return what a generation made of the node that ran."""
        before, wanted = self._of(number - 1), self._of(number)
        return reshape_between(number, before, wanted, compare(before, wanted), self._keeper(wanted))

    def _of(self, number: int) -> Topology:
        kept = self._kept.read(number)
        # The hash is in the journal, and a bundle's generations are masked: theirs would be another.
        return replace(from_resolved(kept.document, self._topology), content_hash=kept.content_hash)

    def _keeper(self, topology: Topology) -> SecretKeeper:
        self._secrets.extend(
            {plan.address: tuple(t for _, t in secrets_of(plan)) for plan in topology.actors}
        )
        return self._secrets


def play_deployment(topology: Topology, until_sequence: int = 0, extra: tuple[CellSpec, ...] = ()) -> Played:
    """Play a tape from its beginning to the turn that wrote an event, or to its end. `extra`: who listens.

    Errors: JournalError when there is no tape, when its beginning is gone, or when it does not fit the code
    and the configuration.
    """
    folder = tape_folder(topology)
    first = next(read_tape(folder), None) if folder.is_dir() else None
    if first is None:
        raise JournalError(
            f"{folder}: there is no tape; a deployment with `journal: {{tape: true}}` writes one from then on"
        )
    if first[0] != "start" or first[2] != 0:
        begins = f"at event {first[2]}" if first[0] == "start" else "in the middle of a run"
        raise JournalError(
            f"{folder}: the tape begins {begins}, and the disk of that moment is gone; "
            "a tape can be played that began with its journal"
        )

    lives = _Lives(topology)

    def make(store: MemoryStore, clock: VirtualClock) -> Node:
        found, secrets = lives.at(clock.now_ns())
        node = assemble(found, store, clock, extra, secrets)
        node.shape_of = lives.shape
        return node

    return Played(*play(folder, make, until_sequence=until_sequence))
