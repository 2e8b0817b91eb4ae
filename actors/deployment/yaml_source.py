"""From the bytes of a YAML file to a tree with places, or to faults that say what is wrong where.

PyYAML's parser gives events; the tree is composed here, because PyYAML's own composer keeps no key places,
lets the last of two equal keys win, and follows aliases without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from actors.deployment.faults import FaultLog
from actors.deployment.places import SourceFile, Span
from actors.deployment.scalars import core_value
from actors.deployment.syntax import explain_syntax
from actors.deployment.yaml_tree import List, Map, Node, Scalar

__all__ = ["parse_text", "read_source"]

# No deployment anybody edits by hand comes near these; what does is a mistake or an attack.
FILE_BYTES_MAX = 1 << 20
NODES_MAX = 100_000  # aliases count with everything below them
DEPTH_MAX = 64
BRACKETS_OPEN_MAX = 500  # libyaml needs quadratic time for what opens and never closes

BRACKETS = re.compile(r"[\[\]{}]")
UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_source(path: Path, name: str, log: FaultLog) -> Node | None:
    """Return the tree of one file, which faults call `name`; None when there is a fault that stops it."""
    whole = Span(SourceFile(name, (), str(path.parent)), 1, 1)
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        log.add("E013", whole, f"the file cannot be read: {error.strerror or error}")
        return None
    if len(raw) > FILE_BYTES_MAX:
        log.add("E007", whole, f"the file is larger than {FILE_BYTES_MAX >> 20} MiB")
        return None
    text = _decoded(raw, whole, log)
    return None if text is None else parse_text(text, name, log, str(path.parent))


def _decoded(raw: bytes, whole: Span, log: FaultLog) -> str | None:
    if raw.startswith(BYTE_ORDER_MARKS):
        log.add("E005", whole, "the file begins with a byte order mark", "save it as UTF-8 without one")
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        lines = tuple(raw.decode("utf-8", "replace").split("\n"))
        at = Span(SourceFile(whole.source.name, lines), line, column)
        log.add("E004", at, f"the byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        return None


def parse_text(text: str, name: str, log: FaultLog, directory: str = ".") -> Node | None:
    """Return the tree of YAML text; None when there is a fault that stops it."""
    source = SourceFile(name, tuple(text.splitlines()), directory)
    if not _is_sane(text, source, log):
        return None
    composer = _Composer(source, log)
    try:
        return composer.document(yaml.parse(text, Loader=Loader))
    except yaml.MarkedYAMLError as error:
        explain_syntax(error, source, log)
    except yaml.YAMLError as error:
        log.add("E001", Span(source, 1, 1), f"this is not YAML: {error}")
    except _Stopped:
        pass
    return None


def _is_sane(text: str, source: SourceFile, log: FaultLog) -> bool:
    found = UNPRINTABLE.search(text)
    if found:
        at = _span_at(source, text, found.start())
        log.add("E006", at, f"the character U+{ord(found[0]):04X} cannot be part of a YAML file")
        return False
    opened = 0
    for bracket in BRACKETS.finditer(text):
        opened += 1 if bracket[0] in "[{" else -1
        if opened > BRACKETS_OPEN_MAX:
            at = _span_at(source, text, bracket.start())
            log.add("E007", at, f"more than {BRACKETS_OPEN_MAX} brackets are open here")
            return False
    return True


def _span_at(source: SourceFile, text: str, index: int) -> Span:
    lines = (text[:index] + ".").splitlines()
    return Span(source, len(lines), len(lines[-1]))


class _Stopped(Exception):
    """What was found makes the rest of the file meaningless."""


class _Composer:
    """Builds the tree from parser events."""

    def __init__(self, source: SourceFile, log: FaultLog) -> None:
        self._source = source
        self._log = log
        self._next: Callable[[], Any]
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[str, int] = {}  # nodes below each anchor, itself included
        self._open: set[str] = set()  # anchors whose node is not complete
        self._count = 0
        self._depth = 0

    def document(self, events: Iterator[Any]) -> Node | None:
        """Return the only document's root."""
        self._next = events.__next__
        self._next()  # the stream starts
        start = self._next()
        if isinstance(start, yaml.StreamEndEvent):
            self._log.add("E008", Span(self._source, 1, 1), "the file is empty")
            return None
        root = self._node(self._next())
        self._next()  # the document ends
        more = self._next()
        if isinstance(more, yaml.DocumentStartEvent):
            message = "a second document begins here"
            self._log.add("E012", self._span(more), message, "put every deployment into a file of its own")
            return None
        return root

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        if isinstance(event, yaml.ScalarEvent) and end.line != start.line:
            width = max(1, len(self._source.line(start.line + 1).rstrip()) - start.column)
        return Span(self._source, start.line + 1, start.column + 1, max(1, width))

    def _node(self, event: Any) -> Node:
        self._count += 1
        if self._count > NODES_MAX:
            self._stop("E007", self._span(event), f"the file has more than {NODES_MAX} values")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._check_tag(event)
        anchor, before = event.anchor, self._count
        self._open.add(anchor)
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._stop("E007", self._span(event), f"this is nested deeper than {DEPTH_MAX} levels")
        node = self._value(event)
        self._depth -= 1
        self._open.discard(anchor)
        if anchor is not None:
            self._anchors[anchor] = node
            self._sizes[anchor] = self._count - before + 1
        return node

    def _value(self, event: Any) -> Node:
        span = self._span(event)
        if isinstance(event, yaml.ScalarEvent):
            text, quoted = event.value, not event.implicit[0]
            return Scalar(span, text if quoted else core_value(text), text, quoted)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(span)
        return self._map(span)

    def _list(self, span: Span) -> List:
        found = List(span, [])
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.items.append(self._node(event))
        return found

    def _map(self, span: Span) -> Map:
        found, merged = Map(span), list[Map]()
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event)
            if not isinstance(key, Scalar):
                self._stop("E011", key.span, "a key must be text, not a list or a map", _BRACE_HELP)
            value = self._node(self._next())
            if key.text == "<<" and not key.quoted:
                merged += self._merged(key, value)
            elif key.text in found.values:
                message = f"the key {key.text!r} appears twice in one map"
                first = found.keys[key.text].span.seen_from(self._source.name)
                self._log.add("E002", key.span, message, f"the first is at {first}")
            else:
                found.put(key, value)
        for other in merged:
            for name, value in other.values.items():
                if name not in found.values:
                    found.put(other.keys[name], value)
        return found

    def _merged(self, key: Scalar, value: Node) -> list[Map]:
        parts = value.items if isinstance(value, List) else [value]
        maps = [part for part in parts if isinstance(part, Map)]
        if len(maps) < len(parts):
            self._log.add("E011", key.span, "`<<` takes over the keys of a map, and this is none")
        return maps

    def _alias(self, event: Any) -> Node:
        name, span = event.anchor, self._span(event)
        if name in self._open:
            self._stop("E009", span, f"the alias '*{name}' stands inside the value it names")
        if name not in self._anchors:
            self._stop("E009", span, f"the alias '*{name}' names no anchor above it")
        self._count += self._sizes[name]
        if self._count > NODES_MAX:
            message = f"with this alias the file would have more than {NODES_MAX} values"
            self._stop("E007", span, message, "aliases of aliases grow quickly")
        return self._anchors[name]

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            message = f"tags such as {event.tag!r} are not allowed"
            help = "write the bare value; put it in quotes to make it text"
            self._log.add("E010", self._span(event), message, help)

    def _stop(self, code: str, span: Span, message: str, help: str = "") -> NoReturn:
        self._log.add(code, span, message, help)
        raise _Stopped


_BRACE_HELP = "put a text that begins with a bracket or a brace in quotes"
