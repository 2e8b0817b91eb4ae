"""The node's side of the latch: lines that were written beside it reach its risk actors, each once.

It is looked at before the first turn, so that a halt ordered while the node was away binds before any
strategy speaks, and a few times a second while the node runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actors.direct.latch import HALT, Latched, latch_path, read_latches
from actors.messages.control import HaltLevel, LatchFound
from actors.runtime.cell import Cell
from actors.runtime.errors import RuntimeFault
from actors.runtime.messages import AlertRaised, AlertResolved, Severity
from actors.runtime.node import Node
from actors.runtime.node_alert import NODE_SOURCE

__all__ = ["LatchWatch", "keep_looking"]

LOOK_NS = 200_000_000
DAY_NS = 86_400_000_000_000
DAMAGED = "HaltLatchDamaged"
LEVELS = {level.name.lower(): level for level in HaltLevel}


class LatchWatch:
    """Call `look` now and then, from the loop's thread."""

    def __init__(self, journal: Path, node: Node, was_damaged: bool = False) -> None:
        self._path = latch_path(journal)
        self._node = node
        self._told: dict[str, int] = {}  # by risk actor: lines it was told
        self._is_unreadable = was_damaged  # and it has been told, by this node or the one before
        self._seen: tuple[int, int] | None = None  # size and date of the file when all of it was told

    def look(self) -> None:
        """Tell every risk actor what it has not been told; what it cannot take waits for the next."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen = None
            self._over()
            return
        except OSError:
            self._read()
            return
        if self._seen == (status.st_size, status.st_mtime_ns):
            return
        lines = self._read()
        if lines is None:
            return
        self._over()
        told = [self._tell(cell, lines) for cell in self._risk_cells()]
        if all(told):
            self._seen = (status.st_size, status.st_mtime_ns)

    def compare(self) -> None:
        """Say when the journal knows of lines that the file has not any more: somebody removed them.

        Nobody can put that right, so it is over after a day, and said again at the next start.
        """
        lines = self._read()
        if lines is None:
            return
        there = {one.digest for one in lines}
        for cell in self._risk_cells():
            state: Any = cell.behaviour.state
            gone = sorted(number for digest, number in state.latches.items() if digest not in there)
            if gone:
                text = f"lines {gone} of {self._path} are not there any more; {cell.name} has taken them in"
                self._is_unreadable = False
                self._alert(text, DAY_NS)

    def _read(self) -> list[Latched] | None:
        try:
            return read_latches(self._path)
        except OSError as error:
            if not self._is_unreadable:
                self._is_unreadable = True
                self._alert(f"{self._path} cannot be read: {error.strerror or error}")
            return None

    def _over(self) -> None:
        """The file can be read, or there is none."""
        if self._is_unreadable:
            self._is_unreadable = False
            self._node.note(AlertResolved(DAMAGED, "", NODE_SOURCE, self._node.now_ns))

    def _risk_cells(self) -> list[Cell]:
        cells = self._node.loop.cells.values()
        return [cell for cell in cells if LatchFound in cell.behaviour.HANDLERS]

    def _tell(self, cell: Cell, lines: list[Latched]) -> bool:
        told = self._told.get(cell.name, 0)
        if told > len(lines):  # the file was changed under us: whoever took a line does not take it again
            told = 0
            self.compare()
        for found in lines[told:]:
            try:
                self._node.tell(cell.name, _message_of(found))
            except RuntimeFault:  # its mailbox is full, or it is not there just now
                return False
            self._told[cell.name] = found.number
        return True

    def _alert(self, text: str, ends_after_ns: int = 0) -> None:
        now_ns = self._node.now_ns
        self._node.note(AlertRaised(DAMAGED, "", Severity.PAGE, text, NODE_SOURCE, now_ns, (), ends_after_ns))


def keep_looking(watch: LatchWatch, node: Node) -> None:
    """Have a watch look now and a few times a second, between the turns of a node."""

    def look() -> None:
        watch.look()
        node.act_later(LOOK_NS, look)

    watch.compare()
    look()


def _message_of(found: Latched) -> LatchFound:
    line = found.line
    if line is None or line.level not in LEVELS:
        reason = f"line {found.number} of the latch cannot be believed: {found.fault or 'no such level'}"
        # What it ordered is not known: the safest that leaves positions alone.
        return LatchFound(found.number, found.digest, "all", HaltLevel.CANCEL_ALL, "latch", reason, "")
    scope = line.scope if line.kind == HALT else ""
    level = LEVELS[line.level]
    return LatchFound(found.number, found.digest, scope, level, line.actor, line.reason, line.text)
