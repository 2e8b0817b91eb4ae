"""The search for planted secrets finds one wherever it is put: it can fail."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import LmdbStore
from tests.process.planted import leaks, of_files, of_processes

PLANTED = "planted/value+4711"


def into_a_file(folder: Path) -> None:
    (folder / "node.jsonl").write_text(f'{{"text": "{PLANTED}"}}')


def into_a_journal(folder: Path) -> None:
    store = LmdbStore(folder / "journal")
    store.commit(TurnWrite(events=((b"\0" * 8, b"x" * 5_000 + PLANTED.encode()),)))
    store.close()


def into_a_packed_file(folder: Path) -> None:
    (folder / "segment.gz").write_bytes(gzip.compress(PLANTED.encode()))


def into_a_bundle(folder: Path) -> None:
    inner = folder / "inner"
    inner.write_bytes(gzip.compress(PLANTED.encode()))
    with tarfile.open(folder / "incident.tar.gz", "w:gz") as archive:
        archive.add(inner, arcname="log/old.gz")
    inner.unlink()


def as_base64(folder: Path) -> None:
    (folder / "headers").write_text("Basic " + base64.b64encode(PLANTED.encode()).decode())


def in_a_url(folder: Path) -> None:
    (folder / "urls").write_text("https://x/?token=planted%2Fvalue%2B4711")


def in_hex(folder: Path) -> None:
    (folder / "dump").write_text(PLANTED.encode().hex())


@pytest.mark.parametrize(
    "plant",
    [into_a_file, into_a_journal, into_a_packed_file, into_a_bundle, as_base64, in_a_url, in_hex],
)
def test_what_is_planted_in_a_file_is_found(plant, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert leaks([PLANTED], of_files(tmp_path)) == []
    plant(tmp_path)
    assert {secret for _, secret in leaks([PLANTED, "other"], of_files(tmp_path))} == {PLANTED}


@pytest.mark.parametrize("where", ["argument", "environment", "child"])
def test_what_is_planted_in_a_process_is_found(where: str) -> None:
    sleep = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]
    code = f"import subprocess; subprocess.run({[*sleep, PLANTED]!r})"
    words = {
        "argument": [*sleep, PLANTED],
        "environment": sleep,
        "child": [sys.executable, "-c", "exec(input())"],
    }
    environment = os.environ | ({"X": PLANTED} if where == "environment" else {})
    with subprocess.Popen(
        words[where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if where == "child":
            process.stdin.write(code + "\n")
            process.stdin.flush()
        assert process.stdout.readline() == "up\n"
        found = leaks([PLANTED], of_processes(process.pid))
        process.stdin.close()
    assert len(found) == 1, found
