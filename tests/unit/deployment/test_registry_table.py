"""Every kind in the table is whole: code, settings, help, example, README, and ports that match its needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from actors.deployment.loader import load
from actors.deployment.registry import KINDS, MODES, Kind
from actors.deployment.setting_types import walk_fields, written_struct
from actors.runtime.behaviour import Behaviour
from actors.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
FILES = [path for folder in ("config", "config/examples") for path in sorted((ROOT / folder).glob("*.yaml"))]
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


@each_kind
def test_a_kind_names_code_that_exists(kind: Kind) -> None:
    assert issubclass(kind.behaviour_class, Behaviour)
    assert issubclass(kind.settings_class, Settings)
    assert kind.summary.endswith(".")
    assert set(kind.modes) <= set(MODES)


@each_kind
def test_what_a_kind_needs_to_hear_it_accepts_and_what_it_must_tell_it_sends(kind: Kind) -> None:
    assert {name for need in kind.hears for name in need.split("|")} <= set(kind.accepts)
    assert {name for need in kind.tells for name in need.split("|")} <= set(kind.sends)


@each_kind
def test_what_a_kind_needs_some_kind_sends(kind: Kind) -> None:
    for need in kind.hears:
        senders = [other for other in KINDS.values() if not set(need.split("|")).isdisjoint(other.sends)]
        assert senders, f"nothing can ever send {need} to {kind.name}"


@each_kind
def test_every_setting_has_help_and_a_default_that_can_be_written(kind: Kind) -> None:
    for path, field in walk_fields(kind.settings_class):
        assert field.description, f"{kind.name}.{path} says nothing"
        assert field.reload in ("live", "restart", "fixed")
        assert field.risk in ("", "raise", "lower")
    if not any(field.required for _, field in walk_fields(kind.settings_class)):
        assert isinstance(written_struct(kind.settings_class()), dict)


@each_kind
def test_a_kind_has_a_readme_in_its_folder(kind: Kind) -> None:
    folder = ROOT / Path(*kind.behaviour.partition(":")[0].split(".")[:2])
    assert (folder / "README.md").is_file(), f"{folder.name} has no README.md"


def test_every_kind_is_used_by_a_deployment_of_the_repository() -> None:
    used = {plan.kind for path in FILES for plan in load(path).actors}
    assert used == set(KINDS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_deployment_of_the_repository_loads_without_a_warning_and_can_be_made(path: Path) -> None:
    topology = load(path)
    assert topology.warnings == ()
    for plan in topology.actors:
        assert isinstance(plan.make(), KINDS[plan.kind].behaviour_class)


def _output(script: str) -> str:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_code_of_kinds_and_jsonschema_are_imported_only_when_needed() -> None:
    script = (
        "import sys, actors.deployment.loader, actors.deployment.report\n"
        "heavy = ('jsonschema', 'aiohttp', 'numpy', 'rich', 'click', 'lmdb', 'actors.oms', 'actors.feed')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert _output(script) == "[]"


def test_only_kinds_that_are_used_are_imported() -> None:
    script = (
        "import sys\nfrom actors.deployment.loader import load\nload('config/examples/minimal.yaml')\n"
        "print([name for name in ('actors.feed.replay', 'duckdb', 'aiohttp') if name in sys.modules])"
    )
    assert _output(script) == "[]"
