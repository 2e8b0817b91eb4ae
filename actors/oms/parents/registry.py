"""The types of parent orders there are, in one table. A new one is a plan, a file and a line here."""

from __future__ import annotations

from actors.messages.plans import Stop, TakeProfit
from actors.oms.parents import stop, take_profit
from actors.oms.parents.kind import ParentKind
from actors.oms.parents.state import Parent

__all__ = ["PARENTS", "kind_of"]

PARENTS: dict[type, ParentKind] = {
    Stop: stop.KIND,
    TakeProfit: take_profit.KIND,
}


def kind_of(parent: Parent) -> ParentKind:
    """Return the type of a parent order."""
    return PARENTS[type(parent.plan)]
