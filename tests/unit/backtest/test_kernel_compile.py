"""Compiled functions: named by what they really call, and kept on disk until any code changes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from actors.backtest import kernel_cache, kernel_compile
from actors.backtest.kernel_compile import compiled, globals_of

pytest.importorskip("numba")


class Seen(NamedTuple):
    """A field has the name of a function below."""

    score: int
    other: int


def doubled(value: int) -> int:
    return value * 2


def score(seen: Seen) -> int:
    return doubled(seen.score) + seen.other


def circle(value: int) -> int:
    return round_about(value - 1) if value else 0


def round_about(value: int) -> int:
    return circle(value)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Forget what was compiled, as another process would; return how often it was found on disk."""
    monkeypatch.setattr(kernel_compile, "OURS", "tests.")
    monkeypatch.setattr(kernel_cache, "_folder", [tmp_path / "kernel"])

    def run() -> int:
        kernel_compile._MADE.clear()
        compiled.cache_clear()
        function = compiled(score)
        assert function(Seen(4, 1)) == 9
        return sum(function.stats.cache_hits.values())

    yield run
    kernel_compile._MADE.clear()
    compiled.cache_clear()


def test_a_field_with_the_name_of_a_function_is_no_call(fresh) -> None:
    assert globals_of(score) == {"doubled"}
    fresh()


def test_functions_in_a_circle_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_compile, "OURS", "tests.")
    with pytest.raises(TypeError, match="circle calls itself, directly or through others"):
        compiled(circle)


def test_what_was_compiled_is_found_by_the_next_process(fresh) -> None:
    assert [fresh(), fresh(), fresh()] == [0, 1, 1]


def test_another_line_of_code_compiles_anew_and_old_versions_are_forgotten(
    fresh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version in range(5):
        monkeypatch.setattr(kernel_cache, "code_hash", lambda version=version: f"{version:064}"[::-1])
        assert fresh() == 0
    assert len(list((tmp_path / "kernel").iterdir())) == kernel_cache.VERSIONS_KEPT


def test_a_torn_file_costs_time_only(fresh, tmp_path: Path) -> None:
    fresh()
    for path in (tmp_path / "kernel").rglob("*.nb?"):
        path.write_bytes(path.read_bytes()[:40])
    assert fresh() == 0
    assert fresh() == 1


def test_a_folder_that_cannot_be_written_is_done_without(fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "_folder", [Path("/proc/nothing/kernel")])
    assert [fresh(), fresh()] == [0, 0]
