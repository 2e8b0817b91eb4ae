"""A journal that was tampered with is found out, by its chain or by its anchors, and the place is named."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgpack
import pytest

from actors.audit.verify import Finding, verify
from actors.cli.exit_codes import ExitCode
from actors.control.journal_reader import JournalReader
from actors.runtime.anchors import Anchor, AnchorFile, Anchoring, read_anchors
from actors.runtime.errors import JournalError
from actors.runtime.journal import Journal
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.unit.cli.conftest import cli, own_run_directory  # noqa: F401  (fixtures)
from tests.unit.control.test_journal_reader import AT, change, stored, story, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Records at 1, 2, 4, 6, 7, 9, 11, 12, 14; the last event is 15."""
    write(tmp_path / "journal", *story(1, 1), *story(12, 6), *story(2, 11))
    return tmp_path / "journal"


@pytest.fixture
def anchors(folder: Path) -> list[Anchor]:
    """Anchors of the events 5, 10 and 15."""
    with JournalReader(folder) as reader:
        name = reader.identity
        chains = {sequence: reader.verify(1, sequence).chain for sequence in (5, 10, 15)}
    return [Anchor(AT + sequence, name, 1, sequence, chain) for sequence, chain in chains.items()]


def check(folder: Path, anchors: list[Anchor] | None = None, first: int = 1, last: int = 0) -> Finding:
    with JournalReader(folder) as reader:
        return verify(reader, anchors or [], first, last)


def hash_anew(folder: Path, from_sequence: int) -> None:
    """Change a record and write the chain anew from there to the end, as a forger would."""
    with JournalReader(folder) as reader:
        records = dict(reader.raw_records())
    before = [sequence for sequence in records if sequence < from_sequence]
    chain = msgpack.unpackb(records[before[-1]])[0] if before else bytes(32)
    for sequence, raw in sorted(records.items()):
        if sequence < from_sequence:
            continue
        turn = msgpack.unpackb(raw)[1]
        if sequence == from_sequence:
            turn[1] += 1  # it happened a nanosecond later
        body = msgpack.packb(turn)
        chain = hashlib.sha256(chain + body).digest()
        change(folder, sequence, msgpack.packb([chain, turn]))


def test_an_untouched_journal_agrees_with_its_anchors(folder: Path, anchors: list[Anchor]) -> None:
    found = check(folder, anchors)
    assert (found.records, found.last_sequence, found.fault) == (9, 15, None)
    assert (found.anchors_agreeing, found.anchors_foreign) == (3, 0)


def test_a_flipped_byte_is_named_with_time_and_actor(folder: Path) -> None:
    raw = stored(folder, 7)
    change(folder, 7, raw.replace(b"fast", b"fasT"))
    fault = check(folder).fault
    assert fault is not None
    assert (fault.sequence, fault.kind, fault.at_ns, fault.actor) == (7, "hash", AT + 4, "risk/main")


@pytest.mark.parametrize("sequence", [1, 2, 4, 6, 7, 9, 11, 12, 14])
def test_a_byte_flipped_anywhere_in_a_record_is_found_there(folder: Path, sequence: int) -> None:
    raw = stored(folder, sequence)
    for place in range(0, len(raw), 7):
        change(folder, sequence, raw[:place] + bytes([raw[place] ^ 0x20]) + raw[place + 1 :])
        fault = check(folder).fault
        assert fault is not None, place
        assert fault.sequence == sequence, place
        assert fault.kind in ("hash", "decoding", "order"), place


def test_a_removed_entry_is_a_gap(folder: Path) -> None:
    change(folder, 7, None)
    fault = check(folder).fault
    assert fault is not None
    assert (fault.kind, fault.reason) == ("gap", "events 7 to 8 are missing")


def test_entries_in_another_order_are_found(folder: Path) -> None:
    one, two = stored(folder, 6), stored(folder, 11)
    change(folder, 6, two)
    change(folder, 11, one)
    fault = check(folder).fault
    assert fault is not None
    assert (fault.sequence, fault.kind) == (6, "order")


