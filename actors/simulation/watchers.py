"""What must be true on every seed, checked from outside: by the journal, by the far side, by what leaves."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from actors.domain.lifecycle import OrderEvent
from actors.exchange.events import OrderBooked, OrderUnbooked, RestingOrderExecuted
from actors.messages.control import HaltLevel
from actors.messages.venue import OrderFilled
from actors.oms.events import (
    AmendMoved,
    AmendStarted,
    CancelWanted,
    OrderAnomaly,
    OrderFillApplied,
    OrderResolved,
    OrderStateChanged,
    OrderSubmitted,
    ScopeCanceled,
)
from actors.oms.parents.events import ParentAccepted
from actors.reconciler.compare import CORRECTION
from actors.risk.events import (
    AmendAllowed,
    HaltLatched,
    HaltReleased,
    IntentAllowed,
    IntentDenied,
    OrderFinished,
    ReplacementAllowed,
)
from actors.risk.guard_events import ExitOrdered
from actors.risk.settings import RiskSettings
from actors.runtime.codec import decoder_for, message_name
from actors.runtime.journal import TurnRecord, read_turns
from actors.runtime.messages import ActorFailed, ActorRestarted, Message
from actors.runtime.node import Node, NodeStarted
from actors.runtime.pumps.messages import HttpRequest
from actors.runtime.store_memory import MemoryStore
from actors.simulation.amend_watch import AmendWatch, ExchangeBooks
from actors.simulation.cancel_watch import CancelWatch
from actors.simulation.faults import BY_HAND
from actors.simulation.order_limits import OrderLimits
from actors.simulation.parent_watch import ParentWatch, stops_unheeded

__all__ = ["Violation", "Watchers"]

LIMITS = "no order leaves that the limits deny"
HAND_GRACE_NS = 30_000_000_000  # in which a trade by hand stops its symbol, actors that crash included
RECENT_MAX = 30
VIOLATIONS_MAX = 20
SLACK = 1.06  # prices move between risk's look and the exchange's
KINDS = (
    NodeStarted,
    ActorFailed,
    ActorRestarted,
    OrderAnomaly,
    OrderSubmitted,
    ParentAccepted,
    OrderStateChanged,
    CancelWanted,
    ScopeCanceled,
    OrderFillApplied,
    OrderResolved,
    OrderFinished,
    HaltLatched,
    HaltReleased,
    IntentAllowed,
    IntentDenied,
    ExitOrdered,
    OrderBooked,
    OrderUnbooked,
    RestingOrderExecuted,
    AmendStarted,
    AmendMoved,
    AmendAllowed,
    ReplacementAllowed,
)
HEAD_BYTES = 40  # of an event; its name is within
HAS_TAG = re.compile(b"|".join(re.escape(message_name(kind).encode()) for kind in KINDS)).search
TAKES_BACK = (HaltLatched, ScopeCanceled)
ORDER_PATHS = ("/v3/trade/order", "/v3/trade/orders", "/orders", "/orders/batch")
ENDS = frozenset(
    {OrderEvent.REJECTED, OrderEvent.CANCELED, OrderEvent.PROVEN_ABSENT, OrderEvent.FILLED_WHOLLY}
)
DENIED_PROOF = frozenset({OrderEvent.PROVEN_ABSENT, OrderEvent.REJECTED})


class Violation(NamedTuple):
    """One promise that was broken."""

    invariant: str
    at_ns: int
    detail: str
    around: tuple[str, ...]


class Watchers:
    """Watches one run."""

    def __init__(self, limits: dict[str, RiskSettings], *, hands_stop: bool = False) -> None:
        self.violations: list[Violation] = []
        self.recent: deque[str] = deque(maxlen=RECENT_MAX)
        self.now_ns = 0
        self._limits = limits
        self._hands_stop = hands_stop  # a trade by hand stops its symbol, by policy
        self._decode = decoder_for(KINDS).decode
        self.forget_journal()
        self.forget_exchange()

    def forget_journal(self) -> None:
        """Read the journal again from its beginning: a power cut took back some of it."""
        self.submitted: dict[str, OrderSubmitted] = {}  # durable, by client_order_id
        self.fills: dict[str, int] = {}  # by symbol/trade_id: how often it was applied
        self.filled: dict[str, int] = {}  # contracts by client_order_id, as the OMS has them
        self.absent: dict[str, int] = {}  # client_order_id -> when the OMS took it for refused or absent
        self.corrected: set[str] = set()  # symbols whose position the reconciler has brought right
        self.disordered: set[str] = set()  # symbols of which a fill was told after a younger one
        self._newest: dict[str, int] = {}  # number of the newest fill by symbol
        self._intents: dict[str, str] = {}
        self._cells: dict[str, str] = {}  # client_order_id -> address of its OMS
        self._cancels = CancelWatch()
        self._amends = AmendWatch()
        self.parents = ParentWatch()
        self.amended_count = 0
        self.denied: Counter[str] = Counter()  # wishes, by the rule that spoke against them
        self._ended: set[str] = set()
        self._net: dict[tuple[str, str], int] = {}  # by account and symbol
        self._halts: dict[tuple[str, str], tuple[int, int]] = {}  # (risk, scope) -> (level, turn)
        self._by_hand: dict[tuple[str, str], int] = {}  # (account, symbol) -> traded by hand when
        self._sequence = 0
        self._counts = {account: OrderLimits(limits) for account, limits in self._limits.items()}

    def forget_exchange(self) -> None:
        """Hear from the exchange again from its beginning: it is an actor, and went back with the journal."""
        self.booked: dict[str, OrderBooked] = {}
        self.books = ExchangeBooks()

    def tell(self, invariant: str, detail: str) -> None:
        """Note that a promise was broken."""
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(Violation(invariant, self.now_ns, detail, tuple(self.recent)))

    @property
    def halts(self) -> set[tuple[str, str]]:
        """The halts in force by the journal: (address of the risk actor, scope)."""
        return set(self._halts)

    # -- what leaves the node ------------------------------------------------------------------------

    def leaving(self, store: MemoryStore, request: HttpRequest) -> None:
        """Look at a request as its bytes leave."""
        path = urlsplit(request.url).path
        if request.method == "GET":
            return
        self.recent.append(f"{self.now_ns} out {request.method} {path} {request.body[:160].decode()}")
        if request.method != "POST" or path not in ORDER_PATHS:
            return
        self.read(store)
        for client_order_id in _ids_of(request.body):
            if client_order_id not in self.submitted:
                self.tell("written before sent", f"{client_order_id} left and is not in the journal")

    # -- what the journal says -----------------------------------------------------------------------

    def read(self, store: MemoryStore) -> None:
        """Take in what was written since the last look."""
        for turn in read_turns(store, self._sequence + 1):
            self._sequence = turn.first_sequence + len(turn.entries) - 1
            events = list(self._events(turn))
            before = set(self.submitted) if any(type(e) in TAKES_BACK for _, e in events) else set()
            for entry, event in events:
                self._take(entry, event, turn)
            live = ((self._cells[name], self.submitted[name]) for name in sorted(before - self._ended))
            for detail in self._cancels.turn(events, live):
                self.tell("a halt takes back every order", detail)

    def _events(self, turn: TurnRecord) -> Iterator[tuple[str, Any]]:
        for entry in turn.entries:
            if HAS_TAG(entry.event, 0, HEAD_BYTES):
                yield entry.cell, self._decode(entry.event)

    def _take(self, cell: str, event: Any, turn: TurnRecord) -> None:
        self.recent.append(f"{turn.at_ns} {cell} {event}")
        match event:
            case OrderSubmitted():
                self._submitted(cell, event, turn)
            case OrderFillApplied():
                key = f"{event.symbol}/{event.trade_id}"
                self.fills[key] = self.fills.get(key, 0) + 1
                if self.fills[key] > 1:
                    self.tell("a fill counts once", f"{key} was applied {self.fills[key]} times")
                self._fill_kind(event)
                place = (cell.partition("/")[2], event.symbol)
                self._net[place] = self._net.get(place, 0) + event.signed_contracts
                self.parents.filled(event)
                name = event.client_order_id
                self.filled[name] = self.filled.get(name, 0) + abs(event.signed_contracts)
                if name in self.submitted and self.filled[name] >= self.submitted[name].contracts:
                    self._has_ended(cell, name)
            case OrderAnomaly() if isinstance(event.report, OrderFilled):
                if event.report.client_order_id.startswith(BY_HAND):
                    place = (cell.partition("/")[2], event.report.symbol)
                    self._by_hand.setdefault(place, turn.at_ns)
            case OrderStateChanged():
                self._changed(cell, event, turn)
            case ParentAccepted():
                self.parents.accepted(event)
            case OrderResolved():
                self._has_ended(cell, event.client_order_id)
            case IntentAllowed() | AmendAllowed():
                self._allowed(cell, event)
            case IntentDenied():
                self.denied[event.rule] += 1
            case ReplacementAllowed():
                self._amends.judged(event)
            case AmendStarted():
                self._amends.started(event)
            case AmendMoved():
                for detail in self._amends.moved(event):
                    self.tell("an amendment begins once", detail)
            case OrderFinished():
                self._freed(event)
            case ExitOrdered():
                counts = self._counts.get(cell.partition("/")[2])
                if counts is not None:
                    counts.exit_ordered(event.symbol, event.at_ns)
            case HaltLatched():
                self._halts[cell, event.scope] = (int(event.level), turn.turn)
                self._by_hand.pop((cell.partition("/")[2], event.scope.partition("/")[2]), None)
            case HaltReleased():
                self._halts.pop((cell, event.scope), None)
            case OrderBooked() | OrderUnbooked() | RestingOrderExecuted():
                self.exchange_event(event)

    def _fill_kind(self, event: OrderFillApplied) -> None:
        symbol, name = event.symbol, event.trade_id
        if name.startswith(CORRECTION):
            self.corrected.add(symbol)
        elif name.isdecimal():  # the exchange's numbers grow; dates may be equal
            if int(name) < self._newest.get(symbol, 0):
                self.disordered.add(symbol)
            self._newest[symbol] = max(int(name), self._newest.get(symbol, 0))

    def _has_ended(self, cell: str, client_order_id: str) -> None:
        self._ended.add(client_order_id)
        self.parents.ended(client_order_id)
        counts = self._counts.get(cell.partition("/")[2])
        if counts is not None:
            counts.ended(client_order_id)

    def _changed(self, cell: str, event: OrderStateChanged, turn: TurnRecord) -> None:
        if event.event in ENDS:
            self._has_ended(cell, event.client_order_id)
        if event.event in DENIED_PROOF:
            self.absent[event.client_order_id] = turn.at_ns
            self._contradicted(event.client_order_id)

    def _freed(self, event: OrderFinished) -> None:
        """Risk gave back what an order had reserved: the order must have ended."""
        name = self._intents.get(event.intent_id)
        if name is None or name in self._ended:
            return
        if self.filled.get(name, 0) < self.submitted[name].contracts:
            self.tell("what lives stays reserved", f"{name} had not ended when risk freed its contracts")

    def _submitted(self, cell: str, event: OrderSubmitted, turn: TurnRecord) -> None:
        if event.client_order_id in self.submitted:
            self.tell("an order is named once", event.client_order_id)
        for promise, detail in self._amends.submitted(event, self._ended, self.filled):
            self.tell(promise, detail)
        for promise, detail in self.parents.submitted(event):
            self.tell(promise, detail)
        self.amended_count += bool(event.replaces)
        self.submitted[event.client_order_id] = event
        self._intents[event.intent_id] = event.client_order_id
        self._cells[event.client_order_id] = cell
        account = cell.partition("/")[2]
        reduces = event.reduce_only or self._reduces(account, event)
        counts = self._counts.get(account)
        if counts is not None:
            for detail in counts.submitted(event.client_order_id, event.symbol, event.strategy, reduces):
                self.tell(LIMITS, detail)
        traded_at_ns = self._by_hand.get((account, event.symbol), turn.at_ns)
        if self._hands_stop and not reduces and turn.at_ns > traded_at_ns + HAND_GRACE_NS:
            self.tell("a trade by hand stops its symbol", f"{event.client_order_id} in {event.symbol}")
        for (risk, scope), (level, latched) in self._halts.items():
            binds = risk.partition("/")[2] == account and _binds(scope, event)
            if binds and level >= HaltLevel.NO_NEW_RISK and turn.turn > latched and not reduces:
                self.tell("nothing but reductions after a halt", f"{event.client_order_id} under {scope}")

    def _allowed(self, cell: str, event: IntentAllowed | AmendAllowed) -> None:
        account = cell.partition("/")[2]
        counts = self._counts.get(account)
        if counts is not None:
            filled = self._amends.filled_before(event.intent_id, self.filled)
            reduces = self._reduces(account, event, filled)
            for detail in counts.allowed(event.intent_id, event.symbol, event.at_ns, reduces):
                self.tell(LIMITS, detail)

    def _reduces(
        self, account: str, order: OrderSubmitted | IntentAllowed | AmendAllowed, filled: int = 0
    ) -> bool:
        held = self._net.get((account, order.symbol), 0)
        return held * order.side < 0 and order.contracts - filled <= abs(held)

    def look_at_parents(self, node: Node) -> None:
        """Hold the parents that live against what is open, and their stops against the prices."""
        for (account, symbol), net in self._net.items():
            oms = node.loop.cells.get(f"oms/{account}")
            if oms is not None and net:
                for promise, detail in self.parents.uncovered(account, oms.behaviour, symbol, net):
                    self.tell(promise, detail)
        for detail in stops_unheeded(node):
            self.tell("a stop that is met fires", detail)

    # -- what the far side says ----------------------------------------------------------------------

    def exchange_event(self, event: Message) -> None:
        """Take in what the exchange decided about an account of ours."""
        if isinstance(event, OrderUnbooked):
            self.books.unbooked(event)
        elif isinstance(event, RestingOrderExecuted):
            self.books.executed(event)
        if not isinstance(event, OrderBooked):
            return
        self.books.booked(event)
        name = event.request.client_order_id
        beside = self._amends.beside(name, self.books)
        if beside:
            self.tell("an amended order ends first", f"{name} came to the exchange while {beside} rested")
        if name in self.booked:
            self.tell("an order reaches the venue once", f"{name} was booked twice")
        self.booked[name] = event
        self.recent.append(f"{event.at_ns} exchange booked {name} {event.request.symbol}")
        if name in self.absent:
            self._contradicted(name)

    def exchange_position(
        self, account: str, symbol: str, worst_contracts: int, value_usdt: int, order: OrderBooked
    ) -> None:
        """Compare what an account could hold now with its limits. `value_usdt`: of one contract."""
        limits = self._limits.get(account)
        if limits is None or order.request.reduce_only:
            return
        largest = limits.max_position_notional_usdt
        if largest and worst_contracts * value_usdt > largest * SLACK:
            detail = f"{account} {symbol}: {worst_contracts} contracts, limit {largest / 1e8:.2f} USDT"
            self.tell(LIMITS, detail)
        largest = limits.max_order_notional_usdt
        if largest and order.request.contracts * value_usdt > largest * SLACK:
            name = order.request.client_order_id
            self.tell(LIMITS, f"{name}: {order.request.contracts} contracts")

    def _contradicted(self, client_order_id: str) -> None:
        booked = self.booked.get(client_order_id)
        if booked is not None:
            detail = f"{client_order_id} ended as refused or absent; the exchange booked it at {booked.at_ns}"
            self.tell("unknown ends on evidence only", detail)


def _ids_of(body: bytes) -> Iterator[str]:
    try:
        found = json.loads(body)
    except ValueError:
        return
    for row in found if isinstance(found, list) else [found]:
        name = row.get("clOrdId") or row.get("clientOrderId") if isinstance(row, dict) else None
        if name:
            yield name


def _binds(scope: str, order: OrderSubmitted) -> bool:
    kind, _, name = scope.partition("/")
    if kind == "symbol":
        return name == order.symbol
    if kind == "strategy":
        return name == order.strategy
    return True


def state_bytes(behaviour: Any) -> bytes:
    """Return a state to the byte."""
    return msgspec.msgpack.encode(behaviour.state)
