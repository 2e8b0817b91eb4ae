"""What risk adds for a spot account: it sells what it holds, and buys for the money it has."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import COIN, USDT

S = OrderState


def test_coins_that_are_not_held_are_not_sold(risk: Benches) -> None:
    assert risk().denied(-1_000, symbol=COIN) == ("spot_inventory", 1_000, 0)


def test_live_sells_count_as_sold(risk: Benches) -> None:
    bench = risk()
    bench.filled(1_000, COIN)
    bench.allowed(-600, symbol=COIN)
    assert bench.denied(-401, symbol=COIN) == ("spot_inventory", 1_001, 1_000)
    bench.allowed(-400, symbol=COIN)


def test_the_fee_of_a_purchase_is_no_longer_held(risk: Benches) -> None:
    bench = risk()
    bought = bench.allowed(1_000, symbol=COIN)
    bench.update(bought, S.PARTIALLY_FILLED, 500, fee_contracts=1)
    bench.update(bought, S.FILLED, 1_000, fee_contracts=2)
    assert bench.denied(-999, symbol=COIN) == ("spot_inventory", 999, 998)
    bench.allowed(-998, symbol=COIN)


def test_nothing_is_bought_beyond_the_money(risk: Benches) -> None:
    """1,000 USDT buy less than 12,500 contracts at 0.08, and what is held is spent."""
    bench = risk()
    bench.money(1_000 * USDT)
    bench.filled(10_000, COIN)
    rule, _, limit = bench.denied(2_600, symbol=COIN)
    assert (rule, limit) == ("leverage", 1_000 * USDT)
    bench.allowed(2_400, symbol=COIN)


def test_a_reduce_only_purchase_is_denied(risk: Benches) -> None:
    assert risk().denied(10, symbol=COIN, reduce_only=True)[0] == "reduce_only"
