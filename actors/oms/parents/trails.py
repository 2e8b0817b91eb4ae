"""Stops that follow the price. Those that have seen the same best price are one group, and move as one.

Prices are half ticks times a sign, so that higher is better: +1 for stops below the market, -1 for others.
Groups lie in the order in which they joined; each has a better best price than the next, because a price that
is better than the last group's takes that group along. So a price costs two comparisons, and every stop is
moved from group to group O(log n) times: the smaller group joins the larger one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from actors.domain.money import E8
from actors.domain.parent_states import PriceSource
from actors.oms.parents.kind import Level

__all__ = ["TrailGroup", "TrailKey", "TrailWatch", "best_of", "move_trail", "quit_trails", "trail_key"]


class TrailGroup(msgspec.Struct, array_like=True):
    """Stops that have seen the same best price."""

    best: int
    members: list[str]  # parents


class TrailKey(NamedTuple):
    """Which price is followed, and on which side of the market the stops lie."""

    symbol: str
    source: PriceSource
    rises: bool

    @property
    def text(self) -> str:
        """The key in the state."""
        return f"{self.symbol}/{self.source.value}/{'above' if self.rises else 'below'}"


def trail_key(symbol: str, level: Level) -> TrailKey:
    """Return what a trailing level follows."""
    return TrailKey(symbol, level.source, level.rises)


def move_trail(trails: dict[str, list[TrailGroup]], key: str, best: int, joining: tuple[str, ...]) -> None:
    """Take a new best price: groups that it beats become one, and new stops join that."""
    groups = trails.setdefault(key, [])
    members = list(joining)
    while groups and groups[-1].best <= best:
        members = _joined(groups.pop().members, members)
    if members:
        groups.append(TrailGroup(best, members))


def _joined(one: list[str], other: list[str]) -> list[str]:
    larger, smaller = (one, other) if len(one) >= len(other) else (other, one)
    larger.extend(smaller)
    return larger


def quit_trails(trails: dict[str, list[TrailGroup]], symbol: str, parent_id: str) -> None:
    """Take a stop out of its group: it has fired, or ended."""
    for key in [key for key in trails if key.startswith(symbol + "/")]:
        groups = trails[key]
        for group in groups:
            if parent_id in group.members:
                group.members.remove(parent_id)
        trails[key] = [group for group in groups if group.members]
        if not trails[key]:
            del trails[key]


def best_of(trails: dict[str, list[TrailGroup]], symbol: str, parent_id: str) -> int:
    """Return twice the best price that a stop has seen; 0 when none yet."""
    for key, groups in trails.items():
        if key.startswith(symbol + "/"):
            for group in groups:
                if parent_id in group.members:
                    return abs(group.best)
    return 0


class _Group:
    """A group with its nearest stops at hand. Stops that have left are found out when they come up."""

    __slots__ = ("best", "count", "parts", "ticks", "top")

    def __init__(self, best: int) -> None:
        self.best = best
        self.ticks: list[tuple[int, str]] = []  # (distance in half ticks, parent), nearest first
        self.parts: list[tuple[int, str]] = []  # (distance in 1e-8 of the price, parent)
        self.top = 0  # the level nearest to the market, of this group and all before it


class TrailWatch:
    """The stops that follow one price of one symbol on one side."""

    def __init__(self, key: TrailKey) -> None:
        self.key = key
        self.sign = -1 if key.rises else 1
        self.levels: dict[str, Level] = {}  # by parent, those that follow or will
        self.joining: dict[str, None] = {}  # they wait for the next price
        self._groups: list[_Group] = []

    def restore(self, groups: list[TrailGroup]) -> None:
        """Take up what the state has; stops that are not watched any more are left out."""
        for known in groups:
            group = _Group(known.best)
            for parent_id in known.members:
                if parent_id in self.levels:
                    self.joining.pop(parent_id, None)
                    self._put(group, parent_id)
            self._append(group)

    def join(self, parent_id: str, level: Level) -> None:
        """Follow from the next price on."""
        self.levels[parent_id] = level
        self.joining[parent_id] = None

    def quit(self, parent_id: str) -> None:
        """Follow no longer."""
        self.levels.pop(parent_id, None)
        self.joining.pop(parent_id, None)

    def is_better(self, value: int) -> bool:
        """Tell whether a price moves a stop."""
        return bool(self.joining) or (bool(self._groups) and self._groups[-1].best < value)

    def move(self, value: int) -> None:
        """Let every stop follow that has not seen so good a price."""
        group = _Group(value)
        while self._groups and self._groups[-1].best <= value:
            group = _merged(self._groups.pop(), group)
        group.best = value
        for parent_id in self.joining:
            self._put(group, parent_id)
        self.joining.clear()
        self._append(group)

    def take_met(self, value: int) -> Iterator[tuple[str, Level]]:
        """Yield the stops that a price meets."""
        groups = self._groups
        if not groups or value > groups[-1].top:
            return
        found: list[str] = []
        for group in groups:
            while (nearest := self._nearest(group)) is not None and value <= nearest[0]:
                heapq.heappop(nearest[1])
                found.append(nearest[2])
        self._groups = []
        for group in groups:
            if self._nearest(group) is not None:
                self._append(group)
        for parent_id in found:
            if parent_id in self.levels:
                yield parent_id, self.levels[parent_id]

    def _put(self, group: _Group, parent_id: str) -> None:
        level = self.levels[parent_id]
        if level.trail_ticks:
            heapq.heappush(group.ticks, (2 * level.trail_ticks, parent_id))
        else:
            heapq.heappush(group.parts, (level.trail_e8, parent_id))

    def _append(self, group: _Group) -> None:
        nearest = self._nearest(group)
        if nearest is not None:
            before = self._groups[-1].top if self._groups else nearest[0]
            group.top = max(before, nearest[0])
            self._groups.append(group)

    def _nearest(self, group: _Group) -> tuple[int, list[tuple[int, str]], str] | None:
        """Return (level, heap, parent) of the stop nearest to the market."""
        found: tuple[int, list[tuple[int, str]], str] | None = None
        for heap, is_part in ((group.ticks, False), (group.parts, True)):
            while heap and heap[0][1] not in self.levels:
                heapq.heappop(heap)
            if heap:
                distance = abs(group.best) * heap[0][0] // E8 if is_part else heap[0][0]
                if found is None or group.best - distance > found[0]:
                    found = (group.best - distance, heap, heap[0][1])
        return found


def _merged(one: _Group, other: _Group) -> _Group:
    """Return both as one; the smaller heaps are poured into the larger ones."""
    for name in ("ticks", "parts"):
        larger, smaller = getattr(one, name), getattr(other, name)
        if len(larger) < len(smaller):
            larger, smaller = smaller, larger
        for item in smaller:
            heapq.heappush(larger, item)
        setattr(one, name, larger)
    return one
