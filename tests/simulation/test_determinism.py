"""The same inputs and the same seed make the same bytes, in another process with another hash seed too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CODE = """
import hashlib, sys
from actors.runtime.store_memory import DATABASES
from tests.simulation.test_bank_under_fire import live_through

bank = live_through(int(sys.argv[1]))
for name in DATABASES:
    entries = list(bank.store.items(name))
    print(name, len(entries), hashlib.sha256(repr(entries).encode()).hexdigest())
print(hash("the hash seed"))
"""


def run(seed: int, hash_seed: str) -> list[str]:
    """Return one line for each table of the journal, and a hash that shows the hash seed."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return done.stdout.splitlines()


def test_two_processes_with_different_hash_seeds_write_the_same_journal() -> None:
    *first, first_hash = run(7, "1")
    *second, second_hash = run(7, "31337")
    assert first_hash != second_hash
    assert first == second
    assert int(first[0].split()[1]) > 50


def test_another_seed_writes_another_journal() -> None:
    assert run(7, "1")[0] != run(8, "1")[0]
