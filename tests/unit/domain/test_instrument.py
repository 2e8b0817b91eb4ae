"""What a contract is worth, on the numbers of two real ones."""

import pytest

from actors.domain.instrument import Instrument, RiskTier

E8 = 100_000_000
TIERS = (RiskTier(100, 75, 600_000), RiskTier(300, 50, 1_000_000), RiskTier(500, 25, 2_000_000))


def make(
    tick_e8: int = E8 // 100, contract_e8: int = E8 // 1000, tiers: tuple[RiskTier, ...] = TIERS
) -> Instrument:
    return Instrument(
        "BTC_USDT_PERP",
        "BTC",
        tick_e8,
        contract_e8,
        1,
        1000,
        1000,
        75,
        20,
        E8 // 20,
        20_000,
        60_000,
        28_800_000_000_000,
        tiers,
    )


def test_a_venue_sample_gives_the_same_margin() -> None:
    """One BTC contract at 94095.59, leverage 20, maintenance 0.006, as the venue showed it."""
    instrument, mark = make(), 9_409_559
    assert instrument.initial_margin(1, mark, 20) == 470_477_950
    assert instrument.maintenance_margin(1, mark) == 56_457_354


def test_fees_follow_the_role_and_never_depend_on_direction() -> None:
    instrument = make()
    assert instrument.fee(1, 8_665_500, maker=False) == 5_199_300
    assert instrument.fee(-1, 8_665_500, maker=True) == 1_733_100


def test_a_rebate_is_a_negative_fee() -> None:
    instrument = Instrument("X", "X", E8, E8, 1, 9, 9, 10, 10, E8 // 20, -10_000, 60_000, 1, TIERS)
    assert instrument.fee(2, 50, maker=True) == -1_000_000


def test_longs_pay_shorts_when_the_rate_is_positive() -> None:
    instrument = make()
    assert instrument.funding(10, 8_665_500, 10_000) == 8_665_500
    assert instrument.funding(-10, 8_665_500, 10_000) == -8_665_500
    assert instrument.funding(10, 8_665_500, -10_000) == -8_665_500


@pytest.mark.parametrize(
    ("contracts", "tier"), [(0, 0), (1, 0), (-100, 0), (101, 1), (-300, 1), (301, 2), (9999, 2)]
)
def test_the_whole_position_falls_into_one_tier(contracts: int, tier: int) -> None:
    assert make().tier(contracts) is TIERS[tier]


def test_prices_are_read_exactly_or_not_at_all() -> None:
    instrument = make()
    assert instrument.price_ticks("86655.01") == 8_665_501
    assert instrument.price_text(8_665_501) == "86655.01"
    with pytest.raises(ValueError, match=r"^BTC_USDT_PERP: price 86655\.001 is not a multiple of 0\.01$"):
        instrument.price_ticks("86655.001")


@pytest.mark.parametrize(
    ("price", "ticks"), [("1.004", 100), ("1.005", 100), ("1.015", 102), ("1.0051", 101)]
)
def test_market_data_off_the_grid_goes_to_the_nearest_tick(price: str, ticks: int) -> None:
    assert make().nearest_ticks(price) == ticks


def test_a_tick_that_is_worth_a_fraction_of_the_unit_is_refused() -> None:
    message = (
        "BTC_USDT_PERP: a tick of one contract must be worth a whole number of 1e-8 USDT, "
        "but tick 0.00000001 x contract 0.5 is not"
    )
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        make(1, E8 // 2)
    assert str(caught.value) == message


@pytest.mark.parametrize("tiers", [(), (TIERS[1], TIERS[0]), (TIERS[0], TIERS[0])])
def test_tiers_must_exist_and_ascend(tiers: tuple[RiskTier, ...]) -> None:
    with pytest.raises(ValueError, match=r"^BTC_USDT_PERP: risk tiers must exist and ascend$"):
        make(tiers=tiers)
