"""Following the journal from inside the loop in small bites: nothing twice, nothing left out."""

import pytest

from actors.control import event_tail
from actors.control.event_tail import EventTail, read_records
from actors.control.fields import FieldNames
from actors.runtime.node import Node
from tests.unit.control.house import HousePing, make_node


@pytest.fixture
def node() -> Node:
    found = make_node()
    found.start()
    while found.turn():
        pass
    return found


def count(node: Node, events: int) -> None:
    """Have the clerk record so many events in one turn."""
    for number in range(events):
        node.tell("clerk/main", HousePing(str(number)))
    while node.turn():
        pass


def take_all(tail: EventTail) -> list[int]:
    while records := tail.take():
        tail.add(records)
    return [event["sequence"] for event in tail.events]


def test_records_are_read_bite_by_bite(node, monkeypatch) -> None:
    monkeypatch.setattr(event_tail, "RECORDS_PER_BITE", 1)
    count(node, 3)
    count(node, 2)
    first, seen = 1, []
    while True:
        records, following = read_records(node, first)
        if following == first:
            break
        seen += [record.first_sequence + index for record in records for index in range(len(record.entries))]
        first = following
    assert seen == list(range(1, node.journal.sequence + 1))


def test_a_stopped_node_has_nothing_more_to_read(node) -> None:
    node.stop("done")
    assert read_records(node, 1) == ([], 1)


def test_the_tail_has_every_event_once(node, monkeypatch) -> None:
    monkeypatch.setattr(event_tail, "RECORDS_PER_BITE", 1)
    tail = EventTail(node, FieldNames())
    seen = take_all(tail)
    count(node, 4)
    records = tail.take()
    tail.add(records)
    tail.add(records)  # a bite taken twice is shown once
    assert take_all(tail) == list(range(1, node.journal.sequence + 1))
    assert len(seen) == node.journal.sequence - 4


def test_the_tail_jumps_to_the_end_when_it_is_far_behind(node, monkeypatch) -> None:
    monkeypatch.setattr(event_tail, "EVENTS_BEHIND_MAX", 50)
    monkeypatch.setattr(event_tail, "EVENTS_KEPT", 10)
    tail = EventTail(node, FieldNames())
    for _ in range(30):
        count(node, 2)
    records = tail.take()
    assert sum(len(record.entries) for record in records) <= 12
    tail.add(records)
    assert take_all(tail)[-1] == node.journal.sequence  # a slow machine takes it in more than one bite
