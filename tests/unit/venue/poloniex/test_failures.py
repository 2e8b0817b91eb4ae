"""What errors mean."""

from __future__ import annotations

import pytest

from actors.venue.errors import OutcomeUnknownError, RefusedError, UnavailableError
from actors.venue.poloniex.failures import REFUSED, UNAVAILABLE, classify_code, classify_lost, classify_status


@pytest.mark.parametrize("changes", [True, False])
def test_a_documented_refusal_is_final_whatever_was_asked(changes):
    assert type(classify_code("10002", "price", changes=changes)) is RefusedError


@pytest.mark.parametrize("code", ["429", "1002", "408"])
def test_a_request_turned_away_at_the_door_may_be_sent_again(code):
    assert type(classify_code(code, "", changes=True)) is UnavailableError


@pytest.mark.parametrize("code", ["500", "99999", ""])
def test_an_order_answered_by_an_error_nobody_knows_has_an_unknown_outcome(code):
    assert type(classify_code(code, "", changes=True)) is OutcomeUnknownError


def test_a_question_answered_by_an_error_nobody_knows_may_be_asked_again():
    assert type(classify_code("99999", "", changes=False)) is UnavailableError


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_after_an_order_is_an_unknown_outcome(status):
    assert type(classify_status(status, "", changes=True)) is OutcomeUnknownError


def test_a_lost_answer_is_unknown_only_when_bytes_left_and_something_could_change():
    assert type(classify_lost("reset", bytes_left=True, changes=True)) is OutcomeUnknownError
    assert type(classify_lost("refused", bytes_left=False, changes=True)) is UnavailableError
    assert type(classify_lost("reset", bytes_left=True, changes=False)) is UnavailableError


def test_no_code_is_in_two_tables():
    assert not REFUSED & UNAVAILABLE
