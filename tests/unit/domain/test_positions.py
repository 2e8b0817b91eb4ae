"""What one fill does to a position, on numbers small enough to check by hand."""

import pytest

from actors.domain.instrument import Instrument, RiskTier
from actors.domain.positions import FLAT, Position, apply_fill, unrealised

E8 = 100_000_000


@pytest.fixture
def instrument() -> Instrument:
    # A tick of 0.01 on 0.001 of the base: one tick of one contract is 0.00001 USDT, 1000 units.
    return Instrument(
        "X",
        "X",
        E8 // 100,
        E8 // 1000,
        1,
        100,
        100,
        50,
        10,
        E8 // 20,
        20_000,
        60_000,
        1,
        (RiskTier(100, 50, 1),),
    )


def test_opening_realises_nothing(instrument: Instrument) -> None:
    effect = apply_fill(FLAT, 3, 100, instrument)
    assert effect.position == Position(3, 300)
    assert (effect.realised, effect.closed_contracts, effect.opened_contracts) == (0, 0, 3)


def test_growing_adds_to_the_cost(instrument: Instrument) -> None:
    assert apply_fill(Position(-3, -300), -1, 120, instrument).position == Position(-4, -420)


def test_closing_a_part_takes_its_share_of_the_cost(instrument: Instrument) -> None:
    effect = apply_fill(Position(3, 301), -1, 110, instrument)
    assert effect.position == Position(2, 201)  # 100.33 leaves as 100
    assert effect.realised == 10 * 1_000
    assert effect.closed_contracts == 1


def test_closing_the_rest_leaves_no_cost_behind(instrument: Instrument) -> None:
    effect = apply_fill(Position(2, 201), -2, 110, instrument)
    assert effect.position == FLAT
    assert effect.realised == 19 * 1_000


def test_a_short_gains_when_the_price_falls(instrument: Instrument) -> None:
    assert apply_fill(Position(-2, -200), 2, 90, instrument).realised == 20 * 1_000


def test_a_flip_closes_all_and_opens_the_rest_at_the_fill_price(instrument: Instrument) -> None:
    effect = apply_fill(Position(2, 200), -5, 90, instrument)
    assert effect.position == Position(-3, -270)
    assert effect.realised == -20 * 1_000
    assert (effect.closed_contracts, effect.opened_contracts) == (2, 3)


@pytest.mark.parametrize(
    ("position", "expected"), [(Position(2, 200), 30), (Position(-2, -200), -30), (FLAT, 0)]
)
def test_open_profit_is_value_at_the_mark_less_cost(
    instrument: Instrument, position: Position, expected: int
) -> None:
    assert unrealised(position, 115, instrument) == expected * 1_000
