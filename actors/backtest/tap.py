"""A store that lets somebody read along: every event is shown once its turn is written.

Nothing is asked of the actors for it, so a run that is recorded is the run that would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from actors.runtime.journal import TurnRecord
from actors.runtime.store import Store, TurnWrite

__all__ = ["TappedStore"]


class _Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    chain: bytes
    turn: TurnRecord


_decode = msgspec.msgpack.Decoder(_Record).decode


class TappedStore:
    """Passes everything to the store below."""

    def __init__(self, below: Store, listen: Callable[[TurnRecord], None]) -> None:
        self._below = below
        self._listen = listen
        self.get = below.get
        self.last = below.last
        self.seen = below.seen
        self.seen_count = below.seen_count
        self.usage = below.usage
        self.sync = below.sync
        self.close = below.close

    def commit(self, write: TurnWrite) -> None:
        """See Store.commit."""
        self._below.commit(write)
        for _, raw in write.events:
            self._listen(_decode(raw).turn)

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See Store.items."""
        return self._below.items(database, start)
