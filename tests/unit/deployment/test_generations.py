"""Generations are written once, as a whole; two cannot have the same number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from actors.deployment.beginning import OtherMode, first_generation
from actors.deployment.generations import CanaryTerms, Generation, GenerationMoved, Generations
from actors.deployment.loader import load
from actors.deployment.resolved import resolved


def generation(number: int, **more: object) -> Generation:
    base = {"at_ns": 1, "actor": "ann", "reason": "r", "content_hash": "h", "files": (), "document": {"a": 1}}
    return Generation(number=number, **{**base, **more})  # type: ignore[arg-type]


def test_the_newest_is_the_current_one(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    assert kept.current() is None
    for number in (1, 2, 10):
        kept.add(generation(number))
    assert (kept.numbers(), kept.current()) == ([1, 2, 10], generation(10))
    with pytest.raises(KeyError):
        kept.read(3)


def test_a_number_is_taken_once_and_nothing_half_done_is_left(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    kept.add(generation(1))
    with pytest.raises(GenerationMoved):
        kept.add(generation(1, actor="bob"))
    assert kept.read(1).actor == "ann"
    assert [path.name for path in kept.folder.iterdir()] == ["000001.json"]


def test_a_damaged_one_says_which(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    kept.add(generation(1))
    (kept.folder / "000001.json").write_text("{")
    with pytest.raises(ValueError, match=r"000001\.json"):
        kept.current()


def test_what_is_staged_is_taken_once(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    name = kept.stage({"a": 1})
    assert kept.take_staged(name) == {"a": 1}
    for wrong in (name, "../../etc/passwd", ""):
        with pytest.raises(KeyError):
            kept.take_staged(wrong)
    assert kept.numbers() == []


def test_a_start_is_a_generation_when_it_is_new_and_a_restart_goes_on_with_what_was_applied(
    tmp_path: Path,
) -> None:
    kept, files = Generations(tmp_path), load("config/paper.yaml")
    assert first_generation(files, kept, "run-1", 5) is files
    assert (kept.numbers(), kept.read(1).run) == ([1], "run-1")
    assert first_generation(files, kept, "run-1", 6) is files
    first_generation(files, kept, "run-2", 7)
    assert kept.numbers() == [1]  # the same content is no news
    document = resolved(files)
    (actor,) = [one for one in document["actors"] if one["address"] == "trend/BTC_USDT_PERP"]
    actor["settings"]["fast"] = 9
    applied = generation(2, run="run-2", document=document, content_hash="other")
    kept.add(msgspec.json.decode(msgspec.json.encode(applied), type=Generation))
    again = first_generation(files, kept, "run-2", 8)
    assert again.actor("trend/BTC_USDT_PERP").settings.fast == 9  # type: ignore[attr-defined]
    assert again.actor("trend/ETH_USDT_PERP").settings.fast == 8  # type: ignore[attr-defined]
    assert first_generation(files, kept, "run-3", 9) is files
    assert (kept.numbers(), kept.current().run) == ([1, 2, 3], "run-3")  # type: ignore[union-attr]


def test_only_the_newest_generation_says_what_was_gone_back_from(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    assert kept.gone_back_from("b") is None
    for number, (content, of) in enumerate([("a", 0), ("b", 0), ("a", 1)], 1):
        kept.add(generation(number, content_hash=content, of=of))
    found = kept.gone_back_from("b")
    assert found is not None
    assert (found.number, kept.gone_back_from("a"), kept.gone_back_from("c")) == (3, None, None)
    kept.add(generation(4, content_hash="c"))
    assert kept.gone_back_from("b") is None, "somebody went on since"


def test_what_ran_before_is_neither_what_was_undone_nor_half_a_change(tmp_path: Path) -> None:
    kept = Generations(tmp_path)
    assert kept.before() is None
    kept.add(generation(1, content_hash="good"))
    assert kept.before() is None
    kept.add(generation(2, content_hash="bad"))
    assert kept.before() == 1
    kept.add(generation(3, content_hash="good", of=1))
    assert kept.before() is None, "a second rollback must not bring back what the first one undid"
    terms = CanaryTerms("BTC_USDT_PERP", 1, 3, {})
    kept.add(generation(4, content_hash="half", canary=terms))
    assert kept.before() == 3
    kept.add(generation(5, content_hash="whole"))
    assert kept.before() == 3, "half a change is nothing to go back to"
    kept.add(generation(6, content_hash="whole"))
    assert kept.before() == 3, "the same again is not what was before"
    kept.add(generation(7, content_hash="worse"))
    kept.add(generation(8, content_hash="whole", of=6))
    assert kept.before() == 3


@pytest.mark.parametrize(("was", "becomes"), [("paper", "live"), ("live", "paper")])
def test_books_of_one_mode_are_not_taken_for_those_of_another(tmp_path: Path, was: str, becomes: str) -> None:
    kept, files = Generations(tmp_path), load("config/paper.yaml")
    first_generation(replace(files, mode=was), kept, "run-1", 5)
    with pytest.raises(OtherMode, match=f"mode: {was} -> {becomes} takes a new journal"):
        first_generation(replace(files, mode=becomes), kept, "run-2", 6)
    assert kept.numbers() == [1]
