"""The documented pictures are those of the tables, and the tables have no dead ends."""

import pytest

from actors.domain.parent_states import PARENT_ENDED
from actors.oms.parents.kind import ParentKind
from tests.unit.oms.parent_pictures import BLOCK, DOCUMENT, KINDS, begins, drawn_into


def test_the_documented_pictures_are_drawn_from_todays_tables() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert {found[2] for found in BLOCK.finditer(document)} == set(KINDS)
    assert document == drawn_into(document), "run `python -m tests.unit.oms.parent_pictures`"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_state_of_a_type_can_be_reached_and_every_live_one_can_be_left(kind: ParentKind) -> None:
    reached = set(begins(kind))
    while more := {to for (state, _), to in kind.table.items() if state in reached} - reached:
        reached |= more
    named = {state for state, _ in kind.table} | set(kind.table.values())
    assert reached == named
    left = {state for (state, _), to in kind.table.items() if to is not state}
    assert named - PARENT_ENDED <= left
    assert named & PARENT_ENDED
