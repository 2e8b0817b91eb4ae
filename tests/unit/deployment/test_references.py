"""`$names` are filled in on parsed scalars; what they stand for can never become syntax."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.deployment.faults import FaultLog
from actors.deployment.references import Scope, fill_in
from actors.deployment.yaml_source import parse_text
from actors.deployment.yaml_tree import Map, plain

VALUES = "symbols: [BTC, ETH]\nname: trend\ncount: 5\nexact: '0.10'\nshort: false\n"


def filled(text: str, environment: dict[str, str] | None = None) -> tuple[Any, list[str]]:
    log = FaultLog()
    values, tree = parse_text(VALUES, "values.yaml", log), parse_text(text, "file.yaml", log)
    assert isinstance(values, Map), log.sorted()
    assert isinstance(tree, Map), log.sorted()
    result = fill_in(tree, Scope(values.values, environment or {}, log))
    return plain(result), [fault.code for fault in log.sorted()]


def value(text: str, environment: dict[str, str] | None = None) -> Any:
    found, codes = filled(f"v: {text}", environment)
    assert codes == []
    return found["v"]


def test_a_value_that_is_one_reference_keeps_its_type() -> None:
    assert value("$count") == 5
    assert value('"$count"') == 5
    assert value("$symbols") == ["BTC", "ETH"]
    assert value("$exact") == "0.10"
    assert value("$short") is False


def test_in_a_longer_text_everything_is_text() -> None:
    assert value("$name/$count") == "trend/5"
    assert value("a-${name}-z") == "a-trend-z"


def test_a_list_as_an_item_gives_way_to_its_items() -> None:
    assert value("[$symbols, SOL, $name]") == ["BTC", "ETH", "SOL", "trend"]
    assert value("[[$symbols]]") == [["BTC", "ETH"]]


def test_environment_variables_are_read_as_the_scalar_would_be() -> None:
    environment = {"PORT": "8080", "NAME": "x"}
    assert value("$PORT", environment) == 8080
    assert value('"$PORT"', environment) == "8080"
    assert value("${MISSING:-7}", environment) == 7
    assert value("/srv/${NAME}/y", environment) == "/srv/x/y"


def test_an_empty_environment_variable_counts_as_not_set() -> None:
    assert value("${EMPTY:-else}", {"EMPTY": ""}) == "else"


def test_two_dollars_are_one() -> None:
    assert value("$$name") == "$name"
    assert value("5$$") == "5$"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("$nothing", "E020"),
        ("a/$nothing", "E020"),
        ("$NOTHING", "E021"),
        ("'${}'", "E025"),
        ("5$", "E025"),
        ("$Mixed", "E025"),
        ("a/$symbols", "E026"),
    ],
)
def test_a_reference_to_nothing_is_told_once(text: str, code: str) -> None:
    assert filled(f"v: {text}")[1] == [code]


def test_keys_are_never_filled_in() -> None:
    assert filled("$name: 1") == ({"$name": 1}, [])


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs")), max_size=20))
def test_what_an_environment_variable_holds_stays_one_scalar(text: str) -> None:
    found, _ = filled('v: "x-${ANY:-}"\nw: [$ANY]', {"ANY": text})
    assert found["v"] == f"x-{text}" or not text
    assert len(found.get("w", [])) == 1
