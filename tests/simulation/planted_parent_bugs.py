"""Bugs in parent orders, each a small mutation of the real code that a test switches on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.domain.orders import OrderType
from actors.domain.parent_states import ParentEvent
from actors.messages.plans import Bracket
from actors.oms.parenting import OmsParents
from actors.oms.parents.registry import PARENTS
from actors.oms.parents.state import CLAIMS_ALL, Parent, Role

Patch = pytest.MonkeyPatch


def forget_stops_on_restart(patch: Patch) -> None:
    patch.setattr(OmsParents, "_resume_parents", lambda self, context: None)


def send_exits_that_are_on_their_way_again(patch: Patch) -> None:
    _count_nothing_working(patch, Role.EXIT)


def count_only_what_has_traded(patch: Patch) -> None:
    _count_nothing_working(patch, Role.ENTRY)


def _count_nothing_working(patch: Patch, blind: Role) -> None:
    original = Parent.working
    patch.setattr(Parent, "working", lambda self, role: 0 if role is blind else original(self, role))


def protect_market_entries_only(patch: Patch) -> None:
    kind = PARENTS[Bracket]

    def judge(parent: Parent, sight: Any) -> ParentEvent | None:
        event = kind.judge(parent, sight)
        rests = isinstance(parent.plan, Bracket) and parent.plan.order_type is OrderType.LIMIT
        return None if event is ParentEvent.ENTRY_FILLED and rests else event

    patch.setitem(PARENTS, Bracket, kind._replace(judge=judge))


def forget_what_the_other_leg_closed(patch: Patch) -> None:
    def claim(self: Parent) -> int:
        wanted = self.entry_filled if self.enters else self.contracts or CLAIMS_ALL
        return max(0, wanted - self.shrunk)

    patch.setattr(Parent, "claim", property(claim))


PARENT_BUGS: dict[str, Callable[[Patch], None]] = {
    bug.__name__: bug
    for bug in (
        forget_stops_on_restart,
        send_exits_that_are_on_their_way_again,
        count_only_what_has_traded,
        protect_market_entries_only,
        forget_what_the_other_leg_closed,
    )
}
