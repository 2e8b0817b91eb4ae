"""What a settings class says about its fields, in the one form that loader, schema and help share."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from actors.deployment.quantities import format_bytes, format_duration, format_e8
from actors.runtime.settings import Reload

__all__ = [
    "NEUTRAL",
    "RELOADS",
    "Choices",
    "FieldType",
    "SettingField",
    "choices_of",
    "fields_of",
    "hover_text",
    "risk_text",
    "simplified",
    "walk_fields",
    "written",
]

Choices = dict[str, Any]  # what is written -> what the code gets

# How a change reaches a running node, and which change loosens a limit: words for help, hover and manual.
RELOADS = {
    Reload.LIVE: "takes effect between two turns",
    Reload.RESTART: "restarts the actor, its state kept",
    Reload.START: "takes a new start of the node",
    Reload.FIXED: "needs a new journal",
    Reload.NONE: "changes no node: make the files anew with `polytrade monitoring`",
}
RISKS = {"raise": "raising it loosens a limit", "lower": "lowering it loosens a limit"}
NEUTRAL = "none"  # the direction of what is no limit

FORMATTERS = {"duration": format_duration, "e8": format_e8, "bytes": format_bytes}


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type without its wrappings."""

    base: inspect.Type
    format: str = ""  # duration | e8 | bytes, or empty
    extra: Mapping[str, Any] = field(default_factory=dict)  # reload, risk
    about: Mapping[str, Any] = field(default_factory=dict)  # description, examples


@dataclass(frozen=True, slots=True)
class SettingField:
    """One field of a settings class."""

    name: str
    type: FieldType
    required: bool
    default: Any = None

    @property
    def description(self) -> str:
        """What the field is for."""
        return str(self.type.about.get("description", ""))

    @property
    def reload(self) -> str:
        """How a change reaches a running node: live, restart, start or fixed; none when no node reads it."""
        return str(self.type.extra.get("reload", Reload.RESTART))

    @property
    def risk(self) -> str:
        """Which direction of change loosens a limit: raise, lower or neither."""
        return str(self.type.extra.get("risk", ""))

    @property
    def is_off_at_zero(self) -> bool:
        """Whether 0 is no limit at all."""
        return bool(self.type.extra.get("off_at_zero", False))

    @property
    def ascending(self) -> tuple[str, ...]:
        """The choices from the lowest to the highest, where the risk speaks of a choice."""
        return tuple(self.type.extra.get("ascending", ()))

    @property
    def is_optional(self) -> bool:
        """Whether a live deployment may leave this limit out."""
        return bool(self.type.extra.get("optional", False))

    @property
    def is_secret(self) -> bool:
        """Whether it may hold a reference to a secret."""
        return bool(self.type.extra.get("secret", False))

    @property
    def may_be_plain(self) -> bool:
        """Whether a secret may stand there as text, too: not every value of it is one."""
        return bool(self.type.extra.get("plain", False))


def risk_text(one: SettingField) -> str:
    """Return which change of a setting loosens a limit; empty when none does."""
    text = RISKS.get(one.risk, "")
    return f"{text}, and so does 0" if text and one.is_off_at_zero else text


def hover_text(one: SettingField) -> str:
    """Return what an editor shows of a setting: what it is for, and what a change of it does."""
    effect = "; ".join(filter(None, (f"A change {RELOADS[one.reload]}", risk_text(one))))
    return f"{one.description}\n\n{effect}."


def simplified(found: inspect.Type) -> FieldType:
    """Return a type without metadata wrappers and without the None of an optional one."""
    extra: dict[str, Any] = {}
    about: dict[str, Any] = {}
    while True:
        if isinstance(found, inspect.Metadata):
            extra = {**(found.extra or {}), **extra}
            about = {**(found.extra_json_schema or {}), **about}
            found = found.type
        elif isinstance(found, inspect.UnionType):
            types = [one for one in found.types if not isinstance(one, inspect.NoneType)]
            if len(types) != 1:
                break
            found = types[0]
        else:
            break
    return FieldType(found, str(extra.get("format", "")), extra, about)


@cache
def fields_of(settings: type[msgspec.Struct]) -> dict[str, SettingField]:
    """Return the fields of a settings class by name, in order."""
    found = inspect.type_info(settings)
    if not isinstance(found, inspect.StructType):
        raise TypeError(settings)
    return {one.encode_name: _field(one) for one in found.fields}


def _field(found: inspect.Field) -> SettingField:
    default = found.default
    if found.default_factory is not msgspec.NODEFAULT:
        default = found.default_factory()
    elif default is msgspec.NODEFAULT:
        default = None
    return SettingField(found.encode_name, simplified(found.type), found.required, default)


def choices_of(base: inspect.Type) -> Choices | None:
    """Return what can be written for an enumeration, and what the code gets for it; None for other types."""
    if isinstance(base, inspect.LiteralType):
        return {str(value): value for value in base.values}
    if isinstance(base, inspect.EnumType):
        members: list[enum.Enum] = list(base.cls)
        named = any(not isinstance(member.value, str) for member in members)
        return {member.name.lower() if named else str(member.value): member for member in members}
    return None


def written(value: Any, found: FieldType) -> Any:
    """Return a value as an operator would write it: plain lists, maps, texts and numbers."""
    if value is None:
        return None
    if found.format in FORMATTERS:
        return FORMATTERS[found.format](value)
    if isinstance(value, msgspec.Struct):
        return written_struct(value)
    if isinstance(value, enum.Enum):
        choices = choices_of(inspect.type_info(type(value))) or {}
        return next(text for text, member in choices.items() if member is value)
    if isinstance(value, tuple | list | frozenset | set):
        items = sorted(value) if isinstance(value, frozenset | set) else value
        return [written(item, item_type(found, index)) for index, item in enumerate(items)]
    if isinstance(value, dict):
        base = found.base
        inner = simplified(base.value_type) if isinstance(base, inspect.DictType) else FieldType(base)
        return {str(key): written(item, inner) for key, item in value.items()}
    return value


def written_struct(value: msgspec.Struct) -> dict[str, Any]:
    """Return a settings object as a map of what an operator would write."""
    found = fields_of(type(value))
    return {name: written(getattr(value, name), one.type) for name, one in found.items()}


def item_type(found: FieldType, index: int) -> FieldType:
    """Return the type of a list's item."""
    base = found.base
    if isinstance(base, inspect.TupleType):
        return simplified(base.item_types[index])
    if isinstance(base, inspect.VarTupleType | inspect.ListType | inspect.SetType | inspect.FrozenSetType):
        return simplified(base.item_type)
    return FieldType(base)


def walk_fields(settings: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, SettingField]]:
    """Yield every field with its dotted path, those of nested settings too; lists of settings as `name[]`."""
    for name, one in fields_of(settings).items():
        path = f"{prefix}{name}"
        yield path, one
        base = one.type.base
        if isinstance(base, inspect.StructType):
            yield from walk_fields(base.cls, f"{path}.")
        elif isinstance(base, inspect.VarTupleType | inspect.ListType):
            inner = simplified(base.item_type).base
            if isinstance(inner, inspect.StructType):
                yield from walk_fields(inner.cls, f"{path}[].")
        elif isinstance(base, inspect.DictType):
            inner = simplified(base.value_type).base
            if isinstance(inner, inspect.StructType):
                yield from walk_fields(inner.cls, f"{path}.*.")
