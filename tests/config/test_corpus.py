"""Every case of the corpus shows exactly the text beside it; together they show every code there is."""

from __future__ import annotations

import re

import pytest

from actors.deployment.codes import CODES, TIERS
from tests.config.corpus import FOLDER, KINDS, cases, expected, outcome

# Whether a file is old is asked when a deployment starts; tests/unit/deployment shows these.
OF_THE_CLOCK = {"E313", "W407"}
CODE = re.compile(r"\b(?:error|warning)\[([EW]\d{3})\]")


@pytest.mark.parametrize("name", cases("invalid"))
def test_an_invalid_file_shows_exactly_what_is_expected(name: str) -> None:
    loads, text = outcome("invalid", name)
    assert not loads, "this file is among the invalid ones and loads"
    assert text == expected("invalid", name)
    assert "Traceback" not in text


@pytest.mark.parametrize("name", cases("invalid_tests"))
def test_an_invalid_file_of_tests_shows_exactly_what_is_expected(name: str) -> None:
    loads, text = outcome("invalid_tests", name)
    assert not loads, "this file is among the invalid ones and can be run"
    assert text == expected("invalid_tests", name)


@pytest.mark.parametrize("name", cases("valid"))
def test_a_valid_file_loads_and_warns_of_what_is_expected(name: str) -> None:
    loads, text = outcome("valid", name)
    assert loads, text
    assert text == expected("valid", name)


def test_the_corpus_shows_every_code_and_no_other() -> None:
    shown = {code for kind in KINDS for name in cases(kind) for code in _codes(kind, name)}
    assert shown == set(CODES) - OF_THE_CLOCK


def test_the_corpus_is_large_and_holds_every_tier() -> None:
    names = cases("invalid")
    tiers = {code[:2] for kind in KINDS for name in cases(kind) for code in _codes(kind, name)}
    assert len(names) >= 200
    assert tiers == set(TIERS)


def test_no_expectation_is_left_over() -> None:
    known = {f"{kind}/{name}" for kind in KINDS for name in cases(kind)}
    found = {f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*valid*/*.expected")}
    assert found <= known


def test_every_fault_names_a_place_inside_its_line() -> None:
    for name in cases("invalid"):
        for block in expected("invalid", name).split("\n\n"):
            lines = block.splitlines()
            if len(lines) > 2 and set(lines[2]) <= set(" |^"):
                assert lines[2].index("^") <= len(lines[1]), f"{name}: {lines}"


def test_secrets_are_never_shown() -> None:
    shown = "".join(expected("invalid", name) for name in cases("invalid"))
    for secret in ("3f9a-very-secret", "hunter2", "CAESIJ0123456789", "DONOTUSE", "abc123"):
        assert secret not in shown


def _codes(kind: str, name: str) -> set[str]:
    return set(CODE.findall(expected(kind, name)))
