"""What a type of parent order is: a state table, and four pure questions about where it stands.

The OMS asks after every change. `judge` tells what has happened by the numbers; `desire` which orders should
live now, and the OMS sends what is missing and cancels what is too much; `levels` which prices to watch;
`due_ns` when to look again. None of them keeps anything, so a restart only has to ask once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.parent_states import ParentEvent, ParentState, PriceSource
from actors.oms.parents.state import Parent, Role

__all__ = ["Level", "ParentKind", "Sight", "Table", "Wanted", "nothing_due", "nothing_watched"]

Table = Mapping[tuple[ParentState, ParentEvent], ParentState]


class Sight(NamedTuple):
    """What a type sees besides the parent."""

    now_ns: int
    net_contracts: int  # of the symbol, signed
    contracts_min: int  # that the venue trades
    is_flattening: bool  # the OMS is closing the symbol already


class Wanted(NamedTuple):
    """Orders that should live now: so many contracts of a role, all alike."""

    role: Role
    side: Side
    contracts: int
    order_type: OrderType = OrderType.MARKET
    limit_ticks: int = 0
    time_in_force: TimeInForce = TimeInForce.IOC
    reduce_only: bool = True


class Level(NamedTuple):
    """A price to watch, and what it means when it is met."""

    event: ParentEvent
    source: PriceSource
    rises: bool  # met by prices at it or above; else at it or below
    ticks: int  # of a fixed level; 0 when it trails:
    trail_ticks: int = 0
    trail_e8: int = 0

    @property
    def trails(self) -> bool:
        """Whether it follows the price."""
        return bool(self.trail_ticks or self.trail_e8)


class ParentKind(NamedTuple):
    """One type, as its file offers it to the table in registry.py."""

    name: str
    table: Table
    begins: Callable[[Parent], ParentState]
    judge: Callable[[Parent, Sight], ParentEvent | None]
    desire: Callable[[Parent, Sight], tuple[Wanted, ...]]
    levels: Callable[[Parent], tuple[Level, ...]]
    due_ns: Callable[[Parent], int]  # 0: never
    protects: bool = False  # a position is worse off without it


def nothing_watched(_: Parent) -> tuple[Level, ...]:
    """Watch no price."""
    return ()


def nothing_due(_: Parent) -> int:
    """Wait for no instant."""
    return 0
