"""The node of the paper deployment dies and comes back, again and again, at moments that a seed chooses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import pytest

from actors.domain.money import E8
from actors.exchange.events import OrderBooked
from actors.oms.events import OrderFillApplied, OrderSubmitted
from actors.runtime.journal import verify_chain
from actors.runtime.node import NodeStarted
from actors.venue.simulated import SimulatedVenueSettings
from tests.simulation.paper import (
    MINUTE,
    MS,
    SECOND,
    Paper,
    quarrels,
    states_in_journal,
    states_in_memory,
)

STRATEGIES = ("trend/", "reversion/")


TEN_MINUTES = 10 * MINUTE
PAUSE_NS_MAX = 20 * SECOND

# Deaths after which nothing is missing: between two turns, in order, between a commit and its release.
CLEAN = ("idle", "stop", "written")
# A turn that was not written is done again; a node that was away finds a market that went on.
ROUGH = (*CLEAN, "unwritten", "away")


def die(paper: Paper, how: str, chance: Random) -> None:
    """Let the node run for a while and end in one of several ways; the next one is running afterwards."""
    sim = paper.sim
    if how in ("written", "unwritten"):
        crashes = sim.crashes_count
        sim.kill_at_commit(chance.randint(1, 60), written=how == "written")
        sim.run_until(lambda: sim.crashes_count > crashes)
    else:
        sim.run_for(chance.randrange(PAUSE_NS_MAX))
        if how == "idle":
            sim.crash()
        else:
            sim.stop()
            if how == "away":
                sim.clock.advance_to(sim.now_ns + chance.randrange(PAUSE_NS_MAX))
            sim.open()
    sim.settle()


def kill_often(
    paper: Paper,
    hows: tuple[str, ...],
    seed: int,
    check: Callable[[Paper, str], None] = lambda paper, how: None,
) -> int:
    """Run ten minutes in which the node dies again and again; return how often it did."""
    chance = Random(seed)
    end_ns = paper.sim.now_ns + TEN_MINUTES
    deaths = 0
    while paper.sim.now_ns < end_ns:
        how = chance.choice(hows)
        before = numbers(paper)
        die(paper, how, chance)
        deaths += 1
        for name, after in numbers(paper).items():
            assert after[0] >= before[name][0], f"{name} went back in time"
            assert after[1] >= before[name][1], f"{name} uses its numbers again"
        check(paper, how)
    return deaths


def numbers(paper: Paper) -> dict[str, tuple[int, int]]:
    """Return what may only grow in each strategy: the close of its newest bar, and its intents."""
    return {
        name: (cell.behaviour.state.bar_at_ns, cell.behaviour.state.intents_count)
        for name, cell in paper.node.loop.cells.items()
        if name.startswith(STRATEGIES)
    }


def check_came_back_as_it_was(paper: Paper, how: str) -> None:
    for name, watched in paper.watched.items():
        assert watched.found[-1] == paper.at_death[name], f"{how}: {name} did not go on where it was"


def check_nothing_twice(paper: Paper) -> None:
    submitted = paper.recorded(OrderSubmitted)
    booked = Counter(event.request.client_order_id for event in paper.recorded(OrderBooked))
    assert max(booked.values()) == 1, "the exchange took an order twice"
    assert max(Counter(event.client_order_id for event in submitted).values()) == 1
    assert max(Counter(event.intent_id for event in submitted).values()) == 1, "an intent became two orders"
    intents = {event.client_order_id: event.intent_id for event in submitted}
    reached = Counter(intents[client_order_id] for client_order_id in booked)
    assert max(reached.values()) == 1, "an intent reached the exchange twice"
    assert len(booked) >= 30
    fills = Counter((event.symbol, event.trade_id) for event in paper.recorded(OrderFillApplied))
    assert max(fills.values()) == 1, "a fill was counted twice"


def check_books(paper: Paper, deaths: int) -> None:
    """Once it is quiet everybody agrees, and the journal is whole."""
    assert deaths >= 30
    assert quarrels(paper.node) == []
    assert states_in_memory(paper.node) == states_in_journal(paper.topology, paper.store)
    assert verify_chain(paper.store)[1] is None
    epochs = [event.epoch for event in paper.recorded(NodeStarted)]
    assert len(set(epochs)) == len(epochs)
    assert paper.node.journal.epoch >= deaths + 1


def trades_of(paper: Paper) -> list[tuple[object, ...]]:
    """Return what was ordered and when, without the names that carry the number of the node's life."""
    orders = paper.recorded(OrderSubmitted)
    return [
        (order.symbol, order.side, order.contracts, order.decision_ticks, order.at_ns) for order in orders
    ]


class Memory(NamedTuple):
    """What a strategy knows of the market, and its position."""

    bars_count: int
    bar_at_ns: int
    net_contracts: int
    memory: object


def memories(paper: Paper) -> dict[str, Memory]:
    cells = paper.node.loop.cells.values()
    states = {cell.name: cell.behaviour.state for cell in cells if cell.name.startswith(STRATEGIES)}
    return {name: Memory(s.bars_count, s.bar_at_ns, s.net_contracts, s.memory) for name, s in states.items()}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_a_node_that_dies_between_turns_trades_as_if_it_had_lived_on(seed: int) -> None:
    paper = Paper()
    deaths = kill_often(paper, CLEAN, seed, check_came_back_as_it_was)
    check_nothing_twice(paper)
    check_books(paper, deaths)
    undisturbed = Paper()
    undisturbed.sim.run_for(paper.sim.now_ns - undisturbed.sim.now_ns)
    assert trades_of(paper) == trades_of(undisturbed)
    assert memories(paper) == memories(undisturbed)
    cash = [one.cell("ledger/main").behaviour.state.cash_usdt for one in (paper, undisturbed)]
    assert cash[0] == cash[1]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 22))])
def test_a_node_that_dies_anyhow_does_nothing_twice_and_keeps_its_books(seed: int) -> None:
    paper = Paper()
    deaths = kill_often(paper, ROUGH, seed)
    check_nothing_twice(paper)
    check_books(paper, deaths)
    undisturbed = Paper()
    undisturbed.sim.run_for(paper.sim.now_ns - undisturbed.sim.now_ns)
    bars = {name: memory[:2] for name, memory in memories(paper).items()}
    assert bars == {name: memory[:2] for name, memory in memories(undisturbed).items()}, (
        "one missed or doubled"
    )


BAD_LINE = SimulatedVenueSettings(
    latency=20 * MS,
    latency_jitter=100 * MS,
    answer_timeout=SECOND,
    lose_request_fraction=E8 // 50,
    lose_answer_fraction=E8 // 50,
    lose_event_fraction=E8 // 20,
    duplicate_fraction=E8 // 10,
)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 22))])
def test_over_a_bad_line_too_a_dying_node_does_nothing_twice_and_keeps_its_books(seed: int) -> None:
    paper = Paper(BAD_LINE)
    deaths = kill_often(paper, ROUGH, seed)
    for name in numbers(paper):
        paper.node.suspend(name)  # no new wishes
    paper.sim.run_for(2 * MINUTE)  # the reconciler asks every 30 s
    for name in numbers(paper):
        paper.node.resume(name)  # they hear what became of their orders
    paper.sim.settle()
    check_nothing_twice(paper)
    check_books(paper, deaths)
