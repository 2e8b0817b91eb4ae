"""JSON Schema of settings classes: the same fields, bounds and help that the loader uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect

from actors.deployment.quantities import BYTES_PATTERN, DECIMAL_PATTERN, DURATION_PATTERN
from actors.deployment.setting_types import (
    FORMATTERS,
    NEUTRAL,
    FieldType,
    SettingField,
    choices_of,
    fields_of,
    hover_text,
    simplified,
    written,
)
from actors.domain.money import E8

__all__ = [
    "QUANTITY_WORDS",
    "Dialect",
    "Schema",
    "choice_schema",
    "list_schema",
    "map_schema",
    "scalar_schema",
    "struct_schema",
]

Schema = dict[str, Any]

REFERENCE = r"\$"  # a text with a reference may stand for anything
# What editors say of a text that does not fit, instead of showing the pattern.
TYPE_WORDS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}
QUANTITY_WORDS = {
    "duration": "This must be a duration, a whole number and a unit: 250ms, 5s, 1m, 8h, 1d.",
    "e8": 'This must be an exact decimal number as text, with at most 8 decimals: "0.01".',
    "bytes": "This must be a size, a whole number and a unit: 64MiB, 2GiB.",
}
DECIMAL_WHOLE_MAX = 9_999_999_999


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a schema is for."""

    references: bool  # files as they are written: `$name` may stand for any value
    partial: bool = False  # files that lie over others: nothing is required, nothing may be taken away


def scalar_schema(types: list[str], dialect: Dialect, **keywords: Any) -> Schema:
    """Return the schema of a scalar. Keywords that belong to another type do not hold for a reference."""
    types = list(types)
    if dialect.references:
        if "pattern" in keywords:
            keywords["pattern"] = f"{keywords['pattern']}|{REFERENCE}"
        elif "string" not in types:
            keywords["pattern"] = REFERENCE
            wanted = " or ".join(TYPE_WORDS.get(name, name) for name in types)
            keywords["patternErrorMessage"] = f"This must be {wanted}, or a reference such as $name."
        types += ["string"] if "string" not in types else []
    if dialect.partial:
        types.append("null")
    return {"type": types[0] if len(types) == 1 else types, **keywords}


def choice_schema(choices: list[str], dialect: Dialect) -> Schema:
    """Return the schema of one of several words."""
    if not dialect.references:
        return {"type": "string", "enum": choices}
    others: list[Schema] = [{"type": "string", "pattern": REFERENCE}]
    others += [{"type": "null"}] if dialect.partial else []
    return {"anyOf": [{"type": "string", "enum": choices}, *others]}


def list_schema(items: Schema, dialect: Dialect, **keywords: Any) -> Schema:
    """Return the schema of a list."""
    return {**scalar_schema(["array"], dialect), "items": items, **keywords}


def map_schema(dialect: Dialect, **keywords: Any) -> Schema:
    """Return the schema of a map."""
    if dialect.partial:
        keywords.pop("required", None)
        keywords.pop("minProperties", None)
    return {"type": ["object", "null"] if dialect.partial else "object", **keywords}


def struct_schema(settings: type[msgspec.Struct], dialect: Dialect) -> Schema:
    """Return the schema of a settings class."""
    found = fields_of(settings)
    properties = {name: _field_schema(one, dialect) for name, one in found.items()}
    required = [name for name, one in found.items() if one.required]
    keywords: Schema = {"additionalProperties": False, "properties": properties}
    if required:
        keywords["required"] = required
    return {"description": (settings.__doc__ or "").strip(), **map_schema(dialect, **keywords)}


def _field_schema(one: SettingField, dialect: Dialect) -> Schema:
    schema = _type_schema(one.type, dialect)
    about: Schema = {}
    if one.description:
        about["description"] = hover_text(one)
    if not one.required:
        about["default"] = written(one.default, one.type)
    examples = one.type.about.get("examples")
    if examples:
        about["examples"] = list(examples)
    about["x-reload"] = one.reload
    about["x-risk"] = one.risk or NEUTRAL
    if one.is_off_at_zero:
        about["x-off-at-zero"] = True
    return {**schema, **about}


