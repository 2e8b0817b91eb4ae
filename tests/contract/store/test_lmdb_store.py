"""What only a real file can show: limits, growth, locks, readers beside the writer, a full disk."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import msgpack
import pytest

from actors.runtime import store_lmdb
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import JournalError, JournalFull, JournalInUse
from actors.runtime.journal import Journal, read_turns, verify_chain
from actors.runtime.node import Node
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.supervision import SupervisorSpec
from tests.unit.runtime.toys import Said, Sourced, spec

ROOT = Path(__file__).resolve().parents[3]
MIB = 1 << 20


def blob(number: int, size: int = 100_000) -> TurnWrite:
    return TurnWrite(events=((number.to_bytes(8, "big"), bytes([number % 256]) * size),))


def until_full(act: Callable[[int], object], says: str) -> int:
    """Do something with growing numbers from 1 until the journal is full; return the last that worked."""
    for number in range(1, 10_000):
        try:
            act(number)
        except JournalFull as error:
            if says not in str(error):
                raise
            return number - 1
    raise AssertionError("it never was full")


def node_on(store: LmdbStore) -> Node:
    node = Node([spec("a", Sourced)], (SupervisorSpec("root"),), store, VirtualClock(10**18))
    node.start()
    while node.turn():
        pass
    return node


def say(node: Node, *texts: str) -> None:
    for text in texts:
        node.tell("a", Said(text))
        while node.turn():
            pass


# -- limits and growth -----------------------------------------------------------------------------------


def test_the_map_grows_while_it_fills_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_lmdb, "MAP_BYTES_START", MIB)
    store = LmdbStore(tmp_path, Durability.PROCESS)
    for number in range(1, 201):
        store.commit(blob(number))
    assert store.usage()[0] > 19 * MIB
    assert [int.from_bytes(key, "big") for key, _ in store.items("events")] == list(range(1, 201))
    store.close()
    store = LmdbStore(tmp_path)
    store.commit(blob(201))
    assert len(list(store.items("events"))) == 201
    store.close()


def test_one_turn_may_be_larger_than_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_lmdb, "MAP_BYTES_START", MIB)
    store = LmdbStore(tmp_path)
    store.commit(blob(1, 30 * MIB))
    assert len(next(store.items("events"))[1]) == 30 * MIB
    store.close()


def test_the_map_grows_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_lmdb, "MAP_BYTES_START", 4 * MIB)
    monkeypatch.setattr(store_lmdb, "CHECK_EVERY_COMMITS", 2)
    refused: list[bool] = []
    store = LmdbStore(tmp_path)
    grow = store._grow

    def counting() -> bool:
        refused.append(store.usage()[0] > store._map_bytes * 0.99)
        return grow()

    monkeypatch.setattr(store, "_grow", counting)
    for number in range(1, 101):
        store.commit(blob(number))
    assert refused
    assert not any(refused)
    store.close()


def test_a_journal_at_its_limit_refuses_the_turn_names_the_remedy_and_keeps_what_it_has(
    tmp_path: Path,
) -> None:
    store = LmdbStore(tmp_path, size_bytes_max=2 * MIB)
    written = until_full(
        lambda number: store.commit(blob(number)), "limit of 2097152 bytes; raise `journal: {size"
    )
    assert 15 <= written <= 20
    assert [int.from_bytes(key, "big") for key, _ in store.items("events")] == list(range(1, written + 1))
    store.close()
    larger = LmdbStore(tmp_path, size_bytes_max=4 * MIB)
    larger.commit(blob(written + 1))
    larger.close()


def test_a_limit_below_the_next_doubling_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_lmdb, "MAP_BYTES_START", MIB)
    store = LmdbStore(tmp_path, size_bytes_max=3 * MIB)
    for number in range(1, 20):
        store.commit(blob(number))
    store.close()
    again = LmdbStore(tmp_path, size_bytes_max=3 * MIB)
    until_full(lambda number: again.commit(blob(100 + number)), "limit of 3145728 bytes")
    assert again.usage()[0] <= 3 * MIB
    again.close()


def test_space_that_was_freed_is_used_again(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, Durability.PROCESS, size_bytes_max=4 * MIB)
    for number in range(200):
        store.commit(TurnWrite(outbox=((b"%d" % number, b"x" * 500_000),)))
        store.commit(TurnWrite(outbox=((b"%d" % number, None),)))
    assert list(store.items("outbox")) == []
    store.close()


# -- who may open it -------------------------------------------------------------------------------------


def in_another_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_second_writer_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path)
    with pytest.raises(JournalInUse, match=f"in use by process {os.getpid()}; stop that node first"):
        LmdbStore(tmp_path)
    code = """
