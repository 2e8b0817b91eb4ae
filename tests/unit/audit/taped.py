"""The paper deployment with a tape, run in virtual time onto a real disk: what auditors look at later."""

from __future__ import annotations

from pathlib import Path

from actors.deployment.assemble import assemble
from actors.deployment.loader import load
from actors.deployment.topology import Topology
from actors.messages.control import Halt, HaltLevel, Resume
from actors.runtime.clock import VirtualClock
from actors.runtime.node import Node
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.tape import Tape

REPOSITORY = Path(__file__).resolve().parents[3]
BEGIN_NS = 1_760_000_000_000_000_000
SECOND = 1_000_000_000


def write_deployment(folder: Path) -> Path:
    """Write the paper deployment with its journal in this folder, and a tape."""
    text = (REPOSITORY / "config" / "paper.yaml").read_text()
    journal = 'journal: {path: "${POLYTRADE_STATE:-../var}/paper", durability: process}'
    assert journal in text
    text = text.replace(journal, "journal: {path: journal, durability: process, tape: true}")
    text = text.replace("catalog: markets", f"catalog: {REPOSITORY}/config/markets")
    file = folder / "taped.yaml"
    file.write_text(text)
    return file


class TapedRun:
    """Two starts of a node: `seconds` each, with a halt in the second one."""

    def __init__(self, folder: Path, seconds: int = 120) -> None:
        self.file = write_deployment(folder)
        self.topology: Topology = load(self.file, environment={})
        self.clock = VirtualClock(BEGIN_NS)
        self.node = self._start()
        self.run(seconds)
        self.stop()
        self.node = self._start()
        self.run(seconds // 2)
        self.node.tell("risk/main", Halt("all", HaltLevel.FLATTEN, "ann", "drill"))
        self.run(5)
        self.node.tell("risk/main", Resume("all", "ann", "the drill is over"))
        self.run(seconds // 2)

    def _start(self) -> Node:
        store = LmdbStore(self.topology.journal_path, Durability.PROCESS)
        node = assemble(self.topology, store, self.clock)
        self.tape = Tape(self.topology.journal_path / "tape")
        node.loop.tape = self.tape
        node.start()
        return node

    def run(self, seconds: int) -> None:
        """Let virtual time pass."""
        end_ns = self.clock.now_ns() + seconds * SECOND
        while True:
            while self.node.turn():
                pass
            due_ns = self.node.loop.timers.next_due_ns()
            if due_ns is None or due_ns > end_ns:
                self.clock.advance_to(end_ns)
                return
            self.clock.advance_to(due_ns)

    def stop(self) -> None:
        """Stop in order."""
        self.node.stop("the test is over")
        self.tape.close()
