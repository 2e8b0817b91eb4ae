"""The contract between an actor's code and the runtime: `Behaviour` decides, `Context` does.

A behaviour is a plain object. It has no thread, no clock, no I/O and no randomness of its own; all of
that comes in through the context, so the same object runs live, in tests and in simulation.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import msgspec

from actors.runtime.errors import require
from actors.runtime.foretold import Instant
from actors.runtime.messages import Message, Severity

__all__ = ["Behaviour", "Context", "Persistence", "Phase"]


class Persistence(enum.Enum):
    """How a behaviour's state outlives it."""

    EVENT_SOURCED = "event-sourced"  # state changes only in apply(event); recorded events rebuild it
    SAVED = "saved"  # snapshot() is written at the end of a turn in which context.save() was called
    EPHEMERAL = "ephemeral"  # nothing is kept


class Phase(enum.IntEnum):
    """Start order. A phase starts when every actor of the earlier ones is ready."""

    SOURCE = 0  # what the others depend on
    STATE = 1  # actors that own state
    CHECK = 2  # actors that must approve before anyone acts
    DECIDE = 3  # actors that act


class Context(Protocol):
    """What a behaviour may do besides thinking. Valid only while it handles a message."""

    @property
    def name(self) -> str:
        """Own address, such as `risk/main`."""
        ...

    @property
    def now_ns(self) -> int:
        """UTC nanoseconds; the same value for the whole turn."""
        ...

    @property
    def sender(self) -> str:
        """Address of the cell that sent the message in hand; empty for timers and for the edge."""
        ...

    @property
    def epoch(self) -> int:
        """How often this journal has been opened by a node; grows with each start of the process."""
        ...

    @property
    def journal_identity(self) -> str:
        """Nine letters that no other journal of this deployment has; "" of one begun by an older version."""
        ...

    @property
    def random(self) -> random.Random:
        """Seeded stream of this cell."""
        ...

    def publish(self, message: Message) -> None:
        """Send to every actor that reads this one and accepts the message's type."""

    def send(self, address: str, message: Message) -> None:
        """Send to one actor that reads this one. An address without such an edge is an InvariantError."""

    def reply(self, message: Message) -> None:
        """Answer whoever asked from the edge (released after the commit), else the sender."""

    def record(self, event: Message) -> None:
        """Journal a fact in this turn. An event-sourced behaviour's `apply` runs at once."""

    def save(self) -> None:
        """Have a saved behaviour's snapshot written with this turn."""

    def schedule(self, delay_ns: int, message: Message, *, key: str = "", durable: bool = False) -> None:
        """Send `message` to oneself later. A non-empty key replaces the timer scheduled under it before.

        A durable timer needs a key and survives restarts of the actor and of the node; others end with
        the behaviour that made them.
        """

    def foretell(self, instants: Sequence[Instant]) -> None:
        """Publish these messages at these instants, which lie ahead and ascend: a past that is played again.

        It is as if a timer had woken the actor at each of them, but the actor is not asked again, and where
        time is virtual and nothing else is due they reach their readers without a turn of their own. What
        was foretold before and has not come yet is replaced. Like a timer, it ends with the behaviour.
        """

    def cancel_timer(self, key: str) -> None:
        """Forget the timer under this key, if any."""

    def once(self, external_id: str) -> bool:
        """Return True the first time this actor sees the id, False ever after (ids are kept by age)."""

    def effect(self, port: str, message: Message, *, key: str = "") -> None:
        """Hand a message to a pump after the commit.

        With a key it waits in the outbox and is handed over again after a restart, until `effect_done(key)`.
        """

    def effect_done(self, key: str) -> None:
        """The effect under this key has happened; the outbox may forget it."""

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
        """Raise an alert. The same name and key again refreshes it.

        `ends_after_ns` is for what happened rather than holds: the alert is over by itself so long after the
        last raise, restarts or not. Without it somebody has to `resolve` it.
        """

    def resolve(self, name: str, *, key: str = "") -> None:
        """The condition behind an alert is over."""

    def ready(self) -> None:
        """For behaviours with explicit readiness: later phases may start."""

    def log(self, event: str, **fields: object) -> None:
        """Write one structured log line that carries actor, turn and cause."""


