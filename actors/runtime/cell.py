"""A cell: the address, mailbox and counters of an actor. It outlives the behaviours inside it."""

from __future__ import annotations

import enum
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from actors.runtime.behaviour import Behaviour, Persistence
from actors.runtime.codec import encode_message
from actors.runtime.errors import InvariantError, require
from actors.runtime.foretold import ForetoldDue, Instant, checked, tell_foretold
from actors.runtime.mailbox import make_room
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity
from actors.runtime.operations import once
from actors.runtime.pykka_port import CellActor

if TYPE_CHECKING:
    from actors.runtime.loop import Loop

__all__ = [
    "FROM_DURABLE_TIMER",
    "Ask",
    "Cell",
    "CellContext",
    "CellSpec",
    "CellState",
    "Item",
    "Restart",
    "is_fleeting",
]

KEY_CHARACTERS_MAX = 100  # of what an actor names its effects, durable timers and external ids by
RECENT_KEPT = 20  # messages an operator sees when inspecting an actor


class Restart(enum.Enum):
    """When a supervisor brings an actor back."""

    PERMANENT = "permanent"  # always
    TRANSIENT = "transient"  # after a failure, not after a normal stop
    TEMPORARY = "temporary"  # never


class CellState(enum.Enum):
    """What a cell is doing. Only a RUNNING cell handles messages; the others keep them."""

    WAITING = "waiting"  # for its phase
    RUNNING = "running"
    SUSPENDED = "suspended"  # by an operator
    FAILED = "failed"  # until the turn is over
    BACKING_OFF = "backing off"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class CellSpec:
    """What a node needs to know to make a cell."""

    name: str
    make: Callable[[], Behaviour]
    reads: tuple[str, ...] = ()
    supervisor: str = "root"
    restart: Restart = Restart.PERMANENT
    mailbox_capacity: int = 10_000
    stop_timeout_ns: int = 5_000_000_000
    kind: str = ""


class Ask(str):
    """A sender that waits at the edge: an empty address with a future behind it."""

    __slots__ = ("future",)
    future: Any


class _DurableTimer(str):
    """An empty address too; tells a durable timer's message from that of a timer that may be forgotten."""

    __slots__ = ()


FROM_DURABLE_TIMER = _DurableTimer()


def is_fleeting(item: tuple[Any, int, str]) -> bool:
    """Tell whether an item of the control lane comes from a timer that ends with its behaviour."""
    return not item[2] and type(item[2]) is str


class Item(NamedTuple):
    """One message in a mailbox. (The hot path builds plain tuples of this shape.)"""

    message: Any
    cause: int
    sender: str


