"""What is foretold reaches its readers by a shorter way, and nobody can tell from what they did."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime import virtual_time
from actors.runtime.behaviour import Context
from actors.runtime.clock import VirtualClock
from actors.runtime.foretold import Instant
from actors.runtime.journal import verify_chain
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.turn import LoopLimits
from actors.runtime.virtual_time import pass_time
from tests.property.test_runtime_recovery import Obedient, ObedientSaved, ObedientSourced
from tests.unit.runtime.toys import MS, SECOND, Do, Fleeting, Pump, Puppet, Said, Seen, spec

START_NS = 1_760_000_000_000_000_000
READERS = ("a", "b", "c", "d")
MOVES = ("note", "say", "send", "later", "once", "fail", "alert", "wire", "late", "answer")

# "b.note c.say": what each of the readers does about a message; most do nothing.
WORDS = st.tuples(st.sampled_from(READERS), st.sampled_from(MOVES)).map(".".join)
TEXTS = st.lists(WORDS, max_size=2).map(" ".join)
TOLD = st.lists(st.tuples(st.booleans(), TEXTS), min_size=1, max_size=3)
STEPS = st.lists(
    st.tuples(st.sampled_from([1, 500 * MS, SECOND, SECOND, 3 * SECOND]), TOLD), min_size=1, max_size=15
)


class Attentive(Obedient):
    """Does what the words for it say, and once its mailbox is empty what it has put off."""

    state: Any
    is_late = False
    name = ""

    def on_said(self, said: Said, context: Context) -> None:
        for word in said.text.split():
            name, _, move = word.rpartition(".")
            if name in ("", context.name):
                getattr(self, f"_{move}")(context)

    def on_seen(self, seen: Seen, context: Context) -> None:
        self.on_said(Said(seen.thing), context)

    def _say(self, context: Context) -> None:
        context.publish(Said(".".join((READERS[len(self.state.texts) % 4], "note"))))

    def _later(self, context: Context) -> None:
        context.schedule(SECOND, Said("say"))

    def _answer(self, context: Context) -> None:
        context.reply(Said("note"))

    def _late(self, context: Context) -> None:
        self.is_late = True

    def caught_up(self, context: Context) -> None:
        if self.is_late:
            self.is_late = False
            self.note(context, "late")  # type: ignore[attr-defined]
            if len(self.state.texts) % 3 == 0:
                raise RuntimeError("too late")


class AttentiveSourced(Attentive, ObedientSourced):
    """Remembers by events."""


class AttentiveSaved(Attentive, ObedientSaved):
    """Has its notes saved."""


class Teller(Fleeting):
    """Foretells all it has at its start."""

    def __init__(self, instants: list[Instant]) -> None:
        super().__init__({})
        self.instants = instants

    def on_do(self, do: Do, context: Context) -> None:
        context.foretell(self.instants)

    def note(self, context: Context, text: str) -> None:
        context.log(text)


def run(steps: list[tuple[int, list[tuple[bool, str]]]], *, at_once: bool) -> list[Any]:
    """Play it all, and return everything that was written, counted and handed out."""
    ends = accumulate((delay_ns for delay_ns, _ in steps), initial=START_NS)
    next(ends)
    instants = [
        (at_ns, tuple(Said(text) if said else Seen(text, at_ns) for said, text in told))
        for at_ns, (_, told) in zip(ends, steps, strict=True)
    ]
    kinds: tuple[type[Puppet], ...] = (AttentiveSourced, AttentiveSaved, AttentiveSourced, AttentiveSaved)
    cells = [
        spec(name, kind, reads=("teller", *(other for other in READERS if other != name)))
        for name, kind in zip(READERS, kinds, strict=True)
    ]
    teller = spec("teller", reads=READERS)
    teller = type(teller)("teller", lambda: Teller(instants), READERS)
    store, clock, pump = MemoryStore(), VirtualClock(START_NS), Pump()
    limits = LoopLimits(snapshot_events=7, dedupe_ids_kept=3)
    node = Node([teller, *cells], (SupervisorSpec("root", intensity=1_000_000),), store, clock, limits=limits)
    node.loop.pumps["world"] = pump
    logs: list[Any] = []
    node.loop.log_sink = lambda *line: logs.append(line)
    with pytest.MonkeyPatch.context() as patched:
        if not at_once:
            patched.setattr(virtual_time, "play_foretold", lambda *_: False)
        node.start()
        node.tell("teller", Do("foretell"))
        pass_time(node, clock, START_NS + 100 * SECOND)
    node.abandon()
    assert verify_chain(store)[1] is None
    tables = [list(store.items(name)) for name in ("events", "snapshots", "outbox", "timers", "dead_letters")]
    handled = [(node.cell(name).handled_count, node.cell(name).failures_count) for name in READERS]
    return [tables, handled, pump.taken, logs, clock.now_ns(), node.loop.counters.failures]


@settings(max_examples=300)
@given(STEPS)
def test_a_foretold_instant_leads_to_what_a_turn_of_its_own_leads_to(
    steps: list[tuple[int, list[tuple[bool, str]]]],
) -> None:
    assert run(steps, at_once=True) == run(steps, at_once=False)
