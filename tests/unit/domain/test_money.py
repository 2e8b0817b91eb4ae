"""Text becomes 1e-8 integers and back, exactly, and rounding has one rule."""

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

import pytest

from actors.domain.money import divide_half_even, format_e8, multiply_e8, parse_e8, scaled, whole_half_even


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (5, 2, 2),
        (7, 2, 4),
        (-5, 2, -2),
        (-7, 2, -4),
        (5, -2, -2),
        (1, 3, 0),
        (2, 3, 1),
        (-2, 3, -1),
        (0, 7, 0),
    ],
)
def test_ties_go_to_the_even_neighbour(numerator: int, denominator: int, expected: int) -> None:
    assert divide_half_even(numerator, denominator) == expected


def test_a_rate_is_a_fraction_in_1e8() -> None:
    assert multiply_e8(12_345_678_900, 60_000) == 7_407_407  # 0.0006 of 123.456789 is 0.0740740734
    assert multiply_e8(-12_345_678_900, 60_000) == -7_407_407


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 100_000_000), ("-0.5", -50_000_000), ("0.00000001", 1), ("1e-8", 1), (3, 300_000_000), ("0", 0)],
)
def test_decimal_text_is_read_exactly(text: str | int, value: int) -> None:
    assert parse_e8(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (0.1, "0.1 is not exact; write the number as text, such as '0.1'"),
        (True, "True is not exact; write the number as text, such as '0.1'"),
        ("ten", "'ten' is not a decimal number"),
        ("", "'' is not a decimal number"),
        ("NaN", "'NaN' is not a finite number"),
        ("-Infinity", "'-Infinity' is not a finite number"),
        ("0.000000001", "'0.000000001' has more than 8 decimals"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str | float, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        parse_e8(text)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "0.00000001"), (-50_000_000, "-0.5"), (1_200_000_000, "12"), (10**17, "1000000000")],
)
def test_text_is_the_shortest_that_says_it(value: int, text: str) -> None:
    assert format_e8(value) == text


def test_a_decimal_with_trailing_zeros_is_exact() -> None:
    assert parse_e8(Decimal("1.500000000000")) == 150_000_000


def test_numbers_do_not_depend_on_the_decimal_context_of_the_thread() -> None:
    text = "0.1234567812345678123456781234567812"
    with localcontext(Context(prec=5, rounding=ROUND_HALF_UP)):
        assert parse_e8("123456789.12345678") == 12_345_678_912_345_678
        assert str(scaled(Decimal(text))) == "12345678.12345678123456781234567812"
        assert [whole_half_even(Decimal(half)) for half in ("0.5", "1.5", "2.5")] == [0, 2, 2]
