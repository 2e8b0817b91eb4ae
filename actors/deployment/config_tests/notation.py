"""How the fields of messages are written in a test: as in a deployment, by what their names say.

`..._usdt` and `..._e8` are exact decimals, `..._ns` durations, `..._at_ns` instants (`now`, `now+5s`, UTC),
`..._ticks` prices as text (`"60000.5"`) or ticks as an integer, enumerations their words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect

from actors.deployment.conversion import Converter, S, Unfit
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Span
from actors.deployment.quantities import parse_duration
from actors.deployment.setting_types import FieldType, SettingField, fields_of
from actors.deployment.topology import instant_ns
from actors.deployment.yaml_tree import Map, Node, Scalar, described
from actors.domain.instrument import Instrument

__all__ = ["FromNow", "MessageConverter", "format_of", "with_instants"]

NOW = re.compile(r"now(?:([+-])(\S+))?")
INSTANT_HELP = "write now, now+5s, now-1m, or an instant in UTC such as 2026-01-05T12:00:00Z"
PRICE_HELP = 'write a price as text, "60000.5", or ticks as an integer'


@dataclass(frozen=True, slots=True)
class FromNow:
    """An instant that is known when the step runs."""

    offset_ns: int


def format_of(name: str) -> str:
    """Return how a field is written, by its name; empty for bare numbers and everything else."""
    if name == "at_ns" or name.endswith("_at_ns"):
        return "instant"
    if name.endswith("_ns"):
        return "duration"
    if name.endswith("_ticks"):
        return "price"
    return "e8" if "_usdt" in name or name.endswith("_e8") else ""


def with_instants(message: msgspec.Struct, now_ns: int) -> msgspec.Struct:
    """Return a message whose instants are counted from now."""
    found = {
        name: now_ns + value.offset_ns
        for name in message.__struct_fields__
        if isinstance(value := getattr(message, name), FromNow)
    }
    return msgspec.structs.replace(message, **found) if found else message


class MessageConverter(Converter):
    """Converts what stands under `fields` and `where`."""

    def __init__(self, log: FaultLog, about: str, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(log, about)
        self._instruments = instruments
        self.symbol = ""  # whose ticks prices are

    def message(self, kind: type[S], node: Map, missing_at: Span) -> S | None:
        """Return the message of a type that is written; instants that are not are `now`."""
        symbol = node.get("symbol")
        self.symbol = symbol.text if isinstance(symbol, Scalar) else self.symbol
        return self.settings(kind, node, missing_at=missing_at)

    def value(self, node: Node, field: SettingField, path: str) -> Any:
        """Return one value. Errors: Unfit, when it was refused and the fault noted."""
        return self._value(node, field.type, path)

    def fields_of(self, kind: type[msgspec.Struct]) -> dict[str, SettingField]:
        """Return a message's fields, with the notation that their names ask for."""
        return {name: written_field(name, one) for name, one in fields_of(kind).items()}

    def _built(self, kind: type[S], values: dict[str, Any], node: Map, at: Span) -> S | None:
        for name, one in fields_of(kind).items():
            if one.required and name not in values and format_of(name) == "instant":
                values[name] = FromNow(0)
        return super()._built(kind, values, node, at)

    def _quantity(self, node: Node, format: str, path: str) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if format in ("instant", "price") and type(value) is int:
            return value
        if format == "instant":
            return self._instant(node, value, path)
        if format == "price":
            return self._price(node, value, path)
        return super()._quantity(node, format, path)

    def _instant(self, node: Node, value: Any, path: str) -> Any:
        try:
            found = NOW.fullmatch(value) if isinstance(value, str) else None
            if found is None:
                return instant_ns(str(value))
            offset = parse_duration(found[2]) if found[1] else 0
            return FromNow(-offset if found[1] == "-" else offset)
        except ValueError:
            self._refuse("E106", node, path, "an instant", INSTANT_HELP)
            raise Unfit from None

    def _price(self, node: Node, value: Any, path: str) -> int:
        instrument = self._instruments.get(self.symbol)
        if not isinstance(value, str) or instrument is None:
            help = PRICE_HELP if instrument is not None else "say the symbol beside it, or write ticks"
            self._refuse("E102", node, path, "a price", help)
            raise Unfit
        try:
            return instrument.price_ticks(value)
        except (ValueError, ArithmeticError):
            step = instrument.price_text(1)
            self._refuse("E106", node, path, f"a price of {self.symbol}, in steps of {step}", PRICE_HELP)
            raise Unfit from None

    def _value(self, node: Node, found: FieldType, path: str) -> Any:
        if found.format in ("instant", "price"):
            return self._quantity(node, found.format, path)
        if isinstance(found.base, inspect.UnionType) and not found.format:
            return self._one_of(node, found.base, path)
        if isinstance(found.base, inspect.BytesType):
            self._refuse("E102", node, path, "left out: bytes cannot be written here")
            raise Unfit
        return super()._value(node, found, path)

    def _one_of(self, node: Node, base: inspect.UnionType, path: str) -> Any:
        """Return one of several structs, written `{Stop: {stop_ticks: "59000"}}`."""
        kinds = {one.cls.__name__: one.cls for one in base.types if isinstance(one, inspect.StructType)}
        if not isinstance(node, Map) or len(node.values) != 1:
            self._refuse("E102", node, path, f"a map with one of {', '.join(kinds)}")
            raise Unfit
        name, inner = next(iter(node.values.items()))
        if name not in kinds or not isinstance(inner, Map):
            help = did_you_mean(name, kinds)
            what = f"{path!r} cannot be {name!r}" if name not in kinds else f"{name!r} is {described(inner)}"
            self._log.add("E104", node.keys[name].span, f"{self._about}{what}", help)
            raise Unfit
        made = self.settings(kinds[name], inner, path=f"{path}.", missing_at=node.keys[name].span)
        if made is None:
            raise Unfit
        return made


def written_field(name: str, one: SettingField) -> SettingField:
    """Return a field as it is written in a test."""
    format = format_of(name) if isinstance(one.type.base, inspect.IntType) else ""
    required = one.required and format != "instant"
    return SettingField(name, FieldType(one.type.base, format, one.type.extra, one.type.about), required)
