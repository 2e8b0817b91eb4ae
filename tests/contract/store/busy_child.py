"""A process that is made to be killed: it commits turn after turn, and says which numbers are acknowledged.

Usage: python -m tests.contract.store.busy_child FOLDER DURABILITY. Every number is an event, an id seen once,
a saved state, an outbox entry until the next one, and a durable timer that is set anew.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from actors.runtime.behaviour import Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store import Store
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import Do, Said, Saved, Sourced

BATCH = 7


class Counting(Sourced):
    """Event-sourced: one note a number."""

    def on_do(self, do: Do, context: Context) -> None:
        number = len(self.state.texts) + 1
        if not context.once(f"{number}"):
            raise RuntimeError(f"{number} was there before")
        self.note(context, f"{number}")
        context.publish(Said(f"{number}"))
        context.effect_done(f"{number - 1}")
        context.effect("world", Said(f"{number}"), key=f"{number}")
        context.schedule(3_600_000_000_000, Said(f"{number}"), key="newest", durable=True)


class Acknowledged:
    """The world: hears a number only after its turn was committed."""

    def put(self, message: Message, address: str) -> None:
        os.write(1, f"{message.text}\n".encode())  # type: ignore[attr-defined]


def make(store: Store) -> Node:
    """Return the node that the child runs, and that the test recovers."""
    cells = [
        CellSpec("counter", lambda: Counting({})),
        CellSpec("copy", lambda: Saved({}), reads=("counter",)),
    ]
    limits = LoopLimits(snapshot_events=100, dedupe_ids_kept=500)
    node = Node(cells, (SupervisorSpec("root"),), store, SystemClock(), limits=limits)
    node.loop.pumps["world"] = Acknowledged()
    return node


def main() -> None:
    """Run until killed."""
    node = make(LmdbStore(Path(sys.argv[1]), Durability(sys.argv[2])))
    node.start()
    os.write(1, b"started\n")
    while True:
        for _ in range(BATCH):
            node.tell("counter", Do("next"))
        while node.turn():
            pass


if __name__ == "__main__":
    main()
