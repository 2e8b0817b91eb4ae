"""The published schemas and the loader say the same, and a fault is never blamed on another kind."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from actors.deployment import schema
from actors.deployment.faults import ConfigError, FaultLog
from actors.deployment.loader import read
from actors.deployment.registry import KINDS
from actors.deployment.schema_types import Dialect
from actors.deployment.yaml_source import read_source
from actors.deployment.yaml_tree import plain
from tests.config.corpus import FOLDER, cases, given, inside

ROOT = FOLDER.parents[1]
# What JSON Schema cannot say: bounds of texts such as durations, and what depends on several values or files.
ONLY_THE_LOADER = {"E105", "E106", "E111", "E114", "E116"}
# A key without a value: what is read leaves it out, as an overlay's way to take something away.
WITHOUT_VALUE = "missing-everything-of-a-supervisor"


@cache
def validator(name: str) -> Draft202012Validator:
    if name == "filled in":
        return Draft202012Validator(schema.deployment_schema(Dialect(references=False)))
    text = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def errors(name: str, document: Any) -> list[str]:
    found = validator(name).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def as_written(path: Path) -> Any:
    tree = read_source(path, path.name, FaultLog())
    assert tree is not None
    return plain(tree)


def resolved(kind: str, name: str) -> tuple[Any, set[str]]:
    """Return a case's document, merged and filled in (None when it is no tree), and its errors' codes."""
    path = f"{kind}/{name}.yaml"
    with inside(FOLDER):
        inputs, environments, variables = given(Path(path).read_bytes())
        try:
            reading = read(path, environments, inputs, variables)
        except ConfigError:
            return None, set()
    return plain(reading.root), {fault.code for fault in reading.log.sorted() if fault.is_error}


def test_the_written_schemas_are_those_of_the_settings_classes() -> None:
    assert schema.check(ROOT / "schemas") == [], "run `polytrade schema`"


def test_drift_is_found_and_repaired(tmp_path: Path) -> None:
    schemas = {f"{name}.schema.json" for name in ("deployment", "overlay", "test")}
    assert set(schema.check(tmp_path)) == {*schemas, "journal.json", "metrics.yaml"}
    schema.write(tmp_path)
    (tmp_path / "old.schema.json").write_text("{}", encoding="utf-8")
    changed = (tmp_path / "overlay.schema.json").read_text(encoding="utf-8").replace("actors", "players")
    (tmp_path / "overlay.schema.json").write_text(changed, encoding="utf-8")
    assert schema.check(tmp_path) == ["overlay.schema.json", "old.schema.json"]
    assert schema.write(tmp_path) == ["overlay.schema.json", "old.schema.json"]
    assert schema.check(tmp_path) == []


@pytest.mark.parametrize("dialect", [schema.WRITTEN, schema.OVERLAY, schema.FILLED_IN])
def test_the_schemas_are_valid_and_choose_without_one_of(dialect: Dialect) -> None:
    made = schema.deployment_schema(dialect)
    Draft202012Validator.check_schema(made)
    assert "oneOf" not in json.dumps(made)


def test_deployments_of_the_repository_fit_the_schema_they_name() -> None:
    files = [*(ROOT / "config").glob("*.yaml"), *(ROOT / "config" / "examples").glob("*.yaml")]
    assert len(files) >= 4
    for path in files:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        name = first.rpartition("schemas/")[2].removesuffix(".schema.json")
        assert errors(name, as_written(path)) == [], path


@pytest.mark.parametrize("name", cases("valid"))
def test_what_the_loader_takes_the_schema_takes(name: str) -> None:
    assert errors("overlay", as_written(FOLDER / "valid" / f"{name}.yaml")) == []
    assert errors("filled in", resolved("valid", name)[0]) == []


@pytest.mark.parametrize("name", cases("invalid"))
def test_what_the_loader_refuses_by_its_shape_the_schema_refuses(name: str) -> None:
    document, codes = resolved("invalid", name)
    shape = {code for code in codes if code.startswith("E1")} - ONLY_THE_LOADER
    if document is not None and shape and codes == shape and name != WITHOUT_VALUE:
        assert errors("filled in", document), codes


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_wrong_setting_is_blamed_on_that_setting_alone(kind: str) -> None:
    variables = {name: ["X"] for name in KINDS[kind].variables}
    required: dict[str, dict[str, object]] = {
        "feed.replay": {"path": "x.csv"},
        "portfolio": {"accounts": ["X"]},
    }
    needed = required.get(kind, {})
    actor = {"kind": kind, "for_each": variables or {"any": ["X"]}, "settings": {**needed, "nonsense": 1}}
    document = {
        "deployment": "one",
        "mode": "paper",
        "journal": {"path": "var"},
        "actors": {"other": {"kind": "alerter"}, "this": actor},
    }
    found = list(validator("filled in").iter_errors(document))
    assert [list(error.absolute_path) for error in found] == [["actors", "this", "settings"]]
    assert "nonsense" in found[0].message
