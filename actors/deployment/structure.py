"""The structural tier: jsonschema judges the shape, and its verdicts become faults at their places.

It looks at what no settings class says: the sections, how inputs, actors and edges are written. Values
inside sections and settings are converted field by field (see conversion), which tells more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from actors.deployment.conversion import listed
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Span
from actors.deployment.schema import structure_schema
from actors.deployment.yaml_tree import List, Map, Node, Scalar, described, node_at, plain

__all__ = ["check_structure"]

Path = tuple[str | int, ...]

TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "nothing",
    "number": "a number",
    "object": "a map",
    "string": "text",
}


def check_structure(root: Map, log: FaultLog) -> None:
    """Note everything about the shape of a deployment that is not as it must be."""
    from jsonschema import Draft202012Validator, ValidationError  # takes 0.1 s to import
    from jsonschema.validators import extend

    def pattern(validator: Any, form: str, value: Any, schema: Any) -> Iterator[ValidationError]:
        # Python's `$` also matches before a last line break, which no name may have.
        if isinstance(value, str) and (not re.search(form, value) or value.endswith("\n")):
            yield ValidationError(f"{value!r} does not match {form!r}")

    validator = extend(Draft202012Validator, {"pattern": pattern})(  # type: ignore[no-untyped-call]
        structure_schema()
    )
    for error in validator.iter_errors(plain(root)):
        path: Path = tuple(error.absolute_path)
        node = node_at(root, path)
        if isinstance(node, Scalar) and node.faulty:
            continue
        tell = TELL.get(str(error.validator), _other)
        tell(error, path, node, log)


def _type(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    types = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    wanted = " or ".join(TYPE_NAMES[name] for name in types)
    help = "put it in quotes" if types == ["string"] and not isinstance(node, List | Map) else ""
    log.add("E102", node.span, f"{_named(path)} must be {wanted}, not {described(node)}", help)


def _additional(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    known = error.schema.get("properties", {})
    for name in error.instance:
        if name not in known and not name.startswith("x-") and isinstance(node, Map):
            key = node.keys[name]
            help = did_you_mean(name, known) or f"the keys are {', '.join(known)}"
            log.add("E101", key.span, f"{_owner(path)}there is no key {name!r}", help)


def _required(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    for name in error.validator_value:
        if name not in error.instance:
            about = error.schema.get("properties", {}).get(name, {}).get("description", "")
            span = node.keys[name].span if isinstance(node, Map) and name in node.keys else node.span
            log.add("E103", span, f"{_owner(path)}{name!r} is missing", about)


def _enum(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    choices = error.validator_value
    help = did_you_mean(str(error.instance), choices)
    message = f"{_named(path)} must be {listed(choices)}, not {error.instance!r}"
    log.add("E104", node.span, message, help if help.startswith("did") else "")


def _pattern(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    if isinstance(node, Map):  # the name of one of its keys
        span, what = node.keys[error.instance].span, f"{_owner(path)}the name"
    else:
        span, what = node.span, _named(path)
    help = FORMS.get(error.validator_value, f"the form is {error.validator_value}")
    log.add("E106", span, f"{what} cannot be {error.instance!r}", help)


def _bound(word: str) -> Callable[[Any, Path, Node, FaultLog], None]:
    def tell(error: Any, path: Path, node: Node, log: FaultLog) -> None:
        message = f"{_named(path)} must be at {word} {error.validator_value}, not {error.instance}"
        log.add("E105", node.span, message)

    return tell


def _count(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    log.add("E112", node.span, f"{_named(path)} must have at least one entry")


def _unique(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    seen: dict[str, Span] = {}
    for item in node.items if isinstance(node, List) else ():
        if isinstance(item, Scalar) and item.faulty:
            continue
        name = repr(plain(item))
        if name in seen:
            help = f"the first is at {seen[name].seen_from(item.span.source.name)}"
            log.add("E115", item.span, f"{_named(path)} holds {name} twice", help)
        seen.setdefault(name, item.span)


def _other(error: Any, path: Path, node: Node, log: FaultLog) -> None:
    log.add("E102", node.span, f"{_named(path)}: {error.message}")


def _owner(path: Path) -> str:
    """Return who a fault is about, as a beginning: `actor 'oms': `."""
    if len(path) >= 2 and path[0] in OWNERS:
        rest = _joined(path[2:])
        return f"{OWNERS[str(path[0])]} {path[1]!r}: " + (f"in {rest!r} " if rest else "")
    rest = _joined(path)
    return f"in {rest!r} " if rest else ""


def _named(path: Path) -> str:
    """Return a value's name with its owner: `actor 'oms': 'reads[0]'`."""
    if len(path) > 2 and path[0] in OWNERS:
        return f"{OWNERS[str(path[0])]} {path[1]!r}: {_joined(path[2:])!r}"
    return f"{_joined(path)!r}" if path else "the deployment"


def _joined(path: Iterable[str | int]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


OWNERS = {"actors": "actor", "supervisors": "supervisor", "inputs": "input"}

FORMS = {
    r"^[a-z][a-z0-9_-]*$": "a letter in lower case, then letters, digits, '_' and '-'",
    r"^[a-z][a-z0-9_]*$": "a letter in lower case, then letters, digits and '_'",
    r"^[a-z][a-z0-9-]{0,31}$": "a letter in lower case, then at most 31 letters, digits and '-'",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "it becomes part of an address: letters, digits, '_', '.' and '-'",
    r"^[a-z*][A-Za-z0-9_.*-]*(/[A-Za-z0-9_.*-]+)*$": "an address such as feed/BTC_USDT_PERP or feed/*",
}

TELL: dict[str, Callable[[Any, Path, Node, FaultLog], None]] = {
    "type": _type,
    "additionalProperties": _additional,
    "required": _required,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _bound("least"),
    "maximum": _bound("most"),
    "minItems": _count,
    "minProperties": _count,
    "uniqueItems": _unique,
}
