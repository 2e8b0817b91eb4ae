"""Whether our books and the exchange's agree to the last unit, and the journal with the node's memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from actors.deployment.topology import Topology
from actors.exchange.conservation import imbalance
from actors.exchange.server.core import ExchangeCore
from actors.exchange.server.spot_engine import QUOTE, SpotEngine
from actors.exchange.state import ExchangeState
from actors.exchange.terms import slot_of
from actors.runtime.behaviour import Persistence
from actors.runtime.clock import VirtualClock
from actors.runtime.journal import verify_chain
from actors.runtime.node import Node
from actors.runtime.recovery import recover
from actors.runtime.store_memory import MemoryStore

__all__ = [
    "books_quarrels",
    "halted_quarrels",
    "halted_spot_quarrels",
    "halts_quarrels",
    "journal_quarrels",
    "market_quarrels",
    "spot_quarrels",
]

MONEY = ("realised_usdt", "fees_usdt", "funding_usdt")
RESTING = ("open", "partially_filled")
LEVELS_ALL = 1_000  # more than a book may have


def books_quarrels(
    node: Node,
    account: str,
    name: str,
    state: ExchangeState,
    markets: Any,
    corrected: Collection[str] = (),
    disordered: Collection[str] = (),
) -> Iterator[str]:
    """Yield everything on which the exchange and our actors differ; nothing once it is quiet.

    `name` is what the exchange calls the account. What `corrected` symbols realised stands in the cash alone:
    the exchange never told the fill. Of `disordered` symbols a fill was told after a younger one: how much of
    the profit is realised follows from the order of booking, so they are compared at equal cost.
    """
    money, contracts = imbalance(state, markets)
    if money or contracts:
        yield f"the exchange made {money} USDT e-8 and {contracts}"
    wallet = state.wallets.get(name)
    if wallet is None:
        yield f"the exchange has no account {account}"
        return
    ledger: Any = node.cell(f"ledger/{account}").behaviour
    if not ledger.books_balance():
        yield "the ledger does not balance"
    apart = {symbol: _apart_usdt(wallet, ledger.state, symbol, markets) for symbol in disordered}
    if wallet.cash_usdt != ledger.state.cash_usdt + sum(apart.values()):
        yield f"cash: exchange {wallet.cash_usdt}, ledger {ledger.state.cash_usdt}"
    yield from _holdings(wallet.holdings, ledger.state.holdings, corrected, apart)
    yield from _orders(node, account, name, state)
    held = {}
    for key, holding in wallet.holdings.items():
        if holding.position.net_contracts:
            held[slot_of(key)[0]] = holding.position.net_contracts
    oms: Any = node.cell(f"oms/{account}").behaviour
    net = {symbol: count for symbol, count in oms.state.net_contracts.items() if count}
    if net != held:
        yield f"positions: exchange {held}, oms {net}"


def _apart_usdt(wallet: Any, ledger: Any, symbol: str, markets: Any) -> int:
    """Return by how much the exchange has realised more, because its open position cost more."""
    there, here = wallet.holdings.get(symbol), ledger.holdings.get(symbol)
    cost = (there.position.cost_ticks if there else 0) - (here.cost_ticks if here else 0)
    return int(cost * markets[symbol].tick_value)


def _holdings(theirs: Any, ours: Any, corrected: Collection[str], apart: Mapping[str, int]) -> Iterator[str]:
    for symbol in sorted(theirs.keys() | ours.keys()):
        there, here = theirs.get(symbol), ours.get(symbol)
        position = (here.net_contracts, here.cost_ticks) if here is not None else (0, 0)
        held = tuple(there.position) if there is not None else (0, 0)
        kept = 1 if symbol in apart else 2
        if held[:kept] != position[:kept]:
            yield f"{symbol}: exchange holds {there and there.position}, ledger {position}"
        for name in MONEY if symbol not in corrected else ():
            booked = getattr(here, name, 0) + (apart.get(symbol, 0) if name == "realised_usdt" else 0)
            if getattr(there, name, 0) != booked:
                yield f"{symbol} {name}: exchange {getattr(there, name, 0)}, ledger {getattr(here, name, 0)}"


def spot_quarrels(node: Node, account: str, name: str, engine: SpotEngine) -> Iterator[str]:
    """Yield everything on which a spot account's purse and our actors differ, to the last 1e-8 of a coin."""
    coins = engine.purse(name).coins
    ledger = _ledger_of(node, account)
    if ledger is None:
        yield f"nobody keeps the books of {account}"
        return
    if not ledger.books_balance():
        yield f"the ledger of {account} does not balance"
    money = ledger.describe()["cash_usdt"]
    if money != coins.get(QUOTE, 0):
        yield f"money: exchange {coins.get(QUOTE, 0)}, ledger {money}"
    net = {}
    for symbol, market in engine.markets.items():
        one = market.instrument
        holding = ledger.state.holdings.get(symbol)
        ours = holding.net_contracts * one.contract_e8 + holding.dust_e8 if holding else 0
        if ours != coins.get(one.base, 0):
            yield f"{symbol}: exchange {coins.get(one.base, 0)}, ledger {ours}"
        if holding and holding.net_contracts:
            net[symbol] = holding.net_contracts
    yield from _orders(node, account, name, engine.state)
    oms: Any = node.cell(f"oms/{account}").behaviour
    found = {symbol: count for symbol, count in oms.state.net_contracts.items() if count}
    if found != net:
        yield f"positions: ledger {net}, oms {found}"


