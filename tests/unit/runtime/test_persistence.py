"""Three ways to keep a state; snapshots, and the floor up to which they speak for every actor of the node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actors.runtime.behaviour import Behaviour, Context, Persistence
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.codec import decode_message
from actors.runtime.errors import JournalError, JournalNotUnderstood
from actors.runtime.journal import Journal
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import (
    Do,
    Fleeting,
    Noted,
    Notes,
    Puppet,
    Restart,
    Said,
    Saved,
    boom,
    do,
    notes,
    play,
    spec,
)

SOON = LoopLimits(snapshot_events=3)


def note(text: str):
    return lambda puppet, context: puppet.note(context, text)


def tell(simulation: Simulation, name: str, *texts: str) -> None:
    for text in texts:
        simulation.tell(name, Said(text))
    simulation.settle()


def floor(store: MemoryStore) -> int:
    return int(store.get("meta", b"snapshot_floor") or 0)


def snapshot_of(store: MemoryStore, name: str) -> list[str] | None:
    snapshot = Journal(store).snapshot(name)
    return None if snapshot is None else msgspec.msgpack.decode(snapshot.state)["texts"]


# -- the three ways ------------------------------------------------------------------------------------


def test_an_event_sourced_state_is_folded_from_its_events_after_a_crash() -> None:
    simulation = play(spec("a"), spec("b"))
    tell(simulation, "a", "one", "two")
    tell(simulation, "b", "other")
    assert snapshot_of(simulation.store, "a") is None
    simulation.crash()
    assert notes(simulation, "a") == ["one", "two"]
    assert notes(simulation, "b") == ["other"]
    assert simulation.node.events_folded == 3


def test_a_saved_state_comes_back_as_it_was_saved_last() -> None:
    def forget(puppet: Puppet, context: Context) -> None:
        puppet.state.texts.append("not saved")

    simulation = play(spec("a", Saved, {"forget": forget}))
    tell(simulation, "a", "one", "two")
    do(simulation, "a", "forget")
    assert notes(simulation, "a") == ["one", "two", "not saved"]
    simulation.crash()
    assert notes(simulation, "a") == ["one", "two"]


def test_a_save_takes_in_what_the_message_changes_after_asking_for_it() -> None:
    def late(puppet: Puppet, context: Context) -> None:
        context.save()
        context.save()
        puppet.state.texts.append("late")

    simulation = play(spec("a", Saved, {"late": late}))
    do(simulation, "a", "late")
    simulation.crash()
    assert notes(simulation, "a") == ["late"]


def test_an_ephemeral_state_starts_anew() -> None:
    simulation = play(spec("a", Fleeting))
    tell(simulation, "a", "one")
    assert notes(simulation, "a") == ["one"]
    simulation.crash()
    assert notes(simulation, "a") == []


def test_the_facts_that_a_saved_actor_records_are_journaled_but_not_its_state() -> None:
    def tell_fact(puppet: Puppet, context: Context) -> None:
        context.record(Noted("a fact"))

    simulation = play(spec("a", Saved, {"fact": tell_fact}))
    do(simulation, "a", "fact")
    assert notes(simulation, "a") == []
    simulation.crash()
    assert notes(simulation, "a") == []


def test_an_orderly_stop_leaves_a_snapshot_so_that_nothing_has_to_be_folded() -> None:
    simulation = play(spec("a"), spec("b", Saved))
    tell(simulation, "a", "one")
    tell(simulation, "b", "two")
    simulation.stop()
    assert snapshot_of(simulation.store, "a") == ["one"]
    simulation.open()
    assert simulation.node.events_folded == 0
    assert (notes(simulation, "a"), notes(simulation, "b")) == (["one"], ["two"])


def test_what_a_stopping_actor_still_does_is_durable() -> None:
    simulation = play(
        spec("a", script={"stopping": note("bye")}), spec("b", Saved, {"stopping": note("bye")})
    )
    simulation.stop()
    simulation.open()
    assert (notes(simulation, "a"), notes(simulation, "b")) == (["bye"], ["bye"])


# -- snapshots and their floor ---------------------------------------------------------------------------


def test_snapshots_come_every_so_many_events_and_only_of_states_that_changed() -> None:
    simulation = play(spec("a"), spec("b"), limits=SOON)
    tell(simulation, "b", "b1")
    tell(simulation, "a", "a1", "a2")
    assert snapshot_of(simulation.store, "a") == ["a1", "a2"]
    assert snapshot_of(simulation.store, "b") == ["b1"]
    first_floor = floor(simulation.store)
    assert first_floor == simulation.node.journal.sequence
    tell(simulation, "a", "a3", "a4", "a5")
    before = Journal(simulation.store).snapshot("b")
    assert before is not None
    assert before.sequence == first_floor
    assert snapshot_of(simulation.store, "a") == ["a1", "a2", "a3", "a4", "a5"]
    assert floor(simulation.store) == first_floor + 3


def test_events_under_the_floor_are_not_read_again() -> None:
    simulation = play(spec("a"), spec("b"), limits=SOON)
    tell(simulation, "a", "a1", "a2", "a3")
    tell(simulation, "b", "b1")
    simulation.crash()
    assert simulation.node.events_folded == 1
    assert notes(simulation, "a") == ["a1", "a2", "a3"]
    assert notes(simulation, "b") == ["b1"]


def test_a_process_that_dies_often_still_gets_its_snapshots() -> None:
    simulation = play(spec("a"), limits=LoopLimits(snapshot_events=20))
    for number in range(12):
        tell(simulation, "a", f"{number}")
        simulation.crash()
    assert floor(simulation.store) > 0
    assert notes(simulation, "a") == [f"{number}" for number in range(12)]


def test_an_actor_that_waits_for_its_restart_is_left_out_of_a_snapshot_pass_and_loses_nothing() -> None:
    def spoil(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "spoiled")
        boom(puppet, context)

    simulation = play(spec("a", script={"spoil": spoil}), spec("b"), limits=SOON)
    tell(simulation, "a", "a1")
    simulation.tell("b", Said("b1"))
    simulation.tell("a", Do("spoil"))
    simulation.tell("b", Said("b2"))
    simulation.tell("b", Said("b3"))
    simulation.step()  # the pass falls into the turn in which a fails
    assert snapshot_of(simulation.store, "b") == ["b1", "b2", "b3"]
    assert snapshot_of(simulation.store, "a") is None
    simulation.crash()  # before a is restarted
    simulation.run_for(60 * 10**9)
    assert notes(simulation, "a") == ["a1"]
    assert notes(simulation, "b") == ["b1", "b2", "b3"]
    tell(simulation, "a", "a2")
    simulation.crash()
    assert notes(simulation, "a") == ["a1", "a2"]


def test_an_actor_restarts_from_its_own_floor_after_a_pass_that_left_it_out() -> None:
    simulation = play(spec("a", script={"boom": boom}), spec("b"), limits=SOON)
    tell(simulation, "a", "a1")
    do(simulation, "a", "boom")
    tell(simulation, "b", "b1", "b2", "b3", "b4")
    assert floor(simulation.store) > 0
    simulation.run_for(60 * 10**9)
    assert notes(simulation, "a") == ["a1"]
    tell(simulation, "b", "b5", "b6", "b7")
    assert snapshot_of(simulation.store, "a") == ["a1"]  # fine again, so it takes part again


def test_a_stopped_actor_does_not_keep_the_others_from_their_snapshots() -> None:
    simulation = play(spec("a", restart=Restart.TRANSIENT, script={"boom": boom}), spec("b"), limits=SOON)
    tell(simulation, "a", "a1")
    simulation.node.cell("a").actor.actor_ref.stop(block=False)
    simulation.settle()
    tell(simulation, "b", "b1", "b2", "b3")
    assert snapshot_of(simulation.store, "b") == ["b1", "b2", "b3"]
    simulation.crash()
    assert notes(simulation, "a") == ["a1"]


# -- actors that come and go between starts -----------------------------------------------------------------


class House:
    """One disk, and nodes with changing actors on it."""

    def __init__(self, snapshot_events: int = 1_000) -> None:
        self.store = MemoryStore()
        self.limits = LoopLimits(snapshot_events=snapshot_events)

    def live(self, names: str, texts: dict[str, list[str]], *, stop: bool = False) -> dict[str, list[str]]:
        simulation = play(*(spec(name) for name in names), store=self.store, limits=self.limits)
        for name, said in texts.items():
            tell(simulation, name, *said)
        if stop:
            simulation.stop()
        else:
            simulation.node.abandon()
        return {name: notes(simulation, name) for name in names}


@pytest.mark.parametrize("stop", [False, True])
@pytest.mark.parametrize("snapshot_events", [2, 5, 1_000])
def test_an_actor_that_was_away_comes_back_as_it_left(stop: bool, snapshot_events: int) -> None:
    house = House(snapshot_events)
    house.live("ab", {"a": ["a1"], "b": ["b1", "b2"]}, stop=stop)
    house.live("b", {"b": ["b3", "b4", "b5"]}, stop=stop)
    house.live("b", {"b": ["b6"]}, stop=stop)
    assert house.live("ab", {"a": ["a2"]}, stop=stop) == {
        "a": ["a1", "a2"],
        "b": ["b1", "b2", "b3", "b4", "b5", "b6"],
    }
    assert house.live("a", {"a": ["a3", "a4", "a5"]}, stop=stop) == {"a": ["a1", "a2", "a3", "a4", "a5"]}
    assert house.live("cab", {"c": ["c1"]}, stop=stop) == {
        "c": ["c1"],
        "a": ["a1", "a2", "a3", "a4", "a5"],
        "b": ["b1", "b2", "b3", "b4", "b5", "b6"],
    }
    assert house.live("c", {}) == {"c": ["c1"]}


class CountingStore(MemoryStore):
    """Knows how many records were read."""

    read_count = 0

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        for item in super().items(database, start):
            self.read_count += database == "events"
            yield item


def test_neither_a_new_actor_nor_one_that_left_makes_a_start_read_the_whole_journal() -> None:
    house = House(snapshot_events=10)
    house.store = CountingStore()
    house.live("ab", {"a": [f"{number}" for number in range(100)], "b": ["b1"]}, stop=True)
    for names in ("a b", "a", "a new", "new"):
        house.store.read_count = 0
        simulation = play(*(spec(name) for name in names.split()), store=house.store)
        simulation.node.abandon()
        assert house.store.read_count < 20, names


# -- versions -------------------------------------------------------------------------------------------


class Amount(Message, frozen=True):
    """An event in its first shape."""

    cents: int


class Purse(msgspec.Struct):
    """A state in its first shape."""

    cents: int = 0


class Old(Behaviour):
    """As the code was when the journal was written."""

    ACCEPTS = (Amount,)
    EVENTS = (Amount,)
    STATE = Purse
    PERSISTENCE = Persistence.EVENT_SOURCED

    def apply_amount(self, event: Amount) -> None:
        self.state.cents += event.cents

    def on_amount(self, amount: Amount, context: Context) -> None:
        context.record(amount)


class OldSaved(Old):
    PERSISTENCE = Persistence.SAVED

    def on_amount(self, amount: Amount, context: Context) -> None:
        self.state.cents += amount.cents
        context.save()


def later_amount(version: int, **methods: Any) -> type[Message]:
    """Return a later `Amount` of the same name, as a newer release would have it."""
    body = {"__module__": __name__, "VERSION": version, "__annotations__": {"cents": int, "note": str}}
    return type("Amount", (Message,), body | {"note": ""} | methods, frozen=True)  # type: ignore[call-overload,no-any-return]


class NewPurse(msgspec.Struct):
    """A state in another shape."""

    cents: int = 0
    notes: str = ""


def run(kind: type[Behaviour], store: MemoryStore, *amounts: Message, snapshot_events: int = 1_000) -> Any:
    def make(disk: MemoryStore, clock: VirtualClock) -> Node:
        cells = [CellSpec("purse", kind)]
        return Node(
            cells, (SupervisorSpec("root"),), disk, clock, limits=LoopLimits(snapshot_events=snapshot_events)
        )

    simulation = Simulation(make, store=store)
    for amount in amounts:
        simulation.tell("purse", amount)
        simulation.settle()
    simulation.node.abandon()
    return simulation.node.cell("purse").behaviour.state


def test_a_field_added_at_the_end_has_its_default_in_old_events() -> None:
    store = MemoryStore()
    run(Old, store, Amount(5))
    kind = later_amount(version=1)

    class New(Old):
        EVENTS = ACCEPTS = (kind,)

        def apply_amount(self, event: Any) -> None:
            assert event.note == ""
            self.state.cents += event.cents

    assert run(New, store).cents == 5


def test_an_event_of_an_older_version_is_upgraded_when_it_is_read() -> None:
    store = MemoryStore()
    run(Old, store, Amount(5))
    upgraded = lambda self, version: type(self)(self.cents * 100, f"was {version}")  # noqa: E731
    kind = later_amount(version=2, upgraded_from=upgraded)

    class New(Old):
        EVENTS = ACCEPTS = (kind,)

    assert run(New, store, kind(7)).cents == 507
    assert run(New, store).cents == 507


def test_an_event_of_a_newer_version_than_the_code_knows_refuses_to_start() -> None:
    store = MemoryStore()
    kind = later_amount(version=2)

    class New(Old):
        EVENTS = ACCEPTS = (kind,)

    run(New, store, kind(7))
    with pytest.raises(JournalError, match=r"purse: an event Amount has version 2, the code knows 1"):
        run(Old, store)


def test_an_event_that_the_code_does_not_know_at_all_refuses_to_start() -> None:
    store = MemoryStore()
    run(Old, store, Amount(5))

    class Forgetful(Old):
        EVENTS = (Noted,)

        def apply_noted(self, event: Noted) -> None:
            pass

    with pytest.raises(JournalError, match=r"purse: the event \['Amount', 5\] cannot be read"):
        run(Forgetful, store)


def test_an_event_that_cannot_be_applied_refuses_to_start_and_is_shown() -> None:
    store = MemoryStore()
    run(Old, store, Amount(5))

    class Strict(Old):
        def apply_amount(self, event: Amount) -> None:
            raise ValueError("never again")

    with pytest.raises(
        JournalError, match=r"purse: the event Amount\(cents=5\) cannot be applied.*never again"
    ):
        run(Strict, store)


def test_an_old_snapshot_of_an_event_sourced_state_is_rebuilt_from_all_its_events() -> None:
    store = MemoryStore()
    run(Old, store, Amount(5), Amount(6), Amount(7), snapshot_events=2)
    assert floor(store) > 0

    class New(Old):
        STATE = NewPurse
        STATE_VERSION = 2

        def apply_amount(self, event: Amount) -> None:
            self.state.cents += event.cents
            self.state.notes += "."

    assert run(New, store, Amount(1)) == NewPurse(19, "....")
    assert run(New, store) == NewPurse(19, "....")


def test_an_old_saved_state_is_upgraded_by_its_behaviour() -> None:
    store = MemoryStore()
    run(OldSaved, store, Amount(5))

    class New(OldSaved):
        STATE = NewPurse
        STATE_VERSION = 2

        def upgrade(self, state: Any, version: int) -> Any:
            return {"cents": state["cents"] * 100, "notes": f"was {version}"}

    assert run(New, store) == NewPurse(500, "was 1")


def test_an_old_saved_state_is_never_dropped_silently() -> None:
    store = MemoryStore()
    run(OldSaved, store, Amount(5))

    class New(OldSaved):
        STATE_VERSION = 2

    with pytest.raises(
        JournalError, match=r"purse: its saved state has version 1.*does not say how to upgrade"
    ):
        run(New, store)


@pytest.mark.parametrize("kind", [Old, OldSaved])
def test_a_snapshot_of_a_newer_version_refuses_to_start(kind: type[Behaviour]) -> None:
    class New(kind):  # type: ignore[valid-type,misc]
        STATE_VERSION = 2

    store = MemoryStore()
    run(New, store, Amount(5), Amount(6), Amount(7), snapshot_events=2)
    with pytest.raises(JournalError, match="purse: its snapshot has version 2, the code knows 1"):
        run(kind, store)


def test_a_snapshot_that_cannot_be_read_refuses_to_start() -> None:
    store = MemoryStore()
    run(OldSaved, store, Amount(5))

    class Other(OldSaved):
        STATE = msgspec.defstruct("Other", [("cents", str)])

        def initial_state(self) -> Any:
            return None

    with pytest.raises(JournalError, match="purse: its snapshot cannot be read"):
        run(Other, store)


def test_a_journal_of_a_newer_schema_refuses_to_open() -> None:
    from actors.runtime.store import TurnWrite

    store = MemoryStore()
    store.commit(TurnWrite(meta=((b"schema_version", b"99"),)))
    with pytest.raises(JournalError, match="format 99, the code knows 2"):
        Journal(store)


def test_a_release_that_does_not_understand_a_journal_leaves_its_format_to_the_one_that_does() -> None:
    from actors.runtime.store import TurnWrite

    store = MemoryStore()
    run(OldSaved, store, Amount(5))
    store.commit(TurnWrite(meta=((b"schema_version", b"1"), (b"release", b"0.0.9"))))

    class New(OldSaved):
        STATE_VERSION = 2

    with pytest.raises(JournalNotUnderstood):
        run(New, store)
    assert (store.get("meta", b"schema_version"), store.get("meta", b"release")) == (b"1", b"0.0.9")
    run(OldSaved, store)
    assert store.get("meta", b"schema_version") == b"2"


def test_a_stored_timer_or_message_of_an_unknown_shape_is_refused_by_name() -> None:
    with pytest.raises(JournalNotUnderstood, match="no message type 'Gone'"):
        decode_message(msgspec.msgpack.encode(["Gone", 1]))
    with pytest.raises(JournalNotUnderstood, match="a stored Amount cannot be read"):
        decode_message(msgspec.msgpack.encode(["Amount", "many"]))


def test_the_epoch_counts_the_starts_on_one_journal() -> None:
    epochs: list[int] = []
    simulation = play(spec("a", script={"started": lambda puppet, context: epochs.append(context.epoch)}))
    simulation.crash()
    simulation.stop()
    simulation.open()
    assert epochs == [1, 2, 3]


def test_a_new_life_draws_other_random_numbers_and_the_same_life_the_same() -> None:
    def draws(seed: int) -> list[float]:
        drawn: list[float] = []
        script = {"started": lambda puppet, context: drawn.append(context.random.random())}
        simulation = play(spec("a", script=script), seed=seed)
        simulation.crash()
        return drawn

    assert len(set(draws(1))) == 2
    assert draws(1) == draws(1)
    assert draws(1)[0] != draws(2)[0]


def test_states_have_the_class_the_behaviour_names() -> None:
    simulation = play(spec("a", Saved))
    tell(simulation, "a", "x")
    simulation.crash()
    assert isinstance(simulation.node.cell("a").behaviour.state, Notes)
