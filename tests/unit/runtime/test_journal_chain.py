"""The journal: what is in a record, where reading starts, and how a journal that was touched is found out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgpack
import pytest

from actors.runtime.errors import JournalError
from actors.runtime.journal import Journal, read_turns, sequence_key, verify_chain
from actors.runtime.store import TurnWrite
from actors.runtime.store_memory import MemoryStore
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import Noted, Said, play, spec


def written(*sizes: int) -> MemoryStore:
    """Return the journal of turns with so many events each; texts are numbered by sequence."""
    store = MemoryStore()
    journal = Journal(store)
    for size in sizes:
        first = journal.sequence + 1
        entries = [("cell", first - 1, 1, Noted(f"{first + index}")) for index in range(size)]
        store.commit(TurnWrite(events=(journal.record(1_000 + first, entries),)))
        journal.written()
    return store


def records(store: MemoryStore) -> list[tuple[int, bytes]]:
    return [(int.from_bytes(key, "big"), value) for key, value in store.items("events")]


def put(store: MemoryStore, sequence: int, value: bytes | None) -> None:
    store._tables["events"].put(sequence_key(sequence), value)


def test_a_record_is_the_chain_and_the_turn_and_plain_msgpack_reads_both() -> None:
    (first, one), (second, two) = records(written(2, 1))
    assert (first, second) == (1, 3)
    chain, turn = msgpack.unpackb(one)
    assert turn == [1, 1_001, 1, [["cell", 0, 1, ["Noted", "1"]], ["cell", 0, 1, ["Noted", "2"]]]]
    assert chain == hashlib.sha256(bytes(32) + msgpack.packb(turn)).digest()
    following, turn = msgpack.unpackb(two)
    assert turn[:3] == [2, 1_003, 3]
    assert following == hashlib.sha256(chain + msgpack.packb(turn)).digest()


def test_a_journal_goes_on_where_it_ended() -> None:
    store = written(2, 3)
    journal = Journal(store)
    assert (journal.sequence, journal.turn, journal.at_ns) == (5, 2, 1_003)
    store.commit(TurnWrite(events=(journal.record(2_000, [("cell", 0, 1, Noted("6"))]),)))
    journal.written()
    assert verify_chain(store) == (3, None)


def test_a_record_counts_only_when_it_was_written() -> None:
    journal = Journal(written(2))
    journal.record(2_000, [("cell", 0, 1, Noted("lost"))])
    assert (journal.sequence, journal.turn) == (2, 1)
    key, value = journal.record(2_001, [("cell", 0, 1, Noted("3"))])
    assert key == sequence_key(3)
    assert msgpack.unpackb(value)[1][:3] == [2, 2_001, 3]


# -- reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1,) * 40, (10, 1, 1, 10, 300, 1, 7), (500,), (1, 200, 1)])
def test_reading_starts_with_the_record_that_holds_the_sequence(sizes: tuple[int, ...]) -> None:
    store = written(*sizes)
    last = sum(sizes)
    firsts = [first for first, _ in records(store)]
    for sequence in range(1, last + 1):
        holding = max(first for first in firsts if first <= sequence)
        found = [record.first_sequence for record in read_turns(store, sequence)]
        assert found == [first for first in firsts if first >= holding]


@pytest.mark.parametrize("sequence", [-5, 0, 1])
def test_reading_from_the_beginning_reads_everything(sequence: int) -> None:
    assert len(list(read_turns(written(1, 2, 3), sequence))) == 3


def test_reading_behind_the_end_reads_nothing() -> None:
    assert list(read_turns(written(1, 2, 3), 7)) == []
    assert list(read_turns(MemoryStore(), 1)) == []


# -- verifying --------------------------------------------------------------------------------------------


def altered(raw: bytes, old: bytes, new: bytes) -> bytes:
    assert raw.count(old) == 1
    return raw.replace(old, new)


def rechained(raw: bytes, chain: bytes) -> bytes:
    """Return a record with a hash of its own making, as a forger would."""
    _, turn = msgpack.unpackb(raw)
    body = msgpack.packb(turn)
    return msgpack.packb([hashlib.sha256(chain + body).digest(), turn])


def change_an_amount(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, altered(at[5], msgpack.packb("5"), msgpack.packb("9")))


def change_a_cell(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, at[5].replace(b"cell", b"sell"))


def change_the_time(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, altered(at[5], msgpack.packb(1_005), msgpack.packb(1_006)))


def change_the_chain(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, at[5][:10] + bytes([at[5][10] ^ 1]) + at[5][11:])


def change_and_hash_anew(store: MemoryStore, at: dict[int, bytes]) -> None:
    changed = altered(at[5], msgpack.packb("5"), msgpack.packb("9"))
    put(store, 5, rechained(changed, msgpack.unpackb(at[4])[0]))


def add_bytes(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, b"\x93" + at[5][1:] + b"\x00")


def tear(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, at[5][:-3])


def swap(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, at[7])
    put(store, 7, at[5])


def remove(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, None)


def insert_between(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 6, at[5])


def replace_with_a_copy_of_an_earlier_one(store: MemoryStore, at: dict[int, bytes]) -> None:
    put(store, 5, at[4])


Touch = Callable[[MemoryStore, dict[int, bytes]], None]


@pytest.mark.parametrize(
    ("touch", "named", "says"),
    [
        (change_an_amount, 5, "not the one that was written"),
        (change_a_cell, 5, "not the one that was written"),
        (change_the_time, 5, "not the one that was written"),
        (change_the_chain, 5, "not the one that was written"),
        (change_and_hash_anew, 7, "not the one that was written"),  # the first that no longer fits
        (add_bytes, 5, "not the one that was written"),
        (tear, 5, "cannot be read"),
        (swap, 5, "not the one that was written"),
        (remove, 7, "events 5 to 6 are missing"),
        (insert_between, 6, "put in later"),
        (replace_with_a_copy_of_an_earlier_one, 5, "not the one that was written"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_verifying_names_the_first_entry_that_is_not_as_it_was_written(
    touch: Touch, named: int, says: str
) -> None:
    store = written(1, 1, 1, 1, 2, 3, 1)  # records at 1, 2, 3, 4, 5, 7, 10
    assert verify_chain(store) == (7, None)
    touch(store, dict(records(store)))
    _, broken = verify_chain(store)
    assert broken is not None
    assert broken.sequence == named
    assert says in broken.reason


def test_a_journal_whose_beginning_is_gone_is_found_out() -> None:
    store = written(1, 1, 1)
    put(store, 1, None)
    _, broken = verify_chain(store)
    assert broken is not None
    assert (broken.sequence, broken.reason) == (2, "events 1 to 1 are missing")


def test_a_journal_whose_end_is_gone_is_found_out_when_a_snapshot_knows_of_it() -> None:
    simulation = play(spec("a"), limits=LoopLimits(snapshot_events=5))
    for number in range(7):
        simulation.tell("a", Said(f"{number}"))
        simulation.settle()
    store = simulation.store
    for sequence in (6, 7, 8):
        put(store, sequence, None)
    assert verify_chain(store) == (5, None)  # nobody knows any more
    put(store, 5, None)
    _, broken = verify_chain(store)
    assert broken is not None
    assert (broken.sequence, broken.reason) == (5, "events 5 to 5 are missing at the end")


def test_a_journal_with_a_last_record_that_cannot_be_read_does_not_open() -> None:
    store = written(1, 1)
    put(store, 2, b"nonsense")
    with pytest.raises(JournalError, match="event 2"):
        Journal(store)


def test_a_real_run_verifies_with_restarts_and_snapshots() -> None:
    simulation = play(spec("a"), limits=LoopLimits(snapshot_events=4))
    for number in range(20):
        simulation.tell("a", Said(f"{number}"))
        simulation.settle()
        if number % 6 == 0:
            simulation.crash()
    count, broken = verify_chain(simulation.store)
    assert broken is None
    assert count == simulation.node.journal.turn == len(list(read_turns(simulation.store)))
