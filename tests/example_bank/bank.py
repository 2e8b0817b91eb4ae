"""The example bank put together, and the world around it: another bank behind a bad line, and customers."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pykka

from actors.runtime.cell import CellSpec, CellState
from actors.runtime.clock import Clock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.pykka_port import is_answered
from actors.runtime.simulation import Simulation
from actors.runtime.store import Store
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import Strategy, SupervisorSpec
from actors.runtime.turn import LoopLimits
from tests.example_bank.actors import HOUSE, SECOND, Account, Auditor, Bell, Board, Clearing, Counter
from tests.example_bank.messages import Accepted, Credit, Paid, TransferWanted, Wire, WireDone, WireWanted

CUSTOMERS = ("ann", "bob", "cy", "dee")
ACCOUNTS = (HOUSE, *(f"account/{name}" for name in CUSTOMERS))
COUNTERS = ("counter/1", "counter/2")
OPENING_CENTS = 10_000
TOTAL_CENTS = OPENING_CENTS * len(ACCOUNTS)

SUPERVISORS = (
    SupervisorSpec("root", intensity=1_000, exhausted="close the bank"),
    SupervisorSpec("vault", parent="root", strategy=Strategy.REST_FOR_ONE, intensity=1_000, exhausted="lock"),
    SupervisorSpec("hall", parent="root", intensity=3, exhausted="send customers home"),
)


def cells() -> list[CellSpec]:
    """Return the bank's cells and who reads whom."""
    return [
        CellSpec("bell", Bell),
        CellSpec("board", Board),
        CellSpec("clearing", Clearing, reads=COUNTERS, supervisor="vault"),
        *(
            CellSpec(
                name,
                lambda: Account(OPENING_CENTS),
                reads=(*COUNTERS, "auditor", *(ACCOUNTS[1:] if name == HOUSE else ())),
                supervisor="vault",
            )
            for name in ACCOUNTS
        ),
        CellSpec("auditor", lambda: Auditor(len(ACCOUNTS)), reads=ACCOUNTS),
        *(
            CellSpec(name, Counter, reads=("board", *ACCOUNTS), supervisor="hall", mailbox_capacity=50)
            for name in COUNTERS
        ),
    ]


def open_bank(store: Store, clock: Clock, *, seed: int = 0, snapshot_events: int = 60) -> Node:
    """Return the bank as a node that can start, once it has a pump called `wire`."""
    limits = LoopLimits(snapshot_events=snapshot_events, dedupe_ids_kept=5_000)
    return Node(cells(), SUPERVISORS, store, clock, seed=seed, limits=limits)


class OtherBank:
    """The far side of the wire: acts once on each transfer, behind a line that delays, drops and repeats."""

    def __init__(self, chance: random.Random, *, loss: float = 0.0) -> None:
        self.simulation: Simulation | None = None
        self.received: dict[str, int] = {}  # transfer -> cents, once each
        self.heard_count = 0
        self._chance = chance
        self._loss = loss

    def put(self, message: Message, address: str) -> None:
        """See Pump: the instruction goes over the line, or is lost on it."""
        assert isinstance(message, Wire)
        assert self.simulation is not None
        if self._chance.random() >= self._loss:
            for _ in range(2 if self._chance.random() < self._loss else 1):
                self.simulation.after(self._delay(), lambda: self._act(message, address))

    def _act(self, wire: Wire, address: str) -> None:
        assert self.simulation is not None
        self.heard_count += 1
        self.received.setdefault(wire.transfer_id, wire.cents)
        if self._chance.random() >= self._loss:
            self.simulation.after(self._delay(), lambda: self._confirm(wire.transfer_id, address))

    def _confirm(self, transfer_id: str, address: str) -> None:
        assert self.simulation is not None
        self.simulation.node.deliver_from_outside(address, WireDone(transfer_id))

    def _delay(self) -> int:
        return self._chance.randrange(SECOND // 1_000, 5 * SECOND)


class Customers:
    """Wish for transfers, and ask again under the same id until they have an answer."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.asked: dict[str, tuple[str, TransferWanted]] = {}  # not answered yet: counter and wish
        self.accepted: dict[str, TransferWanted] = {}
        self._futures: dict[str, pykka.Future[object]] = {}

    def wish(self, counter: str, wish: TransferWanted) -> None:
        """Ask for a transfer at a counter."""
        self.asked[wish.transfer_id] = (counter, wish)
        self.ask_again()

    def ask_again(self) -> None:
        """Ask whatever has no answer and no question under way; collect the answers there are."""
        for transfer_id, (counter, wish) in list(self.asked.items()):
            future = self._futures.get(transfer_id)
            if future is not None and is_answered(future):
                self._hear(transfer_id, future)
            elif future is None:
                actor = self._simulation.node.cell(counter).actor
                self._futures[transfer_id] = actor.actor_ref.ask(wish, block=False)

    def _hear(self, transfer_id: str, future: pykka.Future[object]) -> None:
        del self._futures[transfer_id]
        try:
            answer = future.get(timeout=0)
        except Exception:  # refused, robbed, or stopped: the customer does not care and asks again
            return
        assert isinstance(answer, Accepted)
        self.accepted[transfer_id] = self.asked.pop(transfer_id)[1]

    def forget_questions(self) -> None:
        """The bank's process has died: nobody will answer what was under way."""
        self._futures.clear()


def run_bank(
    *,
    seed: int = 0,
    loss: float = 0.0,
    store: MemoryStore | None = None,
    snapshot_events: int = 60,
) -> tuple[Simulation, OtherBank, Customers]:
    """Return a simulated bank, the other bank and the customers."""
    world = OtherBank(random.Random(f"{seed}/world"), loss=loss)
    # The pump is there before the simulation that it needs; nothing is put before `settle`.
    simulation = Simulation.__new__(Simulation)
    world.simulation = simulation
    simulation.__init__(  # type: ignore[misc]
        lambda disk, clock: open_bank(disk, clock, seed=seed, snapshot_events=snapshot_events),
        pumps={"wire": world},
        store=store,
    )
    simulation.settle()
    return simulation, world, Customers(simulation)


def balance(node: Node, account: str) -> int:
    """Return what an account holds in memory."""
    cents: int = node.cell(account).behaviour.state.cents
    return cents


def money(node: Node) -> int:
    """Return all money the bank knows of: in accounts, between cells, on the wire and abroad."""
    clearing = node.cell("clearing").behaviour.state
    held = sum(balance(node, name) for name in ACCOUNTS)
    return (
        held + sum(clearing.pending.values()) + clearing.settled_cents + _under_way(node.loop.cells.values())
    )


def _under_way(all_cells: Iterable[object]) -> int:
    waiting = [item[0] for cell in all_cells for item in cell.data]  # type: ignore[attr-defined]
    return sum(message.cents for message in waiting if isinstance(message, Paid | Credit | WireWanted))


def is_certain(node: Node) -> bool:
    """Tell whether every state in memory is what the journal says: no cell is in the middle of a failure."""
    doubtful = (CellState.FAILED, CellState.BACKING_OFF)
    return not any(cell.state in doubtful for cell in node.loop.cells.values())
