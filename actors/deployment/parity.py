"""Runs a node's tape through the model: the built-in exchange in place of its venues, all else as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import msgspec

from actors.audit.parity import Parts, RunBooks, measured_latency_ns, read_books, split_gap
from actors.control.journal_reader import JournalReader
from actors.deployment.assemble import assemble
from actors.deployment.replay import invented_secrets, play_deployment, tape_folder
from actors.deployment.topology import ActorPlan, Topology
from actors.exchange.settings import ExchangeSettings
from actors.ledger.events import AccountOpened, CashAdjusted
from actors.ledger.settings import LedgerSettings
from actors.messages.market import MarkPrice
from actors.oms.events import OrderSubmitted
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.codec import decoder_for
from actors.runtime.errors import JournalError
from actors.runtime.journal import TurnRecord, read_turns
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.tape_drive import TapeDrive
from actors.venue.simulated import SimulatedVenueSettings

__all__ = ["Measured", "Model", "measure", "model_topology"]

SIMULATED = "venue.simulated"
EXCHANGE = "exchange"
END_OF_TIME_NS = 1 << 62


class Model(msgspec.Struct, frozen=True):
    """What the model believes of the far side."""

    latency_ns: int = 0  # each way
    taker_fee_e8: int = -1  # of notional; -1 takes the contract's
    maker_fee_e8: int = -1
    slippage_e8: int = 0  # of the price
    queue: str = "through"


class Measured(msgspec.Struct, frozen=True):
    """A finished measurement."""

    deployment: str
    from_ns: int  # 0: from the beginning
    to_ns: int  # 0: to the end
    parts: Parts
    latency_ns_measured: int  # one way, median
    latency_ns_model: int
    is_modelled: bool  # whether a venue was replaced; without, the model is the node itself


class MarkWatch(Behaviour):
    """Notes each symbol's mark before two instants."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (MarkPrice,)
    PHASE: ClassVar = Phase.SOURCE

    def __init__(self, from_ns: int, to_ns: int, found: tuple[dict[str, int], dict[str, int]]) -> None:
        self._instants = (from_ns, to_ns)
        self._found = found

    def on_mark_price(self, message: MarkPrice, context: Context) -> None:
        """Keep it for every instant that is still to come."""
        for at_ns, marks in zip(self._instants, self._found, strict=True):
            if context.now_ns < at_ns:
                marks[message.symbol] = message.mark_ticks


def measure(
    topology: Topology, model: Model | None = None, from_ns: int = 0, to_ns: int = 0, data_usdt: int = 0
) -> Measured:
    """Measure the gap in [from_ns, to_ns). Errors: JournalError without a whole tape of the journal."""
    model = model or Model()
    end_ns = to_ns or END_OF_TIME_NS
    with JournalReader(topology.journal_path) as reader:
        actual = read_books((reader.decode(raw) for _, raw in reader.raw_records()), from_ns, end_ns)
        deposits = _deposits(topology, (reader.decode(raw) for _, raw in reader.raw_records()))
        last_sequence = reader.last_sequence
    marks: tuple[dict[str, int], dict[str, int]] = ({}, {})
    feeds = tuple(plan.address for plan in topology.actors if plan.kind.startswith("feed."))
    watch = CellSpec("parity-marks", partial(MarkWatch, from_ns, end_ns, marks), reads=feeds)
    again = _books_of(play_deployment(topology, last_sequence, (watch,)).store, from_ns, end_ns)
    latency_ns = measured_latency_ns(again)
    modelled = model_topology(topology, model, deposits)
    first = _driven(modelled, topology, end_ns, from_ns)
    later = first
    if modelled is not topology:
        with_latency = msgspec.structs.replace(model, latency_ns=latency_ns)
        later = _driven(model_topology(topology, with_latency, deposits), topology, end_ns, from_ns)
    parts = split_gap(actual, again, first, later, marks, topology.instruments, data_usdt)
    is_modelled = modelled is not topology
    return Measured(topology.deployment, from_ns, to_ns, parts, latency_ns, model.latency_ns, is_modelled)


