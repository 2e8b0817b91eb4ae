"""A deployment played again from its node's tape, in memory and without a word to anybody outside."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import actors.messages.audit  # noqa: F401  (types that a tape may hold, and that no kind of actor knows)
from actors.deployment.assemble import assemble
from actors.deployment.topology import Topology
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import JournalError
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.tape import play, read_tape

__all__ = ["Played", "play_deployment", "tape_folder"]


class Played(NamedTuple):
    """What playing left: the disk, and the node at the end."""

    store: MemoryStore
    node: Node


def tape_folder(topology: Topology) -> Path:
    """Return where the deployment's node keeps its tape."""
    return topology.journal_path / "tape"


def play_deployment(topology: Topology, until_sequence: int = 0) -> Played:
    """Play a tape from its beginning to the turn that wrote an event, or to its end.

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

    def make(store: MemoryStore, clock: VirtualClock) -> Node:
        return assemble(topology, store, clock)

    return Played(*play(folder, make, until_sequence=until_sequence))
