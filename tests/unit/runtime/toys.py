"""Puppets: actors whose every move a test writes down, and a simulated node to put them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.cell import CellSpec, Restart
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import (
    ActorFailed,
    ActorRestarted,
    ActorStopped,
    AlertRaised,
    AlertResolved,
    Message,
    MessageRefused,
    Overflow,
    SupervisorExhausted,
)
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.turn import LoopLimits

MS = 1_000_000
SECOND = 1_000_000_000

Script = Mapping[str, Callable[["Puppet", Context], None]]


class Do(Message, frozen=True):
    """Have a puppet make the move of this name."""

    move: str


class Said(Message, frozen=True):
    """What puppets tell each other; may not be dropped."""

    text: str


class Seen(Message, frozen=True):
    """Of one thing, only the newest sight matters."""

    OVERFLOW = Overflow.CONFLATE

    thing: str
    number: int

    @property
    def conflation_key(self) -> str:
        return self.thing


class Wished(Message, frozen=True):
    """May be refused."""

    OVERFLOW = Overflow.REFUSE

    text: str


class Noted(Message, frozen=True):
    """A puppet remembers something."""

    text: str


class Notes(msgspec.Struct):
    """All that a puppet remembers."""

    texts: list[str] = msgspec.field(default_factory=list)


class Puppet(Behaviour):
    """Makes the moves of its script; notes what it hears, in the way its persistence asks for."""

    ACCEPTS = (Do, Said, Seen, Wished, MessageRefused)
    EMITS = (Do, Said, Seen, Wished)
    REPLIES = (Said,)
    STATE = Notes

    def __init__(self, script: Script) -> None:
        self.script = script

    def started(self, context: Context) -> None:
        self.script.get("started", _nothing)(self, context)

    def stopping(self, context: Context) -> None:
        self.script.get("stopping", _nothing)(self, context)

    def on_do(self, do: Do, context: Context) -> None:
        self.script[do.move](self, context)

    def on_said(self, said: Said, context: Context) -> None:
        self.note(context, said.text)

    def on_seen(self, seen: Seen, context: Context) -> None:
        self.note(context, f"{seen.thing}{seen.number}")

    def on_wished(self, wished: Wished, context: Context) -> None:
        self.note(context, wished.text)

    def on_message_refused(self, refused: MessageRefused, context: Context) -> None:
        self.note(context, f"{refused.reader} refused")

    def note(self, context: Context, text: str) -> None:
        self.state.texts.append(text)


class Fleeting(Puppet):
    """Forgets everything."""

    PERSISTENCE = Persistence.EPHEMERAL


class Saved(Puppet):
    """Has its notes saved."""

    PERSISTENCE = Persistence.SAVED

    def note(self, context: Context, text: str) -> None:
        self.state.texts.append(text)
        context.save()


class Sourced(Puppet):
    """Remembers by events."""

    PERSISTENCE = Persistence.EVENT_SOURCED
    EVENTS = (Noted,)

    def apply_noted(self, noted: Noted) -> None:
        self.state.texts.append(noted.text)

    def note(self, context: Context, text: str) -> None:
        context.record(Noted(text))


class Listener(Behaviour):
    """Hears what the node tells about itself and its actors."""

    ACCEPTS = (
        ActorFailed,
        ActorRestarted,
        ActorStopped,
        SupervisorExhausted,
        AlertRaised,
        AlertResolved,
    )
    PHASE: ClassVar[Phase] = Phase.SOURCE

    def __init__(self, heard: list[Message]) -> None:
        self.heard = heard

    def _hear(self, message: Message, context: Context) -> None:
        self.heard.append(message)

    on_actor_failed = on_actor_restarted = on_actor_stopped = _hear
    on_supervisor_exhausted = on_alert_raised = on_alert_resolved = _hear


def _nothing(puppet: Puppet, context: Context) -> None:
    """A move that is not in the script."""


def boom(puppet: Puppet, context: Context) -> None:
    """The move that fails."""
    raise RuntimeError("boom")


class Pump:
    """Keeps what it was given: (address, message)."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Message]] = []

    def put(self, message: Message, address: str) -> None:
        self.taken.append((address, message))


def spec(name: str, kind: type[Puppet] = Sourced, script: Script | None = None, **options: Any) -> CellSpec:
    """Return the spec of one puppet."""
    return CellSpec(name, lambda: kind(script or {}), **options)


def play(
    *specs: CellSpec,
    supervisors: tuple[SupervisorSpec, ...] = (SupervisorSpec("root"),),
    limits: LoopLimits | None = None,
    store: MemoryStore | None = None,
    heard: list[Message] | None = None,
    pump: Pump | None = None,
    seed: int = 0,
) -> Simulation:
    """Return a simulated node of these puppets; a listener keeps what the node tells in `heard`."""
    cells = list(specs)
    if heard is not None:
        cells.append(CellSpec("listener", lambda: Listener(heard)))

    def make(disk: MemoryStore, clock: VirtualClock) -> Node:
        return Node(cells, supervisors, disk, clock, limits=limits, seed=seed)

    simulation = Simulation(make, store=store, pumps={"world": pump or Pump()})
    simulation.settle()
    return simulation


def notes(simulation: Simulation, name: str) -> list[str]:
    """Return what a puppet remembers."""
    texts: list[str] = simulation.node.cell(name).behaviour.state.texts
    return texts


def do(simulation: Simulation, name: str, move: str) -> None:
    """Have a puppet make a move, and everything that follows from it at once."""
    simulation.tell(name, Do(move))
    simulation.settle()


def events(store: MemoryStore, name: str = "") -> list[tuple[str, list[Any]]]:
    """Return the journal's events: (cell, [type, field, ...]), of one cell or of all."""
    from actors.runtime.journal import read_turns

    found = [
        (entry.cell, msgspec.msgpack.decode(entry.event))
        for record in read_turns(store)
        for entry in record.entries
    ]
    return [event for event in found if name in ("", event[0])]


__all__ = [
    "MS",
    "SECOND",
    "Do",
    "Fleeting",
    "Listener",
    "Noted",
    "Notes",
    "Pump",
    "Puppet",
    "Restart",
    "Said",
    "Saved",
    "Seen",
    "Sourced",
    "Wished",
    "boom",
    "do",
    "events",
    "notes",
    "play",
    "spec",
]
