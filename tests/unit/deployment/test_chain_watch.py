"""The chain is proven beside the node, from its end and as a whole, and what is wrong has a place."""

from __future__ import annotations

import time
from pathlib import Path

import lmdb
import pytest

from actors.deployment import chain_watch
from actors.deployment.chain_watch import ChainWatch, fault_of
from actors.runtime.anchors import Anchor, AnchorFile
from actors.runtime.journal import Journal
from actors.runtime.messages import AlertResolved
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import Durability, LmdbStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of twenty records."""
    store = LmdbStore(tmp_path / "journal", Durability.PROCESS)
    journal = Journal(store)
    journal.open_epoch({}, 1_760_000_000_000_000_000)
    for number in range(20):
        event = AlertResolved("X", str(number), "node", number)
        store.commit(TurnWrite(events=(journal.record(number, [("node", 0, 1, event)]),)))
        journal.written()
    store.close()
    return tmp_path / "journal"


def spoil(folder: Path, sequence: int) -> None:
    """Change one byte of one record, as a failing disk or a hand does."""
    environment = lmdb.open(str(folder), max_dbs=16)
    with environment.begin(write=True, db=environment.open_db(b"events")) as transaction:
        key = sequence.to_bytes(8, "big")
        raw = bytearray(transaction.get(key))
        raw[-1] ^= 1
        transaction.put(key, bytes(raw))
    environment.close()


def test_a_whole_journal_has_no_fault(folder: Path) -> None:
    assert fault_of(folder, None, 1) == ""


def test_a_changed_record_is_named_from_the_start_and_not_from_behind_it(folder: Path) -> None:
    spoil(folder, 7)
    assert fault_of(folder, None, 1).startswith("the journal cannot be believed from event 7 on: ")
    assert fault_of(folder, None, 15) == ""


def test_an_anchor_that_is_not_of_this_chain_is_a_fault(folder: Path, tmp_path: Path) -> None:
    store = LmdbStore(folder, readonly=True)
    identity = Journal(store).identity
    store.close()
    anchors = tmp_path / "anchors.jsonl"
    AnchorFile(anchors).append(Anchor(1, identity, 1, 5, "00" * 32))
    assert "from event 1 on" in fault_of(folder, anchors, 1)


def test_the_watch_tells_of_a_broken_end_soon_and_of_all_of_it_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_watch, "START_S", 0.0)
    monkeypatch.setattr(chain_watch, "SETTLE_S", 0.1)
    spoil(folder, 19)
    told: list[str] = []
    watch = ChainWatch(folder, None, 20, 60.0, told.append)
    until = time.monotonic() + 20.0
    while len(told) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    watch.stop()
    assert len(told) == 2
    assert all("event 19" in text for text in told)


def test_a_journal_that_cannot_be_read_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chain_watch, "START_S", 30.0)
    watch = ChainWatch(tmp_path / "none", None, 20, 60.0, lambda text: None)
    assert watch._prove(1) is None
    assert "was not proven" in capfd.readouterr().err
    began = time.monotonic()
    watch.stop()
    assert time.monotonic() - began < 2.0, "it does not wait for its time"