def halted_quarrels(name: str, state: ExchangeState, *, is_flat: bool) -> Iterator[str]:
    """Yield what the exchange still has of an account that was halted so that nothing rests, or is open."""
    for order in state.open_orders.values():
        if order.request.account == name:
            yield f"{order.request.client_order_id} rests under a halt that cancels all"
    wallet = state.wallets.get(name)
    for key, holding in wallet.holdings.items() if is_flat and wallet is not None else ():
        if holding.position.net_contracts:
            net = holding.position.net_contracts
            yield f"{slot_of(key)[0]}: {net} contracts are open under a halt that flattens"


def halted_spot_quarrels(name: str, engine: SpotEngine, *, is_flat: bool) -> Iterator[str]:
    """The same of a spot account; what is too little to sell may stay."""
    yield from halted_quarrels(name, engine.state, is_flat=False)
    coins = engine.purse(name).coins
    for symbol, market in engine.markets.items() if is_flat else ():
        one = market.instrument
        if coins.get(one.base, 0) // one.contract_e8 >= max(1, one.contracts_min):
            yield f"{symbol}: {coins[one.base]} are held under a halt that flattens"


def _ledger_of(node: Node, account: str) -> Any:
    for cell in node.loop.cells.values():
        if cell.kind == "ledger" and cell.name.rpartition("/")[2] == account:
            return cell.behaviour
    return None


def _orders(node: Node, account: str, name: str, state: ExchangeState) -> Iterator[str]:
    behaviour: Any = node.cell(f"oms/{account}").behaviour
    ours = {name: order.state.value for name, order in behaviour.state.live.items()}
    theirs = {
        order.request.client_order_id for order in state.open_orders.values() if order.request.account == name
    }
    for amend in behaviour.state.amends.values():
        yield f"amendment {amend.amend_id} is {amend.state.value}"
    for order_id, at in ours.items():
        if at not in RESTING:
            yield f"order {order_id} is {at}"
        elif order_id not in theirs:
            yield f"order {order_id} is {at} for us and not in the exchange's book"
    for order_id in sorted(theirs - ours.keys()):
        yield f"order {order_id} rests at the exchange and we do not know it"


def market_quarrels(node: Node, core: ExchangeCore) -> Iterator[str]:
    """Yield where a feed that believes its book tells strategies another one than the exchange told.

    Books are compared when both name the same message as the last one; what is under way makes no quarrel.
    """
    for address, cell in node.loop.cells.items():
        picture = getattr(cell.behaviour, "picture", None)
        theirs = core.futures_public.told_book(picture.symbol) if picture is not None else None
        if picture is None or theirs is None:
            continue
        ours = picture.book
        if not ours.is_ready or ours.last_id != theirs.id:
            continue
        for name, there in (("bids", theirs.bids), ("asks", theirs.asks)):
            here = getattr(ours, name)(LEVELS_ALL)
            if list(here) != there:
                wrong = sorted(set(here) ^ set(there))[:3]
                yield f"{address} {name} differ at message {theirs.id}: (ticks, contracts) {wrong}"
        if picture.top != ours.top():
            yield f"{address} told {picture.top} and holds {ours.top()}"


def halts_quarrels(node: Node, latched: set[tuple[str, str]]) -> Iterator[str]:
    """Yield where a risk actor's halts differ from those in the journal, given as (address, scope)."""
    for address, cell in node.loop.cells.items():
        if cell.kind == "risk":
            state: Any = cell.behaviour.state
            there = {scope for risk, scope in latched if risk == address}
            if state.halts.keys() != there:
                yield f"{address} has {sorted(state.halts)} in force, the journal {sorted(there)}"


def journal_quarrels(
    topology: Topology, node: Node, store: MemoryStore, make: Callable[[MemoryStore, VirtualClock], Node]
) -> Iterator[str]:
    """Yield where the journal is broken, or would bring back another state than the one in memory."""
    count, broken = verify_chain(store)
    if broken is not None:
        yield f"the chain breaks after {count} records: {broken.reason}"
    again = make(store.clone(), VirtualClock(node.now_ns))
    recover(again.journal, again.loop.cells.values())
    for address, cell in node.loop.cells.items():
        if cell.behaviour.PERSISTENCE is not Persistence.EVENT_SOURCED:
            continue
        before = msgspec.msgpack.encode(cell.behaviour.state)
        if msgspec.msgpack.encode(again.cell(address).behaviour.state) != before:
            yield f"{address} would come back with another state"
    again.abandon()
