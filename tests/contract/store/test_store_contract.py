"""What every store promises: the disk in memory, on which simulations run, and LMDB, on which nodes do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.runtime.errors import JournalError
from actors.runtime.store import KEY_BYTES_MAX, Store, TurnWrite
from actors.runtime.store_lmdb import READ_AT_ONCE, Durability, LmdbStore
from actors.runtime.store_memory import MemoryStore

TABLES = ("snapshots", "outbox", "timers", "held", "dead_letters", "meta")


@pytest.fixture(params=["memory", *Durability], ids=str)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Return what closes the store and opens it again."""
    opened: list[Store] = []

    def again() -> Store:
        if opened:
            opened[-1].close()
        if request.param == "memory":
            opened.append(opened[-1] if opened else MemoryStore())
        else:
            opened.append(LmdbStore(tmp_path / "journal", request.param))
        return opened[-1]

    yield again
    opened[-1].close()


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    return reopen()


def event(sequence: int, text: bytes = b"event") -> TurnWrite:
    return TurnWrite(events=((sequence.to_bytes(8, "big"), text),))


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.last("events") is None
    assert store.get("meta", b"epoch") is None
    assert all(list(store.items(name)) == [] for name in ("events", *TABLES))
    assert not store.seen(b"id")
    assert store.seen_count() == 0


def test_events_come_back_in_the_order_of_their_sequence(store: Store) -> None:
    numbers = [1, 2, 255, 256, 70_000, 2**40]
    for number in numbers:
        store.commit(event(number, str(number).encode()))
    found = [(int.from_bytes(key, "big"), value) for key, value in store.items("events")]
    assert found == [(number, str(number).encode()) for number in numbers]
    assert store.last("events") == ((2**40).to_bytes(8, "big"), str(2**40).encode())


def test_reading_starts_at_the_first_key_that_is_not_smaller(store: Store) -> None:
    for number in (10, 20, 30):
        store.commit(event(number))
    starts = {5: [10, 20, 30], 10: [10, 20, 30], 11: [20, 30], 30: [30], 31: []}
    for start, expected in starts.items():
        found = [int.from_bytes(key, "big") for key, _ in store.items("events", start.to_bytes(8, "big"))]
        assert found == expected


def test_a_long_table_is_read_to_its_end(store: Store) -> None:
    count = READ_AT_ONCE * 2
    store.commit(TurnWrite(meta=tuple((b"%06d" % n, b"%d" % n) for n in range(count))))
    assert [value for _, value in store.items("meta")] == [b"%d" % n for n in range(count)]
    assert len(list(store.items("meta", b"%06d" % 7))) == count - 7


def test_a_write_may_come_between_two_reads_of_one_table(store: Store) -> None:
    store.commit(TurnWrite(meta=tuple((b"%06d" % n, b"x") for n in range(READ_AT_ONCE + 5))))
    reading = store.items("meta")
    next(reading)
    store.commit(TurnWrite(snapshots=((b"a", b"x" * 1_000_000),)))
    assert len(list(reading)) == READ_AT_ONCE + 4


@pytest.mark.parametrize("table", TABLES)
def test_a_value_replaces_the_one_before_and_none_forgets_it(store: Store, table: str) -> None:
    for value in (b"one", b"two"):
        store.commit(TurnWrite(**{table: ((b"key", value), (b"other", b"kept"))}))
        assert store.get(table, b"key") == value
    if table in ("snapshots", "meta"):
        return  # these are never forgotten
    store.commit(TurnWrite(**{table: ((b"key", None), (b"was never there", None))}))
    assert list(store.items(table)) == [(b"other", b"kept")]


def test_a_key_may_be_forgotten_and_written_again_in_one_turn(store: Store) -> None:
    store.commit(TurnWrite(held=((b"a", b"old"),)))
    store.commit(TurnWrite(held=((b"a", None), (b"a", b"new"))))
    assert list(store.items("held")) == [(b"a", b"new")]


def test_ids_are_remembered_for_two_generations(store: Store) -> None:
    store.commit(TurnWrite(dedupe=((b"z", b"\1"), (b"a", b"\1"))))
    assert store.seen(b"a")
    assert store.seen_count() == 2
    store.commit(TurnWrite(dedupe=((b"b", b"\1"),), rotate_dedupe=True))
    assert store.seen(b"a")
    assert store.seen(b"b")
    assert store.seen_count() == 1
    store.commit(TurnWrite(dedupe=((b"c", b"\1"),), rotate_dedupe=True))
    assert not store.seen(b"a")
    assert store.seen(b"b")
    assert store.seen(b"c")


def test_everything_is_there_after_closing_and_opening_again(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.commit(event(1))
    store.commit(
        TurnWrite(
            snapshots=((b"a", b"state"),),
            outbox=((b"a\x001", b"effect"),),
            timers=((b"a\0t", b"timer"),),
            dedupe=((b"id", b"\1"),),
            held=((b"a\x0000000000", b"held"),),
            dead_letters=((b"000000000000", b"letter"),),
            meta=((b"epoch", b"7"),),
        )
    )
    store.commit(TurnWrite(dedupe=((b"id 2", b"\1"),), rotate_dedupe=True))
    store = reopen()
    assert len(list(store.items("events"))) == 1
    assert [
        len(list(store.items(name))) for name in ("snapshots", "outbox", "timers", "held", "dead_letters")
    ] == [1] * 5
    assert store.get("meta", b"epoch") == b"7"
    assert store.seen(b"id")
    assert store.seen(b"id 2")
    assert store.seen_count() == 1
    store.commit(TurnWrite(rotate_dedupe=True))
    assert not store.seen(b"id")


def test_a_write_that_cannot_be_made_leaves_nothing_behind(store: Store) -> None:
    store.commit(TurnWrite(meta=((b"before", b"1"),), dedupe=((b"before", b"\1"),)))
    too_long = b"x" * (KEY_BYTES_MAX + 1)
    with pytest.raises(JournalError):
        store.commit(
            TurnWrite(
                events=((b"\0" * 8, b"event"),),
                outbox=((b"fine", b"x"),),
                dedupe=((b"fine", b"\1"),),
                meta=((too_long, b"x"),),
                rotate_dedupe=True,
            )
        )
    assert list(store.items("events")) == list(store.items("outbox")) == []
    assert not store.seen(b"fine")
    assert store.seen(b"before")
    assert store.seen_count() == 1
    store.commit(TurnWrite(meta=((b"after", b"1"),)))
    assert store.get("meta", b"after") == b"1"


def test_the_longest_key_is_taken(store: Store) -> None:
    key = b"x" * KEY_BYTES_MAX
    store.commit(TurnWrite(outbox=((key, b"x"),)))
    assert store.get("outbox", key) == b"x"


def test_usage_grows_with_what_is_written(store: Store) -> None:
    before, limit = store.usage()
    store.commit(TurnWrite(snapshots=((b"a", b"x" * 1_000_000),)))
    after, _ = store.usage()
    assert before + 1_000_000 <= after < limit


def test_a_store_can_be_synced_at_any_time(store: Store) -> None:
    store.commit(event(1))
    store.sync()
    store.commit(event(2))
    assert len(list(store.items("events"))) == 2
