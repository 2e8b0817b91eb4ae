import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.backtest import metrics, significance, trade_metrics

ANSWERS = Path(__file__).parents[4] / "shared" / "quant" / "known_answers.json"
RETURNS = np.random.default_rng(20240101).standard_t(5, size=1000) * 0.01 + 0.0005
FOUR = np.array([0.1, -0.05, 0.02, -0.03])  # small enough for pencil and paper


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    if not ANSWERS.exists():
        pytest.skip("the shared known answers are not here")
    found: dict[str, Any] = json.loads(ANSWERS.read_text())
    assert float(RETURNS.sum()) == pytest.approx(found["series"]["sum"])  # else numpy draws otherwise now
    return found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sharpe", metrics.sharpe(RETURNS, 365)),
        ("sortino", metrics.sortino(RETURNS, 365)),
        ("max_drawdown", metrics.max_drawdown(RETURNS)),
        ("cagr", metrics.cagr(RETURNS, 365)),
        ("calmar", metrics.calmar(RETURNS, 365)),
        ("annual_vol", metrics.volatility(RETURNS, 365)),
        ("omega0", metrics.omega(RETURNS)),
        ("total_return", metrics.total_return(RETURNS)),
        ("tail_ratio", metrics.tail_ratio(RETURNS)),
        ("ulcer", metrics.ulcer(RETURNS)),
    ],
)
def test_metrics_of_a_series_match_the_known_answers(
    answers: dict[str, Any], name: str, found: float
) -> None:
    assert found == pytest.approx(answers["perf_own"][name], rel=1e-6)


def test_moments_and_lo_factor_match_the_known_answers(answers: dict[str, Any]) -> None:
    skew, kurtosis = metrics.moments(RETURNS)
    assert skew == pytest.approx(answers["series"]["skew_biased"], rel=1e-6)
    assert kurtosis == pytest.approx(answers["series"]["kurt_pearson_biased"], rel=1e-6)
    assert metrics.lo_factor(RETURNS, 7) == pytest.approx(answers["lo2002_eta"]["q=7"], rel=1e-6)


def test_significance_matches_the_published_figures() -> None:
    """The hedge fund of the paper, and the three cases of the deflated ratio."""
    psr = significance.probabilistic_sharpe
    assert psr(0.458, 24, -2.448, 10.164) == pytest.approx(0.9133610839)
    assert psr(0.458, 24) == pytest.approx(0.9816749191)
    daily = 250**0.5
    deflated = significance.deflated_sharpe
    assert significance.sharpe_to_beat(100, 0.5 / 250) == pytest.approx(0.1131720019)
    assert deflated(2.5 / daily, 1250, 100, 0.5 / 250, -3, 10) == pytest.approx(0.9003968344)
    assert deflated(2.5 / daily, 1250, 46, 0.5 / 250, -3, 10) == pytest.approx(0.9505017069)
    assert deflated(2.5 / daily, 1250, 88, 0.5 / 250) == pytest.approx(0.9504908167)


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "years"),
    [(252, 0, 3, 2.730984275), (52, 0, 3, 2.828833587), (12, 0, 3, 3.2398007), (12, -0.72, 5.78, 4.99125822)],
)
def test_track_record_needed_matches_the_paper(
    periods: int, skew: float, kurtosis: float, years: float
) -> None:
    root = periods**0.5
    found = significance.min_track_record(2 / root, skew, kurtosis, 1 / root)
    assert found / periods == pytest.approx(years)


def test_expected_maximum_and_data_needed_match_the_paper() -> None:
    expected = {2: 0.5197553443, 10: 1.574598301, 100: 2.530602893, 1000: 3.255121514}
    for trials, value in expected.items():
        assert significance.expected_maximum(trials) == pytest.approx(value)
    assert significance.min_backtest_years(45) == pytest.approx(4.998087004)


def test_four_returns_come_out_as_by_hand() -> None:
    assert metrics.total_return(FOUR) == pytest.approx(1.1 * 0.95 * 1.02 * 0.97 - 1)
    assert metrics.max_drawdown(FOUR) == pytest.approx(0.95 * 1.02 * 0.97 - 1)  # the last is the deepest
    assert metrics.sharpe(FOUR, 1) == pytest.approx(0.01 / math.sqrt((0.0081 + 0.0036 + 0.0001 + 0.0016) / 3))
    assert metrics.sortino(FOUR, 1) == pytest.approx(0.01 / math.sqrt((0.0025 + 0.0009) / 4))
    assert metrics.omega(FOUR) == pytest.approx(0.12 / 0.08)
    assert metrics.cagr(FOUR, 8) == pytest.approx((1.1 * 0.95 * 1.02 * 0.97) ** 2 - 1)


def test_fall_from_the_start_is_a_drawdown() -> None:
    assert metrics.max_drawdown(np.array([-0.1, 0.05])) == pytest.approx(-0.1)


@pytest.mark.parametrize("returns", [np.array([]), np.array([0.01]), np.zeros(10), np.full(10, 0.01)])
def test_series_without_spread_has_no_ratio(returns: metrics.Series) -> None:
    assert math.isnan(metrics.sharpe(returns, 365))
    assert math.isnan(metrics.sortino(returns, 365))
    assert math.isnan(metrics.calmar(returns, 365))
    assert math.isnan(significance.psr_of(returns))
    assert metrics.max_drawdown(returns) == 0


def test_probability_of_a_series_grows_with_its_length() -> None:
    short, long = significance.psr_of(RETURNS[:100]), significance.psr_of(np.tile(RETURNS[:100], 9))
    assert 0.5 < short < long < 1


def test_lost_account_has_lost_everything() -> None:
    returns = np.array([0.1, -1.0, 0.0])
    assert metrics.cagr(returns, 365) == -1
    assert metrics.max_drawdown(returns) == -1


def test_trades_come_out_as_by_hand() -> None:
    results = [300, -100, -50, 0, 50, 20, 10]
    assert trade_metrics.profit_factor(results) == pytest.approx(380 / 150)
    assert trade_metrics.win_rate(results) == pytest.approx(4 / 7)
    assert trade_metrics.expectancy(results) == pytest.approx(230 / 7)
    assert trade_metrics.streaks(results) == [1, -2, 3]
    assert math.isnan(trade_metrics.profit_factor([5]))
    assert math.isnan(trade_metrics.win_rate([]))


def test_even_trade_ends_a_streak() -> None:
    assert trade_metrics.streaks([1, 0, 1]) == [1, 1]
