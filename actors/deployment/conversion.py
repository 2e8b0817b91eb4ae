"""From a tree with places to settings objects, with a fault at the place of every value that does not fit."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Origin, Span
from actors.deployment.quantities import (
    INTEGER_MAX,
    format_e8,
    parse_bytes,
    parse_decimal,
    parse_duration,
)
from actors.deployment.setting_types import (
    FORMATTERS,
    FieldType,
    SettingField,
    choices_of,
    fields_of,
    item_type,
    simplified,
)
from actors.deployment.yaml_tree import List, Map, Node, Scalar, described, plain
from actors.runtime.errors import InvariantError

__all__ = ["Converter", "S", "Unfit", "listed"]

S = TypeVar("S", bound=msgspec.Struct)

BOOLEAN_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


class Unfit(Exception):
    """The value was refused, and the fault noted."""


class Converter:
    """Converts maps to settings. `about` names the owner in faults, such as `actor 'risk'`."""

    def __init__(self, log: FaultLog, about: str = "") -> None:
        self._log = log
        self._about = f"{about}: " if about else ""
        self.origins: dict[str, Origin] = {}

    def settings(
        self, kind: type[S], node: Map, *, path: str = "", missing_at: Span, ignore: Collection[str] = ()
    ) -> S | None:
        """Return the settings object of a map; None when something in it does not fit."""
        known = self.fields_of(kind)
        unfit = False
        for name, key in node.keys.items():
            if name not in known and name not in ignore:
                self._unknown(key, known, path)
                unfit = True
        values: dict[str, Any] = {}
        for name, one in known.items():
            value = node.get(name)
            if value is None:
                if one.required:
                    message = f"{self._about}{path + name!r} is missing"
                    self._log.add("E103", missing_at, message, one.description)
                    unfit = True
                continue
            try:
                values[name] = self._value(value, one.type, path + name)
                self.origins[path + name] = value.span.origin
            except Unfit:
                unfit = True
        return None if unfit else self._built(kind, values, node, missing_at)

    def fields_of(self, kind: type[msgspec.Struct]) -> dict[str, SettingField]:
        """Return what can be written for a class; override where a name says more than its type."""
        return fields_of(kind)

    def _unknown(self, key: Scalar, known: Collection[str], path: str) -> None:
        place = f"{path.rstrip('.')!r} has no key" if path else "there is no key"
        help = did_you_mean(key.text, known) or f"the keys are {', '.join(known)}"
        self._log.add("E101", key.span, f"{self._about}{place} {key.text!r}", help)

    def _built(self, kind: type[S], values: dict[str, Any], node: Map, at: Span) -> S | None:
        try:
            return kind(**values)
        except (ValueError, TypeError) as error:
            named = [name for name in values if re.search(rf"\b{re.escape(name)}\b", str(error))]
            span = node.keys[named[0]].span if named else at
            self._log.add("E111", span, f"{self._about}{error}")
            return None

    def _value(self, node: Node, found: FieldType, path: str) -> Any:
        if isinstance(node, Scalar) and node.faulty:
            raise Unfit
        if found.format:
            quantity = self._quantity(node, found.format, path)
            self._bounded(quantity, node, found, path)
            return quantity
        choices = choices_of(found.base)
        if choices is not None:
            return self._choice(node, choices, path)
        convert = CONVERSIONS.get(type(found.base))
        if convert is None:
            raise InvariantError(f"settings of type {found.base!r} cannot be read from YAML")
        return convert(self, node, found, path)

    # -- scalars -------------------------------------------------------------------------------------

    def _quantity(self, node: Node, format: str, path: str) -> int:
        value = node.value if isinstance(node, Scalar) else None
        if format == "duration" and value == 0 and type(value) is int:
            return 0
        if isinstance(value, str) or (format != "duration" and type(value) is int):
            return self._parsed(node, format, value, path)
        code, wanted, help = QUANTITIES[format][1:]
        if format == "e8" and isinstance(value, float):
            help = f'write it as text: "{_decimal_text(node)}"'
        elif not isinstance(value, int | float) or isinstance(value, bool):
            code = "E102"
        self._refuse(code, node, path, wanted, help)
        raise Unfit

    def _parsed(self, node: Node, format: str, value: str | int, path: str) -> int:
        parse, code, wanted, help = QUANTITIES[format]
        try:
            return value if format == "bytes" and isinstance(value, int) else parse(value)
        except ValueError:
            self._refuse("E109" if format == "e8" else code, node, path, wanted, help)
            raise Unfit from None

    def _integer(self, node: Node, found: FieldType, path: str) -> int:
        value = node.value if isinstance(node, Scalar) else None
        if type(value) is not int:
            quoted = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+", value)
            self._refuse("E102", node, path, "an integer", "write it without quotes" if quoted else "")
            raise Unfit
        self._bounded(value, node, found, path)
        return value

    def _number(self, node: Node, found: FieldType, path: str) -> float:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse("E102", node, path, "a number")
            raise Unfit
        self._bounded(value, node, found, path)
        return float(value)

    def _bounded(self, value: float, node: Node, found: FieldType, path: str) -> None:
        base = found.base
        limits = {name: getattr(base, name, None) for name in BOUNDS}
        if isinstance(base, inspect.IntType):
            limits["ge"] = -INTEGER_MAX if limits["ge"] is None else limits["ge"]
            limits["le"] = INTEGER_MAX if limits["le"] is None else limits["le"]
        for name, (words, holds) in BOUNDS.items():
            limit = limits[name]
            if limit is not None and not holds(value, limit):
                show: Callable[[Any], str] = FORMATTERS.get(found.format, str)
                message = f"{self._about}{path!r} must be {words} {show(limit)}, not {show(value)}"
                self._log.add("E105", node.span, message)
                raise Unfit

    def _boolean(self, node: Node, found: FieldType, path: str) -> bool:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool):
            return value
        word = BOOLEAN_WORDS.get(value.lower()) if isinstance(value, str) else None
        self._refuse("E102", node, path, "true or false", f"write {word}" if word else "")
        raise Unfit

    def _text(self, node: Node, found: FieldType, path: str) -> str:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            help = f'put it in quotes: "{node.text}"' if isinstance(node, Scalar) else ""
            self._refuse("E102", node, path, "text", help)
            raise Unfit
        value, base = node.value, found.base
        pattern = getattr(base, "pattern", None)
        if pattern is not None and not re.search(pattern, value):
            examples = found.about.get("examples") or ()
            help = f"an example: {examples[0]!r}" if examples else f"the form is {pattern}"
            self._log.add("E106", node.span, f"{self._about}{path!r} cannot be {value!r}", help)
            raise Unfit
        return value

    def _choice(self, node: Node, choices: dict[str, Any], path: str) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value in choices:
            return choices[value]
        words = listed(choices)
        if not isinstance(value, str):
            self._refuse("E102", node, path, words)
        else:
            help = did_you_mean(value, choices) if len(choices) > 1 else ""
            help = help if help.startswith("did") else ""
            self._log.add("E104", node.span, f"{self._about}{path!r} must be {words}, not {value!r}", help)
        raise Unfit

    # -- collections ---------------------------------------------------------------------------------

    def _list(self, node: Node, found: FieldType, path: str) -> tuple[Any, ...]:
        if not isinstance(node, List):
            help = "write one item as a list, too: [...]" if isinstance(node, Scalar) else ""
            self._refuse("E102", node, path, "a list", help)
            raise Unfit
        self._check_count(node, len(node.items), found.base, path)
        values, unfit = [], False
        for index, item in enumerate(node.items):
            try:
                values.append(self._value(item, item_type(found, index), f"{path}[{index}]"))
                self.origins[f"{path}[{index}]"] = item.span.origin
            except Unfit:
                unfit = True
        if unfit:
            raise Unfit
        return tuple(values)

    def _set(self, node: Node, found: FieldType, path: str) -> frozenset[Any]:
        return frozenset(self._list(node, found, path))

    def _plain_list(self, node: Node, found: FieldType, path: str) -> list[Any]:
        return list(self._list(node, found, path))

    def _check_count(self, node: Node, count: int, base: inspect.Type, path: str) -> None:
        least = getattr(base, "min_length", None)
        most = getattr(base, "max_length", None)
        if isinstance(base, inspect.TupleType):
            least = most = len(base.item_types)
        if (least is None or count >= least) and (most is None or count <= most):
            return
        wanted = f"{least}" if least == most else f"{least} to {most}"
        if least is None or most is None:
            wanted = f"at most {most}" if least is None else f"at least {least}"
        message = f"{self._about}{path!r} must have {wanted} entries, and has {count}"
        self._log.add("E112", node.span, message)
        raise Unfit

    def _dictionary(self, node: Node, found: FieldType, path: str) -> dict[str, Any]:
        base = found.base
        if not isinstance(node, Map) or not isinstance(base, inspect.DictType):
            self._refuse("E102", node, path, "a map")
            raise Unfit
        self._check_count(node, len(node.values), base, path)
        values, unfit = {}, False
        key_type, value_type = simplified(base.key_type), simplified(base.value_type)
        for key, value in node.items():
            try:
                name = self._value(Scalar(key.span, key.text, key.text, True), key_type, f"{path}.{key.text}")
                values[name] = self._value(value, value_type, f"{path}.{key.text}")
                self.origins[f"{path}.{key.text}"] = value.span.origin
            except Unfit:
                unfit = True
        if unfit:
            raise Unfit
        return values

    def _struct(self, node: Node, found: FieldType, path: str) -> msgspec.Struct:
        base = found.base
        if not isinstance(node, Map) or not isinstance(base, inspect.StructType):
            self._refuse("E102", node, path, "a map")
            raise Unfit
        made = self.settings(base.cls, node, path=f"{path}.", missing_at=node.span)
        if made is None:
            raise Unfit
        return made

    def _anything(self, node: Node, found: FieldType, path: str) -> Any:
        return plain(node)

    def _refuse(self, code: str, node: Node, path: str, wanted: str, help: str = "") -> None:
        message = f"{self._about}{path!r} must be {wanted}, not {described(node)}"
        self._log.add(code, node.span, message, help)


def listed(choices: Collection[str]) -> str:
    """Return words as `a, b or c`."""
    names = list(choices)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _decimal_text(node: Node) -> str:
    text = node.text if isinstance(node, Scalar) else ""
    try:
        return format_e8(parse_decimal(text))
    except ValueError:
        return text


BOUNDS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "ge": ("at least", operator.ge),
    "gt": ("more than", operator.gt),
    "le": ("at most", operator.le),
    "lt": ("less than", operator.lt),
}

# Format -> parser, code of a fault, what it must be, help.
QUANTITIES: dict[str, tuple[Callable[[Any], int], str, str, str]] = {
    "duration": (parse_duration, "E107", "a duration", "a whole number and a unit: 250ms, 5s, 1m, 8h, 1d"),
    "e8": (
        parse_decimal,
        "E108",
        "an exact decimal number",
        'a number as text with at most 8 decimals: "0.01"',
    ),
    "bytes": (parse_bytes, "E113", "a size", "a whole number and a unit: 64MiB, 2GiB"),
}

CONVERSIONS: dict[type[inspect.Type], Callable[[Converter, Node, FieldType, str], Any]] = {
    inspect.IntType: Converter._integer,
    inspect.FloatType: Converter._number,
    inspect.BoolType: Converter._boolean,
    inspect.StrType: Converter._text,
    inspect.VarTupleType: Converter._list,
    inspect.TupleType: Converter._list,
    inspect.ListType: Converter._plain_list,
    inspect.SetType: Converter._set,
    inspect.FrozenSetType: Converter._set,
    inspect.DictType: Converter._dictionary,
    inspect.StructType: Converter._struct,
    inspect.AnyType: Converter._anything,
}
