"""The JSON Schemas of deployment files (2020-12): written to `schemas/`, and the loader's structural check.

Which settings an actor may have depends on its kind: that choice is `if`/`then`, never `oneOf`, so that a
fault in a setting is told as that fault and not as "matches no kind".
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from actors.deployment.canary.settings import CanarySection
from actors.deployment.change_sections import ApplySection
from actors.deployment.inputs import INPUT_TYPES
from actors.deployment.objectives import MonitoringSection, SloSection
from actors.deployment.registry import KINDS, MODES, Kind
from actors.deployment.schema_types import (
    Dialect,
    Schema,
    choice_schema,
    list_schema,
    map_schema,
    scalar_schema,
    struct_schema,
)
from actors.deployment.sections import (
    NAME_PATTERN,
    ActorSection,
    ClockSection,
    ControlSection,
    DeadManSection,
    JournalSection,
    LoopSection,
    SecretsSection,
    SupervisorSection,
    WatchSection,
)
from actors.deployment.setting_types import NEUTRAL
from actors.deployment.stored_shapes import broken, shapes, text_of
from actors.runtime.settings import Reload, Settings

__all__ = [
    "READS_PATTERN",
    "SECTIONS",
    "VALUE_PATTERN",
    "check",
    "deployment_schema",
    "structure_schema",
    "unreadable",
    "write",
]

SHAPES = "journal.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE_PATTERN = r"^[a-z][a-z0-9_]*$"
VALUE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"  # becomes part of an address
READS_PATTERN = r"^[a-z*][A-Za-z0-9_.*-]*(/[A-Za-z0-9_.*-]+)*$"

# Sections whose fields are said by a settings class.
SECTIONS: dict[str, type[Settings]] = {
    "journal": JournalSection,
    "loop": LoopSection,
    "control": ControlSection,
    "clock": ClockSection,
    "secrets": SecretsSection,
    "dead_man": DeadManSection,
    "watch": WatchSection,
    "slo": SloSection,
    "monitoring": MonitoringSection,
    "apply": ApplySection,
    "canary": CanarySection,
}

WRITTEN = Dialect(references=True)
OVERLAY = Dialect(references=True, partial=True)
FILLED_IN = Dialect(references=False)


def deployment_schema(dialect: Dialect = WRITTEN) -> Schema:
    """Return the schema of a whole deployment file, settings of every kind included."""
    kinds = [_kind_rule(kind, dialect) for kind in KINDS.values()]
    actor = struct_schema(ActorSection, dialect)
    actor["properties"]["kind"] |= choice_schema(list(KINDS), dialect)
    actor["properties"]["kind"].pop("type", None) if dialect.references else None
    actor["properties"] |= _actor_properties(dialect)
    actor["allOf"] = kinds
    sections = {name: struct_schema(section, dialect) for name, section in SECTIONS.items()}
    supervisor = struct_schema(SupervisorSection, dialect)
    schema = _deployment(dialect, actor, supervisor, sections)
    schema["$defs"] = {kind.name: struct_schema(kind.settings_class, dialect) for kind in KINDS.values()}
    return schema


@cache
def structure_schema() -> Schema:
    """Return the schema of what no settings class says: which sections there are, and how actors are told."""
    known = struct_schema(ActorSection, FILLED_IN)["properties"]
    actor = map_schema(
        FILLED_IN,
        additionalProperties=False,
        properties={**{name: {} for name in known}, **_actor_properties(FILLED_IN)},
    )
    anything: dict[str, Schema] = {
        name: {"type": "object", "description": (section.__doc__ or "").strip()}
        for name, section in SECTIONS.items()
    }
    return _deployment(FILLED_IN, actor, {"type": "object"}, anything)


def _deployment(dialect: Dialect, actor: Schema, supervisor: Schema, sections: dict[str, Schema]) -> Schema:
    names = {"pattern": NAME_PATTERN}
    properties: dict[str, Schema] = {
        "extends": {
            "description": "Files that this one lies over, lowest first; relative to this file.",
            "type": ["string", "array"],
            "items": {"type": "string"},
        },
        "deployment": {
            "description": "Name of the deployment; part of every client_order_id.",
            **scalar_schema(["string"], dialect, pattern=r"^[a-z][a-z0-9-]{0,31}$"),
            **_class(Reload.FIXED),
        },
        "mode": {
            "description": "Decides which kinds may run, and how strict the checks are.",
            **choice_schema(list(MODES), dialect),
            **_class(Reload.FIXED),
        },
        "seed": {
            "description": "Seeds every actor's stream of chance. Same seed, same inputs: same journal.",
            "default": 0,
            **scalar_schema(["integer"], dialect, minimum=0, maximum=(1 << 63) - 1),
            **_class(Reload.FIXED),
        },
        "catalog": {
            "description": "The markets file, or a list of several; relative to the folder of the file "
            "that says it.",
            "default": "markets/poloniex-futures.json",
            **scalar_schema(["string", "array"], dialect),
            "items": scalar_schema(["string"], dialect),
            "minItems": 1,
            **_class(Reload.START),
        },
        "inputs": {
            "description": "What may differ from one start to the next; `$name` refers to it.",
            **map_schema(
                dialect, propertyNames={"pattern": VARIABLE_PATTERN}, additionalProperties=_input(dialect)
            ),
        },
        **sections,
        "supervisors": {
            "description": "Who restarts whom, and what trading does when that is not enough.",
            **map_schema(dialect, propertyNames=names, additionalProperties=supervisor),
        },
        "actors": {
            "description": "The actors, by name; with `for_each` one entry makes several.",
            **map_schema(dialect, minProperties=1, propertyNames=names, additionalProperties=actor),
        },
    }
    return {
        "$schema": DRAFT,
        "title": "Polytrade deployment",
        **map_schema(
            dialect,
            required=["deployment", "mode", "journal", "actors"],
            additionalProperties=False,
            patternProperties={"^x-": {"description": "Left alone; a place for anchors."}},
            properties=properties,
        ),
    }


def _class(reload: str) -> Schema:
    return {"x-reload": reload, "x-risk": NEUTRAL}


def _input(dialect: Dialect) -> Schema:
    properties = {
        "type": {
            "description": "; ".join(f"{name}: {text}" for name, text in INPUT_TYPES.items()),
            **choice_schema(list(INPUT_TYPES), Dialect(references=False)),
        },
        "default": {"description": "What holds when nothing is given."},
        "description": {"type": "string", "description": "What it is for."},
    }
    return map_schema(dialect, required=["type"], additionalProperties=False, properties=properties)


def _actor_properties(dialect: Dialect) -> dict[str, Schema]:
    value = scalar_schema(["string"], dialect, pattern=VALUE_PATTERN)
    return {
        "for_each": {
            "description": "One actor for each value or combination: `name/value`. `$variable` refers to it.",
            **map_schema(
                dialect,
                minProperties=1,
                propertyNames={"pattern": VARIABLE_PATTERN},
                additionalProperties=list_schema(value, dialect, minItems=1, uniqueItems=True),
            ),
            **_class(Reload.LIVE),
        },
        "reads": {
            "description": "Whose messages reach it: addresses; `*` is any part, `$variable` its own.",
            **list_schema(
                scalar_schema(["string"], dialect, pattern=READS_PATTERN), dialect, uniqueItems=True
            ),
            **_class(Reload.LIVE),
        },
        "settings": {"description": "What its kind can be told.", **map_schema(dialect)},
    }


def _kind_rule(kind: Kind, dialect: Dialect) -> Schema:
    then: Schema = {"properties": {"settings": {"$ref": f"#/$defs/{kind.name}"}}}
    if not dialect.partial:
        settings = struct_schema(kind.settings_class, dialect)
        required = ["for_each"] if kind.variables else []
        if kind.variables:
            then["properties"]["for_each"] = {"required": list(kind.variables)}
        if settings.get("required"):
            required.append("settings")
        if required:
            then["required"] = required
    return {"if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]}, "then": then}


def schema_files() -> dict[str, str]:
    """Return every generated file as name and text: schemas, shapes of what journals hold, metrics."""
    from actors.control.metric_table.page import METRICS_FILE, metrics_page
    from actors.deployment.alert_policy import listed
    from actors.deployment.config_tests.schema import config_test_schema  # every kind's messages

    whole = deployment_schema(WRITTEN)
    overlay = deployment_schema(OVERLAY)
    overlay["title"] = "Polytrade deployment overlay: a file that extends others, or lies over them"
    return {
        "deployment.schema.json": _text(whole),
        "overlay.schema.json": _text(overlay),
        SHAPES: text_of(shapes()),
        METRICS_FILE: metrics_page(),
        "test.schema.json": _text(config_test_schema(sorted(listed()))),
    }


def _text(schema: Schema) -> str:
    first: dict[str, Any] = {"$schema": schema.pop("$schema"), "title": schema.pop("title")}
    return json.dumps({**first, **schema}, indent=2, ensure_ascii=False) + "\n"


def write(directory: str | Path) -> list[str]:
    """Write the schemas into a folder; return the names of the files that changed.

    Errors: ValueError, before anything is written, when journals of before could not be read any more.
    """
    folder = Path(directory)
    if faults := unreadable(folder):
        raise ValueError("\n".join(faults))
    folder.mkdir(parents=True, exist_ok=True)
    changed = check(folder)
    files = schema_files()
    for name in changed:
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def unreadable(directory: str | Path) -> list[str]:
    """Return what journals hold by the written shapes and the code does not read any more."""
    path = Path(directory) / SHAPES
    return broken(json.loads(path.read_bytes()), shapes()) if path.is_file() else []


def check(directory: str | Path) -> list[str]:
    """Return the names of schema files that differ from the settings classes, lack, or are left over."""
    folder, files = Path(directory), schema_files()
    drifted = [name for name, text in files.items() if not _same(folder / name, text)]
    return drifted + sorted(path.name for path in folder.glob("*.schema.json") if path.name not in files)


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
