"""Every setting says how a change of it reaches a running node, and which direction loosens a limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest

from actors.deployment.explain import explain, section_name, subjects
from actors.deployment.reference import configuration_page
from actors.deployment.resolved import SECTIONS as COMPARED
from actors.deployment.schema import SECTIONS
from actors.deployment.schema_types import Dialect, struct_schema
from actors.deployment.setting_types import RELOADS, choices_of, walk_fields
from actors.runtime.settings import Reload, Settings, setting
from tests.config.corpus import FOLDER

ROOT = FOLDER.parents[1]
DIRECTIONS = {"raise", "lower", "none"}
# Top-level keys that hold others, or stand for nothing of their own.
HOLDERS = {"extends", "inputs", "supervisors", "actors", "settings"}


def unsaid(settings: type[msgspec.Struct]) -> list[str]:
    """Return the fields of a settings class whose annotation does not come from `setting`."""
    return [
        path
        for path, one in walk_fields(settings)
        if one.type.extra.get("reload") not in RELOADS or "risk" not in one.type.extra or not one.description
    ]


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every property of a schema, those of nested maps and lists too."""
    if isinstance(schema, list):
        for one in schema:
            yield from properties(one, path)
    elif isinstance(schema, dict):
        for name, one in schema.get("properties", {}).items():
            yield f"{path}.{name}", one
            yield from properties(one, f"{path}.{name}")
        for key in ("items", "additionalProperties", "prefixItems"):
            yield from properties(schema.get(key), f"{path}[]")
        for name, one in schema.get("$defs", {}).items():
            yield from properties(one, name)


@pytest.mark.parametrize("name", list(subjects()))
def test_every_setting_says_its_class_and_its_direction(name: str) -> None:
    assert unsaid(subjects()[name]) == []


class Careless(Settings, frozen=True, kw_only=True):
    """What must not pass."""

    bare: int = 0
    only_help: Annotated[int, msgspec.Meta(description="It has words and nothing else.")] = 0
    whole: Annotated[int, setting("It says everything.")] = 0


def test_a_setting_without_class_or_direction_is_found() -> None:
    assert unsaid(Careless) == ["bare", "only_help"]


@pytest.mark.parametrize("name", ["deployment", "overlay"])
def test_the_written_schemas_carry_class_and_direction_of_every_setting(name: str) -> None:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    found = {
        path: one
        for path, one in properties(schema)
        if path.rpartition(".")[2] not in HOLDERS and not path.startswith((".inputs", ".supervisors[].x"))
    }
    assert len(found) > 400
    sections = {f".{name}" for name in subjects()}
    wrong = [
        path
        for path, one in found.items()
        if path not in sections
        and (one.get("x-reload") not in RELOADS or one.get("x-risk") not in DIRECTIONS)
    ]
    assert wrong == []


def test_what_an_editor_shows_says_what_a_change_does() -> None:
    shown = struct_schema(subjects()["risk"], Dialect(references=True))["properties"]["daily_loss_usdt"]
    assert (
        "A change restarts the actor, its state kept; raising it loosens a limit, and so does 0."
        in (shown["description"])
    )
    assert shown["x-off-at-zero"] is True
    shown = struct_schema(subjects()["journal"], Dialect(references=True))["properties"]["path"]
    assert shown["description"].endswith("A change needs a new journal.")


def test_help_and_manual_say_the_same() -> None:
    page = configuration_page()
    for name, settings in subjects().items():
        for path, one in walk_fields(settings):
            shown = explain(f"{name.removeprefix('section ')}.{path}")
            assert RELOADS[one.reload] in shown, f"{name}.{path}"
            assert f"| {one.reload} | {one.description.replace('|', chr(92) + '|')}" in page, f"{name}.{path}"


@pytest.mark.parametrize("name", list(subjects()))
def test_a_limit_that_zero_turns_off_says_so_to_the_plan(name: str) -> None:
    for path, one in walk_fields(subjects()[name]):
        if one.risk == "raise" and "turns it off" in one.description:
            assert one.is_off_at_zero, path


@pytest.mark.parametrize("name", list(subjects()))
def test_a_choice_with_a_direction_says_its_order(name: str) -> None:
    for path, one in walk_fields(subjects()[name]):
        choices = choices_of(one.type.base)
        if one.risk and choices:
            assert set(one.ascending) == set(choices), path


def test_help_says_what_a_code_and_a_key_of_the_file_mean() -> None:
    assert explain("e201").startswith("E201: unknown actor\n")
    assert "needs a new journal" in explain("mode")
    assert "takes effect between two turns" in explain("reads")
    assert "A change of any setting takes a new start of the node." in explain("loop")


@pytest.mark.parametrize("name", [*SECTIONS, "supervisors"])
def test_no_section_promises_that_an_actor_restarts(name: str) -> None:
    settings = subjects()[section_name(name)]
    wrong = [path for path, one in walk_fields(settings) if one.reload == "restart"]
    assert wrong == [], "a section is read when the node starts: annotate with `at_start`, not `setting`"


@pytest.mark.parametrize("name", list(SECTIONS))
def test_a_section_that_no_node_reads_says_so_and_no_other_does(name: str) -> None:
    """What a plan compares is what a node has; of the rest a change reaches nobody that runs."""
    classes = {one.reload for _, one in walk_fields(SECTIONS[name]) if "reload" in one.type.extra}
    assert (Reload.NONE in classes) == (name not in COMPARED)
    assert len(classes) == 1 or Reload.NONE not in classes
