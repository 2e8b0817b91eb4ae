"""A YAML document as a tree in which every value knows where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from actors.deployment.places import Span
from actors.deployment.scalars import Plain, kind_of

__all__ = ["SHOWN_LETTERS_MAX", "List", "Map", "Node", "Scalar", "described", "node_at", "plain"]

SHOWN_LETTERS_MAX = 40  # of a value in a message


@dataclass(slots=True, eq=False)
class Scalar:
    """Text, a number, a boolean or nothing."""

    span: Span
    value: Plain
    text: str  # as written, without quotes
    quoted: bool = False
    faulty: bool = False  # a reference in it means nothing, which is told; nothing more is to be said


@dataclass(slots=True, eq=False)
class List:
    """Values in order."""

    span: Span
    items: list[Node]


@dataclass(slots=True, eq=False)
class Map:
    """Values by name. Keys are kept as scalars beside the values, for their places."""

    span: Span
    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)

    def get(self, name: str) -> Node | None:
        """Return a value; None when it is absent, and when it is written as nothing."""
        found = self.values.get(name)
        return None if isinstance(found, Scalar) and found.value is None else found

    def put(self, key: Scalar, value: Node) -> None:
        """Set a value under a key, with the key's place."""
        name = key.text
        self.keys[name] = key
        self.values[name] = value

    def items(self) -> Iterator[tuple[Scalar, Node]]:
        """Yield keys and values, but for values written as nothing."""
        for name, value in self.values.items():
            if not (isinstance(value, Scalar) and value.value is None):
                yield self.keys[name], value


Node = Scalar | List | Map


def plain(node: Node) -> Any:
    """Return the bare value: dicts, lists and scalars. What is written as nothing is left out of maps."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.items()}


def node_at(root: Node, path: tuple[str | int, ...]) -> Node:
    """Return the value under a path of keys and indexes; the nearest one above when it is not there."""
    node = root
    for step in path:
        if isinstance(node, Map) and isinstance(step, str) and step in node.values:
            node = node.values[step]
        elif isinstance(node, List) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def described(node: Node) -> str:
    """Return what stands there in an operator's words: `the text 'no'`, `a list`, `the integer 5`."""
    if isinstance(node, List):
        return "a list"
    if isinstance(node, Map):
        return "a map"
    if node.value is None:
        return "nothing"
    kind = kind_of(node.value).removeprefix("a ").removeprefix("an ")
    too_long = len(node.text) > SHOWN_LETTERS_MAX
    shown = node.text[:SHOWN_LETTERS_MAX] + "..." if too_long else node.text
    return f"the {kind} {shown!r}" if isinstance(node.value, str) else f"the {kind} {shown}"
