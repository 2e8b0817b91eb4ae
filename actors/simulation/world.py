"""One simulated machine and what lies around it: a node that dies and is started again, a disk, a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from actors.runtime.clock import VirtualClock
from actors.runtime.disk_watch import DiskWatch, keep_looking
from actors.runtime.errors import JournalError, JournalFull
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from actors.runtime.wire import Wire

__all__ = ["SimulatedWorld"]

HEART_NS = 1_000_000_000  # before a process that ended is started again
REFUSED_NS_MAX = 8 * HEART_NS  # longest pause before one that was refused is tried again


class SimulatedWorld(Simulation):
    """A `Simulation` whose node stays away for a while when it dies."""

    def __init__(
        self,
        make: Callable[[MemoryStore, VirtualClock], Node],
        wire: Wire,
        start_ns: int,
        store: MemoryStore | None = None,
    ) -> None:
        self.wire = wire
        self.write_takes_ns = 0
        self.away_ns = 0  # of the next death
        self.is_away = False
        self.ends: list[str] = []  # why the node ended by itself
        self._full_at_bytes = 0  # room there was when the disk was full; 0 when it is not
        self.refusals_count = 0  # starts refused since, for there is no more
        self.on_power_cut: list[Callable[[], None]] = []
        super().__init__(make, pumps=wire.ports, start_ns=start_ns, store=store)

    def open(self) -> None:
        """See Simulation; the line needs to know where the world is before the first node speaks."""
        self.wire.world = self
        self.is_away = False
        super().open()
        watch = DiskWatch(
            self.store,
            Path(),
            free_bytes_min=0,
            action="reduce_only",
            tell=self.node.note,
            free_bytes=lambda directory: 1,
        )
        keep_looking(watch, self.node)

    def sync_every(self, interval_ns: int) -> None:
        """Sync the disk now and then while the process lives, as a real one does when commits do not."""

        def sync() -> None:
            if not self.ended:
                self.store.sync()
            self.after(interval_ns, sync)

        self.after(interval_ns, sync)

    def deliver(self, address: str, message: Message) -> None:
        """See World."""
        if not self.ended:
            self.node.deliver_from_outside(address, message)

    def step(self) -> bool:
        """Run one turn; a disk that fails is the end of the process."""
        self._keep_appointments()  # slow writes let the world go on while the node has no rest
        try:
            worked = super().step()
        except JournalError as error:
            self._fall(error)
            return True
        if self.ended and not self.is_away:
            self.ends.append(self.ended)
            self.wire.node_died()
            self._be_away(HEART_NS)
        return worked

    def crash(self, *, power_cut: bool = False) -> None:
        """Kill the process; it comes back after `away_ns`."""
        self._leave(self.away_ns)
        if power_cut:
            self.store.lose_unsynced()
            for tell in self.on_power_cut:
                tell()

    def lose_journal(self) -> None:
        """Kill the process; somebody deletes its journal before it comes back."""
        self.crash()
        self.store = MemoryStore()
        self.store.on_commit = self._on_commit

    def _leave(self, away_ns: int) -> None:
        self._bury()
        self.wire.node_died()
        self._be_away(away_ns)

    def _be_away(self, away_ns: int) -> None:
        self.is_away, self.ended = True, "away"
        self.after(away_ns, self._come_back)

    def _come_back(self) -> None:
        if self._full_at_bytes and self.store.capacity_bytes == self._full_at_bytes:
            self.refusals_count += 1
            self._be_away(min(REFUSED_NS_MAX, HEART_NS << min(self.refusals_count, 10)))
            return
        self._full_at_bytes = self.refusals_count = 0
        try:
            self.open()
        except JournalError as error:
            self._fall(error)

    def _fall(self, error: JournalError) -> None:
        """The process ends by itself. One that found no room is not begun before there is more."""
        self.ends.append(str(error))
        self._full_at_bytes = self.store.capacity_bytes if isinstance(error, JournalFull) else 0
        self._leave(HEART_NS)

    def _on_commit(self, is_written: bool) -> None:
        if self.write_takes_ns and not is_written:
            self.clock.advance_to(self.now_ns + self.write_takes_ns)
        super()._on_commit(is_written)
