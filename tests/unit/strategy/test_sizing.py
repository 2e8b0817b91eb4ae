"""How many contracts: rounded down, never more than any of the limits, closing before opening."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.instrument import MarketKind
from actors.domain.orders import Side
from actors.strategy.settings import StrategySettings
from actors.strategy.sizing import Step, contracts_at_risk, is_reached, next_step
from tests.unit.strategy.strategy_bench import BTC, CATALOG

UNIT = 100_000_000
INSTRUMENT = CATALOG[BTC]  # one tick of one contract is worth 0.00001 USDT
PRICE = 8_000_000  # 80,000 USDT: a contract is worth 80 USDT
EQUITY = 10_000 * UNIT


def settings(**values: int) -> StrategySettings:
    return StrategySettings(**values)  # type: ignore[arg-type]


def test_a_stop_loses_the_fraction_of_equity() -> None:
    wide = settings(notional_fraction=100 * UNIT)
    # 1 % of 10,000 is 100 USDT; 20,000 ticks of a contract are 0.2 USDT.
    assert contracts_at_risk(wide, INSTRUMENT, EQUITY, PRICE, 20_000) == 500
    assert contracts_at_risk(wide, INSTRUMENT, EQUITY, PRICE, 20_000.5) == 499
    assert contracts_at_risk(wide, INSTRUMENT, EQUITY, PRICE, 20_001) == 499


def test_the_value_of_a_position_is_capped() -> None:
    assert contracts_at_risk(settings(), INSTRUMENT, EQUITY, PRICE, 100) == 125
    capped = settings(notional_fraction=UNIT // 2)
    assert contracts_at_risk(capped, INSTRUMENT, EQUITY, PRICE, 100) == 62
    assert contracts_at_risk(settings(contracts_max=7), INSTRUMENT, EQUITY, PRICE, 100) == 7
    boundless = settings(notional_fraction=10**6 * UNIT, risk_fraction=UNIT)
    assert contracts_at_risk(boundless, INSTRUMENT, EQUITY, PRICE, 1) == INSTRUMENT.tiers[-1].contracts_max


def test_too_little_for_one_contract_is_none() -> None:
    assert contracts_at_risk(settings(), INSTRUMENT, 79 * UNIT, PRICE, 100) == 0
    assert contracts_at_risk(settings(), INSTRUMENT, EQUITY, PRICE, 11 * 10**6) == 0
    assert contracts_at_risk(settings(), INSTRUMENT, EQUITY, 0, 100) == 0
    assert contracts_at_risk(settings(), INSTRUMENT, -EQUITY, PRICE, 100) == 0
    assert contracts_at_risk(settings(risk_fraction=0), INSTRUMENT, EQUITY, PRICE, 100) == 0


def test_a_stop_at_the_price_counts_as_one_tick() -> None:
    assert contracts_at_risk(settings(), INSTRUMENT, EQUITY, PRICE, 0.0) == 125


def test_steps_close_before_they_open() -> None:
    assert next_step(0, 5, 100) == Step(Side.BUY, 5, False)
    assert next_step(5, 8, 100) == Step(Side.BUY, 3, False)
    assert next_step(5, 2, 100) == Step(Side.SELL, 3, True)
    assert next_step(5, -2, 100) == Step(Side.SELL, 5, True)
    assert next_step(-5, 2, 100) == Step(Side.BUY, 5, True)
    assert next_step(-5, -5, 100) is None


contracts = st.integers(-1_000, 1_000)


@given(contracts, contracts, st.integers(1, 300))
def test_steps_reach_every_target_and_never_overshoot(net: int, target: int, most: int) -> None:
    for _ in range(2_100):
        step = next_step(net, target, most)
        if step is None:
            break
        after = net + step.side * step.contracts
        assert 0 < step.contracts <= most
        assert not step.reduce_only or (abs(after) < abs(net) and after * net >= 0)
        assert step.reduce_only or abs(after) > abs(net)
        net = after
    assert net == target


def test_a_target_in_coins_is_not_topped_up_for_what_the_fee_took() -> None:
    coin = replace(INSTRUMENT, market=MarketKind.SPOT, taker_fee_e8=200_000)
    assert is_reached(998, 1_000, coin)
    assert is_reached(994, 1_000, coin)
    assert not is_reached(993, 1_000, coin)
    assert not is_reached(1_001, 1_000, coin)
    assert not is_reached(998, 1_000, INSTRUMENT)
    assert is_reached(1_000, 1_000, INSTRUMENT)
