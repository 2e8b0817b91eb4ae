"""For a run whose past nobody will read: events pass by a listener, and are gone.

There is nothing to recover from, so an actor that fails cannot come back, and neither can the process. It is
what a backtest without `--out` needs: the record is taken while it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from actors.runtime.errors import JournalError
from actors.runtime.messages import Message
from actors.runtime.store import TurnWrite

__all__ = ["PassingStore", "Recorded"]

Recorded = tuple[str, int, int, Message]  # cell, cause, version, event

GONE = (
    "this run keeps no past, so its actors cannot come back; give the journal a store to see why one failed"
)


class PassingStore:
    """A store that writes down only what the node says about itself; see Store."""

    def __init__(self, listen: Callable[[int, list[Recorded]], None]) -> None:
        """`listen` takes the instant and the events of each turn; the list is not its to keep."""
        self._listen = listen
        self._meta: dict[bytes, bytes] = {}
        self._dedupe: list[set[bytes]] = [set(), set()]
        self._has_passed = False

    def pass_by(self, at_ns: int, records: list[Recorded]) -> None:
        """Show the events of a turn."""
        self._has_passed = True
        self._listen(at_ns, records)

    def remember(self, keys: Iterable[bytes], kept_min: int) -> None:
        """Remember the last external ids: at least so many, at most twice as many."""
        newest = self._dedupe[0]
        newest.update(keys)
        if len(newest) >= kept_min:
            self._dedupe = [set(), newest]

    def commit(self, write: TurnWrite) -> None:
        """Keep what the node says about itself."""
        self._meta.update(write.meta)

    def get(self, database: str, key: bytes) -> bytes | None:
        """Return a fact about the node. Errors: JournalError when a state is wanted back."""
        if database == "snapshots" and self._has_passed:
            raise JournalError(GONE)
        return self._meta.get(key) if database == "meta" else None

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield nothing: nothing is kept."""
        return iter(())

    def last(self, database: str) -> tuple[bytes, bytes] | None:
        """Return nothing: nothing is kept."""
        return None

    def seen(self, key: bytes) -> bool:
        """See Store.seen."""
        return key in self._dedupe[0] or key in self._dedupe[1]

    def seen_count(self) -> int:
        """See Store.seen_count."""
        return len(self._dedupe[0])

    def usage(self) -> tuple[int, int]:
        """Nothing is used, and nothing will ever be full."""
        return 0, 1 << 62

    def sync(self) -> None:
        """Nothing is to be lost."""

    def close(self) -> None:
        """Nothing is to be released."""
