"""The tape: everything that enters a node's loop, in order, in rotated MessagePack files.

A journal says what was decided, a tape what it was decided from: played into a new node on the same disk it
makes the same journal, byte for byte. Each entry is an array of plain values that `msgpack` alone can read:

    ["start", now_ns, sequence, taped_count]     a node starts on a journal that ends at this sequence
    ["turn", now_ns, is_idle, more, called, [[command, argument], ...],
             [[timers_fired, [[address, is_ask, sender, message], ...]], ...]]
    ["stop", now_ns, reason]                     it begins to stop in order

A message is its type's name and its fields. An entry is written before its turn's commit, so the tape of a
killed process may end with a turn that its journal does not know, and with half an entry. Each commit keeps
how many turns were on the tape by then, and each start begins with that count.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import msgspec

from actors.runtime.cell import Ask, Cell
from actors.runtime.clock import VirtualClock
from actors.runtime.codec import decode_message
from actors.runtime.errors import JournalError
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.ports import TapedTurn
from actors.runtime.pykka_port import new_future
from actors.runtime.store_memory import MemoryStore

__all__ = [
    "SilentPumps",
    "Tape",
    "play",
    "read_inputs",
    "read_tape",
    "taped_input",
    "taped_message",
]

SEGMENT_BYTES_MAX = 64 << 20
SEGMENTS_KEPT = 64  # a tape is bounded too: the oldest files go
_encode = msgspec.msgpack.Encoder().encode


class Tape:
    """Writes a tape into a folder; a new process goes on with a new file."""

    def __init__(
        self,
        directory: str | Path,
        *,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
        segments_kept: int = SEGMENTS_KEPT,
    ) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._segment_bytes_max = segment_bytes_max
        self._segments_kept = segments_kept
        names = _segments(self.directory)
        self._number = int(names[-1].stem) if names else 0
        self._file = -1
        self._written = 0
        self._next_segment()

    def started(self, now_ns: int, sequence: int, taped_count: int) -> None:
        """See TapeWriter."""
        self._write(_encode(("start", now_ns, sequence, taped_count)))

    def turn(self, turn: TapedTurn) -> None:
        """See TapeWriter."""
        chunks = [
            (
                timers,
                [(cell.name, type(sender) is Ask, str(sender), message) for cell, message, sender in inputs],
            )
            for timers, inputs in turn.chunks
        ]
        self._write(_encode(("turn", *turn[:5], chunks)))

    def stopped(self, now_ns: int, reason: str) -> None:
        """See TapeWriter."""
        self._write(_encode(("stop", now_ns, reason)))

    def close(self) -> None:
        """Close the file; nothing can be written any more."""
        os.close(self._file)
        self._file = -1

    def _write(self, entry: bytes) -> None:
        if self._written >= self._segment_bytes_max:
            self._next_segment()
        # Without a buffer of ours: a killed process loses nothing that was taken.
        self._written += os.write(self._file, entry)

    def _next_segment(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._number += 1
        self._written = 0
        path = self.directory / f"{self._number:08d}.tape"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        for old in _segments(self.directory)[: -self._segments_kept]:
            old.unlink()


def _segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.tape"))


def read_tape(directory: str | Path) -> Iterator[list[Any]]:
    """Yield the entries of a tape in order, as plain values, without half an entry at the end of a file."""
    for path in _segments(Path(directory)):
        with path.open("rb") as file:
            yield from msgpack.Unpacker(file, raw=False, strict_map_key=False)


def read_inputs(directory: str | Path) -> Iterator[tuple[int, str, Message]]:
    """Yield (instant, address, message) of everything that came in: what a backtest feeds on."""
    for entry in read_tape(directory):
        if entry[0] == "turn":
            for _, inputs in entry[6]:
                for address, _, _, message in inputs:
                    yield entry[1], address, taped_message(message)


def play(
    directory: str | Path,
    make: Callable[[MemoryStore, VirtualClock], Node],
    store: MemoryStore | None = None,
    until_sequence: int = 0,
) -> tuple[MemoryStore, Node]:
    """Play a tape into nodes that `make` builds, each on what the one before left; return disk and last node.

    The disk is what the taped node started from: an empty one, or a copy of its journal of that day. Pumps
    are silent, as their answers are on the tape. With `until_sequence` it ends behind the turn that wrote
    that event. Errors: JournalError when tape and disk do not fit.
    """
    player = _Player(make, store or MemoryStore(), until_sequence)
    for entry in read_tape(directory):
        player.take(entry)
        if player.is_over:
            break
    else:
        player.finish()
    if player.node is None:
        raise JournalError(f"{directory}: the tape holds no start of a node")
    return player.store, player.node


class _Player:
    """Collects the entries of one life of a node, and plays them when it is known how that life ended."""

    def __init__(
        self, make: Callable[[MemoryStore, VirtualClock], Node], store: MemoryStore, until_sequence: int
    ) -> None:
        self._make = make
        self._until_sequence = until_sequence
        self.is_over = False  # the event that was wanted is written
        self._life: list[list[Any]] = []
        self._position = 0
        self._image = store  # the disk before the last turn of a life
        self._clock = VirtualClock(0)
        self.store = store
        self.node: Node | None = None

    def take(self, entry: list[Any]) -> None:
        """Take the next entry of the tape."""
        if entry[0] == "start" and self._life:
            self._play_life(entry[3])
        self._life.append(entry)

    def finish(self) -> None:
        """Play what is left."""
        if self._life:
            self._play_life(None)

    def _play_life(self, committed_count: int | None) -> None:
        """Play one life; its last turn is taken back if the next life knows that it was never written."""
        life, self._life, self._position = self._life, [], 1
        if self.node is not None:
            self.node.abandon()
        self.node = node = self._start(life)
        while self._position < len(life):
            if 0 < self._until_sequence <= node.journal.sequence:
                self.is_over = True
                return
            kind, now_ns, *rest = life[self._position]
            if kind == "stop":
                self._clock.advance_to(now_ns)
                self._position += 1
                node.stop(rest[0])
            else:
                node.turn()
        if committed_count is not None and self._taped_count() > committed_count:
            self.store = self._image

    def _start(self, life: list[list[Any]]) -> Node:
        kind, now_ns, sequence, *_ = life[0]
        self._clock.advance_to(now_ns)
        node = self._make(self.store, self._clock)
        if kind != "start" or node.journal.sequence != sequence:
            raise JournalError(
                f"the tape goes on from event {sequence}, the journal ends at {node.journal.sequence}"
            )
        node.loop.pumps = SilentPumps()
        node.loop.script = lambda: self._next_turn(node, life)
        node.start()
        self._image = self.store
        return node

    def _taped_count(self) -> int:
        return int(self.store.get("meta", b"taped") or 0)

    def _next_turn(self, node: Node, life: list[list[Any]]) -> TapedTurn:
        if self._position >= len(life) or life[self._position][0] != "turn":
            return TapedTurn(self._clock.now_ns(), True, False, False, [], [])
        _, now_ns, is_idle, more, called, commands, chunks = life[self._position]
        self._position += 1
        if self._position == len(life):
            self._image = self.store.clone()
        self._clock.advance_to(now_ns)
        node.loop.taped_count += 1
        given = [
            (name, taped_message(argument) if name == "note" else argument) for name, argument in commands
        ]
        taken = [
            (timers, [taped_input(node.cell(address), *rest) for address, *rest in inputs])
            for timers, inputs in chunks
        ]
        return TapedTurn(now_ns, is_idle, more, called, given, taken)


def taped_input(cell: Cell, is_ask: bool, sender: str, message: list[Any]) -> tuple[Cell, Message, str]:
    """Return an input as a loop takes it; nobody waits for the answer to a question any more."""
    if not is_ask:
        return cell, taped_message(message), sender
    asker = Ask()
    asker.future = new_future()
    return cell, taped_message(message), asker


def taped_message(plain: list[Any]) -> Message:
    """Return the message behind its plain values. Errors: JournalError when its type is not known."""
    return decode_message(_encode(plain))


class SilentPumps(dict[str, Any]):
    """Has every pump, and none of them does anything."""

    def __contains__(self, port: object) -> bool:
        return True

    def __missing__(self, port: str) -> SilentPumps:
        return self

    def put(self, message: Message, address: str) -> None:
        """See Pump."""
