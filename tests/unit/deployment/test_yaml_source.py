"""YAML text becomes a tree in which everything knows its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from actors.deployment import yaml_source
from actors.deployment.faults import Fault, FaultLog
from actors.deployment.yaml_source import parse_text, read_source
from actors.deployment.yaml_tree import List, Map, Scalar, node_at, plain

TEXT = """\
# a comment
first: [one, "two", 3]
größe:
  inner: |
    lines
    of text
  other: &mark {a: 1, b: 0.5}
  again: *mark
"""


def parsed(text: str) -> Map:
    log = FaultLog()
    tree = parse_text(text, "file.yaml", log)
    assert isinstance(tree, Map), log.sorted()
    return tree


def fault_of(text: str) -> Fault:
    log = FaultLog()
    parse_text(text, "file.yaml", log)
    (fault,) = log.sorted()
    return fault


def test_values_keep_line_column_and_width() -> None:
    tree = parsed(TEXT)
    first = node_at(tree, ("first", 1))
    assert (first.span.line, first.span.column, first.span.width) == (2, 14, 5)
    assert str(first.span.origin) == "file.yaml:2:14"
    assert first.span.source.line(2) == 'first: [one, "two", 3]'
    inner = tree.values["größe"]
    assert isinstance(inner, Map)
    assert (tree.keys["größe"].span.line, inner.keys["other"].span.column) == (3, 3)


def test_the_plain_tree_is_what_was_written() -> None:
    shared = {"a": 1, "b": 0.5}
    assert plain(parsed(TEXT)) == {
        "first": ["one", "two", 3],
        "größe": {"inner": "lines\nof text\n", "other": shared, "again": shared},
    }


def test_quotes_make_text_of_anything() -> None:
    tree = parsed("a: \"5\"\nb: 'true'\nc: ''\nd: 5")
    assert plain(tree) == {"a": "5", "b": "true", "c": "", "d": 5}


def test_a_key_without_a_value_counts_as_not_said() -> None:
    tree = parsed("a:\nb: ~\nc: 1")
    assert tree.get("a") is None
    assert plain(tree) == {"c": 1}
    assert list(tree.values) == ["a", "b", "c"]


def test_merged_keys_yield_to_those_that_are_written() -> None:
    tree = parsed("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {b: 4, <<: [*x, {c: 5}]}")
    assert plain(tree)["y"] == {"a": 1, "b": 3}
    assert plain(tree)["z"] == {"a": 1, "b": 4, "c": 5}


def test_the_second_of_two_equal_keys_is_told_and_dropped() -> None:
    log = FaultLog()
    tree = parse_text("a: 1\nb: 2\na: 3\n", "file.yaml", log)
    assert isinstance(tree, Map)
    assert plain(tree) == {"a": 1, "b": 2}
    assert [(fault.code, fault.line, fault.help) for fault in log.sorted()] == [
        ("E002", 3, "the first is at 1:1")
    ]


def test_a_path_that_ends_early_leads_to_the_nearest_node() -> None:
    tree = parsed("a: {b: [1]}")
    assert node_at(tree, ("a", "b", 5)) is node_at(tree, ("a", "b"))
    assert node_at(tree, ("nothing",)) is tree


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 'x\nb: 1", "E001", 1, 4),
        ("a: [1, 2\nb: 3", "E001", 1, 4),
        ("a: 1\n  b: 2", "E001", 2, 4),
        ("a: @x", "E001", 1, 4),
        ("a:\n\tb: 1", "E003", 2, 1),
        ("a: *b", "E009", 1, 4),
        ("a: !x 1", "E010", 1, 4),
        ("[a]: 1", "E011", 1, 1),
        ("a: 1\n---\nb: 2", "E012", 2, 1),
        ("a: \x01", "E006", 1, 4),
        ("", "E008", 1, 1),
    ],
)
def test_a_fault_is_told_where_the_hand_slipped(text: str, code: str, line: int, column: int) -> None:
    fault = fault_of(text)
    assert (fault.code, fault.line, fault.column) == (code, line, column)


def test_a_file_with_too_many_values_is_refused_before_it_costs_memory() -> None:
    text = "a0: &a0 [1]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 20)
    )
    fault = fault_of(text)
    assert fault.code == "E007"
    assert fault.line <= 8


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_text("a: " + "x" * (1 << 20), encoding="utf-8")
    log = FaultLog()
    assert read_source(path, "huge.yaml", log) is None
    assert [fault.code for fault in log.sorted()] == ["E007"]


def test_brackets_that_never_close_cost_no_time() -> None:
    assert fault_of("a: " + "[" * 200_000).code == "E007"


def test_a_file_that_is_not_there_or_no_file_is_a_fault(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        log = FaultLog()
        assert read_source(path, str(path), log) is None
        assert [fault.code for fault in log.sorted()] == ["E013"]


def test_the_slow_parser_reads_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parsed(TEXT)
    monkeypatch.setattr(yaml_source, "Loader", yaml.SafeLoader)
    slow = parsed(TEXT)
    assert plain(slow) == plain(fast)
    assert _places(slow) == _places(fast)


def _places(node: Map | List | Scalar) -> list[tuple[int, int]]:
    found = [(node.span.line, node.span.column)]
    children = node.values.values() if isinstance(node, Map) else node.items if isinstance(node, List) else ()
    for child in children:
        found += _places(child)
    return found
