"""A behaviour on the bench: run one behaviour alone, by hand, without a node.

`Bench` is a faithful `Context` for one behaviour. It applies recorded events, keeps timers on a virtual
clock, and collects everything the behaviour sends. `restart()` rebuilds the behaviour from what it recorded
or saved, as the runtime would, so a unit test can prove that state survives.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from actors.runtime.behaviour import Behaviour, Persistence
from actors.runtime.errors import require
from actors.runtime.foretold import Instant, checked
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity

__all__ = ["Bench"]

M = TypeVar("M", bound=Message)
FORETOLD = "foretold"


class _Foretold(Message, frozen=True):
    """An instant of what the behaviour foretold."""

    messages: tuple[Message, ...]


class Bench:
    """One behaviour and a hand-cranked world around it."""

    def __init__(
        self,
        make: Callable[[], Behaviour],
        *,
        name: str = "actor/test",
        now_ns: int = 1_760_000_000_000_000_000,
        seed: int = 7,
        start: bool = True,
    ) -> None:
        self._make = make
        self.name = name
        self.now_ns = now_ns
        self.sender = ""
        self.epoch = 1
        self.journal_identity = "aaaaaaaaa"
        self.random = random.Random(f"{seed}/{name}")
        self.published: list[Message] = []
        self.sent: list[tuple[str, Message]] = []
        self.replies: list[Message] = []
        self.events: list[Message] = []
        self.effects: list[tuple[str, Message]] = []
        self.outbox: dict[str, tuple[str, Message]] = {}
        self.alerts: list[AlertRaised] = []
        self.resolved: list[AlertResolved] = []
        self.logs: list[tuple[str, dict[str, object]]] = []
        self.is_ready = False
        self._seen: set[str] = set()
        self._saved: bytes | None = None
        self._saves = False  # the message in hand has asked for it
        self._timers: list[tuple[int, int, str, Message, bool]] = []
        self._timer_count = 0
        self.behaviour = make()
        self.behaviour.state = self.behaviour.initial_state()
        if start:
            self._run(self.behaviour.started)

    # -- the test's side ------------------------------------------------------------------------

    def tell(self, message: Message, *, sender: str = "") -> None:
        """Have the behaviour handle one message, encoded and decoded on the way as the wire would."""
        self.sender = sender
        self._run(partial(self.behaviour.receive, _as_stored(message)))
        self.sender = ""

    def advance(self, delay_ns: int) -> None:
        """Move the clock and let every timer due on the way fire, in order."""
        end = self.now_ns + delay_ns
        while self._timers and self._timers[0][0] <= end:
            due, _, _, message, _ = heapq.heappop(self._timers)
            self.now_ns = max(self.now_ns, due)
            if isinstance(message, _Foretold):
                for told in message.messages:
                    self.publish(told)
                continue
            self._run(partial(self.behaviour.receive, message))
        self.now_ns = end

    def _run(self, act: Callable[[Any], None]) -> None:
        """Let the behaviour do one thing; a state it wants saved is saved as it is in the end."""
        self._saves = False
        act(self)
        self.behaviour.caught_up(self)
        if self._saves:
            self._saved = msgspec.msgpack.encode(self.behaviour.state)

    def restart(self, *, start: bool = True) -> None:
        """Rebuild the behaviour from its journal, as after a crash; timers that are not durable are gone."""
        before = self.behaviour
        self.behaviour = self._make()
        self.behaviour.state = self.behaviour.initial_state()
        if before.PERSISTENCE is Persistence.EVENT_SOURCED:
            for event in self.events:
                if type(event) in before.APPLIERS:
                    self.behaviour.apply(event)
        elif before.PERSISTENCE is Persistence.SAVED and self._saved is not None:
            require(before.STATE is not None, "a saved behaviour needs a STATE class")
            self.behaviour.state = msgspec.msgpack.decode(self._saved, type=before.STATE)
        self._timers = [timer for timer in self._timers if timer[4]]
        heapq.heapify(self._timers)
        if start:
            self._run(self.behaviour.started)

    def take(self, kind: type[M]) -> list[M]:
        """Return and forget everything of one type that was published or sent, in order."""
        found = [m for m in [*self.published, *(m for _, m in self.sent)] if type(m) is kind]
        self.published = [m for m in self.published if type(m) is not kind]
        self.sent = [(to, m) for to, m in self.sent if type(m) is not kind]
        return found

    # -- the behaviour's side: see runtime.behaviour.Context ----------------------------------------

    def publish(self, message: Message) -> None:
        require(type(message) in self.behaviour.EMITS, f"{type(message).__name__} is not among EMITS")
        self.published.append(message)

    def send(self, address: str, message: Message) -> None:
        require(type(message) in self.behaviour.REPLIES, f"{type(message).__name__} is not among REPLIES")
        self.sent.append((address, message))

    def reply(self, message: Message) -> None:
        self.replies.append(message)

    def record(self, event: Message) -> None:
        require(type(event) in self.behaviour.EVENTS, f"{type(event).__name__} is not among EVENTS")
        require(_as_stored(event) == event, "an event is not what the journal would give back", event=event)
        if self.behaviour.PERSISTENCE is Persistence.EVENT_SOURCED:
            self.behaviour.apply(event)
        self.events.append(event)

    def save(self) -> None:
        self._saves = True
        self._saved = msgspec.msgpack.encode(self.behaviour.state)

    def schedule(self, delay_ns: int, message: Message, *, key: str = "", durable: bool = False) -> None:
        require(type(message) in self.behaviour.ACCEPTS, f"{type(message).__name__} is not among ACCEPTS")
        require(key or not durable, "a durable timer needs a key")
        if key:
            self.cancel_timer(key)
        self._timer_count += 1
        heapq.heappush(self._timers, (self.now_ns + delay_ns, self._timer_count, key, message, durable))

    def foretell(self, instants: Sequence[Instant]) -> None:
        self.cancel_timer(FORETOLD)
        for at_ns, messages in checked(self.name, self.now_ns, instants):
            self._timer_count += 1
            told = (at_ns, self._timer_count, FORETOLD, _Foretold(tuple(messages)), False)
            heapq.heappush(self._timers, told)

    def cancel_timer(self, key: str) -> None:
        self._timers = [timer for timer in self._timers if timer[2] != key]
        heapq.heapify(self._timers)

    def once(self, external_id: str) -> bool:
        if external_id in self._seen:
            return False
        self._seen.add(external_id)
        return True

    def effect(self, port: str, message: Message, *, key: str = "") -> None:
        self.effects.append((port, message))
        if key:
            self.outbox[key] = (port, message)

    def effect_done(self, key: str) -> None:
        self.outbox.pop(key, None)

    def alert(
        self,
        name: str,
        severity: Severity,
        summary: str,
        *,
        key: str = "",
        ends_after_ns: int = 0,
        **details: Any,
    ) -> None:
        shown = tuple((field, str(value)) for field, value in details.items())
        self.alerts.append(
            AlertRaised(name, key, severity, summary, self.name, self.now_ns, shown, ends_after_ns)
        )

    def resolve(self, name: str, *, key: str = "") -> None:
        self.resolved.append(AlertResolved(name, key, self.name, self.now_ns))

    def ready(self) -> None:
        self.is_ready = True

    def log(self, event: str, **fields: object) -> None:
        self.logs.append((event, fields))


def _as_stored(message: M) -> M:
    """Return a message as it comes back from bytes: a field of a wrong type is an error here already."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=type(message))
