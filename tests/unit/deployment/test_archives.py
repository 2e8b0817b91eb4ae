"""Old events leave a journal for a file and come back: nothing is lost, chain and states hold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.audit.trades import trade_journal
from actors.control.journal_reader import JournalReader
from actors.deployment.archives import ArchiveRefused, archive_events, read_archive, unarchive_events
from actors.deployment.backups import back_up, restore
from actors.runtime.errors import EventsArchived, JournalInUse
from actors.runtime.journal import Journal, verify_chain
from actors.runtime.store import Store
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import Said, notes, play, spec

LIMITS = LoopLimits(snapshot_events=10)
FOR_EVER, SECOND = 1 << 62, 1_000_000_000


@contextlib.contextmanager
def opened(folder: Path, readonly: bool = False) -> Iterator[LmdbStore]:
    with contextlib.closing(LmdbStore(folder, Durability.PROCESS, readonly=readonly)) as store:
        yield store


def live(folder: Path, count: int, *, in_order: bool = True) -> Any:
    """Run an actor that notes what it hears; return its state. Killed, its snapshots lag behind."""
    with opened(folder) as store:
        simulation = play(spec("a"), store=store, limits=LIMITS)
        for number in range(count):
            simulation.tell("a", Said(f"{number}"))
            simulation.run_for(SECOND)
        found = list(notes(simulation, "a"))
        if in_order:
            simulation.stop()
        return found


def events(folder: Path) -> list[tuple[bytes, bytes]]:
    with opened(folder, readonly=True) as store:
        return list(store.items("events"))


def whole(store: Store) -> int:
    records, fault = verify_chain(store)
    assert fault is None
    return records


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    live(tmp_path / "journal", 200)
    return tmp_path / "journal"


def test_what_is_archived_is_gone_from_the_journal_and_whole_in_the_file(
    journal: Path, tmp_path: Path
) -> None:
    before = events(journal)
    path, head = archive_events(journal, FOR_EVER, tmp_path / "archives")
    _, rows = read_archive(path)
    after = events(journal)
    assert rows + after == before
    assert 0 < len(after) < len(before) // 2
    assert path.stat().st_mode & 0o077 == 0
    assert path.stat().st_size < sum(len(raw) for _, raw in rows)
    with opened(journal, readonly=True) as store:
        assert whole(store) == len(after)
        assert Journal(store).begins == (head.next_sequence, head.chain)


def test_a_start_goes_on_from_what_is_left_as_from_the_whole(journal: Path, tmp_path: Path) -> None:
    archive_events(journal, FOR_EVER, tmp_path / "archives")
    assert len(live(journal, 5)) == 205
    with opened(journal, readonly=True) as store:
        whole(store)


def test_what_comes_back_is_what_left_to_the_byte(journal: Path, tmp_path: Path) -> None:
    before = events(journal)
    first, _ = archive_events(journal, FOR_EVER, tmp_path / "archives")
    live(journal, 100)
    second, _ = archive_events(journal, FOR_EVER, tmp_path / "archives")
    with pytest.raises(ArchiveRefused, match="this journal begins at event"):
        unarchive_events(journal, first)
    unarchive_events(journal, second)
    unarchive_events(journal, first)
    assert events(journal)[: len(before)] == before
    with opened(journal, readonly=True) as store:
        assert whole(store) == len(list(store.items("events")))
        assert Journal(store).begins[0] == 1
    assert len(live(journal, 1)) == 301


def test_only_what_is_old_enough_and_covered_by_snapshots_goes(journal: Path, tmp_path: Path) -> None:
    with opened(journal, readonly=True) as store:
        turns = list(Journal(store).turns())
        floor = Journal(store).snapshot_floor
    middle = turns[len(turns) // 2].at_ns
    _, head = archive_events(journal, middle, tmp_path / "archives")
    assert head.last_at_ns < middle
    assert head.next_sequence - 1 <= floor
    with pytest.raises(ArchiveRefused, match="no event is older"):
        archive_events(journal, 1, tmp_path / "archives")


def test_what_snapshots_lag_behind_stays_and_is_folded_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    before = live(folder, 207, in_order=False)
    with opened(folder, readonly=True) as store:
        floor, end = Journal(store).snapshot_floor, Journal(store).sequence
    assert floor < end
    _, head = archive_events(folder, FOR_EVER, tmp_path / "archives")
    assert head.next_sequence <= floor + 1
    assert live(folder, 0) == before


def test_who_needs_what_was_archived_is_told_so_and_never_gets_a_part(journal: Path, tmp_path: Path) -> None:
    path, head = archive_events(journal, FOR_EVER, tmp_path / "archives")
    with (
        opened(journal, readonly=True) as store,
        pytest.raises(EventsArchived, match="not in this journal any more"),
    ):
        Journal(store).turns(1)
    with JournalReader(journal) as reader:
        assert reader.begins_at == head.next_sequence
        with pytest.raises(EventsArchived, match="trades need all events"):
            trade_journal(reader, {})
    unarchive_events(journal, path)
    with JournalReader(journal) as reader:
        assert trade_journal(reader, {}).ended == []


def test_a_damaged_archive_is_never_put_back(journal: Path, tmp_path: Path) -> None:
    import gzip

    path, _ = archive_events(journal, FOR_EVER, tmp_path / "archives")
    left = events(journal)
    plain = bytearray(gzip.decompress(path.read_bytes()))
    plain[len(plain) // 2] ^= 1
    path.write_bytes(gzip.compress(bytes(plain)))
    with pytest.raises(ArchiveRefused, match=r"damaged|does not hold"):
        unarchive_events(journal, path)
    path.write_bytes(b"nothing")
    with pytest.raises(ArchiveRefused, match="is no archive"):
        unarchive_events(journal, path)
    assert events(journal) == left


def test_another_journals_archive_and_a_running_node_are_refused(journal: Path, tmp_path: Path) -> None:
    path, _ = archive_events(journal, FOR_EVER, tmp_path / "archives")
    live(tmp_path / "other", 50)
    with opened(tmp_path / "other") as store:
        from actors.runtime.store import TurnWrite

        store.commit(TurnWrite(meta=((b"identity", b"bbbbbbbbb"),)))
    with pytest.raises(ArchiveRefused, match="is of journal"):
        unarchive_events(tmp_path / "other", path)
    with opened(journal), pytest.raises(JournalInUse):
        archive_events(journal, FOR_EVER, tmp_path / "archives")


def test_what_is_left_can_be_backed_up_and_restored(journal: Path, tmp_path: Path) -> None:
    archive_events(journal, FOR_EVER, tmp_path / "archives")
    backup, _ = back_up(journal, tmp_path / "backups", 1, "s")
    restore(backup, tmp_path / "again", FOR_EVER // 2, "ann", "drill")
    with opened(tmp_path / "again", readonly=True) as store:
        whole(store)
