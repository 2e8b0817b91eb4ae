"""Durations, sizes and decimals are read exactly, and written back as the shortest text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deployment.quantities import (
    format_bytes,
    format_duration,
    format_e8,
    parse_bytes,
    parse_decimal,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "value_ns"),
    [
        ("250ms", 250_000_000),
        ("5s", 5 * 10**9),
        ("1m", 60 * 10**9),
        ("8h", 28_800 * 10**9),
        ("0s", 0),
        ("7ns", 7),
    ],
)
def test_durations_are_nanoseconds(text: str, value_ns: int) -> None:
    assert parse_duration(text) == value_ns
    assert format_duration(value_ns) == text


@pytest.mark.parametrize("text", ["5", "1.5s", "-1s", "5 s", "5S", "s", "1h30m", "", "1s\n", "1234567890s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["1e5", "1_000", " 5", "5 ", "NaN", "inf", "0.123456789", "12345678901", "1.", ".5"]
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        parse_decimal(text)


@given(st.integers(0, 10**17))
def test_a_duration_comes_back_from_its_text(value_ns: int) -> None:
    text = format_duration(value_ns)
    if len(text) <= 9:
        assert parse_duration(text) == value_ns


@given(st.integers(-(10**17), 10**17))
def test_a_decimal_comes_back_from_its_text(value: int) -> None:
    assert parse_decimal(format_e8(value)) == value


@given(st.integers(0, 10**8))
def test_a_size_comes_back_from_its_text(value: int) -> None:
    assert parse_bytes(format_bytes(value)) == value
