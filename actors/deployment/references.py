"""`$name` and `${NAME:-text}`: filled in on parsed scalars, so that what is filled in never becomes syntax.

Lower case names an input of the deployment or a variable of the actor's `for_each`; upper case names an
environment variable, which comes in as a mapping. `$$` stands for a dollar sign. A value that is nothing
but one reference takes the type of what it refers to; in a longer text everything is text. An item of a
list that stands for a list itself gives way to its items.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Span
from actors.deployment.scalars import core_value
from actors.deployment.yaml_tree import List, Map, Node, Scalar

__all__ = ["ANY_NAME", "Scope", "fill_in"]

REFERENCE = re.compile(r"\$(?:(?P<escaped>\$)|(?P<bare>\w+)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}|)")
NAME = re.compile(r"[a-z][a-z0-9_]*")
ENVIRONMENT_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
ANY_NAME = "*"  # among a scope's unknown names: every name may be one of them


class Scope:
    """What references can mean at one place."""

    def __init__(
        self,
        values: Mapping[str, Node],
        environment: Mapping[str, str],
        log: FaultLog,
        used: set[str] | None = None,
        unknown: Iterable[str] = (),
    ) -> None:
        self.values = dict(values)
        self.environment = environment
        self.log = log
        self.used: set[str] = set() if used is None else used
        self.unknown = frozenset(unknown)  # declared, but faulty: told already

    def inner(self, variables: Mapping[str, Node], unknown: Iterable[str] = ()) -> Scope:
        """Return a scope that also knows these variables, and those that are faulty."""
        unknown = self.unknown.union(unknown)
        return Scope({**self.values, **variables}, self.environment, self.log, self.used, unknown)


def fill_in(node: Node, scope: Scope) -> Node:
    """Return a copy of a tree in which every reference has become what it stands for."""
    if isinstance(node, Scalar):
        return _scalar(node, scope) if isinstance(node.value, str) and "$" in node.value else node
    if isinstance(node, List):
        return List(node.span, list(_items(node, scope)))
    filled = Map(node.span)
    for name, value in node.values.items():
        filled.put(node.keys[name], fill_in(value, scope))
    return filled


def _items(node: List, scope: Scope) -> Iterator[Node]:
    """Yield a list's items; an item that stands for a list gives way to that one's items."""
    for item in node.items:
        filled = fill_in(item, scope)
        if isinstance(item, Scalar) and isinstance(filled, List):
            yield from filled.items
        else:
            yield filled


def _scalar(node: Scalar, scope: Scope) -> Node:
    text = node.text
    whole = REFERENCE.fullmatch(text)
    if whole and (whole["bare"] or whole["name"]):
        found = _whole(node, whole, scope)
        return _faulty(node.span) if found is None else found
    parts: list[str | None] = []
    end = 0
    for reference in REFERENCE.finditer(text):
        parts.append(text[end : reference.start()])
        parts.append(_part(reference, node, scope))
        end = reference.end()
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts):
        return _faulty(node.span)
    filled = "".join((*texts, text[end:]))
    return Scalar(node.span, filled, filled, True)


def _faulty(span: Span) -> Scalar:
    return Scalar(span, "", "", quoted=True, faulty=True)


def _whole(node: Scalar, found: re.Match[str], scope: Scope) -> Node | None:
    """Return the value of a scalar that is one reference: it keeps its type, and gets this place."""
    name = found["bare"] or found["name"]
    if ENVIRONMENT_NAME.fullmatch(name):
        text = _from_environment(found, node.span, scope)
        if text is None:
            return None
        return Scalar(node.span, text if node.quoted else core_value(text), text, node.quoted)
    value = _named(name, node.span, scope)
    return None if value is None else _placed(value, node.span)


def _placed(value: Node, span: Span) -> Node:
    if isinstance(value, Scalar):
        return Scalar(span, value.value, value.text, value.quoted, value.faulty)
    if isinstance(value, List):
        return List(span, [_placed(item, span) for item in value.items])
    return Map(span, value.keys, value.values)


def _part(found: re.Match[str], node: Scalar, scope: Scope) -> str | None:
    """Return the text of a reference within a longer text; None when it means nothing."""
    if found["escaped"]:
        return "$"
    name, span = found["bare"] or found["name"], _part_span(found, node)
    if not name:
        help = "write '$$' for a dollar sign"
        scope.log.add("E025", span, "a '$' here must begin '$name' or '${NAME:-text}'", help)
        return None
    if ENVIRONMENT_NAME.fullmatch(name):
        return _from_environment(found, span, scope)
    value = _named(name, span, scope)
    if value is None or isinstance(value, Scalar):
        return None if value is None or value.faulty else value.text
    message = f"'${name}' is {'a list' if isinstance(value, List) else 'a map'} and cannot be part of a text"
    scope.log.add("E026", span, message, f"make '${name}' the whole value")
    return None


def _part_span(found: re.Match[str], node: Scalar) -> Span:
    """Return the place of a reference within its text, if that is a stretch of one line."""
    span, offset = node.span, found.start() + (1 if node.quoted else 0)
    if offset + len(found[0]) > span.width:
        return span
    return Span(span.source, span.line, span.column + offset, len(found[0]))


def _from_environment(found: re.Match[str], span: Span, scope: Scope) -> str | None:
    name = found["bare"] or found["name"]
    text = scope.environment.get(name, "")
    if text:
        return text
    if found["default"] is not None:
        return str(found["default"])
    message = f"the environment variable {name} is not set"
    scope.log.add("E021", span, message, f"'${{{name}:-text}}' says what holds without it")
    return None


def _named(name: str, span: Span, scope: Scope) -> Node | None:
    scope.used.add(name)
    found = scope.values.get(name)
    if found is not None or name in scope.unknown or ANY_NAME in scope.unknown:
        return found
    if not NAME.fullmatch(name):
        message = f"'${name}' is neither a name in lower case nor an environment variable in upper case"
        scope.log.add("E025", span, message, did_you_mean(name, scope.values))
        return None
    places = {known: value.span for known, value in scope.values.items()}
    help = did_you_mean(name, places, span.source.name) or "declare it under 'inputs'"
    scope.log.add("E020", span, f"'${name}' is neither an input nor a variable of for_each", help)
    return None
