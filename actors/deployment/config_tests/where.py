"""What `where` asks of values: `rule: daily_loss`, `reason: "*loss*"`, `contracts: {ge: 5}`."""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from msgspec import inspect

from actors.deployment.config_tests.notation import FromNow, MessageConverter, format_of
from actors.deployment.conversion import Unfit
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Span
from actors.deployment.quantities import format_duration, format_e8, parse_decimal, parse_duration
from actors.deployment.setting_types import FieldType, SettingField, choices_of
from actors.deployment.yaml_tree import List, Map, Node, Scalar, plain

__all__ = ["Condition", "Where", "shown", "typed_where", "untyped_where"]

COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "eq": ("", operator.eq),
    "ne": ("not ", operator.ne),
    "gt": ("more than ", operator.gt),
    "ge": ("at least ", operator.ge),
    "lt": ("less than ", operator.lt),
    "le": ("at most ", operator.le),
}
OPERATORS = (*COMPARISONS, "in", "like")
OPERATORS_HELP = f"write a value, or a map with {', '.join(OPERATORS)}"
ABSENT = object()


@dataclass(frozen=True)
class Condition:
    """One value that is asked for. `path` is a field, or a way into what an actor shows."""

    path: str
    text: str  # as in `at least "500"`
    holds: Callable[[Any], bool]
    span: Span


@dataclass(frozen=True)
class Where:
    """All values that are asked for."""

    conditions: tuple[Condition, ...] = ()

    def failed(self, values: Mapping[str, Any]) -> list[Condition]:
        """Return the conditions that do not hold."""
        return [one for one in self.conditions if not _holds(one, found_at(values, one.path))]

    def __str__(self) -> str:
        return ", ".join(f"{one.path}: {one.text}" for one in self.conditions)


def _holds(condition: Condition, value: Any) -> bool:
    if value is ABSENT:
        return False
    try:
        return condition.holds(value)
    except TypeError:
        return False  # such as a text held against a number


def found_at(values: Any, path: str) -> Any:
    """Return what lies under a dotted path; names of symbols and items of lists by number are steps too."""
    if isinstance(values, Mapping) and path in values:
        return values[path]
    name, dot, rest = path.partition(".")
    if isinstance(values, list | tuple) and name.isdecimal() and int(name) < len(values):
        inner = values[int(name)]
    elif isinstance(values, Mapping) and name in values:
        inner = values[name]
    elif isinstance(values, msgspec.Struct) and name in values.__struct_fields__:
        inner = getattr(values, name)
    else:
        return ABSENT
    return found_at(inner, rest) if dot else inner


# -- fields whose types are known ----------------------------------------------------------------------------


def typed_where(
    node: Map | None,
    fields: Mapping[str, SettingField],
    converter: MessageConverter,
    log: FaultLog,
    what: str,
) -> Where:
    """Return the conditions on fields of a message; a field it does not have is a fault."""
    found: list[Condition] = []
    symbol = node.get("symbol") if node is not None else None
    converter.symbol = symbol.text if isinstance(symbol, Scalar) else ""
    for key, value in node.items() if node is not None else ():
        field = fields.get(key.text)
        if field is None:
            help = did_you_mean(key.text, fields) or f"its fields are {', '.join(fields)}"
            log.add("E101", key.span, f"{what} has no field {key.text!r}", help)
            continue
        try:
            found.append(_typed(key, value, field, converter, log))
        except Unfit:
            continue
    return Where(tuple(found))


def _typed(
    key: Scalar, node: Node, field: SettingField, converter: MessageConverter, log: FaultLog
) -> Condition:
    name = key.text
    is_text = isinstance(field.type.base, inspect.StrType)

    def value_of(one: Node, path: str) -> Any:
        if is_text and isinstance(one, Scalar) and isinstance(one.value, str):
            return one.value  # a form that holds for settings need not hold for a pattern
        return converter.value(one, field, path)

    if isinstance(node, Map) and not isinstance(field.type.base, inspect.StructType | inspect.DictType):
        return _compared(key, node, lambda one: value_of(one, name), log, field.type)
    value = value_of(node, name)
    if is_text and "*" in value:
        return Condition(name, repr(value), lambda got: fnmatchcase(str(got), value), key.span)
    return Condition(name, shown(name, value), lambda got: _same(got, value), key.span)


