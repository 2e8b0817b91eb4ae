"""A journal's folder knows its deployment: the same actors, settings and markets, to the hash."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from actors.deployment.generations import Generation, Generations
from actors.deployment.loader import load
from actors.deployment.resolved import resolved
from actors.deployment.setting_types import written_struct
from actors.deployment.stored import NotStored, keep_markets, stored_topology

SHIPPED = ["config/paper.yaml", "config/live.yaml", "config/examples/spot-and-futures.yaml"]


def kept(file: str, folder: Path) -> Generations:
    topology = load(file)
    generations = Generations(folder)
    document = resolved(topology)
    generations.add(Generation(1, 1, "ann", "first", topology.content_hash, topology.files, document))
    keep_markets(generations, topology)
    return generations


@pytest.mark.parametrize("file", SHIPPED)
def test_a_folder_alone_gives_the_deployment_back(file: str, tmp_path: Path) -> None:
    kept(file, tmp_path)
    there, here = load(file), stored_topology(tmp_path)
    assert here.content_hash == there.content_hash
    assert [(one.address, one.kind, written_struct(one.settings)) for one in here.actors] == [
        (one.address, one.kind, written_struct(one.settings)) for one in there.actors
    ]
    assert here.instruments == there.instruments
    assert (here.journal_path, here.anchors_path) == (tmp_path, None)
    assert here.secrets.defaults == {}


def test_markets_are_kept_once_and_by_what_they_are(tmp_path: Path) -> None:
    generations, topology = kept("config/paper.yaml", tmp_path), load("config/paper.yaml")
    (path,) = generations.folder.glob("markets-*.json")
    before = path.stat().st_mtime_ns
    keep_markets(generations, topology)
    assert path.stat().st_mtime_ns == before
    assert path.stat().st_mode & 0o077 == 0
    assert generations.numbers() == [1]


def test_a_folder_that_does_not_say_enough_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotStored, match="has no generations"):
        stored_topology(tmp_path)
    generations = kept("config/paper.yaml", tmp_path)
    (markets,) = generations.folder.glob("markets-*.json")
    raw = markets.read_bytes()
    markets.unlink()
    with pytest.raises(NotStored, match="does not say what a tick or a contract is worth"):
        stored_topology(tmp_path)
    markets.write_bytes(raw[:100])
    with pytest.raises(NotStored, match="does not fit this release"):
        stored_topology(tmp_path)
    markets.write_bytes(raw)
    path = generations.folder / "000001.json"
    document = json.loads(path.read_bytes())
    document["document"]["actors"][0]["kind"] = "feed.of_tomorrow"
    path.write_bytes(msgspec.json.encode(document))
    with pytest.raises(NotStored, match=r"feed.of_tomorrow"):
        stored_topology(tmp_path)
