"""The documented picture is the table's."""

from actors.domain.amending import AMEND_ENDED, AMEND_TRANSITIONS, AmendState
from actors.domain.lifecycle import TERMINAL, TRANSITIONS, OrderState
from tests.unit.oms.lifecycle_picture import DOCUMENT, drawn_into, picture


def test_the_documented_picture_is_drawn_from_todays_table() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert document == drawn_into(document), "run `python -m tests.unit.oms.lifecycle_picture`"


def test_the_picture_shows_every_pair_of_the_table() -> None:
    drawn = picture()
    for (state, event), following in TRANSITIONS.items():
        (arrow,) = (
            line for line in drawn.splitlines() if line.startswith(f"  {state.value} --> {following.value}:")
        )
        assert event.value in arrow.partition(":")[2].replace(",", "").split()


def test_every_state_can_be_reached_and_every_live_one_can_be_left() -> None:
    reached = {OrderState.SUBMITTING}
    while more := {to for (state, _), to in TRANSITIONS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(OrderState)
    left = {state for (state, _), to in TRANSITIONS.items() if to is not state}
    assert set(OrderState) - TERMINAL <= left


def test_every_amendment_can_end_and_every_state_can_be_reached() -> None:
    reached = {AmendState.WAITING, AmendState.KEPT}  # kept: refused before it began
    while more := {to for (state, _), to in AMEND_TRANSITIONS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(AmendState)
    assert {state for state, _ in AMEND_TRANSITIONS} == set(AmendState) - AMEND_ENDED