def test_bytes_that_are_no_record_say_decoding(folder: Path) -> None:
    change(folder, 9, stored(folder, 9)[:-3])
    fault = check(folder).fault
    assert fault is not None
    assert (fault.sequence, fault.kind, fault.at_ns) == (9, "decoding", AT + 4)  # of the record before


def test_a_cut_end_shows_with_anchors_only(folder: Path, anchors: list[Anchor]) -> None:
    for sequence in (12, 14):
        change(folder, sequence, None)
    assert check(folder).fault is None
    fault = check(folder, anchors).fault
    assert fault is not None
    assert (fault.sequence, fault.kind) == (12, "tail")
    assert "events 12 to 15 are missing" in fault.reason


def test_a_chain_hashed_anew_from_the_middle_shows_with_anchors_only(
    folder: Path, anchors: list[Anchor]
) -> None:
    hash_anew(folder, 7)
    assert check(folder).fault is None
    found = check(folder, anchors)
    assert found.fault is not None
    assert (found.fault.sequence, found.fault.kind) == (
        6,
        "anchor",
    )  # 5 is the last that an anchor vouches for
    assert "events 6 to 10 are not those that were anchored" in found.fault.reason
    assert (found.anchors_agreeing, found.last_sequence) == (1, 5)


def test_records_cut_differently_do_not_slip_between_anchors(folder: Path, anchors: list[Anchor]) -> None:
    """Two records made into one have no end where the anchor is."""
    with JournalReader(folder) as reader:
        records = dict(reader.raw_records())
    one, two = msgpack.unpackb(records[9])[1], msgpack.unpackb(records[11])[1]
    one[3] += two[3]
    chain = msgpack.unpackb(records[7])[0]
    body = msgpack.packb(one)
    change(folder, 9, msgpack.packb([hashlib.sha256(chain + body).digest(), one]))
    for sequence in (11, 12, 14):
        change(folder, sequence, None)
    assert check(folder).fault is None
    fault = check(folder, anchors[:2]).fault
    assert fault is not None
    assert fault.kind == "anchor"


def test_another_journal_in_its_place_is_found(folder: Path, anchors: list[Anchor]) -> None:
    strangers = [Anchor(a.at_ns, "elsewhere", 1, a.sequence, a.chain) for a in anchors]
    fault = check(folder, strangers).fault
    assert fault is not None
    assert (fault.sequence, fault.kind) == (1, "anchor")
    assert check(folder, [*strangers, *anchors]).fault is None  # begun anew: the old anchors stay in the file


def test_a_part_is_checked_from_a_record_that_is_believed(folder: Path, anchors: list[Anchor]) -> None:
    change(folder, 2, stored(folder, 2).replace(b"fast", b"fasT"))
    assert check(folder).fault is not None
    found = check(folder, anchors, first=7)
    assert (found.fault, found.records, found.last_sequence) == (None, 5, 15)
    assert check(folder, anchors, first=1, last=1).fault is None
    fault = check(folder, first=2).fault
    assert fault is not None
    assert fault.sequence == 2


def test_a_sequence_is_found_by_its_time(folder: Path) -> None:
    with JournalReader(folder) as reader:
        found = [reader.sequence_at(AT + offset) for offset in (-1, 0, 1, 2, 3, 8, 99)]
    assert found == [0, 1, 3, 5, 6, 15, 15]


# -- the file of anchors -----------------------------------------------------------------------------------


def test_anchors_are_appended_behind_half_a_line(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "elsewhere" / "anchors.jsonl")
    file.append(Anchor(1, "j", 1, 5, "ab"))
    with file.path.open("ab") as torn:
        torn.write(b'{"at_ns":2,"jour')
    assert [anchor.sequence for anchor in read_anchors(file.path)] == [5]
    file.append(Anchor(3, "j", 1, 9, "cd"))
    with pytest.raises(JournalError, match="line 2: this is no anchor"):
        read_anchors(file.path)


