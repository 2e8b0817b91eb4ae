"""The portfolio: sums over accounts, whether they are whole, and correlations with known answers."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest

from actors.domain.correlation import correlated_exposure
from actors.domain.place import Place
from actors.messages.account import AccountState, PortfolioState, PositionState
from actors.messages.grants import PortfolioGrant
from actors.messages.market import MarkPrice
from actors.portfolio.actor import PortfolioActor
from actors.portfolio.correlation import correlations_of
from actors.portfolio.grants import grant_of
from actors.portfolio.settings import PortfolioSettings
from actors.runtime.testing import Bench
from tests.unit.risk.risk_bench import BTC, CATALOG, ETH, MARKS, SECOND, USDT


class PortfolioBench(Bench):
    def __init__(self, **changes: int) -> None:
        settings = PortfolioSettings(
            accounts=("main", "second"), sample=SECOND, window=20, samples_min=4, **changes
        )
        place = Place("test", "portfolio", "paper", variables={}, instruments=CATALOG)
        super().__init__(lambda: PortfolioActor(settings, place), name="portfolio")

    def money(self, account: str, equity: int, day: int = 10_000) -> None:
        self.tell(
            AccountState(
                *(account, equity * USDT, equity * USDT, 0, 0, 0, 0, 0, day * USDT, day * USDT, self.now_ns)
            )
        )

    def hold(self, account: str, symbol: str, net: int) -> None:
        self.tell(PositionState(account, symbol, net, 0, MARKS[symbol], 0, 0, self.now_ns))

    def mark(self, symbol: str, ticks: int) -> None:
        self.tell(MarkPrice(symbol, self.now_ns, ticks, ticks))

    def actor_grant(self, account: str) -> PortfolioGrant:
        return grant_of(account, self.behaviour.state.grants[account])

    def told(self) -> PortfolioState:
        self.take(PortfolioState)
        self.advance(SECOND)
        return self.take(PortfolioState)[-1]


def known() -> PortfolioBench:
    bench = PortfolioBench()
    for symbol in (BTC, ETH):
        bench.mark(symbol, MARKS[symbol])
    bench.money("main", 10_100)
    bench.money("second", 9_800)
    bench.hold("main", BTC, 3)
    bench.hold("second", BTC, -1)
    bench.hold("second", ETH, 2)
    return bench


def test_it_tells_each_accounts_part() -> None:
    found = known().told()
    assert found.complete
    main, second = found.shares
    assert (main.loss_usdt, second.loss_usdt) == (-100 * USDT, 200 * USDT)
    assert main.net_usdt == ((BTC, 240 * USDT),)
    assert dict(second.net_usdt) == {BTC: -80 * USDT, ETH: 50 * USDT}


def test_it_is_not_complete_while_an_account_or_a_price_is_missing_or_old() -> None:
    bench = PortfolioBench()
    bench.mark(BTC, MARKS[BTC])
    bench.money("main", 10_000)
    assert not bench.told().complete
    bench.money("second", 10_000)
    assert bench.told().complete
    bench.hold("main", ETH, 1)
    assert not bench.told().complete
    bench.mark(ETH, MARKS[ETH])
    assert bench.told().complete
    bench.advance(31 * SECOND)
    assert not bench.told().complete


def test_accounts_of_others_do_not_count() -> None:
    bench = known()
    bench.money("third", 5)
    bench.hold("third", BTC, 1_000)
    assert len(bench.told().shares) == 2


def test_positions_and_prices_outlive_a_restart() -> None:
    bench = known()
    for step in range(12):
        bench.mark(BTC, MARKS[BTC] + (step % 3) * 100)
        bench.mark(ETH, MARKS[ETH] + (step % 3) * 10)
        bench.advance(SECOND)
    before = bench.told()
    assert before.symbols == (BTC, ETH)
    bench.restart()
    for symbol in (BTC, ETH):
        bench.mark(symbol, MARKS[symbol])
    bench.money("main", 10_100)
    bench.money("second", 9_800)
    after = bench.told()
    assert [share.net_usdt for share in after.shares] == [
        (((BTC, 240 * USDT)),),
        ((BTC, -80 * USDT), (ETH, 50 * USDT)),
    ]
    assert after.symbols == (BTC, ETH)
    assert after.correlations[0][1] > 0.9


# -- known answers --------------------------------------------------------------------------------------


def walk(returns: list[float]) -> list[int]:
    found, level = [10**9], 0.0
    for one in returns:
        level += one
        found.append(round(10**9 * exp(level)))
    return found


def test_correlation_is_what_the_textbook_says() -> None:
    # x = (1, 2, 3, 4), y = (1, 3, 2, 4): cov = 4 / n, var = 5 / n each: 0.8
    x, y = [0.01, 0.02, 0.03, 0.04], [0.01, 0.03, 0.02, 0.04]
    symbols, found = correlations_of({"x": walk(x), "y": walk(y), "z": walk([-one for one in x])}, 4)
    assert symbols == ("x", "y", "z")
    assert found[0][1] == pytest.approx(0.8, abs=1e-6)
    assert found[0][2] == pytest.approx(-1.0, abs=1e-6)
    assert found[1][2] == pytest.approx(-0.8, abs=1e-6)


def test_a_return_with_an_unknown_price_does_not_count_and_too_few_are_none() -> None:
    prices = {"x": [100, 0, 101, 103, 102, 104], "y": [100, 101, 102, 104, 103, 105]}
    assert correlations_of(prices, 4) == (("y",), ((1.0,),))
    symbols, found = correlations_of(prices, 3)
    rows = [
        (log(b / a), log(d / c))
        for a, b, c, d in ((101, 103, 102, 104), (103, 102, 104, 103), (102, 104, 103, 105))
    ]
    xs, ys = [row[0] for row in rows], [row[1] for row in rows]
    mx, my = sum(xs) / 3, sum(ys) / 3
    covariance = sum((a - mx) * (b - my) for a, b in rows)
    expected = covariance / sqrt(sum((a - mx) ** 2 for a in xs) * sum((b - my) ** 2 for b in ys))
    assert symbols == ("x", "y")
    assert found[0][1] == pytest.approx(expected, abs=1e-9)


def test_a_price_that_never_moved_has_no_correlation() -> None:
    assert correlations_of({"x": [5] * 9, "y": [1, 2, 1, 2, 1, 2, 1, 2, 1]}, 4)[0] == ("y",)


@pytest.mark.parametrize(
    ("weights", "rho", "shrinkage", "expected"),
    [
        ((800, 800), 0.5, 0.0, 800 * sqrt(3)),
        ((800, -800), 0.5, 0.0, 800.0),
        ((800, 800), 0.5, 1.0, 1600.0),
        ((800, -800), 1.0, 0.0, 0.0),
        ((800, -800), 1.0, 0.25, 800.0),  # sqrt(0.25) x 1600: a hedge gets the less credit
        ((300, 400), 0.0, 0.0, 500.0),
    ],
)
def test_exposure_with_correlation_counted_in(
    weights: tuple[int, int], rho: float, shrinkage: float, expected: float
) -> None:
    signed = {"x": weights[0] * USDT, "y": weights[1] * USDT}
    found = correlated_exposure(signed, ("x", "y"), ((1.0, rho), (rho, 1.0)), shrinkage)
    assert found / USDT == pytest.approx(expected, abs=1e-6)


def test_a_symbol_without_correlations_counts_in_full() -> None:
    signed = {"x": 300 * USDT, "y": 400 * USDT, "new": -50 * USDT}
    assert correlated_exposure(signed, ("x", "y"), ((1.0, 0.0), (0.0, 1.0)), 0.0) == 550 * USDT
    assert correlated_exposure(signed, (), (), 0.0) == 750 * USDT
