"""How a simulated line fails: windows of time in which bytes are late, lost, doubled or cut, by chance."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

__all__ = ["LINE_KINDS", "LineFault", "LineFaults"]

MILLION = 1_000_000
LINE_KINDS = {
    "delay": "Requests, answers and frames are late by up to `delay_ms`.",
    "drop": "Requests never arrive; the asker hears nothing until its time-out.",
    "duplicate": "Requests arrive twice.",
    "lose_answer": "The far side acts, and its answer gets lost.",
    "partial_body": "The far side acts, and the connection ends within the answer.",
    "refuse": "Every connection is cut, and new ones are refused.",
    "half_open": "Connections look open and carry nothing.",
    "mute": "Nothing comes back on sockets.",
    "drop_frame": "Frames of sockets get lost.",
    "duplicate_frame": "Frames of sockets come twice.",
    "reorder_frame": "Frames of sockets are overtaken by later ones.",
}


class LineFault(NamedTuple):
    """One window. `share_ppm` of the bytes that pass in it are struck."""

    number: int  # among the faults of a run: its chances depend on it alone
    kind: str
    from_ns: int
    until_ns: int
    share_ppm: int
    delay_ns: int


class LineFaults:
    """The windows of one run. Each draws from a stream of its own, so that leaving one out moves no other."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._windows: dict[str, list[tuple[LineFault, Random]]] = {}
        self.struck: dict[str, int] = {}

    def add(self, fault: LineFault) -> None:
        """Let a window count."""
        chance = Random(f"{self._seed}/{fault.number}/{fault.kind}")
        self._windows.setdefault(fault.kind, []).append((fault, chance))

    def strikes(self, kind: str, now_ns: int) -> bool:
        """Tell whether what passes now is struck."""
        windows = self._windows.get(kind)
        if not windows:
            return False
        for fault, chance in windows:
            if fault.from_ns <= now_ns < fault.until_ns and chance.randrange(MILLION) < fault.share_ppm:
                self.struck[kind] = self.struck.get(kind, 0) + 1
                return True
        return False

    def delay_ns(self, kind: str, now_ns: int) -> int:
        """Return by how much what passes now is late."""
        windows = self._windows.get(kind)
        if not windows:
            return 0
        return sum(
            chance.randrange(fault.delay_ns + 1)
            for fault, chance in windows
            if fault.from_ns <= now_ns < fault.until_ns
        )