import sys
from actors.runtime.errors import JournalError
from actors.runtime.store_lmdb import LmdbStore
try:
    LmdbStore(sys.argv[1])
except JournalError as error:
    print(error)
"""
    assert f"in use by process {os.getpid()}" in in_another_process(code, tmp_path).stdout
    store.commit(blob(1))
    store.close()
    LmdbStore(tmp_path).close()


def test_a_writer_that_died_leaves_no_lock(tmp_path: Path) -> None:
    code = """
import os, sys
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import LmdbStore
store = LmdbStore(sys.argv[1])
store.commit(TurnWrite(meta=((b"from", b"the dead"),)))
os.kill(os.getpid(), 9)
"""
    assert in_another_process(code, tmp_path).returncode == -9
    store = LmdbStore(tmp_path)
    assert store.get("meta", b"from") == b"the dead"
    store.close()


def test_a_journal_can_be_read_by_another_process_while_it_is_written(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path)
    node = node_on(store)
    say(node, "one", "two")
    code = """
import sys
from actors.runtime.journal import read_turns, verify_chain
from actors.runtime.store_lmdb import LmdbStore
store = LmdbStore(sys.argv[1], readonly=True)
print(sum(len(record.entries) for record in read_turns(store)), verify_chain(store)[1])
"""
    assert in_another_process(code, tmp_path).stdout.split() == ["3", "None"]
    say(node, "three")
    assert in_another_process(code, tmp_path).stdout.split() == ["4", "None"]
    node.stop("done")


def test_a_reader_follows_a_map_that_the_writer_makes_larger(tmp_path: Path) -> None:
    code = """
import sys
from actors.runtime import store_lmdb
from actors.runtime.store import TurnWrite
store_lmdb.MAP_BYTES_START = 1 << 20
store = store_lmdb.LmdbStore(sys.argv[1])
store.commit(TurnWrite(meta=((b"a", b"1"),)))
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    store.commit(TurnWrite(events=((number.to_bytes(8, "big"), b"x" * 100_000),)))
print("done", flush=True)
sys.stdin.readline()
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store_lmdb, "MAP_BYTES_START", MIB)
            reader = LmdbStore(tmp_path, readonly=True)
        assert reader.get("meta", b"a") == b"1"
        writer.stdin.write("go\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "done\n"
        assert len(list(reader.items("events"))) == 100
        assert reader.last("events") is not None
        reader.close()
        writer.stdin.write("end\n")


def test_a_read_that_was_begun_and_left_does_not_stand_in_the_way_of_growth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_lmdb, "MAP_BYTES_START", MIB)
    store = LmdbStore(tmp_path, Durability.PROCESS)
    for number in range(1, 4):
        store.commit(blob(number))
    left = store.items("events")
    next(left)
    for number in range(4, 100):
        store.commit(blob(number))
    assert len(list(left)) == 2
    store.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    LmdbStore(tmp_path).close()
    reader = LmdbStore(tmp_path, readonly=True)
    with pytest.raises(JournalError):
        reader.commit(blob(1))
    reader.close()


def test_a_journal_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        LmdbStore(tmp_path / "nowhere", readonly=True)
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalError, match="cannot be made"):
        LmdbStore(tmp_path / "file" / "journal")


