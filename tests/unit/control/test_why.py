"""The stories that `polytrade why` tells: of orders, fills, parents, denials and halts."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from actors.audit import timeline
from actors.control.journal_reader import JournalReader
from actors.control.why import Chain, why
from actors.domain.orders import Side
from actors.messages.control import HaltLevel
from actors.risk.events import HaltLatched, HaltReleased, IntentDenied
from actors.runtime.messages import Message
from tests.unit.control.house import SYMBOL, HouseCounted
from tests.unit.control.test_journal_reader import AT, Entry, StoryPrice, story, write


class StoryChild(Message, frozen=True):
    """An order that a parent order runs."""

    client_order_id: str
    parent_id: str


class StoryParent(Message, frozen=True):
    """A parent order began."""

    intent_id: str
    parent_id: str


class StoryNumber(Message, frozen=True):
    """The venue gave an order a number that is somebody's trade_id too."""

    client_order_id: str
    venue_order_id: str


def told(folder: Path, wanted: str) -> Chain:
    with JournalReader(folder) as reader:
        return why(reader, wanted)


def sequences(chain: Chain) -> list[int]:
    return [event["sequence"] for event in chain.events]


def test_a_fill_leads_to_its_order_and_to_what_came_before(tmp_path: Path) -> None:
    write(tmp_path, *story(1, 1), *story(12, 6), *story(2, 11))
    chain = told(tmp_path, "t12")
    assert sequences(chain) == [6, 7, 8, 9]
    assert chain.ids == ["t12", "abcdef-1-12", "trend/BTC#1.12"]


def test_a_number_of_the_venue_counts_under_its_own_name(tmp_path: Path) -> None:
    other: list[Entry] = [("oms/main", 0, 1, StoryNumber("abcdef-1-7", "t1"))]
    write(tmp_path, other, *story(1, 2))
    assert sequences(told(tmp_path, "t1")) == [2, 3, 4, 5]  # the fill, not the order of that number
    write(tmp_path / "alone", other, *story(12, 2))
    assert sequences(told(tmp_path / "alone", "t1")) == [1]


def test_a_child_leads_to_its_parent_which_began_long_before(tmp_path: Path) -> None:
    parent: list[Entry] = [("oms/main", 0, 1, StoryParent("trend/BTC#1.9", "abcdef-1-9"))]
    child: list[Entry] = [("oms/main", 0, 1, StoryChild("abcdef-1-10", "abcdef-1-9"))]
    write(tmp_path, parent, *story(1, 2), child)
    chain = told(tmp_path, "abcdef-1-10")
    assert sequences(chain) == [1, 7]
    assert "trend/BTC#1.9" in chain.ids


def test_any_event_can_be_asked_for_by_its_number(tmp_path: Path) -> None:
    denied = IntentDenied("trend/BTC#1.5", "trend/BTC", SYMBOL, Side.BUY, 5, "max_position", 9, 7, AT)
    turn: list[Entry] = [
        ("feed/BTC", 0, 1, StoryPrice(1)),
        ("risk/main", 6, 1, denied),
        ("trend/BTC", 7, 1, HouseCounted("took note")),
    ]
    write(tmp_path, *story(1, 1), turn)
    assert sequences(told(tmp_path, "#7")) == [6, 7, 8]
    assert sequences(told(tmp_path, "trend/BTC#1.5")) == [6, 7]
    assert told(tmp_path, "#99").events == []


@pytest.fixture
def halted(tmp_path: Path) -> Path:
    """Two halts: one of a symbol that ends, one of all that stands. Each has a cause; the first an effect."""
    scope = f"symbol/{SYMBOL}"
    cancel: list[Entry] = [
        ("feed/BTC", 0, 1, StoryPrice(1)),
        ("risk/main", 1, 1, HaltLatched(scope, HaltLevel.CANCEL_ALL, "rule", "stale", AT)),
        ("oms/main", 2, 1, HouseCounted("canceled")),
    ]
    released: list[Entry] = [("risk/main", 0, 1, HaltReleased(scope, "ann", "fresh again", AT))]
    later: list[Entry] = [
        ("ledger/main", 0, 1, StoryPrice(2)),
        ("risk/main", 10, 1, HaltLatched("all", HaltLevel.FLATTEN, "rule", "loss", AT)),
    ]
    write(tmp_path, cancel, *story(1, 4), released, later)
    return tmp_path


def test_the_newest_halt_is_told_with_what_led_to_it(halted: Path) -> None:
    chain = told(halted, "halt")
    assert [(event["sequence"], event["why"]) for event in chain.events] == [
        (10, "led to it"),
        (11, "asked for"),
    ]


def test_a_halt_is_told_from_its_cause_to_its_release(halted: Path) -> None:
    chain = told(halted, f"halt:symbol/{SYMBOL}")
    assert [(event["sequence"], event["why"]) for event in chain.events] == [
        (1, "led to it"),
        (2, "asked for"),
        (3, "followed from it"),
        (9, "ended it"),
    ]
    assert told(halted, "halt:account/main").events == []


def test_a_story_is_drawn_with_a_mark_for_each_event_and_an_arrow_for_each_cause(halted: Path) -> None:
    events = told(halted, f"halt:symbol/{SYMBOL}").events
    drawn = timeline.svg(events, {2: "stale <now>"}, "a halt")
    root = ElementTree.fromstring(drawn)
    names = _texts(root, "name")
    assert names == ["StoryPrice #1", "HaltLatched #2", "HouseCounted #3", "HaltReleased #9"]
    assert len(_classes(root, "link")) == 2
    assert "stale <now>" in _texts(root, "quiet")
    page = timeline.page(events, {}, "a <halt>", "in text")
    assert "<h1>a &lt;halt&gt;</h1>" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def _classes(root: ElementTree.Element, name: str) -> list[Any]:
    return [item for item in root.iter() if item.get("class") == name]


def _texts(root: ElementTree.Element, name: str) -> list[str]:
    return [item.text or "" for item in _classes(root, name)]
