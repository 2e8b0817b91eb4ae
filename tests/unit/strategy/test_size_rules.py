"""Sizes by rules of their own, with known answers."""

from __future__ import annotations

import json
from math import exp, sqrt
from pathlib import Path

import pytest

from actors.domain.sizing import (
    contracts_of_fraction,
    fixed_fraction,
    kelly,
    volatility_target,
    yearly,
)
from actors.strategy.size_rule import SizeMemory, SizeSettings, observe, sized
from tests.unit.risk.risk_bench import BTC, CATALOG, USDT

BTC_SPEC = CATALOG[BTC]  # a contract is worth 80 USDT at 8,000,000 ticks
QUANT = Path(__file__).resolve().parents[3].parent / "shared/quant/known_answers.json"


def test_a_fixed_fraction_of_equity_rounded_down() -> None:
    assert (
        contracts_of_fraction(10_000 * USDT, fixed_fraction(USDT // 10), 8_000_000, BTC_SPEC.tick_value) == 12
    )
    assert contracts_of_fraction(10_000 * USDT, 0.1, 10**12, BTC_SPEC.tick_value) == 0
    assert contracts_of_fraction(0, 0.1, 8_000_000, BTC_SPEC.tick_value) == 0


@pytest.mark.parametrize(
    ("target", "volatility", "cap", "expected"),
    [(0.2, 0.8, 1.0, 0.25), (0.2, 0.1, 1.0, 1.0), (0.2, 0.1, 3.0, 2.0), (0.2, 0.0, 1.5, 1.5)],
)
def test_a_volatility_target_is_target_over_volatility_up_to_the_cap(
    target: float, volatility: float, cap: float, expected: float
) -> None:
    assert volatility_target(target, volatility, cap) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mean", "variance", "share", "cap", "expected"),
    [
        (0.001, 0.0004, 1.0, 9.0, 2.5),
        (0.001, 0.0004, 0.25, 9.0, 0.625),
        (0.001, 0.0004, 1.0, 1.0, 1.0),
        (-0.001, 0.0004, 1.0, 9.0, 0.0),
        (0.001, 0.0, 1.0, 9.0, 0.0),
    ],
)
def test_kelly_is_mean_over_variance_cut_and_never_against_the_mean(
    mean: float, variance: float, share: float, cap: float, expected: float
) -> None:
    assert kelly(mean, variance, share, cap) == pytest.approx(expected)


def test_kelly_agrees_with_the_known_answer() -> None:
    """Of the returns that the answers are computed from, made anew by their recipe."""
    numpy = pytest.importorskip("numpy")
    returns = numpy.random.default_rng(20240101).standard_t(5, size=1000) * 0.01 + 0.0005
    found = kelly(float(returns.mean()), float(returns.var(ddof=1)), 1.0, 100.0)
    assert found == pytest.approx(8.877257593, abs=1e-9)
    if QUANT.is_file():
        assert found == pytest.approx(json.loads(QUANT.read_text())["kelly"]["mu/sigma^2 of r"], abs=1e-9)
    assert kelly(float(returns.mean()), float(returns.var(ddof=1)), 0.25, 1.0) == 1.0


def test_yearly_volatility_of_a_bars_variance() -> None:
    assert yearly(0.0001, 365.0) == pytest.approx(0.01 * sqrt(365))


def memory_of(returns: list[float], bars: int) -> SizeMemory:
    memory, level = SizeMemory(), 0.0
    observe(memory, 10**9, bars)
    for one in returns:
        level += one
        observe(memory, round(10**9 * exp(level)), bars)
    return memory


def test_mean_and_variance_of_the_first_returns_are_plain_averages() -> None:
    memory = memory_of([0.01, -0.01, 0.03, 0.01], 10)
    assert memory.count == 4
    assert memory.mean == pytest.approx(0.01, abs=1e-8)
    assert memory.square == pytest.approx(0.0003, abs=1e-8)


def goal(found: SizeMemory, wished: int, price: int = 8_000_000, **settings: object) -> int:
    chosen = SizeSettings(**settings)  # type: ignore[arg-type]
    return sized(found, chosen, wished, 10_000 * USDT, price, USDT, BTC_SPEC, 86_400_000_000_000)


def test_the_size_is_chosen_when_the_side_changes_and_kept() -> None:
    memory = SizeMemory()
    assert goal(memory, 999, rule="fixed_fraction") == 12
    assert goal(memory, 5, price=4_000_000, rule="fixed_fraction") == 12
    assert goal(memory, -5, price=4_000_000, rule="fixed_fraction") == -25
    assert goal(memory, 0, rule="fixed_fraction") == 0
    assert goal(memory, 7, rule="fixed_fraction") == 12


def test_what_looks_back_opens_nothing_before_it_has_seen_enough() -> None:
    memory = memory_of([0.02, -0.02] * 2, 5)
    assert goal(memory, 9, rule="volatility_target", memory=5) == 0
    observe(memory, memory.last_ticks, 5)
    assert goal(memory, 9, rule="volatility_target", memory=5) > 0


def test_a_wilder_market_gets_the_smaller_position() -> None:
    # daily moves of 2 %: 38.2 % a year; a target of 20 % is 52.3 % of equity: 65 contracts
    memory = memory_of([0.02, -0.02] * 50, 100)
    assert goal(memory, 9, rule="volatility_target", volatility=USDT // 5) == 65
    wilder = memory_of([0.04, -0.04] * 50, 100)
    assert goal(wilder, 9, rule="volatility_target", volatility=USDT // 5) == 32


def test_kelly_follows_the_mean_only_and_is_capped() -> None:
    memory = memory_of([0.03, -0.01] * 50, 100)  # mean 0.01, variance 0.0004: full Kelly 25
    assert goal(memory, 9, rule="kelly", fraction=USDT // 100) == 31  # a hundredth of it: a quarter of equity
    assert goal(memory, -9, rule="kelly", fraction=USDT // 100) == 0
    assert goal(memory_of([0.03, -0.01] * 50, 100), 9, rule="kelly", fraction=USDT) == 125  # the cap: 1