def _books_of(store: MemoryStore, from_ns: int, end_ns: int) -> RunBooks:
    return read_books(read_turns(store), from_ns, end_ns)


def _driven(modelled: Topology, topology: Topology, end_ns: int, from_ns: int) -> RunBooks:
    """Give the tape to the model, but for what the replaced venues were told."""
    replaced = {plan.address for plan in topology.actors if _is_foreign(plan)}
    secrets = invented_secrets(modelled)

    def make(store: MemoryStore, clock: VirtualClock) -> Node:
        return assemble(modelled, store, clock, (), secrets)

    drive = TapeDrive(make, lambda address: address not in replaced, runs_between=bool(replaced))
    drive.run(tape_folder(topology), 0 if end_ns == END_OF_TIME_NS else end_ns)
    return _books_of(drive.store, from_ns, end_ns)


# -- the model's far side ------------------------------------------------------------------------------------


def _is_foreign(plan: ActorPlan) -> bool:
    return plan.kind.startswith("venue.") and plan.kind != SIMULATED


def model_topology(topology: Topology, model: Model, deposits: Mapping[str, int]) -> Topology:
    """Return the deployment with the built-in exchange in place of its venues; itself when it has none.

    Errors: JournalError for an account of a kind that no model exists for.
    """
    venues = [plan for plan in topology.actors if _is_foreign(plan)]
    if not venues:
        return topology
    if any(plan.kind.endswith("_spot") for plan in venues):
        raise JournalError("the gap of spot accounts is not measured yet: there is no model of their venue")
    names = {plan.address.partition("/")[0] for plan in venues}
    feeds = tuple(plan.address for plan in topology.actors if plan.kind.startswith("feed."))
    actors = [_modelled(plan, model, deposits) for plan in topology.actors]
    exchange = replace(
        venues[0],
        address=EXCHANGE,
        name=EXCHANGE,
        kind="exchange",
        behaviour="actors.exchange.actor:ExchangeActor",
        settings=_exchange_settings(model, deposits, min(names)),
        place=replace(venues[0].place, address=EXCHANGE, variables={}),
        reads=(*(plan.address for plan in venues), *feeds),
    )
    return replace(topology, actors=(exchange, *actors))


def _modelled(plan: ActorPlan, model: Model, deposits: Mapping[str, int]) -> ActorPlan:
    if _is_foreign(plan):
        settings = SimulatedVenueSettings(latency=model.latency_ns)
        behaviour = "actors.venue.simulated:SimulatedVenue"
        reads = tuple(dict.fromkeys((*plan.reads, EXCHANGE)))
        return replace(plan, kind=SIMULATED, behaviour=behaviour, settings=settings, reads=reads)
    if isinstance(plan.settings, LedgerSettings):
        deposit = deposits.get(plan.place.account, plan.settings.initial_usdt)
        return replace(plan, settings=msgspec.structs.replace(plan.settings, initial_usdt=deposit))
    return plan


def _exchange_settings(model: Model, deposits: Mapping[str, int], venue: str) -> ExchangeSettings:
    fees = {"taker": model.taker_fee_e8, "maker": model.maker_fee_e8}
    said: dict[str, Any] = {"queue": model.queue, "slippage": model.slippage_e8, "venue": venue}
    said["fees"] = {name: fee for name, fee in fees.items() if fee != -1}
    return ExchangeSettings(accounts=dict(deposits), **said)


def _deposits(topology: Topology, records: Iterable[TurnRecord]) -> dict[str, int]:
    """Return each account's cash when its first order left."""
    decode = decoder_for((AccountOpened, CashAdjusted)).decode
    found = {plan.place.account: 0 for plan in topology.actors if plan.kind == "ledger"}
    for record in records:
        for entry in record.entries:
            raw = bytes(entry.event)
            if OrderSubmitted.__name__.encode() in raw[:20]:
                return found
            if not any(name in raw[:20] for name in (b"AccountOpened", b"CashAdjusted")):
                continue
            event = decode(raw)
            account = entry.cell.rpartition("/")[2]
            amount = event.initial_usdt if isinstance(event, AccountOpened) else event.amount_usdt
            found[account] = found.get(account, 0) + amount
    return found
