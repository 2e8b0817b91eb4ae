"""The `inputs` of a deployment: what may differ from one start to the next, with types and defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import SourceFile, Span
from actors.deployment.quantities import parse_decimal, parse_duration
from actors.deployment.references import Scope, fill_in
from actors.deployment.scalars import core_value
from actors.deployment.yaml_tree import List, Map, Node, Scalar, described

__all__ = ["INPUT_TYPES", "input_scope", "unused_inputs"]

INPUT_TYPES: dict[str, str] = {
    "text": "any text",
    "integer": "a whole number",
    "decimal": 'an exact number as text, such as "0.01"',
    "boolean": "true or false",
    "duration": "a number and a unit, such as 250ms, 5s or 1h",
    "list": "a list of texts",
}


def input_scope(root: Map, given: Mapping[str, str], environment: Mapping[str, str], log: FaultLog) -> Scope:
    """Return what `$names` mean in a deployment: its inputs, as given or else by default."""
    declared = root.get("inputs")
    entries = declared if isinstance(declared, Map) else Map(root.span)
    outer = Scope({}, environment, log, unknown=entries.values)
    values: dict[str, Node] = {}
    for name, entry in entries.values.items():
        found = _value(name, entries.keys[name], entry, given, outer)
        if found is not None:
            values[name] = found
    places = {name: key.span for name, key in entries.keys.items()}
    for name in given:
        if name not in entries.values:
            log.add("E024", _given_span(name), f"there is no input {name!r}", did_you_mean(name, places))
    return Scope(values, environment, log, unknown=entries.values)


def unused_inputs(root: Map, scope: Scope) -> None:
    """Note inputs that no value refers to."""
    declared = root.get("inputs")
    for name, key in declared.keys.items() if isinstance(declared, Map) else ():
        if name not in scope.used:
            scope.log.add("W402", key.span, f"the input {name!r} is never used")


def _value(name: str, key: Scalar, entry: Node, given: Mapping[str, str], scope: Scope) -> Node | None:
    if not isinstance(entry, Map):
        return None  # the structure tier says so
    type_node = entry.get("type")
    type_name = type_node.text if isinstance(type_node, Scalar) else "text"
    if type_name not in INPUT_TYPES:
        return None  # likewise
    if name in given:
        return _checked(name, type_name, _from_command_line(name, given[name], type_name), scope.log)
    default = entry.get("default")
    if default is None:
        help = f"give it with '--input {name}=...', or write a default"
        scope.log.add("E022", key.span, f"the input {name!r} has no value", help)
        return None
    return _checked(name, type_name, fill_in(default, scope), scope.log)


def _given_span(name: str) -> Span:
    return Span(SourceFile(f"--input {name}", ()), 0, 0)


def _from_command_line(name: str, text: str, type_name: str) -> Node:
    span = _given_span(name)
    if type_name == "list":
        return List(
            span, [Scalar(span, item.strip(), item.strip()) for item in text.split(",") if item.strip()]
        )
    value = core_value(text) if type_name in ("integer", "boolean") else text
    return Scalar(span, value, text)


def _checked(name: str, type_name: str, value: Node, log: FaultLog) -> Node | None:
    if CHECKS[type_name](value):
        return value
    message = f"the input {name!r} must be {INPUT_TYPES[type_name]}, not {described(value)}"
    log.add("E023", value.span, message)
    return None


def _is_decimal(value: Node) -> bool:
    return (
        isinstance(value, Scalar)
        and not isinstance(value.value, float)
        and _parses(parse_decimal, value.text)
    )


def _parses(parse: Callable[[str], int], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _is_text_list(value: Node) -> bool:
    return isinstance(value, List) and all(
        isinstance(item, Scalar) and isinstance(item.value, str) for item in value.items
    )


CHECKS: dict[str, Callable[[Node], bool]] = {
    "text": lambda value: isinstance(value, Scalar) and isinstance(value.value, str),
    "integer": lambda value: isinstance(value, Scalar) and type(value.value) is int,
    "decimal": _is_decimal,
    "boolean": lambda value: isinstance(value, Scalar) and isinstance(value.value, bool),
    "duration": lambda value: isinstance(value, Scalar) and _parses(parse_duration, value.text),
    "list": _is_text_list,
}
