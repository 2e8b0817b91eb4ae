"""`kill -9` in the middle of commits, in every durability: what was acknowledged is there, once, in order."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from actors.runtime.journal import verify_chain
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.contract.store.busy_child import BATCH, make

ROOT = Path(__file__).resolve().parents[3]


def run_and_kill(folder: Path, durability: Durability, busy_s: float) -> list[int]:
    """Run the child, kill it after a while of being busy, return the numbers it said were acknowledged."""
    command = [sys.executable, "-m", "tests.contract.store.busy_child", str(folder), durability.value]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        while (line := child.stdout.readline()) != b"started\n":
            assert line, child.stderr.read().decode()
        time.sleep(busy_s)
        child.kill()
        rest = child.stdout.read().split(b"\n")
    return [int(line) for line in rest[:-1] if line]  # the last line may be torn


def check(folder: Path, durability: Durability, acknowledged: int) -> int:
    """Recover the journal, and return how many numbers it holds."""
    store = LmdbStore(folder, durability)
    records, broken = verify_chain(store)
    assert broken is None, f"after {records} records: {broken}"
    node = make(store)
    node.loop.pumps.clear()
    node.start()
    numbers = [int(text) for text in node.cell("counter").behaviour.state.texts]
    copied = [int(text) for text in node.cell("copy").behaviour.state.texts]
    outbox = [key for key, _ in store.items("outbox")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert acknowledged <= len(numbers) <= acknowledged + BATCH  # one turn may be written and not released
    assert copied == numbers  # an event and a saved state of one turn share its fate
    if numbers:
        assert outbox == [f"counter\0{numbers[-1]}".encode()]
        assert [key for key, _ in store.items("timers")] == [b"counter\0newest"]
        assert store.seen(f"counter\0{numbers[-1]}".encode())
        assert not store.seen(f"counter\0{numbers[-1] + 1}".encode())
    node.abandon()
    store.close()
    return len(numbers)


def kill_often(folder: Path, durability: Durability, kills: int, chance: random.Random) -> None:
    acknowledged = held = 0
    for _ in range(kills):
        said = run_and_kill(folder, durability, chance.uniform(0.02, 0.3))
        handed_again = [number for number in said if number <= held]
        assert handed_again in ([], [held]), "only what is not known to be done is handed over again"
        fresh = [number for number in said if number > held]
        assert fresh == list(range(held + 1, held + len(fresh) + 1))
        acknowledged = max(acknowledged, *said) if said else acknowledged
        held = check(folder, durability, acknowledged)
    assert held > kills * BATCH


@pytest.mark.parametrize("durability", Durability)
def test_what_was_acknowledged_survives_a_killed_process(tmp_path: Path, durability: Durability) -> None:
    kill_often(tmp_path / "journal", durability, 3, random.Random(durability.value))


@pytest.mark.long
@pytest.mark.parametrize("durability", Durability)
def test_what_was_acknowledged_survives_thirty_killed_processes(
    tmp_path: Path, durability: Durability
) -> None:
    kill_often(tmp_path / "journal", durability, 30, random.Random())
