"""Files over files: maps merge, lists replace, and every value keeps its own place."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.deployment.faults import FaultLog
from actors.deployment.layers import read_layers
from actors.deployment.yaml_tree import Map, node_at, plain


def layers(
    folder: Path, files: dict[str, str], *names: str, env: tuple[str, ...] = ()
) -> tuple[Map | None, FaultLog]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    log = FaultLog()
    root, _ = read_layers([str(folder / name) for name in names], env, log)
    return root, log


def test_maps_merge_and_lists_replace(tmp_path: Path) -> None:
    files = {
        "base.yaml": "a: {x: 1, y: [1, 2]}\nb: 5\n",
        "top.yaml": "extends: base.yaml\na: {y: [3], z: 4}\nc: {d: 1}\n",
    }
    root, log = layers(tmp_path, files, "top.yaml")
    assert root is not None
    assert plain(root) == {"a": {"x": 1, "y": [3], "z": 4}, "b": 5, "c": {"d": 1}}
    assert log.sorted() == ()


def test_every_value_keeps_the_place_that_said_it(tmp_path: Path) -> None:
    files = {"base.yaml": "a: {x: 1, y: 2}\n", "top.yaml": "extends: base.yaml\na:\n  y: 3\n"}
    root, _ = layers(tmp_path, files, "top.yaml")
    assert root is not None
    old, new = node_at(root, ("a", "x")).span, node_at(root, ("a", "y")).span
    assert (Path(old.source.name).name, old.line) == ("base.yaml", 1)
    assert (Path(new.source.name).name, new.line, new.column) == ("top.yaml", 3, 6)


def test_a_key_without_a_value_takes_away_what_lies_below(tmp_path: Path) -> None:
    files = {"base.yaml": "a: {x: 1, y: 2}\nb: 1\n", "top.yaml": "extends: base.yaml\na: {x: }\nb:\n"}
    root, log = layers(tmp_path, files, "top.yaml")
    assert root is not None
    assert plain(root) == {"a": {"y": 2}}
    assert log.sorted() == ()


def test_later_files_and_environments_lie_on_top(tmp_path: Path) -> None:
    files = {
        "one.yaml": "v: 1\nw: 1\nx: 1\ny: 1\n",
        "two.yaml": "w: 2\nx: 2\ny: 2\n",
        "one.night.yaml": "x: 3\ny: 3\n",
        "environments/late.yaml": "y: 4\n",
    }
    root, _ = layers(tmp_path, files, "one.yaml", "two.yaml", env=("night", "late"))
    assert root is not None
    assert plain(root) == {"v": 1, "w": 2, "x": 3, "y": 4}


def test_bases_of_bases_lie_lowest(tmp_path: Path) -> None:
    files = {
        "deep/c.yaml": "a: c\nb: c\nc: c\n",
        "deep/b.yaml": "extends: c.yaml\na: b\nb: b\n",
        "a.yaml": "extends: deep/b.yaml\na: a\n",
    }
    root, _ = layers(tmp_path, files, "a.yaml")
    assert root is not None
    assert plain(root) == {"a": "a", "b": "b", "c": "c"}


def test_a_base_used_twice_is_no_circle(tmp_path: Path) -> None:
    files = {
        "base.yaml": "a: 1\n",
        "left.yaml": "extends: base.yaml\nb: 2\n",
        "right.yaml": "extends: base.yaml\nc: 3\n",
        "top.yaml": "extends: [left.yaml, right.yaml]\n",
    }
    root, log = layers(tmp_path, files, "top.yaml")
    assert root is not None
    assert plain(root) == {"a": 1, "b": 2, "c": 3}
    assert log.sorted() == ()


@pytest.mark.parametrize("links", [1, 3])
def test_a_circle_of_any_length_is_told(tmp_path: Path, links: int) -> None:
    files = {f"f{i}.yaml": f"extends: f{(i + 1) % links}.yaml\n" for i in range(links)}
    root, log = layers(tmp_path, files, "f0.yaml")
    assert root is None
    assert [fault.code for fault in log.sorted()] == ["E014"]


def test_a_chain_without_an_end_is_told(tmp_path: Path) -> None:
    files = {f"f{i}.yaml": f"extends: f{i + 1}.yaml\n" for i in range(40)} | {"f40.yaml": "a: 1\n"}
    root, log = layers(tmp_path, files, "f0.yaml")
    assert root is None
    assert [fault.code for fault in log.sorted()] == ["E014"]
