"""From a `*.test.yaml` file to tests that can run, or to faults with their places, all at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from actors.deployment.config_tests.form import Given
from actors.deployment.config_tests.steps import ConfigTest
from actors.deployment.config_tests.understanding import Understanding
from actors.deployment.conversion import Converter
from actors.deployment.faults import ConfigError, Fault, FaultLog, did_you_mean
from actors.deployment.loader import load
from actors.deployment.places import Span
from actors.deployment.topology import Topology
from actors.deployment.yaml_source import read_source
from actors.deployment.yaml_tree import List, Map, Node, Scalar, described
from actors.runtime.errors import require

__all__ = ["SUFFIX", "TestReader", "files_of_tests"]

SUFFIX = ".test.yaml"
FILE_KEYS = ("deployment", "given", "tests")
TEST_KEYS = ("name", "given", "steps")
STATE = {"POLYTRADE_STATE": "never-written"}  # simulated journals are in memory

Key = tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]


def files_of_tests(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files that paths stand for; of folders all in them. Errors: FileNotFoundError."""
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(path.rglob(f"*{SUFFIX}"))
        elif path.is_file():
            found.append(path)
        else:
            raise FileNotFoundError(str(path))
    return list(dict.fromkeys(found))


class TestReader:
    """Reads test files; a deployment that several tests name is read once."""

    __test__ = False  # pytest, this is no test

    def __init__(self, fault_kinds: Collection[str]) -> None:
        self._fault_kinds = fault_kinds
        self._topologies: dict[Key, Topology | tuple[Fault, ...]] = {}

    def read(self, path: Path, shown_as: str = "") -> list[ConfigTest]:
        """Return the tests of a file. Errors: ConfigError with everything that is wrong with them."""
        log = FaultLog()
        others: list[Fault] = []
        tests = self._tests(path, shown_as or str(path), log, others)
        faults = (*log.sorted(), *dict.fromkeys(others))
        if any(fault.is_error for fault in faults):
            raise ConfigError(faults)
        return tests

    def _tests(self, path: Path, name: str, log: FaultLog, others: list[Fault]) -> list[ConfigTest]:
        root = read_source(path, name, log)
        if root is None:
            return []
        if not isinstance(root, Map):
            log.add("E015", root.span, f"a file of tests is a map, this is {described(root)}")
            return []
        if "actors" in root.values and "tests" not in root.values:
            help = "a file of tests names it: 'deployment: FILE'; see docs/config-tests.md"
            log.add("E015", root.span, "this is a deployment, and no file of tests", help)
            return []
        _check_keys(root, FILE_KEYS, "a file of tests", log)
        files = self._deployment(root, path, log)
        entries = root.get("tests")
        if not isinstance(entries, List) or not entries.items:
            span = root.span if entries is None else entries.span
            log.add("E103", span, "the file has no tests", "write 'tests:' and a list of them below")
            return []
        found: list[ConfigTest] = []
        for entry in entries.items:
            test = self._test(entry, root.get("given"), files, name, log, others)
            if test is not None:
                found.append(test)
        _check_names(found, log)
        return found

    def _deployment(self, root: Map, path: Path, log: FaultLog) -> list[str]:
        node = root.get("deployment")
        items = node.items if isinstance(node, List) else [node]
        named = [item for item in items if isinstance(item, Scalar) and isinstance(item.value, str)]
        if not named or len(named) < len(items):
            span = root.span if node is None else node.span
            help = "write the deployment's file, relative to this one, or a list of files"
            log.add("E103", span, "'deployment' names no file", help)
            return []
        found = [os.path.normpath(os.path.join(os.path.dirname(path), item.text)) for item in named]
        for item, file in zip(named, found, strict=True):
            if not os.path.isfile(file):
                help = "paths start at the file that says them"
                log.add("E013", item.span, f"there is no file {item.text!r}", help)
                return []
        return found

    def _test(
        self,
        entry: Node,
        common: Node | None,
        files: list[str],
        file: str,
        log: FaultLog,
        others: list[Fault],
    ) -> ConfigTest | None:
        if not isinstance(entry, Map):
            log.add("E102", entry.span, f"a test is a map with 'name' and 'steps', not {described(entry)}")
            return None
        _check_keys(entry, TEST_KEYS, "a test", log)
        name, steps = entry.get("name"), entry.get("steps")
        if not isinstance(name, Scalar):
            log.add("E103", entry.span, "'name' is missing", "say in a sentence what must be so")
        if not isinstance(steps, List) or not steps.items:
            span = entry.span if steps is None else steps.span
            log.add("E103", span, "the test has no steps", "write 'steps:' and a list of them below")
        # What is wrong there is told; the steps are looked at all the same.
        given = _given(common, entry.get("given"), log) or Given()
        if not files or not isinstance(name, Scalar) or not isinstance(steps, List):
            return None
        topology = self._topology(files, given)
        if not isinstance(topology, Topology):
            others += topology
            return None
        made = ConfigTest(name.text, name.span, file, given, topology)
        understanding = Understanding(topology, log, entry.get("given") or common or entry, self._fault_kinds)
        made.market = understanding.prices(given.market)
        understanding.check_addresses(given.suspended)
        made.steps = tuple(filter(None, map(understanding.step, steps.items)))
        # A step that is left out without a word would make a test that says less than it seems to.
        require(len(made.steps) == len(steps.items) or log.has_errors, "a step was left out", test=made.name)
        return made

    def _topology(self, files: list[str], given: Given) -> Topology | tuple[Fault, ...]:
        key: Key = (
            tuple(files),
            given.environments,
            tuple(given.inputs.items()),
            tuple(given.variables.items()),
        )
        if key not in self._topologies:
            try:
                variables = {**STATE, **given.variables}
                self._topologies[key] = load(files, given.environments, given.inputs, variables)
            except ConfigError as error:
                self._topologies[key] = error.faults
        return self._topologies[key]


def _check_keys(node: Map, known: tuple[str, ...], what: str, log: FaultLog) -> None:
    for name, key in node.keys.items():
        if name not in known and not name.startswith("x-"):
            help = did_you_mean(name, known) or f"the keys are {', '.join(known)}"
            log.add("E101", key.span, f"{what} has no key {name!r}", help)


def _given(common: Node | None, own: Node | None, log: FaultLog) -> Given | None:
    """Return what holds of both; the test's own stands in place of the file's."""
    found: dict[str, Any] = {}
    for node in (common, own):
        if node is None:
            continue
        if not isinstance(node, Map):
            log.add("E102", node.span, f"'given' must be a map, not {described(node)}")
            return None
        made = Converter(log, "given").settings(Given, node, missing_at=node.span)
        if made is None:
            return None
        found |= {name: getattr(made, name) for name in node.values if name in Given.__struct_fields__}
    return msgspec.structs.replace(Given(), **found)


def _check_names(tests: list[ConfigTest], log: FaultLog) -> None:
    known: dict[str, Span] = {}
    for test in tests:
        if test.name in known:
            first = known[test.name].seen_from(test.file)
            log.add("E115", test.span, f"two tests are named {test.name!r}", f"the first is at {first}")
        known.setdefault(test.name, test.span)
