"""A failing seed as a folder: all that is needed to see it again, byte for byte, and to look into it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.deployment.loader import load
from actors.deployment.topology import Topology
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.store_memory import MemoryStore
from actors.runtime.tape import Tape
from actors.simulation.beginning import AS_WRITTEN, Beginning
from actors.simulation.faults import Fault, read_faults, write_faults
from actors.simulation.run import Outcome, SeedRun

__all__ = ["Bundle", "Recipe", "read_bundle", "replay_bundle", "write_bundle"]

MANIFEST, FAULTS, JOURNAL, TAPE, CONFIG = "bundle.json", "faults.json", "journal", "tape", "config"
ENVIRONMENT = {"POLYTRADE_STATE": "never-written"}  # simulated journals are in memory
DATABASES = ("events", "snapshots", "outbox", "timers", "held", "dead_letters", "meta")


class Recipe(msgspec.Struct, frozen=True):
    """How a deployment is read from its files."""

    files: tuple[str, ...]
    environments: tuple[str, ...] = ()
    inputs: dict[str, str] = {}

    def topology(self) -> Topology:
        """Read it. Errors: ConfigError."""
        return load(self.files, environments=self.environments, inputs=self.inputs, environment=ENVIRONMENT)


class Bundle(msgspec.Struct, frozen=True):
    """The manifest."""

    seed: int
    duration_ns: int
    digest: str
    journal_chain: str
    configuration_hash: str
    recipe: Recipe
    violations: tuple[tuple[str, int, str, tuple[str, ...]], ...]
    beginning: Beginning = AS_WRITTEN


class Replay(NamedTuple):
    """What came of it."""

    bundle: Bundle
    outcome: Outcome
    is_same: bool


def write_bundle(
    folder: Path,
    recipe: Recipe,
    seed: int,
    faults: Sequence[Fault],
    duration_ns: int,
    beginning: Beginning = AS_WRITTEN,
) -> Outcome:
    """Run a seed once more with a tape, and keep everything of it; what was in the folder goes."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    topology = recipe.topology()
    kept = _copy_config(topology, recipe, folder / CONFIG)
    tape = Tape(folder / TAPE)
    run = SeedRun(topology, seed, faults, duration_ns, tape, beginning=beginning)
    outcome = run.run()
    tape.close()
    _write_journal(run.world.store, folder / JOURNAL)
    (folder / FAULTS).write_bytes(write_faults(faults))
    chain = run.world.node.journal.chain.hex()
    manifest = Bundle(
        seed,
        duration_ns,
        outcome.digest,
        chain,
        topology.content_hash,
        kept,
        tuple(map(tuple, outcome.violations)),  # type: ignore[arg-type]
        beginning,
    )
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return outcome


def _copy_config(topology: Topology, recipe: Recipe, folder: Path) -> Recipe:
    """Copy the files of a deployment with what they name beside them; return how to read the copy."""
    root = topology.directory
    names = []
    for name in topology.files:
        path = Path(name).absolute()
        inner = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
        target = folder / inner
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        names.append(str(inner))
    for name in ("markets", "environments"):
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, dirs_exist_ok=True)
    return msgspec.structs.replace(recipe, files=tuple(names[: len(recipe.files)]))


def _write_journal(store: MemoryStore, folder: Path) -> None:
    """Put a simulated disk into files, so that `polytrade journal` and `polytrade why` read it."""
    disk = LmdbStore(folder, Durability.PROCESS)
    write = TurnWrite(**{name: tuple(store.items(name)) for name in DATABASES})
    disk.commit(write)
    disk.sync()
    disk.close()


def read_bundle(folder: Path) -> tuple[Bundle, list[Fault]]:
    """Return what a bundle holds. Errors: ValueError that says what is missing."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Bundle)
        return manifest, read_faults((folder / FAULTS).read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise ValueError(f"{folder} is no bundle of a simulation: {error}") from error


def replay_bundle(folder: Path) -> Replay:
    """Run a bundle's seed from its own files, and compare. Errors: ValueError, ConfigError."""
    bundle, faults = read_bundle(folder)
    files = tuple(str(folder / CONFIG / name) for name in bundle.recipe.files)
    topology = msgspec.structs.replace(bundle.recipe, files=files).topology()
    run = SeedRun(topology, bundle.seed, faults, bundle.duration_ns, beginning=bundle.beginning)
    outcome = run.run()
    chain = run.world.node.journal.chain.hex()
    return Replay(bundle, outcome, outcome.digest == bundle.digest and chain == bundle.journal_chain)