def test_the_head_is_anchored_when_it_has_moved(tmp_path: Path) -> None:
    told: list[object] = []
    store = LmdbStore(tmp_path / "journal", Durability.PROCESS)
    journal = Journal(store)
    journal.open_epoch({}, AT)
    anchoring = Anchoring(store, tmp_path / "a.jsonl", told.append)
    anchoring.take(journal, AT)  # an empty journal has no head
    for turn in story(1, 1):
        store.commit(TurnWrite(events=(journal.record(AT, turn),)))
        journal.written()
        anchoring.take(journal, AT)
        anchoring.take(journal, AT + 1)
    anchoring.close()
    store.close()
    found = read_anchors(tmp_path / "a.jsonl")
    assert [anchor.sequence for anchor in found] == [1, 3, 5]
    assert check(tmp_path / "journal", found).anchors_agreeing == 3
    assert not told


def test_a_file_that_takes_no_anchor_raises_an_alert_and_is_tried_again(tmp_path: Path) -> None:
    told: list[str] = []
    store = LmdbStore(tmp_path / "journal", Durability.PROCESS)
    journal = Journal(store)
    journal.open_epoch({}, AT)
    blocked = tmp_path / "file"
    blocked.write_text("")
    anchoring = Anchoring(store, blocked / "a.jsonl", lambda fact: told.append(type(fact).__name__))
    for number, turn in enumerate(story(1, 1)):
        store.commit(TurnWrite(events=(journal.record(AT, turn),)))
        journal.written()
        anchoring.take(journal, AT)
        while len(told) < 1:
            os.sched_yield()
        if number == 1:
            blocked.unlink()
    anchoring.close()
    store.close()
    assert told == ["AlertRaised", "AlertResolved"]


# -- the command -------------------------------------------------------------------------------------------


def test_the_command_names_the_first_bad_entry(cli, folder: Path) -> None:  # noqa: F811
    change(folder, 7, stored(folder, 7).replace(b"fast", b"fasT"))
    shown = cli("audit", "verify", str(folder))
    assert shown.exit_code == ExitCode.JOURNAL_DAMAGED
    assert "from event 7 on (risk/main, 2025-10-09 08:53:20.000Z): the record is not the one" in shown.stderr
    fault = json.loads(cli("audit", "verify", str(folder), "--json").stdout)["fault"]
    assert (fault["sequence"], fault["kind"], fault["actor"]) == (7, "hash", "risk/main")


def test_the_command_holds_a_copy_against_the_anchors(
    cli,  # noqa: F811
    folder: Path,
    anchors: list[Anchor],
    tmp_path: Path,
) -> None:
    file = AnchorFile(tmp_path / "anchors.jsonl")
    for anchor in anchors:
        file.append(anchor)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(folder / "data.mdb", copy)
    shown = cli("audit", "verify", str(copy), "--anchors", str(file.path))
    assert (shown.exit_code, shown.stdout) == (0, "intact: 15 events in 9 records\n")
    assert "3 anchors agree" in shown.stderr
    hash_anew(copy, 2)
    shown = cli("audit", "verify", str(copy), "--anchors", str(file.path))
    assert shown.exit_code == ExitCode.JOURNAL_DAMAGED
    assert cli("audit", "verify", str(copy), "--anchors", str(tmp_path / "none")).exit_code != 0


def test_a_damaged_page_is_no_traceback(cli, folder: Path) -> None:  # noqa: F811
    """What LMDB itself cannot read is said in words, with the file's name."""
    with (folder / "data.mdb").open("r+b") as file:
        file.write(b"\xff" * 64)
    shown = cli("audit", "verify", str(folder))
    assert shown.exit_code != 0
    assert "the journal cannot be read" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_the_journal_of_a_running_writer_is_checked_from_outside(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "journal", Durability.PROCESS)
    journal = Journal(store)
    journal.open_epoch({}, AT)
    words = [sys.executable, "-m", "actors.cli.main", "audit", "verify", str(tmp_path / "journal"), "--json"]
    reader, number = None, 0
    while reader is None or reader.poll() is None:
        for turn in story(number, journal.sequence + 1):
            store.commit(TurnWrite(events=(journal.record(AT + number, turn),)))
            journal.written()
        number += 1
        if number == 100:
            reader = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert reader.stdout is not None
    found = json.loads(reader.stdout.read())
    store.close()
    assert (reader.returncode, found["intact"]) == (0, True)
    assert 500 <= found["last_sequence"] <= number * 5
