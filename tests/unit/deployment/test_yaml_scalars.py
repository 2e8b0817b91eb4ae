"""Plain scalars mean what YAML 1.2 says, not what YAML 1.1 guessed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deployment.scalars import core_value


@pytest.mark.parametrize(
    "text", ["no", "yes", "on", "off", "y", "N", "1_000", "1:30", "0o8", "0b11", "+", ".", "-"]
)
def test_what_only_looks_like_something_else_is_text(text: str) -> None:
    assert core_value(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("012", 12),
        ("-7", -7),
        ("+7", 7),
        ("0o17", 15),
        ("0xfF", 255),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5E-2", -0.015),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
    ],
)
def test_numbers_booleans_and_nothing_are_understood(text: str, value: object) -> None:
    found = core_value(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_a_float() -> None:
    found = core_value(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


def test_a_number_too_long_to_mean_anything_stays_text() -> None:
    assert core_value("9" * 5000) == "9" * 5000


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    core_value(text)


@given(st.integers(-(10**30), 10**30))
def test_integers_come_back(number: int) -> None:
    assert core_value(str(number)) == number
