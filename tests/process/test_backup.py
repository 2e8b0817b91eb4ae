"""A journal is copied while its node trades; what is restored from the copy is a journal of its own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from actors.deployment.backups import BackupRefused, back_up, check_backup, restore
from actors.direct.latch import latch_path, read_latches
from actors.runtime.journal import Journal, verify_chain
from actors.runtime.store_lmdb import LmdbStore
from tests.process.desk import Desk
from tests.process.node import wait_for


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A node that trades, backed up while it does; then stopped. (desk, backup, manifest, journal)"""
    folder = tmp_path_factory.mktemp("backup")
    desk = Desk(folder)
    try:
        desk.up()
        wait_for(lambda: desk.status()["totals"]["fills"] >= 1, 30)
        code, text = desk.run("backup", str(desk.file), "--into", str(folder / "backups"), "--json")
        assert code == 0, text
        found = json.loads(text)
        assert desk.run("halt", str(desk.file), "--symbol", "BTC_USDT_PERP", "--reason", "after it")[0] == 0
    finally:
        desk.close()
    return desk, Path(found["path"]), found["manifest"], folder / "var" / "paper"


def journal_of(folder: Path) -> tuple[Journal, bytes | None]:
    store = LmdbStore(folder, readonly=True)
    try:
        records, fault = verify_chain(store)
        assert fault is None
        assert records
        return Journal(store), store.get("meta", b"deployment")
    finally:
        store.close()


def test_the_copy_of_a_running_node_is_whole_and_older_than_what_followed(made: Any) -> None:
    desk, backup, manifest, journal = made
    assert check_backup(backup).sequence == manifest["sequence"]
    now, _ = journal_of(journal)
    assert now.sequence > manifest["sequence"] > 0
    assert json.loads((journal / "last_backup.json").read_text())["path"] == str(backup)
    assert backup.stat().st_mode & 0o077 == 0
    assert desk.run("restore", str(backup), "--check")[0] == 0


def test_what_is_restored_has_a_name_of_its_own_and_begins_halted(made: Any, tmp_path: Path) -> None:
    _, backup, manifest, journal = made
    target = tmp_path / "again"
    restore(backup, target, manifest["at_ns"] + 10**12, "ann", "the disk died")
    again, deployment = journal_of(target)
    before, _ = journal_of(journal)
    assert deployment == b"paper"
    assert again.sequence == manifest["sequence"] + 1
    assert again.identity != before.identity == manifest["journal"]
    (line,) = read_latches(latch_path(target))
    assert line.line is not None
    assert (line.line.scope, line.line.level, line.line.actor) == ("all", "no_new_risk", "ann")
    assert (target / "generations" / "000001.json").is_file()


def test_a_restored_deployment_starts_halted_and_goes_on_with_its_books(made: Any) -> None:
    desk, backup, manifest, journal = made
    code, text = desk.run("restore", str(backup), str(desk.file))
    assert (code, "is not empty" in text, "--aside" in text) == (5, True, True)
    code, text = desk.run("restore", str(backup), str(desk.file), "--aside", "--reason", "drill")
    assert code == 0, text
    (aside,) = journal.parent.glob("paper.before-*")
    assert (aside / "data.mdb").is_file()
    try:
        desk.up()
        status = desk.status()
        assert [halt["scope"] for halt in status["halts"]] == ["all"]
        assert "restored from a backup" in status["halts"][0]["reason"]
        assert status["journal"]["sequence"] > manifest["sequence"]
        assert status["totals"]["ledger_agrees"] is not None
    finally:
        desk.close()


def test_only_so_many_are_kept(made: Any, tmp_path: Path) -> None:
    desk, backup, *_ = made
    for day in ("01", "02", "03"):
        shutil.copytree(backup, tmp_path / f"paper-202501{day}T000000Z")
    code, text = desk.run("backup", str(desk.file), "--into", str(tmp_path), "--keep", "2", "--json")
    assert code == 0, text
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert (len(kept), kept[0]) == (2, "paper-20250103T000000Z")


@pytest.mark.parametrize("damage", ["flip", "cut", "lose", "add", "manifest"])
def test_a_damaged_backup_is_refused_and_nothing_is_left(made: Any, tmp_path: Path, damage: str) -> None:
    _, backup, *_ = made
    copy, target = tmp_path / "copy", tmp_path / "target"
    shutil.copytree(backup, copy)
    data = copy / "data.mdb"
    if damage == "flip":
        raw = bytearray(data.read_bytes())
        raw[len(raw) // 2] ^= 1
        data.write_bytes(raw)
    elif damage == "cut":
        os.truncate(data, data.stat().st_size // 2)
    elif damage == "lose":
        (copy / "generations" / "000001.json").unlink()
    elif damage == "add":
        (copy / "generations" / "000099.json").write_text("{}")
    else:
        (copy / "manifest.json").write_text("{")
    with pytest.raises(BackupRefused):
        restore(copy, target, 1, "ann", "r")
    assert not target.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]


def test_a_broken_chain_is_no_backup_and_is_kept_as_evidence(made: Any, tmp_path: Path) -> None:
    _, backup, *_ = made
    journal = tmp_path / "journal"
    journal.mkdir()
    shutil.copy2(backup / "data.mdb", journal)
    store = LmdbStore(journal)
    ((key, raw),) = list(store.items("events"))[:1]
    with store._environment.begin(write=True, db=store._tables["events"]) as transaction:
        transaction.put(key, raw[:-1] + bytes([raw[-1] ^ 1]))
    store.close()
    with pytest.raises(BackupRefused, match="chain of hashes is broken"):
        back_up(journal, tmp_path / "into", 1, "s")
    path, _ = back_up(journal, tmp_path / "into", 1, "s", as_evidence=True)
    copy = LmdbStore(path, readonly=True)
    fault = verify_chain(copy)[1]
    copy.close()
    assert fault is not None


def test_there_must_be_a_journal_and_room_for_its_copy(tmp_path: Path, made: Any) -> None:
    with pytest.raises(BackupRefused, match="there is no journal"):
        back_up(tmp_path / "none", tmp_path / "into", 1, "s")
    journal = made[3]
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(BackupRefused):
        back_up(journal, blocked / "into", 1, "s")
