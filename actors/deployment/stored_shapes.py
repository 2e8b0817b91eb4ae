"""The shapes of what journals hold (`schemas/journal.json`), and whether those of before can still be read.

A state or an event that changes its shape breaks every journal that has one, at the next start, on somebody
else's machine. So the shapes are written down, and a change that old bytes do not survive is a fault, unless
the class says how it is upgraded. What decides is how msgspec decodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec.inspect as inspect

from actors.deployment.registry import KINDS
from actors.runtime.behaviour import Behaviour, Persistence

__all__ = ["broken", "shapes", "text_of"]

Shape = Any  # JSON: a name of a plain type, or a list that begins with the kind of a composed one
Shapes = dict[str, dict[str, Any]]  # "states", "events", "types" -> by name
PLAIN = {
    inspect.AnyType: "any",
    inspect.RawType: "any",
    inspect.NoneType: "none",
    inspect.BoolType: "bool",
    inspect.IntType: "int",
    inspect.FloatType: "float",
    inspect.StrType: "str",
    inspect.BytesType: "bytes",
}
WIDER = {("int", "float")}  # what is decoded as another plain type without loss of meaning


def shapes() -> Shapes:
    """Return the shapes of every kind's state and events, as the code has them now."""
    found: Shapes = {"states": {}, "events": {}, "types": {}}
    for kind in KINDS.values():
        behaviour = kind.behaviour_class
        if behaviour.PERSISTENCE is Persistence.EPHEMERAL:
            continue
        if behaviour.STATE is not None:
            shape = _shape(inspect.type_info(behaviour.STATE), found["types"])
            found["states"][kind.name] = {
                "shape": shape,
                "version": behaviour.STATE_VERSION,
                "upgrades": _upgrades(behaviour),
            }
        for event in behaviour.EVENTS:
            shape = _shape(inspect.type_info(event), found["types"])
            found["events"][f"{kind.name} {event.__name__}"] = {"shape": shape, "version": event.VERSION}
    return found


def _upgrades(behaviour: type[Behaviour]) -> bool:
    """Return whether a state of an older version can be had: folded anew, or upgraded by the class."""
    is_folded = behaviour.PERSISTENCE is Persistence.EVENT_SOURCED
    return is_folded or behaviour.upgrade is not Behaviour.upgrade


def _shape(kind: inspect.Type, types: dict[str, Any]) -> Shape:
    if type(kind) in PLAIN:
        return PLAIN[type(kind)]
    match kind:
        case inspect.StructType() | inspect.NamedTupleType() | inspect.DataclassType():
            return ["struct", _named(kind, types)]
        case inspect.EnumType():
            return ["one of", *sorted(repr(member.value) for member in kind.cls)]
        case inspect.LiteralType():
            return ["one of", *sorted(map(repr, kind.values))]
        case inspect.DictType():
            return ["dict", _shape(kind.key_type, types), _shape(kind.value_type, types)]
        case inspect.TupleType():
            return ["tuple", *(_shape(item, types) for item in kind.item_types)]
        case inspect.UnionType():
            return ["union", *sorted((_shape(item, types) for item in kind.types), key=repr)]
        case inspect.CollectionType():
            return ["list", _shape(kind.item_type, types)]
        case _:
            return ["custom", repr(kind)]


def _named(kind: Any, types: dict[str, Any]) -> str:
    name = f"{kind.cls.__module__.removeprefix('actors.')}.{kind.cls.__qualname__}"
    if name not in types:
        types[name] = {}  # it may contain itself
        is_tuple = isinstance(kind, inspect.NamedTupleType)
        types[name] = {
            "array": is_tuple or getattr(kind, "array_like", False),
            "tag": getattr(kind, "tag", None),
            "fields": [
                [one.encode_name, _shape(one.type, types), "required" if one.required else "default"]
                for one in kind.fields
            ],
        }
    return name


