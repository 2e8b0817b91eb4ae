"""Which prices are watched for whom. None of it is state: it is made again from the parents after a restart.

A price costs one comparison per direction while nothing is met, and O(log n) for each trigger that is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from actors.domain.parent_states import ParentEvent, PriceSource
from actors.oms.parents.kind import Level
from actors.oms.parents.trails import TrailGroup, TrailKey, TrailWatch

__all__ = ["PriceWatch", "Watches"]


class PriceWatch:
    """The levels at one price of one symbol. Prices are half ticks, so that the middle of a quote is one."""

    __slots__ = ("_count", "_falls", "_rises", "seen_at_ns", "since_ns", "source", "symbol", "trails")

    def __init__(self, symbol: str, source: PriceSource, since_ns: int) -> None:
        self.symbol = symbol
        self.source = source
        self.trails: dict[bool, TrailWatch] = {}  # stops that follow, by whether they lie above the market
        self.since_ns = since_ns  # watched since
        self.seen_at_ns = 0  # the last good price; 0 before the first
        self._count = 0
        self._falls: list[tuple[int, int, str, Level]] = []  # met at or below; the highest first
        self._rises: list[tuple[int, int, str, Level]] = []  # met at or above; the lowest first

    def add(self, parent_id: str, level: Level) -> None:
        """Watch a level."""
        if level.trails:
            if level.rises not in self.trails:
                self.trails[level.rises] = TrailWatch(TrailKey(self.symbol, self.source, level.rises))
            self.trails[level.rises].join(parent_id, level)
            return
        self._count += 1
        if level.rises:
            heapq.heappush(self._rises, (2 * level.ticks, self._count, parent_id, level))
        else:
            heapq.heappush(self._falls, (-2 * level.ticks, self._count, parent_id, level))

    def take_met(self, halfticks: int) -> list[tuple[str, Level]]:
        """Take out the levels that a price meets, those against us first."""
        falls, rises = self._falls, self._rises
        found: list[tuple[str, Level]] = []
        while falls and halfticks <= -falls[0][0]:
            found.append(heapq.heappop(falls)[2:])
        while rises and halfticks >= rises[0][0]:
            found.append(heapq.heappop(rises)[2:])
        if len(found) > 1:
            found.sort(key=_targets_last)
        return found


def _targets_last(met: tuple[str, Level]) -> bool:
    return met[1].event is ParentEvent.TARGET_TOUCHED


class Watches:
    """All levels of one account's parents."""

    def __init__(self) -> None:
        self.levels: dict[str, tuple[Level, ...]] = {}  # by parent: what holds now
        self.by_source: dict[PriceSource, dict[str, PriceWatch]] = {source: {} for source in PriceSource}

    def put(self, parent_id: str, symbol: str, levels: tuple[Level, ...], now_ns: int) -> None:
        """Watch these levels for a parent, and no others."""
        before = self.levels.get(parent_id, ())
        if levels == before:
            return
        if levels:
            self.levels[parent_id] = levels
        else:
            self.levels.pop(parent_id, None)
        for level in before:
            if level.trails and level not in levels:
                self.by_source[level.source][symbol].trails[level.rises].quit(parent_id)
        for level in levels:
            if level not in before:
                self._watch(symbol, level.source, now_ns).add(parent_id, level)

    def put_again(self, parent_id: str, symbol: str, level: Level) -> None:
        """Watch a level further that was met and did not count."""
        self.levels[parent_id] = (*self.levels.get(parent_id, ()), level)
        self.by_source[level.source][symbol].add(parent_id, level)

    def _watch(self, symbol: str, source: PriceSource, now_ns: int) -> PriceWatch:
        watches = self.by_source[source]
        if symbol not in watches:
            watches[symbol] = PriceWatch(symbol, source, now_ns)
        return watches[symbol]

    def restore(self, trails: dict[str, list[TrailGroup]]) -> None:
        """Take up the best prices that were seen before a restart."""
        for watches in self.by_source.values():
            for watch in watches.values():
                for trail in watch.trails.values():
                    trail.restore(trails.get(trail.key.text, []))

    def met(self, watch: PriceWatch, halfticks: int) -> Iterator[tuple[str, Level]]:
        """Yield whose levels a price meets; each is asked for when its turn comes, for others may end it."""
        for parent_id, level in watch.take_met(halfticks):
            if self._spend(parent_id, level):
                yield parent_id, level
        for trail in watch.trails.values():
            for parent_id, level in trail.take_met(trail.sign * halfticks):
                if self._spend(parent_id, level):
                    yield parent_id, level

    def _spend(self, parent_id: str, level: Level) -> bool:
        """Tell whether a level that is met still holds; from now on it is watched only if it is put anew."""
        levels = self.levels.get(parent_id, ())
        if level not in levels:
            return False
        self.levels[parent_id] = tuple(other for other in levels if other is not level and other != level)
        return True
