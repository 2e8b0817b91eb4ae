"""The node's side of the latch: lines that were written beside it reach its risk actors, each once.

It is looked at before the first turn, so that a halt ordered while the node was away binds before any
strategy speaks, and a few times a second while the node runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from actors.direct.latch import HALT, Latched, latch_path, read_latches
from actors.messages.control import HaltLevel, LatchFound
from actors.risk.state import RiskState
from actors.runtime.cell import Cell
from actors.runtime.errors import RuntimeFault
from actors.runtime.messages import AlertRaised, AlertResolved, Severity
from actors.runtime.node import Node
from actors.runtime.node_alert import NODE_SOURCE

__all__ = ["LatchWatch", "keep_looking"]

LOOK_NS = 200_000_000
DAY_NS = 86_400_000_000_000
DAMAGED = "HaltLatchDamaged"
EVERYTHING = "all"  # the scope
LINES_SAID = 5
LEVELS = {level.name.lower(): level for level in HaltLevel}


class LatchWatch:
    """Call `look` now and then, from the loop's thread.

    `was_damaged`: a node before this one said so, and nobody has ended it since.
    """

    def __init__(self, journal: Path, node: Node, was_damaged: bool = False) -> None:
        self._path = latch_path(journal)
        self._node = node
        self._told: dict[str, int] = {}  # by risk actor: lines it was told
        self._there: list[str] = []  # hashes of the lines that were there when it was read last
        self._doubtful: list[Latched] = []  # of these, what cannot be believed
        self._doubted: set[str] = set()  # hashes of doubtful lines that have been told of
        self._is_damaged = was_damaged  # it has been told, and ends when the cause does
        self._is_readable = True
        self._seen: tuple[int, int] | None = None  # size and date of the file when all of it was told

    def look(self) -> None:
        """Tell every risk actor what it has not been told; what it cannot take waits for the next."""
        try:
            status = self._path.stat()
            stamp: tuple[int, int] | None = (status.st_size, status.st_mtime_ns)
        except OSError:
            stamp = None  # there is none, or nobody may ask
        if stamp is None or stamp != self._seen:
            self._seen = stamp if self._take_in() else None
        if self._is_damaged:
            self._end_when_well()

    def compare(self) -> None:
        """Say when the journal knows of lines that the file has not any more: somebody removed them.

        Nobody can put that right, so it is over after a day, and said again at the next start.
        """
        lines = self._read()
        if lines is None:
            return
        there = {one.digest for one in lines}
        for cell in self._risk_cells():
            latches = _state(cell).latches
            gone = sorted(number for digest, number in latches.items() if digest not in there)
            if gone:
                text = f"lines {gone} of {self._path} are not there any more; {cell.name} has taken them in"
                self._is_damaged = False
                self._alert(text, DAY_NS)

    # -- inside --------------------------------------------------------------------------------------------

    def _take_in(self) -> bool:
        """Read the file; return whether everybody was told all of it."""
        lines = self._read()
        if lines is None:
            return False
        before, self._there = self._there, [one.digest for one in lines]
        if self._there[: len(before)] != before:  # changed under us: what was taken in is not taken again
            self._told.clear()
            self.compare()
        self._doubt(lines)
        told = [self._tell(cell, lines) for cell in self._risk_cells()]
        return all(told)

    def _read(self) -> list[Latched] | None:
        try:
            lines = read_latches(self._path)
        except OSError as error:
            self._is_readable = False
            if not self._is_damaged:
                self._is_damaged = True
                self._alert(f"{self._path} cannot be read: {error.strerror or error}")
            return None
        self._is_readable = True
        return lines

    def _doubt(self, lines: list[Latched]) -> None:
        """Say once which lines cannot be believed: a person must know why everything is halted."""
        self._doubtful = [one for one in lines if _doubt_of(one)]
        news = [one for one in self._doubtful if one.digest not in self._doubted and not self._is_taken(one)]
        if news:
            self._doubted |= {one.digest for one in news}
            self._is_damaged = True
            said = ", ".join(f"line {one.number} ({_doubt_of(one)})" for one in news[:LINES_SAID])
            text = f"{self._path} has {len(news)} lines that cannot be believed: {said}; what they ordered "
            self._alert(f"{text}is not known, so everything is halted at cancel_all")

    def _end_when_well(self) -> None:
        """The file can be read, and a person has resumed what lines that cannot be believed have halted."""
        cells = self._risk_cells()
        if not self._is_readable or not all(self._is_taken(one) for one in self._doubtful):
            return
        if self._doubtful and any(EVERYTHING in _state(cell).halts for cell in cells):
            return
        self._is_damaged = False
        self._node.note(AlertResolved(DAMAGED, "", NODE_SOURCE, self._node.now_ns))

    def _is_taken(self, found: Latched) -> bool:
        return all(found.digest in _state(cell).latches for cell in self._risk_cells())

    def _risk_cells(self) -> list[Cell]:
        cells = self._node.loop.cells.values()
        return [cell for cell in cells if LatchFound in cell.behaviour.HANDLERS]

    def _tell(self, cell: Cell, lines: list[Latched]) -> bool:
        for found in lines[self._told.get(cell.name, 0) :]:
            try:
                self._node.tell(cell.name, _message_of(found))
            except RuntimeFault:  # its mailbox is full, or it is not there just now
                return False
            self._told[cell.name] = found.number
        return True

    def _alert(self, text: str, ends_after_ns: int = 0) -> None:
        now_ns = self._node.now_ns
        self._node.note(AlertRaised(DAMAGED, "", Severity.PAGE, text, NODE_SOURCE, now_ns, (), ends_after_ns))


def _state(cell: Cell) -> RiskState:
    state: Any = cell.behaviour.state
    return cast(RiskState, state)


def _doubt_of(found: Latched) -> str:
    """Return why a line cannot be believed; empty when it can."""
    if found.line is None:
        return found.fault
    return "" if found.line.level in LEVELS else f"there is no level {found.line.level!r}"


def keep_looking(watch: LatchWatch, node: Node) -> None:
    """Have a watch look now and a few times a second, between the turns of a node."""

    def look() -> None:
        watch.look()
        node.act_later(LOOK_NS, look)

    watch.compare()
    look()


def _message_of(found: Latched) -> LatchFound:
    line, doubt = found.line, _doubt_of(found)
    if line is None or doubt:
        reason = f"line {found.number} of the latch cannot be believed: {doubt}"
        # What it ordered is not known: the safest that leaves positions alone.
        return LatchFound(found.number, found.digest, EVERYTHING, HaltLevel.CANCEL_ALL, "latch", reason, "")
    scope = line.scope if line.kind == HALT else ""
    level = LEVELS[line.level]
    return LatchFound(found.number, found.digest, scope, level, line.actor, line.reason, line.text)