class Cell:
    """One actor's place in a node. Touched by the loop's thread only, but for reads of its counters."""

    __slots__ = (
        "actor",
        "behaviour",
        "capacity",
        "caught_up",
        "conflate_at",
        "context",
        "control",
        "data",
        "decoder",
        "dirty",
        "failures_count",
        "foretold",
        "handled_count",
        "handlers",
        "held_chunks",
        "held_control",
        "held_data",
        "held_stale",
        "is_ready",
        "is_suspended",
        "kind",
        "last_error",
        "name",
        "phase",
        "queued",
        "recent",
        "recovery_ns",
        "refused_count",
        "restarts_count",
        "spec",
        "state",
        "suspect",
    )

    def __init__(self, spec: CellSpec, loop: Loop, prototype: Behaviour) -> None:
        self.spec = spec
        self.name = spec.name
        self.kind = spec.kind
        self.capacity = spec.mailbox_capacity
        self.conflate_at = self.capacity  # grows with a backlog that conflation cannot shorten
        self.data: deque[tuple[Message, int, str]] = deque()  # bounded
        self.control: deque[tuple[Any, int, str]] = deque()  # timers and lifecycle; never bounded
        self.foretold: deque[Instant] = deque()  # what its behaviour will publish, and when
        self.recent: deque[Message] = deque(maxlen=RECENT_KEPT)
        self.state = CellState.WAITING
        self.queued = False
        self.dirty = False  # has recorded since its last snapshot
        self.held_chunks = self.held_data = self.held_control = 0  # what the journal keeps of the mailbox
        self.held_stale = False  # that is no longer how the mailbox begins
        self.is_ready = False
        self.is_suspended = False  # by an operator, whatever supervision does to it meanwhile
        self.behaviour = prototype
        self.phase = int(prototype.PHASE)
        self.handlers: dict[type, Callable[[Any, Any], None]] = {}
        self.caught_up: Callable[[Any], None] | None = None
        self.decoder: Any = None
        self.suspect: Any = None  # the item that failed last
        self.last_error = ""
        self.handled_count = self.failures_count = self.restarts_count = self.refused_count = 0
        self.recovery_ns = 0
        self.context = CellContext(self, loop)
        self.actor = CellActor(lambda envelope: loop.put_envelope(self, envelope))

    def install(self, behaviour: Behaviour) -> None:
        """Put a new behaviour into the cell; the address and the mailbox stay."""
        self.behaviour = behaviour
        self.handlers = {
            kind: _method(behaviour, "receive", behaviour.HANDLERS, kind) for kind in behaviour.HANDLERS
        }
        self.handlers[ForetoldDue] = tell_foretold
        if self.context.loop.tap is not None:
            self.handlers = self.context.loop.tap(self, self.handlers)
        self.foretold.clear()
        overrides = type(behaviour).caught_up is not Behaviour.caught_up
        self.caught_up = behaviour.caught_up if overrides else None
        event_sourced = behaviour.PERSISTENCE is Persistence.EVENT_SOURCED
        self.context.appliers = (
            {kind: _method(behaviour, "apply", behaviour.APPLIERS, kind) for kind in behaviour.APPLIERS}
            if event_sourced
            else None
        )
        self.is_ready = False
        self.conflate_at = self.capacity
        self.context.loop.plans.clear()  # they know the behaviour before

    @property
    def is_running(self) -> bool:
        """It handles messages as they come."""
        return self.state is CellState.RUNNING

    @property
    def waiting_count(self) -> int:
        """Messages not yet handled."""
        return len(self.data) + len(self.control)


def _method(behaviour: Behaviour, entry: str, table: dict[type, Any], kind: type) -> Any:
    """Return what takes one type: the method itself, which saves a call, or an overridden entry."""
    if getattr(type(behaviour), entry) is not getattr(Behaviour, entry):
        return getattr(behaviour, entry)
    return table[kind].__get__(behaviour)


