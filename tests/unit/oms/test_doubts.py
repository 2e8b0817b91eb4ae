"""The list of orders in doubt, and the pauses between questions."""

from random import Random

import pytest

from actors.oms.deadlines import Doubts, backoff_ns


def _names(doubts: Doubts, now_ns: int, count_max: int = 10) -> list[str]:
    return [doubt.client_order_id for doubt in doubts.take_due(now_ns, count_max)]


@pytest.mark.parametrize(("attempts", "longest"), [(0, 10), (1, 20), (2, 40), (5, 100), (1_000, 100)])
def test_pauses_double_up_to_a_bound_and_differ(attempts: int, longest: int) -> None:
    chance = Random(1)
    pauses = {backoff_ns(attempts, 10, 100, chance) for _ in range(200)}
    assert max(pauses) == longest
    assert min(pauses) == longest - longest // 5
    assert len(pauses) > 1


def test_the_soonest_question_comes_first() -> None:
    doubts = Doubts()
    for name, due in (("late", 30), ("early", 10), ("middle", 20)):
        assert doubts.add(name, due)
    assert doubts.next_due_ns() == 10
    assert _names(doubts, 20) == ["early", "middle"]


def test_an_order_in_doubt_is_not_doubted_twice() -> None:
    doubts = Doubts()
    assert doubts.add("a", 10)
    assert not doubts.add("a", 5)
    assert (len(doubts), _names(doubts, 5), _names(doubts, 10)) == (1, [], ["a"])


def test_a_settled_doubt_is_never_due() -> None:
    doubts = Doubts()
    doubts.add("a", 10)
    assert doubts.settle("a")
    assert not doubts.settle("a")
    assert doubts.next_due_ns() is None
    assert _names(doubts, 100) == []


def test_a_hurried_question_is_asked_once_and_not_again_at_its_old_time() -> None:
    doubts = Doubts()
    doubts.add("a", 100)
    doubts.hurry(5)
    doubts.hurry(5)
    (doubt,) = doubts.take_due(5, 10)
    doubts.again(doubt, 200)
    assert _names(doubts, 100) == []
    assert doubts.next_due_ns() == 200


def test_no_more_questions_are_taken_than_asked_for() -> None:
    doubts = Doubts()
    for number in range(5):
        doubts.add(f"order {number}", 10)
    assert len(_names(doubts, 10, 3)) == 3
    assert len(_names(doubts, 10, 3)) == 2
