"""What the OMS knows of a parent order and of its living children. Rebuilt from events alone."""

from __future__ import annotations

import enum

import msgspec

from actors.domain.orders import OrderType, Side
from actors.domain.parent_states import ParentState
from actors.messages.plans import Bracket, Iceberg, Plan, Twap, Vwap

__all__ = ["CLAIMS_ALL", "Child", "Parent", "Role", "role_of"]

CLAIMS_ALL = 10**15  # of a parent that closes whatever is open


class Role(enum.Enum):
    """What a child is for."""

    ENTRY = "entry"  # to open, or to work off a quantity
    TARGET = "target"  # to close at a limit
    EXIT = "exit"  # to close


class Child(msgspec.Struct, array_like=True):
    """One order that a parent asked risk for, until it has ended."""

    role: Role
    contracts: int
    asked_at_ns: int
    filled_contracts: int = 0
    client_order_id: str = ""  # empty until risk has allowed it


class Parent(msgspec.Struct, array_like=True):
    """One parent order."""

    parent_id: str
    strategy: str
    symbol: str
    side: Side
    contracts: int
    reduce_only: bool
    plan: Plan
    state: ParentState
    accepted_at_ns: int
    children: dict[str, Child] = {}  # the living ones, by intent_id
    children_count: int = 0  # that there ever were
    entry_filled: int = 0
    exit_filled: int = 0
    shrunk: int = 0  # contracts entered or meant to be closed that somebody else has closed
    entry_over: bool = False  # nothing more is to be opened
    target_watched: bool = False  # a resting target that rests no more
    trail_on: bool = False
    released: int = 0  # contracts that the slices due so far may trade
    slices_done: int = 0
    entered_at_ns: int = 0  # first fill of the entry
    retry_at_ns: int = 0  # no order of it before
    refusals_count: int = 0  # of orders that close, in a row
    changed_at_ns: int = 0
    why: str = ""

    @property
    def enters(self) -> bool:
        """Whether it opens what it then closes."""
        return type(self.plan) is Bracket

    @property
    def exit_side(self) -> Side:
        """The side of its closing orders."""
        return self.side.opposite if self.enters else self.side

    @property
    def exits(self) -> bool:
        """Whether it closes positions, at once or later."""
        return self.reduce_only or self.enters

    @property
    def filled(self) -> int:
        """Contracts its orders have traded."""
        return self.entry_filled + self.exit_filled

    @property
    def goal(self) -> int:
        """How many contracts it is to trade in all; less than asked when somebody else closed some."""
        return self.contracts - self.shrunk

    @property
    def claim(self) -> int:
        """How many contracts it may still close by its own account; what is open may be less."""
        if self.enters:
            wanted = self.entry_filled
        else:
            wanted = self.contracts or CLAIMS_ALL
        return max(0, wanted - self.exit_filled - self.shrunk)

    def working(self, role: Role) -> int:
        """What its living orders of one role may still fill."""
        return sum(
            child.contracts - child.filled_contracts for child in self.children.values() if child.role is role
        )


def role_of(parent: Parent, side: Side, order_type: OrderType) -> Role:
    """Return what an order of a parent is for, also when it is remembered no longer."""
    if not parent.exits or side is not parent.exit_side or isinstance(parent.plan, Twap | Vwap | Iceberg):
        return Role.ENTRY
    return Role.EXIT if order_type is OrderType.MARKET else Role.TARGET
