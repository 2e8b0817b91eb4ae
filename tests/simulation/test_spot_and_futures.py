"""`config/examples/spot-and-futures.yaml` in virtual time: two accounts of different kinds, one node.

The ledger of the spot account must say the same as the exchange's purse, money and coins, to the last 1e-8,
through fills, resting orders, deaths of the node, a flatten and a halt.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest

from actors.deployment.assemble import assemble
from actors.deployment.loader import load
from actors.deployment.topology import Topology
from actors.domain.money import E8
from actors.feed.settings import SyntheticSettings
from actors.ledger.events import FillBooked
from actors.messages.control import Halt, HaltLevel, Resume
from actors.oms.events import OrderSubmitted
from actors.risk.events import IntentDenied
from actors.runtime.clock import VirtualClock
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from actors.strategy.events import SignalDecided
from actors.strategy.library.mean_reversion import MeanReversionSettings
from actors.strategy.library.pulse import PulseSettings
from actors.venue.simulated import SimulatedVenueSettings
from tests.simulation.paper import MINUTE, REPOSITORY, SECOND, recorded

EXAMPLE = REPOSITORY / "config" / "examples" / "spot-and-futures.yaml"
ROUGH_LINE = SimulatedVenueSettings(
    latency=20_000_000,
    latency_jitter=30_000_000,
    lose_request_fraction=E8 // 50,
    lose_answer_fraction=E8 // 50,
    lose_event_fraction=E8 // 20,
    duplicate_fraction=E8 // 20,
)


@cache
def example() -> Topology:
    return load(EXAMPLE, environment={"POLYTRADE_STATE": "never-written"})


def simulation(topology: Topology) -> Simulation:
    def make(store: MemoryStore, clock: VirtualClock) -> Node:
        return assemble(topology, store, clock)

    return Simulation(make)


def busy(topology: Topology, line: SimulatedVenueSettings | None = None) -> Topology:
    """Return the deployment with strategies on coins that trade all the time, and perhaps a bad line."""
    pulse = PulseSettings(account="coins", contracts=2_345, pause=2 * SECOND, rests=True)
    actors = []
    for plan in topology.actors:
        if plan.name == "coin_trend":
            plan = replace(plan, kind="strategy.pulse", settings=pulse)
        elif plan.name == "venue" and line is not None:
            plan = replace(plan, settings=line)
        actors.append(plan)
    return replace(topology, actors=tuple(actors))


def spot_quarrels(node: Node) -> list[str]:
    """Return everything on which exchange, ledger, OMS, risk and strategies differ about the coins."""
    exchange = node.cell("exchange_spot").behaviour
    ledger = node.cell("ledger_coins/coins").behaviour
    found = [] if exchange.exchange.books_balance() else ["the exchange lost or made coins"]
    found += [] if ledger.books_balance() else ["the ledger does not balance"]
    coins = exchange.state.purses["coins"].coins
    money = ledger.describe()["cash_usdt"]
    if money != coins["USDT"]:
        found.append(f"money: exchange {coins['USDT']}, ledger {money}")
    net = {}
    for symbol, one in exchange.instruments.items():
        holding = ledger.state.holdings.get(symbol)
        ours = holding.net_contracts * one.contract_e8 + holding.dust_e8 if holding else 0
        if ours != coins.get(one.base, 0):
            found.append(f"{symbol}: exchange {coins.get(one.base, 0)}, ledger {ours}")
        if holding and not 0 <= holding.dust_e8 < one.contract_e8:
            found.append(f"{symbol}: dust of {holding.dust_e8} is no dust")
        if holding and holding.net_contracts:
            net[symbol] = holding.net_contracts
    views = {
        "oms": node.cell("oms/coins").behaviour.state.net_contracts,
        "risk": {s: b.net_contracts for s, b in node.cell("risk/coins").behaviour.state.books.items()},
        "strategies": {
            cell.name.rpartition("/")[2]: cell.behaviour.state.net_contracts
            for cell in node.loop.cells.values()
            if cell.name.startswith("coin_trend/")
        },
    }
    for name, view in views.items():
        if {symbol: contracts for symbol, contracts in view.items() if contracts} != net:
            found.append(f"positions: ledger {net}, {name} {dict(view)}")
    return found


def agrees(node: Node, account: str) -> bool:
    return bool(node.cell(f"reconciler/{account}").behaviour.state.agrees)


def coins_fills(node: Node) -> int:
    return int(node.cell("ledger_coins/coins").behaviour.state.fills_count)


def test_both_accounts_trade_and_agree_with_their_exchanges() -> None:
    sim = simulation(example())
    sim.run_for(12 * MINUTE)
    sim.settle()
    node = sim.node
    assert coins_fills(node) > 4
    assert node.cell("ledger_futures/futures").behaviour.state.fills_count > 4
    assert spot_quarrels(node) == []
    assert agrees(node, "coins")
    assert agrees(node, "futures")
    held = [h.net_contracts for h in node.cell("ledger_coins/coins").behaviour.state.holdings.values()]
    assert all(contracts >= 0 for contracts in held)


def quiet(sim: Simulation, seconds: int = 60) -> None:
    """Halt everything that opens, and wait until every order has an end and the sides have compared."""
    sim.ask("risk/coins", Halt("all", HaltLevel.CANCEL_ALL, "test", "to compare"))
    sim.run_for(seconds * SECOND)
    sim.settle()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_deaths_of_the_node_lose_no_coin(seed: int) -> None:
    chance = Random(seed)
    sim = simulation(busy(example()))
    for _ in range(12):
        if chance.random() < 0.5:
            crashes = sim.crashes_count
            sim.kill_at_commit(chance.randint(1, 60), written=chance.random() < 0.5)
            sim.run_until(lambda crashes=crashes: sim.crashes_count > crashes)
        else:
            sim.run_for(chance.randrange(20 * SECOND))
            sim.crash()
        sim.settle()
    sim.run_for(MINUTE)
    quiet(sim)
    node = sim.node
    assert coins_fills(node) > 40
    assert spot_quarrels(node) == []
    assert agrees(node, "coins")
    ids = [event.client_order_id for event in recorded(sim.store, OrderSubmitted)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_line_that_loses_and_repeats_loses_no_coin(seed: int) -> None:
    sim = simulation(replace(busy(example(), ROUGH_LINE), seed=seed))
    sim.run_for(5 * MINUTE)
    quiet(sim, 120)
    assert coins_fills(sim.node) > 40
    assert spot_quarrels(sim.node) == []
    assert agrees(sim.node, "coins")


def test_flatten_sells_every_contract_and_leaves_only_dust() -> None:
    sim = simulation(busy(example()))
    ledger = "ledger_coins/coins"
    sim.run_until(
        lambda: sum(h.net_contracts > 0 for h in sim.node.cell(ledger).behaviour.state.holdings.values()) > 1,
        5 * MINUTE,
    )
    sim.ask("risk/coins", Halt("account/coins", HaltLevel.FLATTEN, "test", "sell everything"))
    sim.run_for(10 * SECOND)
    state = sim.node.cell(ledger).behaviour.state
    assert [h.net_contracts for h in state.holdings.values()] == [0, 0]
    assert any(h.dust_e8 > 0 for h in state.holdings.values())
    assert not sim.node.cell("oms/coins").behaviour.state.flattening
    fills = state.fills_count
    sim.run_for(30 * SECOND)
    assert coins_fills(sim.node) == fills, "something was bought under the halt"
    assert spot_quarrels(sim.node) == []
    sim.ask("risk/coins", Resume("account/coins", "test", "go on"))
    sim.run_until(lambda: coins_fills(sim.node) > fills, 10 * MINUTE)


@pytest.mark.parametrize("seed", range(3))
def test_shipped_strategies_are_long_or_flat_in_coins(seed: int) -> None:
    """Where they would be short they hold nothing, and ask nobody for it."""
    reversion = MeanReversionSettings(account="coins", bar=5 * SECOND, window=10, entry=E8)
    feed_seed = SyntheticSettings(seed=seed, tick=SECOND // 4, volatility=E8 // 4)
    actors = []
    for plan in example().actors:
        if plan.address == "coin_trend/SOL_USDT":
            plan = replace(plan, kind="strategy.mean_reversion", settings=reversion)
        elif plan.name == "feed":
            plan = replace(plan, settings=feed_seed)
        actors.append(plan)
    sim = simulation(replace(example(), actors=tuple(actors)))
    sim.run_for(15 * MINUTE)
    quiet(sim)
    assert coins_fills(sim.node) > 4
    shorts = [d for d in recorded(sim.store, IntentDenied) if d.rule == "spot_inventory"]
    assert shorts == []
    net = 0
    for event in recorded(sim.store, FillBooked):
        if event.symbol == "SOL_USDT":
            net = event.net_contracts
            assert net >= 0
    wanted = [e.target_contracts for e in recorded(sim.store, SignalDecided) if e.symbol == "SOL_USDT"]
    assert min(wanted) < 0, "no signal of this run would have been short"
    assert spot_quarrels(sim.node) == []
