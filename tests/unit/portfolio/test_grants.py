"""Grants: whatever is lost, late or restarted, what accounts hold never adds up to more than the limit."""

from __future__ import annotations

from random import Random

import pytest

from actors.messages.grants import Measures, PortfolioGrant, PortfolioUse
from actors.portfolio.grants import AccountGrants, grant_of, regrant, take_use
from tests.unit.portfolio.test_portfolio_actor import PortfolioBench
from tests.unit.risk.risk_bench import SECOND, USDT

LIMIT = 12_000
ON = Measures(LIMIT * USDT)


def use(bench: PortfolioBench, account: str, used: int, number: int, limits: Measures = ON) -> None:
    bench.tell(PortfolioUse(account, number, True, Measures(used * USDT), limits, bench.now_ns))


def grants(bench: PortfolioBench) -> dict[str, PortfolioGrant]:
    return {one.account: one for one in bench.take(PortfolioGrant)}


def shared() -> PortfolioBench:
    """Two accounts with nothing, each with its half."""
    bench = PortfolioBench(reserve=0)
    use(bench, "main", 0, 0)
    use(bench, "second", 0, 0)
    assert {one.own.gross_usdt for one in grants(bench).values()} == {0}
    use(bench, "main", 0, 1)
    use(bench, "second", 0, 1)
    return bench


def test_nothing_is_granted_before_every_account_has_taken_its_first_grant() -> None:
    bench = PortfolioBench(reserve=0)
    use(bench, "main", 0, 0)
    assert grants(bench) == {}
    use(bench, "second", 0, 0)
    use(bench, "main", 0, 1)
    assert {one.own.gross_usdt for one in grants(bench).values()} == {0}
    use(bench, "second", 0, 1)
    found = grants(bench)
    assert {name: one.own.gross_usdt for name, one in found.items()} == {
        "main": 6_000 * USDT,
        "second": 6_000 * USDT,
    }
    assert found["main"].together.gross_usdt == LIMIT * USDT


def test_a_part_is_raised_only_after_the_other_account_has_taken_its_smaller_one() -> None:
    bench = shared()
    numbers = {name: one.number for name, one in grants(bench).items()}
    use(bench, "second", 0, numbers["second"])
    use(bench, "main", 6_000, numbers["main"])
    found = grants(bench)
    assert found["second"].own.gross_usdt == 3_000 * USDT
    assert "main" not in found
    use(bench, "second", 0, found["second"].number)
    assert grants(bench)["main"].own.gross_usdt == 9_000 * USDT


def test_an_account_that_uses_more_than_its_smaller_part_keeps_the_others_from_more() -> None:
    bench = shared()
    numbers = {name: one.number for name, one in grants(bench).items()}
    use(bench, "second", 0, numbers["second"])
    use(bench, "main", 6_000, numbers["main"])
    lower = grants(bench)["second"]
    use(bench, "second", 6_000, lower.number)
    assert "main" not in grants(bench)


def test_grants_outlive_a_restart_and_lost_ones_are_sent_again() -> None:
    bench = shared()
    before = grants(bench)
    bench.restart()
    bench.take(PortfolioGrant)
    use(bench, "main", 0, 1)
    use(bench, "second", 0, 1)
    bench.take(PortfolioGrant)
    bench.advance(SECOND)
    again = grants(bench)
    assert {name: one.own for name, one in again.items()} == {name: one.own for name, one in before.items()}


def test_an_account_without_the_limit_leaves_nothing_to_the_others() -> None:
    bench = PortfolioBench(reserve=0)
    for number in (0, 1, 2):
        use(bench, "main", 0, number)
        use(bench, "second", 0, number, Measures())
    found = bench.actor_grant("main")
    assert found.own.gross_usdt == 0
    assert found.together.gross_usdt > LIMIT * USDT


@pytest.mark.parametrize("seed", range(60))
def test_what_accounts_hold_never_adds_up_to_more_than_the_limit(seed: int) -> None:
    """Accounts that take all they may; messages lost, late and out of step; the portfolio restarts."""
    chance = Random(seed)
    names = ("a", "b", "c")
    everybody = {name: AccountGrants() for name in names}
    held = dict.fromkeys(names, (0, 0, 0))  # number, part, what all may come to
    used = dict.fromkeys(names, 0)
    limits = dict.fromkeys(names, 1_000_000)
    uses: dict[str, PortfolioUse] = {}
    opened = 0
    for _ in range(600):
        name = chance.choice(names)
        act = chance.random()
        if act < 0.3:
            uses[name] = PortfolioUse(
                name, held[name][0], True, Measures(used[name]), Measures(limits[name]), 0
            )
            take_use(everybody[name], uses[name])
        elif act < 0.5 and len(uses) == len(names):
            regrant(everybody, uses, 2_000_000)
        elif act < 0.75:
            grant = grant_of(name, everybody[name])
            if grant.number > held[name][0]:
                held[name] = (grant.number, grant.own.gross_usdt, grant.together.gross_usdt)
        elif act < 0.9:
            room = held[name][1] - used[name]
            if held[name][0] and held[name][2] <= limits[name] and room > 0:
                used[name] += chance.randint(1, room)
                opened += 1
                assert sum(used.values()) <= limits[name], f"{name} opened beyond its limit"
        elif act < 0.98:
            used[name] = chance.randint(0, used[name])
        elif chance.random() < 0.5:
            limits[name] = chance.choice((600_000, 1_000_000, 1_500_000))
        else:
            uses.clear()
    assert opened > 5
