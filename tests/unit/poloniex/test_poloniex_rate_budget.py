"""Requests stay within the venue's limits, and what matters keeps a reserve."""

from __future__ import annotations

import msgspec
import pytest

from actors.poloniex.rate_budget import LIMITS, Limit, Pace, Priority, RateBudget, limits_of
from actors.runtime.errors import InvariantError

SECOND = 1_000_000_000
NORMAL, URGENT = Priority.NORMAL, Priority.URGENT


def drain(budget: RateBudget, priority: Priority, now_ns: int = 0, limit: str = Limit.PLACE) -> int:
    count = 0
    while not budget.take(limit, priority, now_ns):
        count += 1
    return count


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("priority", [NORMAL, URGENT])
def test_no_second_holds_more_than_the_limit(limit: str, priority: Priority) -> None:
    budget = RateBudget(LIMITS, {})
    sent: list[int] = []
    now_ns = 0
    while now_ns < 4 * SECOND:
        wait_ns = budget.take(limit, priority, now_ns)
        if wait_ns:
            now_ns += wait_ns
        else:
            sent.append(now_ns)
    for start in sent:
        assert sum(1 for at_ns in sent if start <= at_ns < start + SECOND) <= LIMITS[limit]
    assert len(sent) > LIMITS[limit]


def test_urgent_requests_find_room_when_ordinary_ones_have_taken_theirs() -> None:
    budget = RateBudget(LIMITS, {})
    assert drain(budget, NORMAL) == 20
    assert drain(budget, URGENT) == 5


def test_a_429_blocks_at_once_halves_the_pace_and_is_forgotten_step_by_step() -> None:
    budget = RateBudget(LIMITS, {})
    budget.refused(Limit.PLACE, 0)
    budget.refused(Limit.PLACE, 1)  # of a request sent before we knew
    assert budget.paces[Limit.PLACE].slowed == 2
    assert budget.take(Limit.PLACE, URGENT, 5) > 0
    assert drain(budget, URGENT, 2 * SECOND) == 12
    budget.refused(Limit.PLACE, 3 * SECOND)
    assert budget.paces[Limit.PLACE].slowed == 4
    drain(budget, URGENT, 64 * SECOND)
    assert budget.paces[Limit.PLACE].slowed == 2
    drain(budget, URGENT, 130 * SECOND)
    assert budget.paces[Limit.PLACE].slowed == 1


def test_a_429_of_somebody_else_counts_once_and_never_makes_faster() -> None:
    budget = RateBudget(LIMITS, {})
    pace = budget.refused(Limit.READ, 0)
    assert pace is not None
    assert budget.refused(Limit.READ, 1) is None, "no news: the class stands still already"
    for _ in range(3):
        assert budget.heard(Limit.READ, 2, SECOND, 2)
    assert (budget.paces[Limit.READ].slowed, budget.refused_count()) == (2, 2)
    budget.heard(Limit.READ, 8, 3 * SECOND, 3)
    budget.heard(Limit.READ, 4, 2 * SECOND, 4)
    assert budget.paces[Limit.READ].slowed == 8
    assert budget.take(Limit.READ, URGENT, SECOND) == 2 * SECOND
    assert not budget.heard("no such class", 2, SECOND, 5)


def test_the_venues_advice_how_long_to_wait_is_followed() -> None:
    budget = RateBudget(LIMITS, {})
    budget.refused(Limit.READ, 0, 7 * SECOND)
    assert budget.take(Limit.READ, URGENT, SECOND) == 6 * SECOND


def test_even_the_slowest_pace_lets_something_through() -> None:
    budget = RateBudget(LIMITS, {})
    for at in range(20):
        budget.refused(Limit.CLOSE_ALL, at * 10 * SECOND)
    at_ns = 300 * SECOND
    assert budget.take(Limit.CLOSE_ALL, URGENT, at_ns) == 0
    assert 0 < budget.take(Limit.CLOSE_ALL, URGENT, at_ns) <= 16 * SECOND


def test_the_paces_survive_as_plain_state() -> None:
    paces: dict[str, Pace] = {}
    budget = RateBudget(LIMITS, paces)
    drain(budget, URGENT)
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(paces), type=dict[str, Pace])
    assert RateBudget(LIMITS, stored).take(Limit.PLACE, URGENT, 1) > 0


def test_a_share_of_the_limits_is_never_nothing() -> None:
    shared = limits_of(0, 1_000_000)
    assert shared[Limit.CLOSE_ALL] == 1
    assert shared[Limit.PUBLIC] == 3
    assert limits_of(9) == LIMITS


@pytest.mark.parametrize(("level", "fraction"), [(10, 1), (-1, 1), (0, 0)])
def test_levels_and_shares_that_do_not_exist_are_refused(level: int, fraction: int) -> None:
    with pytest.raises(InvariantError):
        limits_of(level, fraction)
