"""Whatever order the venue's reports come in, and however often, the OMS ends where the venue is.

A truthful venue is drawn, with orders and what became of them. Its reports reach the OMS shuffled, doubled,
between cancels, pauses and restarts; questions are answered truthfully.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.lifecycle import TERMINAL, TRANSITIONS, OrderEvent, OrderState
from actors.domain.orders import Side
from actors.messages.trading import Fill
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    QueryOrder,
    RequestKind,
    VenueOrder,
)
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.oms.state import OmsState
from actors.runtime.messages import Message
from tests.unit.oms.oms_bench import BTC, MS, PRICE, SECOND, OmsBench

S, E = OrderState, OrderEvent

# What becomes of an order of 10 contracts: its fills, and how it ends (OPEN: it rests until it is canceled).
PLANS = st.one_of(
    st.just(((), S.REJECTED)),
    st.tuples(st.lists(st.integers(1, 3), max_size=3).map(tuple), st.sampled_from([S.OPEN, S.CANCELED])),
    st.sampled_from([((10,), S.FILLED), ((4, 6), S.FILLED), ((1, 2, 3, 4), S.FILLED)]),
)
STEPS = ("deliver",) * 8 + (
    "repeat",
    "repeat",
    "pause",
    "long pause",
    "cancel",
    "cancel one",
    "restart",
    "submit",
)


class TruthfulVenue:
    """Knows what became of every order and says it in reports that wait to be delivered."""

    def __init__(self, bench: OmsBench) -> None:
        self.bench = bench
        self.fills: dict[str, tuple[OrderFilled, ...]] = {}
        self.states: dict[str, OrderState] = {}
        self.waiting: list[Message] = []
        self.delivered: list[Message] = []

    def take_on(self, name: str, plan: tuple[tuple[int, ...], OrderState]) -> None:
        sizes, end = plan
        now_ns = self.bench.now_ns
        self.fills[name] = tuple(self.bench.filled(name, size, venue_order_id=f"v{name}") for size in sizes)
        if end is S.REJECTED:
            self.states[name] = S.REJECTED
            self.waiting.append(OrderRejected("main", name, "11", "no margin", now_ns))
            return
        self.states[name] = S.PARTIALLY_FILLED if end is S.OPEN and sizes else end
        self.waiting.append(OrderAccepted("main", name, f"v{name}", now_ns))
        self.waiting.extend(self.fills[name])
        if end is S.CANCELED:
            self._say_canceled(name)

    def filled(self, name: str) -> int:
        return sum(fill.contracts for fill in self.fills[name])

    def _say_canceled(self, name: str) -> None:
        report = OrderCanceled("main", name, f"v{name}", "by the venue", self.filled(name), self.bench.now_ns)
        self.waiting.append(report)

    def answer(self) -> None:
        """Take the OMS's requests; cancels are answered later, questions at once."""
        for request in self.bench.take(CancelOrder):
            name = request.client_order_id
            if self.states[name] in TERMINAL:
                self.waiting.append(CancelRejected("main", name, "12", "ended", self.bench.now_ns))
            else:
                self.states[name] = S.CANCELED
                self._say_canceled(name)
        for query in self.bench.take(QueryOrder):
            self.bench.tell(self.account_of(query.client_order_id))

    def account_of(self, name: str) -> VenueOrder:
        state, fills = self.states[name], self.fills[name]
        return self.bench.evidence(name, state, fills=fills, venue_order_id=f"v{name}")

    def deliver(self, position: int) -> None:
        self._say(self.waiting.pop(position % len(self.waiting)))

    def repeat(self, position: int) -> None:
        self._say(self.delivered[position % len(self.delivered)])

    def _say(self, report: Message) -> None:
        self.delivered.append(report)
        self.bench.tell(report)
        self.answer()


def _play(bench: OmsBench, venue: TruthfulVenue, plans: list[Any], chance: Random) -> None:
    """Do a random number of random steps, then let everything come to rest."""
    queue = list(plans)
    names: list[str] = []
    for _ in range(10 * len(plans) + 10):
        step = chance.choice(STEPS)
        if step == "submit" and queue:
            names.append(bench.submit())
            venue.take_on(names[-1], queue.pop())
        elif step == "deliver" and venue.waiting:
            venue.deliver(chance.randrange(100))
        elif step == "repeat" and venue.delivered:
            venue.repeat(chance.randrange(100))
        elif step in ("pause", "long pause"):
            bench.advance(chance.randrange(200 * MS if step == "pause" else 20 * SECOND))
        elif step == "cancel":
            bench.cancel()
        elif step == "cancel one" and names:
            bench.cancel(intent_id=f"trend/{BTC}#1.{chance.randrange(len(names)) + 1}")
        elif step == "restart":
            bench.restart()
        venue.answer()
    while queue:
        venue.take_on(bench.submit(), queue.pop())
    while venue.waiting or len(bench.oms._doubts) or bench.oms._awaiting:
        if venue.waiting:
            venue.deliver(chance.randrange(100))
        bench.advance(SECOND)
        venue.answer()


def _rebuilt(bench: OmsBench) -> OmsState:
    """Return the state that the journaled bytes of the events give."""
    again = OmsBench()
    for event in bench.events:
        raw = msgspec.msgpack.encode(event)
        again.oms.apply(msgspec.msgpack.decode(raw, type=type(event)))
    return again.oms.state