class Behaviour:
    """Parent of all behaviours. Subclasses fill in the class variables and define handlers.

    A handler is a method `on_<snake_case_of_message_type>(self, message, context)`; the table is built once
    per class, and a message type listed in `ACCEPTS` without a handler is an error at import. An
    event-sourced behaviour defines `apply_<snake_case_of_event_type>(self, event)` for each of `EVENTS`;
    these must be pure functions of state and event: no context, no clock.

    `self.state` is one msgspec.Struct (mutable, private to the behaviour) for event-sourced and saved
    behaviours; `STATE` is its class. Snapshots are its MessagePack form.
    """

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = ()  # what may be sent to it, its own timers included
    EMITS: ClassVar[tuple[type[Message], ...]] = ()  # what it publishes to every reader
    REPLIES: ClassVar[tuple[type[Message], ...]] = ()  # what it sends to one named actor
    EVENTS: ClassVar[tuple[type[Message], ...]] = ()  # what it records
    STATE: ClassVar[type[msgspec.Struct] | None] = None
    STATE_VERSION: ClassVar[int] = 1
    PERSISTENCE: ClassVar[Persistence] = Persistence.EPHEMERAL
    PHASE: ClassVar[Phase] = Phase.STATE
    EXPLICIT_READY: ClassVar[bool] = False

    HANDLERS: ClassVar[dict[type, Any]] = {}
    APPLIERS: ClassVar[dict[type, Any]] = {}

    state: Any

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.HANDLERS = {kind: _method(cls, "on_", kind) for kind in cls.ACCEPTS}
        if cls.PERSISTENCE is Persistence.EVENT_SOURCED:
            cls.APPLIERS = {kind: _method(cls, "apply_", kind) for kind in cls.EVENTS}

    def initial_state(self) -> Any:
        """Return the state of an actor that has never run; override when settings shape it."""
        return self.STATE() if self.STATE is not None else None

    def upgrade(self, state: Any, version: int) -> Any:
        """Return a saved state of an older STATE_VERSION, as plain values, in the form of today's STATE.

        Only saved behaviours are asked: an event-sourced state is rebuilt from its events. Override together
        with raising STATE_VERSION. Errors: NotImplementedError, and the node refuses to start.
        """
        raise NotImplementedError

    def started(self, context: Context) -> None:
        """State is recovered; schedule timers, ask for what is missing. Runs in a turn of its own."""

    def stopping(self, context: Context) -> None:
        """The node stops in order; last chance to send."""

    def reconfigured(self, settings: Any, context: Context) -> None:
        """Go on with other settings, all of them such as may change while the actor runs (Reload.LIVE).

        Override what has derived something from the old ones.
        """
        self.settings = settings

    def caught_up(self, context: Context) -> None:
        """All messages that waited for this actor have been handled, in the turn in hand.

        Here it says once what would be said too often after each of them. What it records, publishes and
        saves is under the rules of a message; it is called only when overridden.
        """

    def receive(self, message: Message, context: Context) -> None:
        """Handle one message."""
        self.HANDLERS[type(message)](self, message, context)

    def apply(self, event: Message) -> None:
        """Fold one event into the state. Pure; also used to rebuild the state."""
        self.APPLIERS[type(event)](self, event)

    def describe(self) -> Any:
        """Return what an operator sees of the state: plain values that JSON can hold."""
        return msgspec.to_builtins(self.state) if getattr(self, "state", None) is not None else {}

    def gauges(self) -> dict[str, int | float]:
        """Return numbers worth a metric. Called from another thread at scrape: read plain fields only."""
        return {}


def _method(cls: type, prefix: str, kind: type) -> Any:
    name = prefix + snake_case(kind.__name__)
    method = getattr(cls, name, None)
    require(method is not None, f"{cls.__name__} lists {kind.__name__} but has no method {name}")
    return method


def snake_case(name: str) -> str:
    """Return `order_filled` for `OrderFilled`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
