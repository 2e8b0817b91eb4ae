"""Money arithmetic against exact rationals and against its own inverse."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import E8, divide_half_even, format_e8, multiply_e8, parse_e8

WIDE = st.integers(-(10**20), 10**20)


@given(WIDE, st.integers(-(10**12), 10**12).filter(bool))
def test_division_rounds_like_the_exact_quotient(numerator: int, denominator: int) -> None:
    assert divide_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@given(WIDE, st.integers(1, 10**6))
def test_rounding_is_odd_so_that_both_sides_of_a_trade_agree(numerator: int, denominator: int) -> None:
    assert divide_half_even(-numerator, denominator) == -divide_half_even(numerator, denominator)


@given(WIDE)
def test_text_reads_back_as_the_same_amount(value: int) -> None:
    text = format_e8(value)
    assert parse_e8(text) == value
    assert "e" not in text.lower()
    assert text == "0" or not text.endswith(".")
    assert "." not in text or not text.endswith("0")


@given(st.decimals(-(10**9), 10**9, places=8))
def test_a_decimal_of_eight_places_survives(number: Decimal) -> None:
    assert Decimal(format_e8(parse_e8(number))) == number


@given(st.integers(-(10**16), 10**16), st.integers(-E8, E8))
def test_a_rate_rounds_like_decimal_arithmetic(amount: int, rate_e8: int) -> None:
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(amount) * Decimal(rate_e8) / E8
        assert multiply_e8(amount, rate_e8) == int(exact.to_integral_value(ROUND_HALF_EVEN))
