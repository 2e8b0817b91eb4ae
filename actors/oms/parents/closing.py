"""What the types that close a position have in common. Pure."""

from __future__ import annotations

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.parent_states import ParentEvent, ParentState, PriceSource
from actors.oms.parents.kind import Level, Sight, Wanted
from actors.oms.parents.state import Parent, Role

__all__ = [
    "DYING",
    "exits_wanted",
    "judge_one_shot",
    "one_shot_wanted",
    "open_contracts",
    "resting",
    "stop_level",
    "target_level",
]

S, E = ParentState, ParentEvent
DYING = frozenset({S.CANCELING, S.FAILING, S.FINISHING})


def open_contracts(parent: Parent, sight: Sight) -> int:
    """Return how much of the position is the parent's to close now; what no venue trades is nothing."""
    held = -parent.exit_side * sight.net_contracts
    found = min(parent.claim, held)
    return found if found >= sight.contracts_min else 0


def exits_wanted(parent: Parent, sight: Sight) -> tuple[Wanted, ...]:
    """Return market orders for all that is open, unless the OMS closes the symbol anyway."""
    if sight.is_flattening:
        return ()
    return (Wanted(Role.EXIT, parent.exit_side, open_contracts(parent, sight)),)


def one_shot_wanted(parent: Parent, sight: Sight) -> tuple[Wanted, ...]:
    """Return the market order of a trigger that was met, which may open when it is not reduce-only."""
    if parent.state is not S.FIRING:
        return ()
    if parent.reduce_only:
        return exits_wanted(parent, sight)
    left = 0 if parent.entry_over else parent.contracts - parent.entry_filled
    return (Wanted(Role.ENTRY, parent.side, left, reduce_only=False),)


def judge_one_shot(parent: Parent, sight: Sight) -> ParentEvent | None:
    """Tell what the numbers say of a parent that waits, then sends one order."""
    state = parent.state
    if state in DYING:
        return None if parent.children else E.CHILDREN_GONE
    if parent.reduce_only and not parent.claim and not parent.children:
        return E.FILLED if parent.exit_filled else E.POSITION_GONE
    if state is not S.FIRING or parent.children:
        return None
    if not parent.reduce_only:
        return E.FILLED if parent.entry_over or parent.entry_filled >= parent.contracts else None
    if open_contracts(parent, sight):
        return None
    return E.FILLED if parent.exit_filled else E.POSITION_GONE


def stop_level(side: Side, ticks: int, source: PriceSource) -> Level:
    """Return the level where an order of this side stops: a sale below the market, a purchase above."""
    return Level(E.TRIGGERED, source, side is Side.BUY, ticks)


def target_level(side: Side, ticks: int, source: PriceSource) -> Level:
    """Return where an order of this side takes profit: a sale above the market, a purchase below."""
    return Level(E.TARGET_TOUCHED, source, side is Side.SELL, ticks)


def resting(side: Side, contracts: int, ticks: int) -> Wanted:
    """Return a limit order that closes, and rests."""
    return Wanted(Role.TARGET, side, contracts, OrderType.LIMIT, ticks, TimeInForce.GTC)
