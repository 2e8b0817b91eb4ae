"""Decimal text to integers."""

from __future__ import annotations

import pytest

from actors.poloniex.decoding import Malformed
from actors.poloniex.numbers import PriceReader, cost_ticks, parse_e8, parse_whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("88359.42", 8_835_942_000_000),
        ("0.04417971", 4_417_971),
        ("-0.259996", -25_999_600),
        ("7.203956664999999859", 720_395_666),
        ("0.000000005", 0),
        ("0.000000015", 2),
        ("1e-8", 1),
        ("-965678126.114070339063390145", -96_567_812_611_407_034),
    ],
)
def test_amounts_are_rounded_half_even_at_the_eighth_decimal(text: str, value: int) -> None:
    assert parse_e8(text) == value


@pytest.mark.parametrize(
    "text", ["", ".", "abc", "NaN", "Infinity", "1_000", "\u0661", "1e999999", "0x10", "1,5", "9" * 80, " 1"]
)
def test_what_is_no_number_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_e8(text)
    with pytest.raises(Malformed):
        PriceReader(1_000_000).nearest(text)
    with pytest.raises(Malformed):
        PriceReader(1_000_000).on_grid(text)
    with pytest.raises(Malformed):
        parse_whole(text)


def test_a_price_off_the_grid_is_rounded_or_refused() -> None:
    reader = PriceReader(1_000_000)
    assert reader.nearest("88359.42") == reader.on_grid("88359.42") == 8_835_942
    assert reader.nearest("59999.123456789012345678") == 5_999_912
    assert reader.nearest("0.005") == 0
    assert reader.nearest("0.015") == 2
    with pytest.raises(Malformed):
        reader.on_grid("88359.425")
    with pytest.raises(Malformed):
        reader.nearest("-1")


def test_counts_must_be_whole() -> None:
    assert parse_whole("10") == parse_whole("10.000") == 10
    with pytest.raises(Malformed):
        parse_whole("10.5")


def test_the_cost_of_a_position_is_exact_beyond_the_average() -> None:
    assert cost_ticks("60000.013333333333333333", -3, 1_000_000) == -18_000_004
    assert cost_ticks("94193.42", 1, 1_000_000) == 9_419_342


def test_the_memory_of_prices_is_bounded() -> None:
    reader = PriceReader(100_000_000)
    for number in range(20_000):
        reader.nearest(str(number))
    assert len(reader._nearest) <= 8_192
