"""What the OMS owns: live orders, a bounded memory of closed ones, fills, net positions.

Its size depends on the number of live orders and on two settings, never on how many orders there ever were.
"""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

import msgspec

from actors.domain.amending import AMEND_TRANSITIONS, AmendEvent, AmendState
from actors.domain.lifecycle import TERMINAL, TRANSITIONS, OrderEvent, OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.oms.parents.state import Parent
from actors.oms.parents.trails import TrailGroup
from actors.runtime.errors import InvariantError

__all__ = [
    "AMEND_NEXT",
    "NEXT",
    "TERMINAL_VALUES",
    "Amend",
    "FillsOrder",
    "OmsState",
    "Order",
    "fill_key",
    "keep_newest",
]

V = TypeVar("V")

# The lifecycle by event, then by state, both by their text: hashing an enum member costs ten times as much.
NEXT: dict[str, dict[str, OrderState]] = {event.value: {} for event in OrderEvent}
for (_state, _event), _following in TRANSITIONS.items():
    NEXT[_event.value][_state.value] = _following

AMEND_NEXT: dict[str, dict[str, AmendState]] = {event.value: {} for event in AmendEvent}
for (_amend_state, _amend_event), _amend_following in AMEND_TRANSITIONS.items():
    AMEND_NEXT[_amend_event.value][_amend_state.value] = _amend_following

TERMINAL_VALUES = frozenset(state.value for state in TERMINAL)


class Order(msgspec.Struct, array_like=True, gc=False):
    """One order of ours. Sums over its fills tell how far it is filled; the state is the table's."""

    client_order_id: str
    intent_id: str
    strategy: str
    risk: str
    symbol: str
    side: Side
    contracts: int
    order_type: OrderType
    limit_ticks: int
    reduce_only: bool
    submitted_at_ns: int
    state: OrderState = OrderState.SUBMITTING
    venue_order_id: str = ""
    filled_contracts: int = 0
    filled_ticks: int = 0  # sum of contracts x price_ticks
    fee_usdt: int = 0  # 1e-8 USDT; positive is paid
    cancel_wanted: bool = False
    cancels_count: int = 0
    unknown_since_ns: int = 0  # 0 while not UNKNOWN
    changed_at_ns: int = 0
    reason: str = ""
    fee_contracts: int = 0  # of what was bought, taken as fees; spot only
    time_in_force: TimeInForce = TimeInForce.GTC
    replaces: str = ""  # the order that ended for this one, of the same intent
    replaced_by: str = ""
    before_contracts: int = 0  # filled by the orders that it replaces, with the next two
    before_ticks: int = 0
    before_fee_contracts: int = 0
    decision_x2: int = 0  # as in OrderSubmitted, for execution quality
    arrival_x2: int = 0
    acked_at_ns: int = 0  # the first word of the venue

    @property
    def intent_contracts(self) -> int:
        """What its intent has in all, with the orders it replaces."""
        return self.before_contracts + self.contracts

    @property
    def intent_filled_contracts(self) -> int:
        """What its intent has filled in all."""
        return self.before_contracts + self.filled_contracts


class Amend(msgspec.Struct, array_like=True):
    """An amendment that is under way; what it is has the name of the order's intent."""

    amend_id: str
    intent_id: str
    client_order_id: str  # of the order that shall end
    contracts: int  # of the intent in all
    limit_ticks: int
    decision_ticks: int
    risk: str
    began_at_ns: int
    state: AmendState = AmendState.WAITING
    replacement: str = ""  # client_order_id of the order for the rest


class OmsState(msgspec.Struct):
    """The whole state of one account's OMS."""

    sequence: int = 0  # of the newest order
    risk: str = ""  # address of the risk actor heard last; it is told about the OMS's own orders too
    live: dict[str, Order] = {}
    closed: dict[str, Order] = {}  # oldest first; bounded
    intents: dict[str, tuple[int, int]] = {}  # highest (epoch, count) by strategy
    fills: dict[str, tuple[int, int]] = {}  # fill_key -> (signed_contracts, at_ns); bounded
    fills_forgotten_ns: int = 0  # the newest date of a fill that is no longer in `fills`
    fills_count: int = 0
    net_contracts: dict[str, int] = {}  # by symbol, signed
    dust_e8: dict[str, int] = {}  # by symbol, spot: coins beside the contracts, less than one of them
    flattening: dict[str, str] = {}  # symbol -> reason
    anomalies: dict[str, str] = {}  # alert key -> alert name; bounded
    anomalies_count: int = 0
    amends: dict[str, Amend] = {}  # under way, by intent_id of the order
    parents: dict[str, Parent] = {}  # parent orders that run
    parents_ended: dict[str, Parent] = {}  # those that ended last; bounded
    trails: dict[str, list[TrailGroup]] = {}  # best prices that trailing stops have seen
    stale_prices: dict[str, str] = {}  # symbol -> what is wrong with its feed

    def order(self, client_order_id: str) -> Order | None:
        """Return an order that lives or closed lately."""
        return self.live.get(client_order_id) or self.closed.get(client_order_id)

    def known(self, client_order_id: str) -> Order:
        """Return an order that must be there. Errors: InvariantError."""
        order = self.order(client_order_id)
        if order is None:
            raise InvariantError("an order that is not in the books", client_order_id=client_order_id)
        return order


class FillsOrder:
    """How far the order in which fills came is from the order of the venue's dates."""

    __slots__ = ("_newest_ns", "disorder_ns")

    def __init__(self) -> None:
        self._newest_ns = 0
        self.disorder_ns = 0  # the most by which a fill was dated before one that had come already

    def note(self, at_ns: int) -> None:
        """Take the date of the next fill."""
        if at_ns >= self._newest_ns:
            self._newest_ns = at_ns
        elif self._newest_ns - at_ns > self.disorder_ns:
            self.disorder_ns = self._newest_ns - at_ns


def fill_key(symbol: str, trade_id: str) -> str:
    """Return what makes a fill one of its kind within an account."""
    return symbol + "/" + trade_id


def keep_newest(found: dict[str, V], kept: int) -> tuple[dict[str, V], list[V]]:
    """Return the last `kept` entries of a dict in order of entry, and the values that go.

    Called when the dict has twice as many, so one entry costs a constant on average.
    """
    gone_count = len(found) - kept
    gone = list(islice(found.values(), gone_count))
    return dict(islice(found.items(), gone_count, None)), gone
