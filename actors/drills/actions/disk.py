"""What happens to the files of a node: its journal and what lies beside it are changed, or gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actors.drills.actions.guard import stage_of_ours

__all__ = [
    "block_anchors",
    "break_chain",
    "damage_latch",
    "forget_backup",
    "free_anchors",
    "hide_tape",
    "mend_chain",
    "show_tape",
]

Given = dict[str, Any] | None
BACKUP_NOTE, LATCH = "last_backup.json", "halts.jsonl"  # in the journal's folder
ANCHORS = "anchors/drill.jsonl"  # in the stage's folder, as stages/watchful.yaml says
TAPE = "tape"  # in the journal's folder
EVENTS, SAVED = b"events", "chain.saved"  # the journal's events; what stood there before


def break_chain(configuration: Given = None) -> str:
    """Change one byte of the journal's first record, as a failing disk or a forger would."""
    stage = stage_of_ours(configuration)
    saved = Path(stage.folder) / SAVED
    with _events(stage.journal) as transaction:
        cursor = transaction.cursor()
        cursor.first()
        key, value = cursor.item()
        saved.write_bytes(value)
        spoilt = bytearray(value)
        spoilt[len(spoilt) // 2] ^= 1
        cursor.put(key, bytes(spoilt))
    return "one byte of the first record is another"


def mend_chain(configuration: Given = None) -> str:
    """Put the record back as it was, as a restore would; nothing to do when it was not changed."""
    stage = stage_of_ours(configuration)
    saved = Path(stage.folder) / SAVED
    if not saved.exists():
        return "the journal was not changed"
    with _events(stage.journal) as transaction:
        cursor = transaction.cursor()
        cursor.first()
        cursor.put(cursor.key(), saved.read_bytes())
    saved.unlink()
    return "the record is what was written"


def _events(journal: str) -> Any:
    """Return a transaction on the events of a journal that a node has open: LMDB allows it, one at a time."""
    import lmdb

    size = (Path(journal) / "data.mdb").stat().st_size
    environment = lmdb.open(journal, max_dbs=32, map_size=size * 2, create=False, sync=False)
    return environment.begin(write=True, db=environment.open_db(EVENTS, create=False), buffers=False)


def forget_backup(configuration: Given = None) -> str:
    """Have nobody know of a backup any more, as when the disk with the backups is gone."""
    stage = stage_of_ours(configuration)
    (Path(stage.journal) / BACKUP_NOTE).unlink(missing_ok=True)
    return "no backup is known"


def damage_latch(configuration: Given = None) -> str:
    """Write a line that is no order in the file of halts, as an editor or a failing disk would. It stays."""
    with (Path(stage_of_ours(configuration).journal) / LATCH).open("a", encoding="utf-8") as file:
        file.write("somebody was here\n")
    return f"{LATCH} has a line that is no order"


def block_anchors(configuration: Given = None) -> str:
    """Put a folder where the file of anchors is: nothing can be written there, whoever one is."""
    file = _anchors(configuration)
    file.rename(file.with_suffix(".aside"))
    file.mkdir()
    return f"{file} is a folder"


def free_anchors(configuration: Given = None) -> str:
    """Put the file of anchors back; nothing to do when it is there."""
    file = _anchors(configuration)
    aside = file.with_suffix(".aside")
    if aside.exists():
        file.rmdir()
        aside.rename(file)
    return f"{file} can be written"


def _anchors(configuration: Given) -> Path:
    return Path(stage_of_ours(configuration).folder) / ANCHORS


def hide_tape(configuration: Given = None) -> str:
    """Move the tape out of the journal's folder, as somebody who needs room might. The node writes on."""
    tape = Path(stage_of_ours(configuration).journal) / TAPE
    tape.rename(tape.with_suffix(".aside"))
    return "there is no tape"


def show_tape(configuration: Given = None) -> str:
    """Move the tape back; nothing to do when it is there."""
    tape = Path(stage_of_ours(configuration).journal) / TAPE
    aside = tape.with_suffix(".aside")
    if aside.exists():
        aside.rename(tape)
    return "the tape is there"
