"""Parent orders before risk: their form, and the one order that stands for the worst they can do. Pure."""

from __future__ import annotations

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.parents import ParentIntent
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
from actors.messages.trading import OrderIntent
from actors.runtime.messages import Message

__all__ = ["ABOUT_ONE_ORDER", "ParentAllowed", "parent_fault", "worst_case"]

UNIT = 100_000_000
SLICES_MAX = 1_000
ONLY_CLOSES = TakeProfit | OneCancelsOther | ScheduledClose | CloseAll

# Rules about a single order and its moment: a parent that comes in pieces is not held to them as a whole, its
# children are. Counts of live orders are not among them: a parent in pieces has one more order live, at once.
ABOUT_ONE_ORDER = frozenset({"order_contracts", "order_notional", "order_rate", "cancel_rate"})


class ParentAllowed(Message, frozen=True):
    """No limit spoke against the worst that a parent order can do. Nothing is reserved for it."""

    parent_id: str
    strategy: str
    symbol: str
    plan: str
    side: Side
    contracts: int
    at_ns: int


def parent_fault(intent: ParentIntent) -> str:
    """Return what is wrong with a parent's form; empty when it can be run."""
    plan = intent.plan
    if intent.contracts < 0 or (not intent.contracts and not intent.reduce_only):
        return f"it needs a number of contracts, not {intent.contracts}"
    if isinstance(plan, ONLY_CLOSES) and not intent.reduce_only:
        return f"a {type(plan).__name__} only closes: it must be marked reduce-only"
    if isinstance(plan, Bracket):
        return _bracket_fault(intent, plan)
    if isinstance(plan, Twap | Vwap | Iceberg):
        return _pieces_fault(intent, plan)
    return _trigger_fault(intent, plan)


def _trigger_fault(intent: ParentIntent, plan: object) -> str:
    """Check what waits for a price or an instant."""
    if isinstance(plan, Stop) and plan.stop_ticks <= 0:
        return "a stop needs a stop price"
    if isinstance(plan, StopLimit) and not (plan.stop_ticks > 0 and plan.limit_ticks > 0):
        return "a stop-limit needs a stop price and a limit price"
    if isinstance(plan, TakeProfit) and plan.target_ticks <= 0:
        return "a take-profit needs a target price"
    if isinstance(plan, TrailingStop):
        return _trail_fault(plan.trail_ticks, plan.trail_e8, plan.activation_ticks)
    if isinstance(plan, OneCancelsOther):
        return _sides_fault(int(intent.side), plan.stop_ticks, plan.target_ticks)
    if isinstance(plan, ScheduledClose) and (plan.at_ns > 0) is (plan.after_ns > 0):
        return "a scheduled close needs an instant or a time, one of both"
    return ""


def _trail_fault(ticks: int, part_e8: int, activation_ticks: int) -> str:
    if min(ticks, part_e8, activation_ticks) < 0 or part_e8 >= UNIT:
        return "a trailing distance is positive, and less than the whole price"
    return "" if (ticks > 0) is not (part_e8 > 0) else "a trailing stop needs one distance: ticks or a part"


def _sides_fault(closing_side: int, stop_ticks: int, target_ticks: int) -> str:
    if stop_ticks <= 0 or target_ticks <= 0:
        return "it needs a stop price and a target price"
    if (target_ticks - stop_ticks) * closing_side >= 0:
        return f"stop {stop_ticks} and target {target_ticks} are on the wrong sides of each other"
    return ""


def _bracket_fault(intent: ParentIntent, plan: Bracket) -> str:
    if intent.reduce_only:
        return "a bracket opens a position: it cannot be marked reduce-only"
    if (plan.order_type is OrderType.MARKET) is not (plan.limit_ticks == 0):
        return "a limit entry needs a price, and a market entry has none"
    if min(plan.stop_ticks, plan.target_ticks, plan.limit_ticks, plan.hold_ns) < 0:
        return "prices and times are positive; 0 stands for none"
    if plan.trail_ticks or plan.trail_e8:
        fault = _trail_fault(plan.trail_ticks, plan.trail_e8, plan.activation_ticks)
        if fault:
            return fault
    elif not plan.stop_ticks:
        return "a bracket needs a stop, fixed or trailing"
    if plan.stop_ticks and plan.target_ticks:
        return _sides_fault(-int(intent.side), plan.stop_ticks, plan.target_ticks)
    return ""


def _pieces_fault(intent: ParentIntent, plan: Twap | Vwap | Iceberg) -> str:
    if not intent.contracts or plan.limit_ticks < 0:
        return "it needs a number of contracts, and no negative price"
    if isinstance(plan, Iceberg):
        fits = 0 < plan.shown_contracts <= intent.contracts and plan.limit_ticks > 0
        return "" if fits else "an iceberg needs a limit price, and shows between 1 and all of its contracts"
    slices = plan.slices_count if isinstance(plan, Twap) else len(plan.weights)
    if not 0 < slices <= SLICES_MAX or plan.duration_ns < slices:
        return f"it needs 1 to {SLICES_MAX} slices, and a time to spread them over"
    if isinstance(plan, Vwap) and (min(plan.weights) < 0 or not sum(plan.weights)):
        return "the weights of a volume profile are not negative, and not all 0"
    return ""


def worst_case(intent: ParentIntent) -> OrderIntent | None:
    """Return the order that opens as much as all of its children together; None when it can only close.

    The exits of a bracket only ever take back what its entry has opened.
    """
    if intent.reduce_only:
        return None
    plan = intent.plan
    kind, limit_ticks, time_in_force = OrderType.MARKET, 0, TimeInForce.IOC
    if isinstance(plan, Bracket):
        kind, limit_ticks, time_in_force = plan.order_type, plan.limit_ticks, plan.time_in_force
    elif isinstance(plan, Iceberg | StopLimit):
        kind, limit_ticks, time_in_force = OrderType.LIMIT, plan.limit_ticks, TimeInForce.GTC
    return OrderIntent(
        *(intent.intent_id, intent.strategy, intent.account, intent.symbol, intent.side, intent.contracts),
        *(kind, limit_ticks, time_in_force, False, intent.decision_ticks, intent.decided_at_ns),
    )
