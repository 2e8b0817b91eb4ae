"""The JSON Schema of `*.test.yaml` files, for editors: what can be written, which fields a message has."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

from actors.deployment.config_tests.form import STEPS, SUBJECTS, Expect, FaultStep, Given, OrderStep, Send
from actors.deployment.config_tests.vocabulary import ORDER_FACTS, event_types, fields_named, message_types
from actors.deployment.config_tests.where import OPERATORS
from actors.deployment.fault_kinds import FAULT_KINDS
from actors.deployment.quantities import DECIMAL_PATTERN, DURATION_PATTERN
from actors.deployment.schema_types import QUANTITY_WORDS, Dialect, Schema, struct_schema
from actors.deployment.setting_types import SettingField, choices_of

__all__ = ["config_test_schema"]

WRITTEN = Dialect(references=False)
DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEXTS: Schema = {"type": ["string", "array"], "items": {"type": "string"}}
# The forms of values; texts may hold `*` for any text where they are asked for.
FORMS: dict[str, Schema] = {
    "integer": {"type": "integer"},
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "duration": {
        "type": ["string", "integer"],
        "pattern": DURATION_PATTERN,
        "patternErrorMessage": QUANTITY_WORDS["duration"],
        "maximum": 0,
    },
    "e8": {
        "type": ["string", "integer"],
        "pattern": DECIMAL_PATTERN,
        "patternErrorMessage": QUANTITY_WORDS["e8"],
    },
    "instant": {"type": ["string", "integer"]},
    "price": {"type": ["string", "integer"]},
}
STEP_HELP = {
    "advance": "Let time pass.",
    "market": "Move prices of symbols, in USDT.",
    "restart": "Rebuild an actor from the journal, as `polytrade restart` does.",
    "expect": "What must come, or hold, within a time.",
    "expect_not": "What must not come, or never hold, within a time.",
}


def config_test_schema(alerts: list[str]) -> Schema:
    """Return the schema of a file of tests. `alerts` are the names that actors raise."""
    given = _bare(struct_schema(Given, WRITTEN))
    return {
        "$schema": DRAFT,
        "title": "Polytrade tests of a deployment",
        "type": "object",
        "required": ["deployment", "tests"],
        "additionalProperties": False,
        "patternProperties": {"^x-": {"description": "Left alone; a place for anchors."}},
        "properties": {
            "deployment": {
                "description": "The deployment's file, or several of them; relative to this one.",
                **TEXTS,
            },
            "given": given,
            "tests": {
                "description": "The tests. Each runs on a node of its own.",
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "steps"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string", "description": "What must be so, in a sentence."},
                        "given": given,
                        "steps": {
                            "description": "What is done and asked, in order.",
                            "type": "array",
                            "minItems": 1,
                            "items": {"$ref": "#/$defs/step"},
                        },
                    },
                },
            },
        },
        "$defs": _definitions(alerts),
    }


def _definitions(alerts: list[str]) -> Schema:
    steps = {
        "advance": {"type": "string", "pattern": DURATION_PATTERN},
        "send": _send(),
        "order": _bare(struct_schema(OrderStep, WRITTEN)),
        "market": {"type": "object", "minProperties": 1, "additionalProperties": _decimal()},
        "fault": _fault(),
        "restart": {"type": "string"},
        "expect": {"$ref": "#/$defs/expect"},
        "expect_not": {"$ref": "#/$defs/expect"},
    }
    properties = {
        name: {"description": STEP_HELP[name], **steps[name]} if name in STEP_HELP else steps[name]
        for name in STEPS
    }
    step = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    found: Schema = {"step": {**step, "properties": properties}, "expect": _expect(alerts)}
    found["compared"] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {name: {} for name in OPERATORS},
    }
    found |= {f"asked.{name}": _asked(one) for name, one in FORMS.items()}
    found |= {f"written.{name}": one for name, one in FORMS.items()}
    for name in message_types():
        fields = fields_named("message", name)
        found[f"message.{name}"] = _fields(fields, asked=False)
        found[f"where.{name}"] = _fields(fields, asked=True)
    for name in event_types():
        found.setdefault(f"where.{name}", _fields(fields_named("event", name), asked=True))
    for name in ORDER_FACTS:
        found[f"where.order.{name}"] = _fields(fields_named("order", name), asked=True)
    for name in ("alert", "resolved", "halt"):
        found[f"where.{name}"] = _fields(fields_named(name, ""), asked=True)
    return found


def _fault() -> Schema:
    made: Schema = _bare(struct_schema(FaultStep, WRITTEN))
    words = [
        text.replace("`for_ms`", "`lasts`").replace("`delay_ms`", "`value` ms")
        for text in FAULT_KINDS.values()
    ]
    made["properties"]["kind"] |= {"enum": list(FAULT_KINDS), "enumDescriptions": words}
    return made


def _send() -> Schema:
    made: Schema = _bare(struct_schema(Send, WRITTEN))
    made["properties"]["message"] |= {"enum": list(message_types())}
    made["properties"]["fields"] = {"description": "Its fields.", "type": "object"}
    made["allOf"] = [_if("message", name, "fields", f"message.{name}") for name in message_types()]
    return made


def _expect(alerts: list[str]) -> Schema:
    made: Schema = _bare(struct_schema(Expect, WRITTEN))
    properties = made["properties"]
    properties["message"] |= {"enum": list(message_types())}
    properties["event"] |= {"enum": list(event_types())}
    properties["order"] |= {"enum": list(ORDER_FACTS)}
    for name in ("alert", "resolved"):
        properties[name] = {
            "description": properties[name]["description"],
            "anyOf": [{"enum": alerts}, {"type": "string", "pattern": r"\*"}],
        }
    for name in SUBJECTS:
        properties[name].pop("default", None)
    properties["where"] = {"description": "The values that are asked for.", "type": "object"}
    made["allOf"] = [
        *(_if("message", name, "where", f"where.{name}") for name in message_types()),
        *(_if("event", name, "where", f"where.{name}") for name in event_types()),
        *(_if("order", name, "where", f"where.order.{name}") for name in ORDER_FACTS),
        *(_if(name, None, "where", f"where.{name}") for name in ("alert", "resolved", "halt")),
    ]
    return made


def _if(key: str, value: str | None, then: str, definition: str) -> Schema:
    condition: Schema = {"required": [key]}
    if value is not None:
        condition["properties"] = {key: {"const": value}}
    return {"if": condition, "then": {"properties": {then: {"$ref": f"#/$defs/{definition}"}}}}


def _bare(schema: Any) -> Any:
    """Return a schema without what it says about changes of a running deployment."""
    if isinstance(schema, dict):
        kept = {name: _bare(one) for name, one in schema.items() if name not in ("x-reload", "x-risk")}
        text = kept.get("description")
        if isinstance(text, str):
            kept["description"] = text.partition("\n\nA change")[0]
        return kept
    return [_bare(one) for one in schema] if isinstance(schema, list) else schema


def _fields(fields: Any, *, asked: bool) -> Schema:
    properties = {name: _field(one, asked=asked) for name, one in fields.items()}
    made: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    required = [name for name, one in fields.items() if one.required]
    if required and not asked:
        made["required"] = required
    return made


def _field(one: SettingField, *, asked: bool) -> Schema:
    """Return how a field is written, as far as a schema can say it."""
    base = one.type.base
    choices = choices_of(base)
    if choices is not None:
        words: Schema = {"type": "string", "enum": list(choices)}
        return _asked(words) if asked else words
    simple = {inspect.IntType: "integer", inspect.StrType: "text", inspect.BoolType: "boolean"}
    form = one.type.format or simple.get(type(base), "")
    return {"$ref": f"#/$defs/{'asked' if asked else 'written'}.{form}"} if form else {}


def _asked(written: Schema) -> Schema:
    return {"anyOf": [written, {"$ref": "#/$defs/compared"}]}


def _decimal() -> Schema:
    return dict(FORMS["e8"])
