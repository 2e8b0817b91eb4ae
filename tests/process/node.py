"""A real node in a real process under a real heart, with an observer that writes down what it was told.

The observer's lines leave the node as an effect, so after the commit: each of them is an acknowledgement that
somebody outside may have relied on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from actors.deployment.assemble import assemble, cell_specs, open_store, supervisor_specs
from actors.deployment.loader import load
from actors.deployment.process import explain
from actors.deployment.topology import Topology
from actors.messages.trading import Fill
from actors.messages.venue import OrderAccepted
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.cell import Cell, CellSpec
from actors.runtime.clock import SystemClock, VirtualClock
from actors.runtime.errors import JournalError
from actors.runtime.heart import Beat, HeartHandle, HeartLimits, launch
from actors.runtime.journal import verify_chain
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.recovery import recover
from actors.runtime.store_lmdb import LmdbStore

BUSY = Path(__file__).parent / "busy.yaml"


class Observer(Behaviour):
    """Hands on every acknowledgement and every fill, once it is durable."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Fill, OrderAccepted)
    PHASE = Phase.SOURCE

    def on_fill(self, message: Fill, context: Context) -> None:
        context.effect("observer", message)

    def on_order_accepted(self, message: OrderAccepted, context: Context) -> None:
        context.effect("observer", message)


class FilePump:
    """Appends one line per message; a line is complete or absent."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def put(self, message: Message, address: str) -> None:
        if isinstance(message, Fill):
            line = f"fill {message.symbol}/{message.trade_id} {message.client_order_id}\n"
        else:
            line = f"order {message.client_order_id}\n"  # type: ignore[attr-defined]
        os.write(self._file, line.encode())


def busy_topology(directory: Path, **inputs: str) -> Topology:
    return load(BUSY, inputs=inputs, environment={"BUSY_STATE": str(directory / "journal")})


def start_observed(topology: Topology, observations: Path) -> HeartHandle:
    """Launch a heart that runs the deployment with an observer beside it."""

    def run(beat: Beat) -> int:
        store = open_store(topology)
        observer = CellSpec("observer", Observer, reads=("oms/main", "venue/main"))
        specs = [*cell_specs(topology), observer]
        node = Node(specs, supervisor_specs(topology), store, SystemClock(), seed=topology.seed)
        node.loop.pumps["observer"] = FilePump(observations)
        node.loop.pumps["http"] = node.loop.pumps["observer"]
        import signal

        signal.signal(signal.SIGTERM, lambda *_: node.request_stop())
        try:
            node.start()
            node.run(beat=beat)
        except JournalError as error:
            return explain(error)
        return 0

    limits = HeartLimits(intensity=1000, stall_after_s=2.0, backoff_s_min=0.001, backoff_s_max=0.01)
    return launch(run, limits)


def is_busy(heart: HeartHandle, observations: Path) -> bool:
    """Tell whether the node has acknowledged something."""
    heart.poll()
    return bool(heart.node_pid) and observations.exists() and observations.stat().st_size > 0


def wait_for(condition: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.005)
    raise AssertionError("it did not happen in time")


class Books:
    """What a stopped node's journal says, read the way a start would."""

    def __init__(self, topology: Topology) -> None:
        store = LmdbStore(topology.journal_path, readonly=True)
        self.records, self.chain_break = verify_chain(store)
        node = assemble(topology, store, VirtualClock(0))
        recover(node.journal, node.loop.cells.values())
        self._cells: dict[str, Cell] = node.loop.cells
        self.oms = self.state("oms/main")
        self.ledger = self.state("ledger/main")
        self.exchange = self.state("exchange") if "exchange" in self._cells else None
        self.risk = self.state("risk/main")
        self.entries = [
            (entry.cell, entry.event) for record in node.journal.turns() for entry in record.entries
        ]
        store.close()

    def state(self, name: str) -> Any:
        return self._cells[name].behaviour.state

    def behaviour(self, name: str) -> Any:
        return self._cells[name].behaviour
