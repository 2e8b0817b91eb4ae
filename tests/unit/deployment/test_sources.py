"""The files that a deployment is made of are known, also while it is faulty."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actors.deployment.faults import ConfigError
from actors.deployment.sources import Sources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree("config", tmp_path / "config", ignore=shutil.ignore_patterns("deploy", "dashboards"))
    (tmp_path / "config/mine.yaml").write_text("extends: paper.yaml\nseed: 8\n")
    return tmp_path / "config"


def of(folder: Path, *environments: str) -> Sources:
    return Sources([str(folder / "mine.yaml")], environments, {}, {})


def test_bases_environments_and_markets_files_count(folder: Path) -> None:
    (folder / "mine.night.yaml").write_text("seed: 9\n")
    sources = of(folder, "night")
    assert sources.load().seed == 9
    names = {Path(name).name for name in sources.files}
    assert {"mine.yaml", "paper.yaml", "mine.night.yaml", "poloniex-futures.json"} <= names
    for name in ("mine.yaml", "paper.yaml", "mine.night.yaml", "markets/poloniex-futures.json"):
        before = sources.fingerprint()
        with (folder / name).open("a") as file:
            file.write("\n")
        assert sources.fingerprint() != before, name


def test_touching_a_file_changes_nothing(folder: Path) -> None:
    sources = of(folder)
    sources.load()
    before = sources.fingerprint()
    (folder / "paper.yaml").touch()
    assert sources.fingerprint() == before


@pytest.mark.parametrize(
    ("text", "missing"),
    [("extends: gone.yaml\n", "gone.yaml"), ("extends: paper.yaml\ncatalog: gone.json\n", "gone.json")],
)
def test_a_file_that_is_missing_counts_when_it_comes(folder: Path, text: str, missing: str) -> None:
    (folder / "mine.yaml").write_text(text)
    sources = of(folder)
    with pytest.raises(ConfigError):
        sources.load()
    before = sources.fingerprint()
    (folder / missing).write_text("{}")
    assert sources.fingerprint() != before