def text_of(found: Shapes) -> str:
    """Return the file's text: one line for each name, so that two changes rarely meet."""
    parts = []
    for part, entries in found.items():
        lines = [f"    {json.dumps(name)}: {json.dumps(entries[name])}" for name in sorted(entries)]
        parts.append(f"  {json.dumps(part)}: {{\n" + ",\n".join(lines) + "\n  }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def broken(old: Shapes, new: Shapes) -> list[str]:
    """Return what journals of `old` hold and code of `new` does not read; empty when it reads all of it."""
    decodes = _Decodes(old["types"], new["types"])
    faults = []
    for name, was in old["states"].items():
        now = new["states"].get(name)
        if now is None:
            continue  # the kind is gone, or keeps nothing any more
        if now["version"] < was["version"]:
            faults.append(f"state of {name}: version {was['version']} became {now['version']}")
        elif now["version"] > was["version"]:
            if not now["upgrades"]:
                faults.append(f"state of {name}: version {now['version']} has no `upgrade` of older ones")
        else:
            text = "raise STATE_VERSION and say in `upgrade` what an older one means"
            faults += [f"state of {name}: {why}; {text}" for why in decodes.why(was["shape"], now["shape"])]
    for name, was in old["events"].items():
        now = new["events"].get(name)
        kind, _, event = name.partition(" ")
        if now is None and kind in new["states"]:
            faults.append(f"event {event} of {kind} is gone: journals that have one cannot be folded")
        elif now is not None:
            text = "new fields go last, with a default"
            faults += [
                f"event {event} of {kind}: {why}; {text}" for why in decodes.why(was["shape"], now["shape"])
            ]
    return faults


class _Decodes:
    """Whether bytes of an old shape decode as a new one."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str]] = set()

    def why(self, old: Shape, new: Shape) -> list[str]:
        """Return why not; empty when they do."""
        self._seen.clear()
        return list(self._faults(old, new, "it"))

    def _faults(self, old: Shape, new: Shape, place: str) -> Iterator[str]:
        if (
            new == "any"
            or (old != "any" and old == new and isinstance(old, str))
            or (str(old), str(new)) in WIDER
        ):
            return
        if isinstance(new, list) and new[0] == "union":
            for one in old[1:] if isinstance(old, list) and old[0] == "union" else [old]:
                if all(any(self._faults(one, other, place)) for other in new[1:]):
                    yield f"{place} was {_told(one)}, which it may not be now"
            return
        if isinstance(old, str) or isinstance(new, str) or old[0] != new[0]:
            yield f"{place} was {_told(old)} and is {_told(new)}"
            return
        yield from self._composed(old, new, place)

    def _composed(self, old: list[Any], new: list[Any], place: str) -> Iterator[str]:
        if old[0] == "struct":
            yield from self._structs(old[1], new[1], place)
        elif old[0] == "one of":
            if gone := sorted(set(old[1:]) - set(new[1:])):
                yield f"{place} may not be {', '.join(gone)} any more"
        elif old[0] == "tuple" and len(old) != len(new):
            yield f"{place} had {len(old) - 1} items and has {len(new) - 1}"
        elif old[0] == "custom":
            if old != new:
                yield f"{place} was {old[1]} and is {new[1]}"
        else:
            for number, (one, other) in enumerate(zip(old[1:], new[1:], strict=False), 1):
                yield from self._faults(one, other, f"{place}[{number}]")

    def _structs(self, old_name: str, new_name: str, place: str) -> Iterator[str]:
        if (old_name, new_name) in self._seen:
            return
        self._seen.add((old_name, new_name))
        old, new = self._old[old_name], self._new[new_name]
        if (old["array"], old["tag"]) != (new["array"], new["tag"]):
            yield f"{place} is written in another form or under another name"
            return
        if old["array"]:
            pairs = list(zip(old["fields"], new["fields"], strict=False))
            added = new["fields"][len(old["fields"]) :]
        else:
            had = {field[0]: field for field in old["fields"]}
            pairs = [(had[field[0]], field) for field in new["fields"] if field[0] in had]
            added = [field for field in new["fields"] if field[0] not in had]
        for was, now in pairs:
            yield from self._faults(was[1], now[1], f"{place}.{now[0]}")
        yield from (
            f"{place}.{field[0]} is new and has no default" for field in added if field[2] == "required"
        )


def _told(shape: Shape) -> str:
    if isinstance(shape, str):
        return shape
    return str(shape[1]) if shape[0] == "struct" else f"{shape[0]} of {', '.join(map(_told, shape[1:]))}"