class CellContext:
    """See runtime.behaviour.Context. What a failing message did is undone by the loop, so everything here
    either appends to a list that can be cut back or waits in `operations` until the message has succeeded."""

    __slots__ = (
        "appliers",
        "cause",
        "keeps_states",
        "loop",
        "name",
        "now_ns",
        "operations",
        "owner",
        "peers",
        "random",
        "ready_cells",
        "records",
        "routes",
        "sender",
        "sent",
    )

    def __init__(self, owner: Cell, loop: Loop) -> None:
        self.owner = owner
        self.loop = loop
        self.name = owner.name
        self.sender = ""
        self.cause = 0
        self.now_ns = loop.now_ns  # set before each batch of messages: reading it is cheap that way
        self.random = random.Random(f"{loop.seed}/{owner.name}")
        self.appliers: dict[type, Callable[[Any], None]] | None = None
        self.routes: dict[type, tuple[Cell, ...]] = {}
        self.peers: dict[str, Cell] = {}
        self.sent: list[Cell] = []
        self.operations: list[tuple[Any, ...]] = []
        self.records = loop.records
        self.keeps_states = loop.writer.keeps_states
        self.ready_cells = loop.ready

    @property
    def epoch(self) -> int:
        return self.loop.journal.epoch

    @property
    def journal_identity(self) -> str:
        return self.loop.journal.identity

    def publish(self, message: Message) -> None:
        try:
            targets = self.routes[type(message)]
        except KeyError:
            raise InvariantError(
                f"{self.name} publishes {type(message).__name__}, which is not among its EMITS"
            ) from None
        item = (message, self.cause, self.name)
        sent = self.sent
        for target in targets:
            data = target.data
            if len(data) >= target.capacity and not make_room(self.loop, self.owner, target, message):
                continue
            data.append(item)
            sent.append(target)
            if not target.queued:
                target.queued = True
                self.ready_cells.append(target)

    def send(self, address: str, message: Message) -> None:
        target = self.peers.get(address)
        if target is None:
            self._send_elsewhere(address, message)
            return
        if type(message) not in target.behaviour.HANDLERS:
            return  # as with publish: a reader gets what it accepts
        if len(target.data) >= target.capacity and not make_room(self.loop, self.owner, target, message):
            return
        target.data.append((message, self.cause, self.name))
        self.sent.append(target)
        if not target.queued:
            target.queued = True
            self.ready_cells.append(target)

    def _send_elsewhere(self, address: str, message: Message) -> None:
        require(
            address == self.name,
            f"{self.name} sends {type(message).__name__} to {address!r}, which does not read it",
        )
        self.operations.append(("self", message, self.cause))

    def reply(self, message: Message) -> None:
        sender = self.sender
        if type(sender) is Ask:
            self.operations.append(("reply", sender.future, message))
        elif sender:
            self.send(sender, message)

    def record(self, event: Message) -> None:
        if self.appliers is not None:
            self.appliers[type(event)](event)
        records = self.records
        records.append((self.name, self.cause, event.VERSION, event))
        self.cause = self.loop.sequence + len(records)
        self.owner.dirty = True

    def save(self) -> None:
        operations = self.operations
        if self.keeps_states and (not operations or operations[0][0] != "save"):
            operations.insert(0, ("save",))  # first, because it can fail: then nothing else has been done

    def schedule(self, delay_ns: int, message: Message, *, key: str = "", durable: bool = False) -> None:
        require(key or not durable, "a durable timer needs a key")
        if durable and len(key) > KEY_CHARACTERS_MAX:
            raise self._too_long("timer key", key)
        due_ns = self.loop.now_ns + delay_ns
        stored = encode_message(message) if durable else b""
        self.operations.append(("schedule", due_ns, message, key, stored, self.cause))

    def foretell(self, instants: Sequence[Instant]) -> None:
        self.operations.append(("foretell", checked(self.name, self.loop.now_ns, instants)))

    def cancel_timer(self, key: str) -> None:
        self.operations.append(("cancel", key))

    def once(self, external_id: str) -> bool:
        if len(external_id) > KEY_CHARACTERS_MAX:
            raise self._too_long("external id", external_id)
        return once(self.loop, self, external_id)

    def effect(self, port: str, message: Message, *, key: str = "") -> None:
        if port not in self.loop.pumps:
            raise InvariantError(f"{self.name} wants an effect on {port!r}, a pump the node has not")
        if len(key) > KEY_CHARACTERS_MAX:
            raise self._too_long("effect key", key)
        self.operations.append(("effect", port, message, key, encode_message(message) if key else b""))

    def _too_long(self, what: str, key: str) -> InvariantError:
        return InvariantError(
            f"{self.name}: {what} of {len(key)} characters, more than {KEY_CHARACTERS_MAX}: {key[:40]}..."
        )

    def effect_done(self, key: str) -> None:
        self.operations.append(("effect_done", key))

    def alert(
        self,
        name: str,
        severity: Severity,
        summary: str,
        *,
        key: str = "",
        ends_after_ns: int = 0,
        **details: object,
    ) -> None:
        shown = tuple((field, str(value)) for field, value in details.items())
        raised = AlertRaised(name, key, severity, summary, self.name, self.loop.now_ns, shown, ends_after_ns)
        self.operations.append(("announce", raised, self.cause))

    def resolve(self, name: str, *, key: str = "") -> None:
        self.operations.append(
            ("announce", AlertResolved(name, key, self.name, self.loop.now_ns), self.cause)
        )

    def ready(self) -> None:
        self.operations.append(("ready",))

    def log(self, event: str, **fields: object) -> None:
        self.operations.append(("log", event, fields, self.cause))