def _type_schema(found: FieldType, dialect: Dialect) -> Schema:
    if found.format:
        return _quantity_schema(found, dialect)
    choices = choices_of(found.base)
    if choices is not None:
        return choice_schema(list(choices), dialect)
    return SCHEMAS[type(found.base)](found, dialect)


def _quantity_schema(found: FieldType, dialect: Dialect) -> Schema:
    patterns = {"duration": DURATION_PATTERN, "e8": DECIMAL_PATTERN, "bytes": BYTES_PATTERN}
    keywords: Schema = {"pattern": patterns[found.format], "x-format": found.format}
    keywords["patternErrorMessage"] = QUANTITY_WORDS[found.format]
    low, high = getattr(found.base, "ge", None), getattr(found.base, "le", None)
    if found.format == "duration":
        keywords |= {"minimum": 0, "maximum": 0}  # only 0 needs no unit
    elif found.format == "e8":
        keywords["minimum"] = -DECIMAL_WHOLE_MAX if low is None else -(-low // E8)
        keywords["maximum"] = DECIMAL_WHOLE_MAX if high is None else high // E8
    else:
        keywords |= {
            name: limit for name, limit in (("minimum", low), ("maximum", high)) if limit is not None
        }
    show = FORMATTERS[found.format]
    keywords |= {
        f"x-{name}": show(limit) for name, limit in (("minimum", low), ("maximum", high)) if limit is not None
    }
    return scalar_schema(["string", "integer"], dialect, **keywords)


def _number_schema(types: list[str]) -> Callable[[FieldType, Dialect], Schema]:
    names = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}

    def schema(found: FieldType, dialect: Dialect) -> Schema:
        limits = {word: getattr(found.base, name) for name, word in names.items()}
        return scalar_schema(
            types, dialect, **{word: limit for word, limit in limits.items() if limit is not None}
        )

    return schema


def _text_schema(found: FieldType, dialect: Dialect) -> Schema:
    pattern = getattr(found.base, "pattern", None)
    return scalar_schema(["string"], dialect, **({"pattern": pattern} if pattern else {}))


def _items_schema(found: FieldType, dialect: Dialect) -> Schema:
    base = found.base
    if isinstance(base, inspect.TupleType):
        items = [_type_schema(simplified(item), dialect) for item in base.item_types]
        return scalar_schema(["array"], dialect) | {
            "prefixItems": items,
            "minItems": len(items),
            "items": False,
        }
    item_type: inspect.Type = base.item_type  # type: ignore[attr-defined]
    limits = {"minItems": getattr(base, "min_length", None), "maxItems": getattr(base, "max_length", None)}
    keywords = {word: limit for word, limit in limits.items() if limit is not None}
    return list_schema(_type_schema(simplified(item_type), dialect), dialect, **keywords)


def _dictionary_schema(found: FieldType, dialect: Dialect) -> Schema:
    value_type: inspect.Type = found.base.value_type  # type: ignore[attr-defined]
    return map_schema(dialect, additionalProperties=_type_schema(simplified(value_type), dialect))


def _struct_schema(found: FieldType, dialect: Dialect) -> Schema:
    return struct_schema(found.base.cls, dialect)  # type: ignore[attr-defined]


SCHEMAS: dict[type[inspect.Type], Callable[[FieldType, Dialect], Schema]] = {
    inspect.IntType: _number_schema(["integer"]),
    inspect.FloatType: _number_schema(["number"]),
    inspect.BoolType: lambda found, dialect: scalar_schema(["boolean"], dialect),
    inspect.StrType: _text_schema,
    inspect.VarTupleType: _items_schema,
    inspect.TupleType: _items_schema,
    inspect.ListType: _items_schema,
    inspect.SetType: _items_schema,
    inspect.FrozenSetType: _items_schema,
    inspect.DictType: _dictionary_schema,
    inspect.StructType: _struct_schema,
    inspect.AnyType: lambda found, dialect: {},
}