def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    content = b"not a journal" * 1_000
    (tmp_path / "data.mdb").write_bytes(content)
    with pytest.raises(JournalError, match="cannot be opened"):
        LmdbStore(tmp_path)
    assert (tmp_path / "data.mdb").read_bytes() == content
    (tmp_path / "data.mdb").unlink()
    LmdbStore(tmp_path).close()  # and the lock is free again


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "journal")
    store.close()
    for path in (tmp_path / "journal", *(tmp_path / "journal").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_closed_store_can_be_closed_and_synced_again(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path)
    store.close()
    store.sync()
    store.close()


# -- reading without us ----------------------------------------------------------------------------------


def test_a_journal_can_be_read_by_msgpack_and_lmdb_alone(tmp_path: Path) -> None:
    node = node_on(LmdbStore(tmp_path))
    say(node, "one", "two")
    node.stop("done")
    with lmdb.open(str(tmp_path), readonly=True, max_dbs=16) as environment:
        events = environment.open_db(b"events", create=False)
        with environment.begin(db=events) as transaction:
            records = [msgpack.unpackb(value) for _, value in transaction.cursor()]
    found = [event for _, (_, _, _, entries) in records for _, _, _, event in entries]
    assert [event[0] for event in found] == ["NodeStarted", "Noted", "Noted", "NodeStopping"]
    assert [event[1] for event in found[1:3]] == ["one", "two"]


# -- a full disk -----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 8 MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system takes root")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("durability", Durability)
def test_a_full_disk_is_said_and_what_was_committed_is_still_there(
    small_disk: Path, durability: Durability
) -> None:
    store = LmdbStore(small_disk / "journal", durability)
    node = node_on(store)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (5 * MIB))
    said = until_full(lambda number: say(node, "x" * 10_000 + str(number)), "the disk is full; free space")
    assert 50 < said < 400
    node.abandon()
    store.close()
    filler.unlink()
    store = LmdbStore(small_disk / "journal", durability)
    assert verify_chain(store)[1] is None
    node = node_on(store)
    texts: list[str] = node.cell("a").behaviour.state.texts
    assert [text.lstrip("x") for text in texts] == [str(number) for number in range(1, said + 1)]
    say(node, "after")
    assert sum(len(record.entries) for record in read_turns(store)) == said + 3
    node.stop("done")


def test_a_node_at_the_limit_of_its_journal_ends_and_starts_again_with_a_larger_one(tmp_path: Path) -> None:
    node = node_on(LmdbStore(tmp_path, Durability.PROCESS, size_bytes_max=MIB))
    said = until_full(lambda number: say(node, "x" * 10_000), "at its limit")
    with pytest.raises(JournalError, match="did not come to its end"):
        node.turn()
    node.abandon()
    node.journal.store.close()
    node = node_on(LmdbStore(tmp_path, Durability.PROCESS, size_bytes_max=8 * MIB))
    assert len(node.cell("a").behaviour.state.texts) == said
    assert Journal(node.journal.store).sequence == node.journal.sequence
    node.stop("done")


def test_ids_seen_before_they_had_numbers_are_known_still(tmp_path: Path) -> None:
    LmdbStore(tmp_path).close()
    with lmdb.open(str(tmp_path), max_dbs=16) as environment:
        old = environment.open_db(b"dedupe_0")
        with environment.begin(write=True) as transaction:
            transaction.put(b"ledger/main\0BTC/1", b"\x01", db=old)
    for number in (2, 3):
        store = LmdbStore(tmp_path)
        store.commit(TurnWrite(dedupe=((b"ledger/main\0BTC/%d" % number, b"\x01"),)))
        store.close()
    store = LmdbStore(tmp_path)
    assert [store.seen(b"ledger/main\0BTC/%d" % number) for number in range(1, 5)] == [
        True,
        True,
        True,
        False,
    ]
    assert store.seen_count() == 3
    store.close()