def _same(got: Any, wanted: Any) -> bool:
    if isinstance(got, tuple | list) and isinstance(wanted, tuple | list):
        return len(got) == len(wanted) and all(map(_same, got, wanted))
    return bool(got == wanted)


def _compared(
    key: Scalar, node: Map, value_of: Callable[[Node], Any], log: FaultLog, type: FieldType | None = None
) -> Condition:
    tests: list[Callable[[Any], bool]] = []
    words: list[str] = []
    for one, inner in node.items():
        if one.text not in OPERATORS:
            log.add("E101", one.span, f"there is no comparison {one.text!r}", OPERATORS_HELP)
            raise Unfit
        if one.text == "in":
            if not isinstance(inner, List):
                log.add("E102", inner.span, "'in' takes a list of values", "write {in: [a, b]}")
                raise Unfit
            values = [value_of(item) for item in inner.items]
            tests.append(lambda got, values=values: any(_same(got, v) for v in values))  # type: ignore[misc]
            words.append(f"one of {', '.join(shown(key.text, value) for value in values)}")
        elif one.text == "like":
            pattern = str(plain(inner))
            tests.append(lambda got, pattern=pattern: fnmatchcase(str(_word(got)), pattern))  # type: ignore[misc]
            words.append(f"like {pattern!r}")
        else:
            value, (word, compare) = value_of(inner), COMPARISONS[one.text]
            tests.append(lambda got, v=value, compare=compare: compare(got, v))  # type: ignore[misc]
            words.append(f"{word}{shown(key.text, value)}")
    return Condition(key.text, " and ".join(words), lambda got: all(test(got) for test in tests), key.span)


# -- what an actor shows, JSON: types are known only when they are seen --------------------------------------


def untyped_where(node: Map | None, log: FaultLog) -> Where:
    """Return the conditions on values under paths; texts are read by what the last name of the path says."""
    found: list[Condition] = []
    for key, value in node.items() if node is not None else ():
        try:
            found.append(_untyped(key, value, log))
        except Unfit:
            continue
    return Where(tuple(found))


def _untyped(key: Scalar, node: Node, log: FaultLog) -> Condition:
    def value_of(one: Node) -> Any:
        return _loosely(key.text, plain(one))

    if isinstance(node, Map):
        return _compared(key, node, value_of, log)
    value = value_of(node)
    if isinstance(value, str) and "*" in value:
        return Condition(key.text, repr(value), lambda got: fnmatchcase(str(got), value), key.span)
    return Condition(key.text, shown(key.text, value), lambda got: _same(got, value), key.span)


def _loosely(path: str, value: Any) -> Any:
    """Return a written value in the unit of the name it stands under, where its text has that form."""
    format = format_of(path.rpartition(".")[2])
    try:
        if format == "e8" and isinstance(value, str | int) and not isinstance(value, bool):
            return parse_decimal(value)
        if format == "duration" and isinstance(value, str):
            return parse_duration(value)
    except ValueError:
        pass
    return value


# -- showing -------------------------------------------------------------------------------------------------


def shown(name: str, value: Any) -> str:
    """Return a value as it would be written in a test."""
    format = format_of(name.rpartition(".")[2])
    if value is ABSENT:
        return "nothing"
    if isinstance(value, FromNow):
        return "now" if not value.offset_ns else f"now{value.offset_ns / 1e9:+g}s"
    if isinstance(value, int) and not isinstance(value, bool | enum.Enum):
        if format == "e8":
            return f'"{format_e8(value)}"'
        if format == "duration" and value >= 0:
            return format_duration(value)
        return str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(shown('', item) for item in value)}]"
    if isinstance(value, msgspec.Struct):
        inner = (f"{field}: {shown(field, getattr(value, field))}" for field in value.__struct_fields__)
        return f"{type(value).__name__}{{{', '.join(inner)}}}"
    return str(_word(value)) if not isinstance(value, str) else repr(value)


def _word(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        choices = choices_of(inspect.type_info(type(value))) or {}
        return next((text for text, member in choices.items() if member is value), value.name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