def _states_by_the_table(events: list[Message]) -> dict[str, OrderState]:
    """Follow the table by hand, as a second opinion; a pair outside it is a KeyError."""
    states: dict[str, OrderState] = {}
    left: Counter[str] = Counter()
    for event in events:
        if isinstance(event, OrderSubmitted):
            states[event.client_order_id] = S.SUBMITTING
            left[event.client_order_id] = event.contracts
        elif isinstance(event, OrderStateChanged):
            states[event.client_order_id] = TRANSITIONS[states[event.client_order_id], event.event]
        elif isinstance(event, OrderFillApplied):
            name = event.client_order_id
            left[name] -= abs(event.signed_contracts)
            happened = E.FILLED_PARTLY if left[name] else E.FILLED_WHOLLY
            states[name] = TRANSITIONS[states[name], happened]
    return states


@given(plans=st.lists(PLANS, min_size=1, max_size=6), chance=st.randoms(use_true_random=False))
def test_the_oms_ends_where_a_truthful_venue_is(plans: list[Any], chance: Random) -> None:
    bench = OmsBench()
    venue = TruthfulVenue(bench)
    _play(bench, venue, plans, chance)
    orders = bench.oms.state.live | bench.oms.state.closed
    assert {name: order.state for name, order in orders.items()} == venue.states
    assert {name: order.filled_contracts for name, order in orders.items()} == {
        name: venue.filled(name) for name in venue.states
    }
    assert {alert.name for alert in bench.alerts} <= {"OrderUnknown", "CancelRefused"}


@given(plans=st.lists(PLANS, min_size=1, max_size=6), chance=st.randoms(use_true_random=False))
def test_every_contract_reaches_the_ledger_exactly_once(plans: list[Any], chance: Random) -> None:
    bench = OmsBench()
    venue = TruthfulVenue(bench)
    _play(bench, venue, plans, chance)
    booked = bench.take(Fill)
    assert len({fill.trade_id for fill in booked}) == len(booked)
    by_order: Counter[str] = Counter()
    for fill in booked:
        by_order[fill.client_order_id] += fill.contracts
    assert by_order == Counter({name: venue.filled(name) for name in venue.states if venue.filled(name)})
    net = sum(fill.side * fill.contracts for fill in booked)
    assert bench.oms.state.net_contracts.get(BTC, 0) == net
    assert bench.oms.state.fills_count == len(booked)


@given(plans=st.lists(PLANS, min_size=1, max_size=6), chance=st.randoms(use_true_random=False))
def test_the_journal_alone_gives_the_state(plans: list[Any], chance: Random) -> None:
    bench = OmsBench()
    venue = TruthfulVenue(bench)
    _play(bench, venue, plans, chance)
    assert _rebuilt(bench) == bench.oms.state
    orders = bench.oms.state.live | bench.oms.state.closed
    assert _states_by_the_table(bench.events) == {name: order.state for name, order in orders.items()}


# A venue that lies: anything may be said about any order at any time.
LIES = st.lists(
    st.tuples(
        st.sampled_from(
            ("accept", "reject", "fill", "canceled", "refuse", "lose", "show", "cancel", "pause", "restart")
        ),
        st.integers(0, 3),
        st.integers(0, 12),
        st.sampled_from(sorted(OrderState, key=lambda state: state.value)),
    ),
    max_size=40,
)


@given(script=LIES)
def test_no_lie_of_the_venue_leads_outside_the_table(script: list[Any]) -> None:
    bench = OmsBench()
    names = [bench.submit() for _ in range(3)] + ["stranger"]
    for what, which, size, state in script:
        _lie(bench, what, names[which], size, state)
    assert _rebuilt(bench) == bench.oms.state
    booked = bench.take(Fill)
    assert bench.oms.state.fills_count == len({fill.trade_id for fill in booked}) == len(booked)
    assert bench.oms.state.net_contracts.get(BTC, 0) == sum(f.side * f.contracts for f in booked)
    for order in (bench.oms.state.live | bench.oms.state.closed).values():
        ours = [fill for fill in booked if fill.client_order_id == order.client_order_id]
        assert order.filled_contracts == sum(fill.contracts for fill in ours)
        assert order.filled_ticks == sum(fill.contracts * fill.price_ticks for fill in ours)
        assert (order.state in TERMINAL) == (order.client_order_id in bench.oms.state.closed)


def _lie(bench: OmsBench, what: str, name: str, size: int, state: OrderState) -> None:
    requests = list(RequestKind)
    if what == "accept":
        bench.accept(name, f"v{size}" if size else "")
    elif what == "reject":
        bench.reject(name)
    elif what == "fill":
        side = Side.SELL if size == 12 else Side.BUY
        bench.fill(name, size, trade_id=f"t{size % 5}", price_ticks=PRICE + size, side=side)
    elif what == "canceled":
        bench.canceled(name, size)
    elif what == "refuse":
        bench.refuse_cancel(name)
    elif what == "lose":
        bench.lose(name, requests[size % 3])
    elif what == "show":
        fills = (bench.filled(name, size, trade_id=f"e{size}"),) if size % 2 else ()
        bench.show(name, state, fills=fills, filled_contracts=size)
    elif what == "cancel":
        bench.cancel()
    elif what == "pause":
        bench.advance(size * SECOND)
    else:
        bench.restart()
