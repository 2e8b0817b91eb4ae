"""What a strategy actor saves. Small: it is written whenever it changes."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.domain.bars import BarBuilder
from actors.domain.orders import OrderType, TimeInForce
from actors.messages.trading import Reason
from actors.strategy.size_rule import SizeMemory

__all__ = ["OwnChild", "OwnParent", "PendingOrder", "StrategyState"]


class PendingOrder(msgspec.Struct, array_like=True):
    """An own order that has no end yet."""

    side: int  # sign of what a fill adds
    contracts: int
    filled_contracts: int
    since_ns: int
    reduce_only: bool
    taken_back: bool = False  # the strategy wants it gone: that it ends unfilled is no refusal
    fee_contracts: int = 0  # of what was bought, taken as fees; spot only
    limit_ticks: int = 0  # 0 of a market order
    order_type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.IOC
    amend_id: str = ""  # of the amendment under way


class OwnParent(msgspec.Struct, array_like=True):
    """A parent order that the OMS runs for us."""

    plan: str
    side: int  # sign of what its first order adds
    contracts: int
    since_ns: int
    state: str = ""  # empty until the OMS has taken it
    entry_filled: int = 0
    exit_filled: int = 0
    protects: bool = False  # an entry that the settings protect


class OwnChild(msgspec.Struct, array_like=True):
    """An order of a parent, as far as it has filled."""

    filled_contracts: int = 0
    fee_contracts: int = 0


class StrategyState(msgspec.Struct):
    """Position, orders in flight, the open bar, and the strategy's own memory."""

    settings: str = ""  # digest of those it was made with: a memory of other settings is worthless
    memory: Any = None  # the strategy's MEMORY struct; plain lists and maps until it is put back
    bars: BarBuilder | None = None
    source_interval_ns: int = 0  # bars come from the feed at this interval; 0: from trades
    bars_count: int = 0  # seen in a row, the newest closed at:
    bar_at_ns: int = 0
    lag_ns: int = 0  # how far the source's clock lay behind ours at the last trade
    last_ticks: int = 0
    feed_state: str = "silent"
    epoch: int = 0
    net_contracts: int = 0
    goal_contracts: int = 0  # target that is being reached in several orders
    goal_pursued: bool = False
    goal_why: str = ""
    goal_reasons: tuple[Reason, ...] = ()
    intents_count: int = 0
    pending: dict[str, PendingOrder] = {}
    parents: dict[str, OwnParent] = {}  # by intent_id
    children: dict[str, OwnChild] = {}  # living orders of parents, by intent_id
    barred_side: int = 0  # 1 or -1: an exit closed it, and the target has not changed since
    closed: dict[str, int] = {}  # filled contracts of own orders that ended last: a fill may still come
    last_action: str = ""  # newest decision that was journaled
    last_why: str = ""
    size: SizeMemory | None = None  # where a rule decides the size
