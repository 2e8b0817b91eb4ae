"""What a node does when its journal is taken, or its disk is full."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from actors.deployment.assemble import open_store
from actors.deployment.backups import BackupRefused, back_up
from actors.deployment.process import DISK_FULL, JOURNAL_IN_USE, JOURNAL_VERSION, run_node
from actors.runtime.errors import JournalError
from actors.runtime.heart import HeartLimits, launch
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import LmdbStore
from tests.process.desk import PROGRAM
from tests.process.node import Books, busy_topology, is_busy, start_observed, wait_for
from tests.process.test_kill import check


def test_a_second_node_on_one_journal_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    topology = busy_topology(tmp_path)
    first = start_observed(topology, tmp_path / "observed")
    wait_for(lambda: is_busy(first, tmp_path / "observed"))
    with pytest.raises(JournalError, match=f"in use by process {first.node_pid};"):
        open_store(topology)
    second = launch(lambda beat: run_node(topology, beat), HeartLimits())
    assert second.wait(20) == JOURNAL_IN_USE
    assert second.restarts_count == 0, "starting again would not help"
    first.stop()
    assert first.wait(20) == 0


def test_a_journal_of_another_release_is_left_alone_and_the_heart_does_not_try_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    topology = busy_topology(tmp_path)
    with contextlib.closing(LmdbStore(topology.journal_path)) as store:
        newer = (b"schema_version", b"99"), (b"release", b"9.9.9")
        store.commit(TurnWrite(meta=newer))
    heart = launch(lambda beat: run_node(topology, beat), HeartLimits())
    assert (heart.wait(20), heart.restarts_count) == (JOURNAL_VERSION, 0)
    said = capfd.readouterr().err
    assert "this journal has format 99, the code knows 2; polytrade 9.9.9 wrote it last" in said
    assert "docs/upgrade.md" in said
    assert "Traceback" not in said
    with contextlib.closing(LmdbStore(topology.journal_path, readonly=True)) as store:
        assert tuple((name, store.get("meta", name)) for name, _ in newer) == newer
    for words in (["journal", "ls"], ["audit", "verify"]):
        folder = [*words, str(topology.journal_path)]
        found = subprocess.run([*PROGRAM, *folder], capture_output=True, text=True, check=False)
        assert (found.returncode, "Traceback" in found.stderr) == (JOURNAL_VERSION, False), found.stderr
    with pytest.raises(BackupRefused, match="format 99"):
        back_up(topology.journal_path, tmp_path / "backups", 1, "s")


def test_a_node_that_hangs_is_killed_and_started_again(tmp_path: Path) -> None:
    topology = busy_topology(tmp_path)
    observations = tmp_path / "observed"
    heart = start_observed(topology, observations)
    wait_for(lambda: is_busy(heart, observations))
    os.kill(heart.node_pid, signal.SIGSTOP)  # as a loop that makes no progress looks from outside
    events: list[dict[str, object]] = []
    hung = heart.node_pid
    wait_for(lambda: events.extend(heart.poll()) or heart.node_pid not in (0, hung), timeout_s=25)
    assert any(event["event"] == "killed" and "no progress" in str(event["reason"]) for event in events)
    heart.stop()
    assert heart.wait(20) == 0


def test_the_node_stops_in_order_when_its_heart_is_killed(tmp_path: Path) -> None:
    topology = busy_topology(tmp_path)
    observations = tmp_path / "observed"
    heart = start_observed(topology, observations)
    wait_for(lambda: is_busy(heart, observations))
    os.kill(heart.pid, signal.SIGKILL)
    wait_for(lambda: not _is_running(heart.node_pid))
    books = Books(topology)
    assert any(b"NodeStopping" in bytes(event) for _, event in books.entries[-50:])


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A real file system of 6 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if (
        not mounted
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=False)


def test_a_full_disk_ends_the_node_with_a_clear_word_and_loses_nothing(
    small_disk: Path, tmp_path, capfd
) -> None:
    topology = busy_topology(small_disk)
    observations = tmp_path / "observed"
    heart = start_observed(topology, observations)
    wait_for(lambda: is_busy(heart, observations))
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(65536))
                file.flush()
        except OSError:
            pass
    code = heart.wait(30)
    assert code == DISK_FULL
    said = capfd.readouterr().err
    assert "the disk is full; free space, then start again" in said
    assert "Traceback" not in said
    refused = launch(lambda beat: run_node(topology, beat), HeartLimits())
    assert refused.wait(30) == DISK_FULL
    assert refused.restarts_count == 0, "a start that cannot go well is not tried again and again"
    assert "the disk is full (" in capfd.readouterr().err
    filler.unlink()
    size = observations.stat().st_size
    again = start_observed(topology, observations)
    wait_for(lambda: again.poll() is not None and observations.stat().st_size > size, 20)
    time.sleep(0.2)
    again.stop()
    assert again.wait(20) == 0
    check(topology, observations)
