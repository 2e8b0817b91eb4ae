"""Files on top of files: `extends`, environments and overlays become one tree; each value keeps its place.

Maps merge key by key, lists and everything else replace, and a key without a value takes away what lies
below it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import SourceFile, Span
from actors.deployment.yaml_source import read_source
from actors.deployment.yaml_tree import List, Map, Node, Scalar, described

__all__ = ["environment_files", "read_layers"]

CHAIN_MAX = 16
COMMAND_LINE = Span(SourceFile("--environment", ()), 0, 0)


def read_layers(
    paths: Sequence[str], environments: Sequence[str], log: FaultLog
) -> tuple[Map | None, tuple[str, ...]]:
    """Return the merged tree of all files, each with those it extends, and the names of the files read.

    Later paths lie over earlier ones, environments over both. An environment `night` of `config/paper.yaml`
    is `config/paper.night.yaml` or `config/environments/night.yaml`.
    """
    reader = _Reader(log)
    layers = [reader.read(path, None, ()) for path in paths]
    for name in environments:
        found = _environment_file(paths[0], name, log)
        if found:
            layers.append(reader.read(found, None, ()))
    whole: Map | None = None
    for layer in layers:
        if layer is None:
            whole = None
            break
        whole = layer if whole is None else reader.merge(whole, layer, ())
    return whole, tuple(reader.files)


def _environment_file(base: str, name: str, log: FaultLog) -> str:
    candidates = environment_files(base, name)
    for candidate in candidates:
        if Path(candidate).is_file():
            return candidate
    log.add(
        "E013", COMMAND_LINE, f"there is no environment {name!r}", f"looked for {' and '.join(candidates)}"
    )
    return ""


def environment_files(base: str, name: str) -> tuple[str, str]:
    """Return where an environment of a deployment's file is looked for, in this order."""
    folder, stem = os.path.split(base.removesuffix(".yaml").removesuffix(".yml"))
    return (
        os.path.join(folder, f"{stem}.{name}.yaml"),
        os.path.join(folder, "environments", f"{name}.yaml"),
    )


class _Reader:
    """Reads files, with what they extend below them."""

    def __init__(self, log: FaultLog) -> None:
        self._log = log
        self.files: dict[str, None] = {}

    def read(self, name: str, asked: Span | None, chain: tuple[str, ...]) -> Map | None:
        """Return one file merged over those it extends. It is named at `asked`, and extended by `chain`."""
        self.files[name] = None
        if asked is not None and not Path(name).is_file():
            self._log.add(
                "E013", asked, f"there is no file {name!r}", "paths start at the file that says them"
            )
            return None
        root = read_source(Path(name), name, self._log)
        if root is None:
            return None
        if not isinstance(root, Map):
            empty = isinstance(root, Scalar) and root.value is None
            code = "E008" if empty else "E015"
            what = (
                "the file is empty"
                if empty
                else f"a deployment is a map of sections, this is {described(root)}"
            )
            self._log.add(code, root.span, what)
            return None
        return self._with_bases(root, name, (*chain, os.path.realpath(name)))

    def _with_bases(self, root: Map, name: str, chain: tuple[str, ...]) -> Map | None:
        below: Map | None = None
        bases = _texts(root.values.get("extends"), self._log)
        if bases is None:
            return None
        for value in bases:
            base = os.path.normpath(os.path.join(os.path.dirname(name), value.text))
            if os.path.realpath(base) in chain:
                self._log.add("E014", value.span, f"{value.text!r} extends this file in turn")
                return None
            if len(chain) >= CHAIN_MAX:
                self._log.add("E014", value.span, f"this is more than {CHAIN_MAX} files deep")
                return None
            layer = self.read(base, value.span, chain)
            if layer is None:
                return None
            below = layer if below is None else self.merge(below, layer, ())
        own = Map(root.span)
        for key, value_node in root.values.items():
            if key != "extends":
                own.put(root.keys[key], value_node)
        return own if below is None else self.merge(below, own, ())

    def merge(self, below: Map, above: Map, path: tuple[str, ...]) -> Map:
        """Return the one map over the other."""
        merged = Map(below.span)
        for name, value in below.values.items():
            merged.put(below.keys[name], value)
        for name, value in above.values.items():
            key, old = above.keys[name], merged.values.get(name)
            if isinstance(value, Scalar) and value.value is None:
                if old is None:
                    self._removes_nothing(key, below)
                merged.values.pop(name, None)
                merged.keys.pop(name, None)
            elif isinstance(value, Map) and isinstance(old, Map):
                merged.values[name] = self.merge(old, value, (*path, name))
            else:
                # A map keeps the place where its name was first declared; a value has only its own.
                merged.put(merged.keys[name] if isinstance(value, Map) and old is not None else key, value)
        return merged

    def _removes_nothing(self, key: Scalar, below: Map) -> None:
        message = f"{key.text!r} has no value, and there is nothing below it to take away"
        names = {name: found.span for name, found in below.keys.items()}
        self._log.add("W404", key.span, message, did_you_mean(key.text, names, key.span.source.name))


def _texts(value: Node | None, log: FaultLog) -> list[Scalar] | None:
    """Return the files that `extends` names, lowest first; None when it names something else."""
    if value is None or (isinstance(value, Scalar) and value.value is None):
        return []
    items = value.items if isinstance(value, List) else [value]
    names = [item for item in items if isinstance(item, Scalar) and isinstance(item.value, str)]
    for item in items:
        if item not in names:
            log.add("E102", item.span, f"'extends' takes the path of a file, not {described(item)}")
    return names if len(names) == len(items) else None
