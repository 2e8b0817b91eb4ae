"""The types of parent orders there are, in one table. A new one is a plan, a file and a line here."""

from __future__ import annotations

from actors.messages.plans import (
    Bracket,
    CloseAll,
    Iceberg,
    OneCancelsOther,
    ScheduledClose,
    Stop,
    StopLimit,
    TakeProfit,
    TrailingStop,
    Twap,
    Vwap,
)
from actors.oms.parents import (
    bracket,
    close_all,
    iceberg,
    one_cancels_other,
    scheduled_close,
    stop,
    stop_limit,
    take_profit,
    trailing_stop,
    twap,
    vwap,
)
from actors.oms.parents.kind import ParentKind
from actors.oms.parents.state import Parent

__all__ = ["PARENTS", "kind_of"]

PARENTS: dict[type, ParentKind] = {
    Stop: stop.KIND,
    StopLimit: stop_limit.KIND,
    TrailingStop: trailing_stop.KIND,
    TakeProfit: take_profit.KIND,
    OneCancelsOther: one_cancels_other.KIND,
    Bracket: bracket.KIND,
    Twap: twap.KIND,
    Vwap: vwap.KIND,
    Iceberg: iceberg.KIND,
    ScheduledClose: scheduled_close.KIND,
    CloseAll: close_all.KIND,
}


def kind_of(parent: Parent) -> ParentKind:
    """Return the type of a parent order."""
    return PARENTS[type(parent.plan)]
