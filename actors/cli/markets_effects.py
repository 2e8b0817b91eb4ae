"""What a change of markets does to a deployment: to its positions, its resting orders, and its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from actors.cli.problems import Problem
from actors.cli.targets import Target
from actors.control.journal_reader import JournalReader
from actors.domain.instrument import Instrument
from actors.domain.listing import Difference
from actors.domain.money import E8, format_e8

__all__ = ["Held", "Standing", "effects", "standing_of"]

UNITS = frozenset({"tick", "contract"})  # everything in a journal is counted in these


@dataclass(frozen=True)
class Held:
    """A position or a resting order."""

    owner: str
    symbol: str
    contracts: int  # signed
    price_ticks: int  # mark, entry or limit; 0 when nobody knows
    leverage: int = 0


@dataclass(frozen=True)
class Standing:
    """Where a deployment stands: what it holds, and the limits of its risk actors."""

    deployment: str
    source: str  # how it is known
    positions: tuple[Held, ...] = ()
    orders: tuple[Held, ...] = ()
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # risk actor -> setting -> value


def standing_of(target: Target, topology: Any | None) -> Standing:
    """Return where a deployment stands: as its node says, else as its journal does. Errors: JournalError."""
    limits = _limits(topology) if topology is not None else {}
    try:
        view = target.client.get("/v1/view")
    except Problem:
        positions = tuple(_journaled(target.journal))
        return Standing(target.name, f"its journal {target.journal}", positions, (), limits)
    positions = tuple(
        Held(one["account"], one["symbol"], one["net_contracts"], one.get("mark_ticks", 0))
        for one in view["positions"]
    )
    orders = tuple(
        Held(
            one["owner"],
            one["symbol"],
            one["contracts"] * (1 if one["side"] in (1, "buy") else -1),
            one.get("limit_ticks", 0),
        )
        for one in view["orders"]
    )
    return Standing(target.name, "its node", positions, orders, limits)


def _limits(topology: Any) -> dict[str, dict[str, int]]:
    names = ("max_order_contracts", "max_position_contracts", "max_leverage")
    return {
        plan.address: {name: getattr(plan.settings, name) for name in names}
        for plan in topology.actors
        if all(hasattr(plan.settings, name) for name in names)
    }


def _journaled(folder: Path) -> Iterator[Held]:
    """Yield what the ledgers of a journal hold: their snapshots, and the fills booked since."""
    if (folder / "data.mdb").is_file():  # else it has never run
        with JournalReader(folder) as reader:
            yield from _from_ledgers(reader)


def _from_ledgers(reader: JournalReader) -> Iterator[Held]:
    held: dict[tuple[str, str], tuple[int, int]] = {}
    since: dict[str, int] = {}
    for key, raw in reader.items("snapshots"):
        sequence, _, state = msgspec.msgpack.decode(raw, type=tuple[int, int, msgspec.Raw])
        found = msgspec.msgpack.decode(state)
        if not isinstance(found, dict) or "holdings" not in found or "cash_usdt" not in found:
            continue
        since[key.decode()] = sequence
        for symbol, one in found["holdings"].items():
            held[key.decode(), symbol] = one["net_contracts"], one["cost_ticks"]
    for event in reader.events(min(since.values(), default=0) + 1, kind="FillBooked"):
        if event["sequence"] > since.get(event["actor"], 0):
            fields = event["fields"]
            held[event["actor"], fields["symbol"]] = fields["net_contracts"], fields["cost_ticks"]
    for (owner, symbol), (net, cost) in held.items():
        if net:
            yield Held(owner, symbol, net, abs(cost) // abs(net))


def effects(
    changes: Iterable[Difference],
    before: Mapping[str, Instrument],
    after: Mapping[str, Instrument],
    standing: Standing,
) -> list[str]:
    """Return in sentences what changes mean for a deployment; empty when they do not touch it."""
    by_symbol: dict[str, dict[str, Difference]] = {}
    for change in changes:
        by_symbol.setdefault(change.symbol, {})[change.field] = change
    found: list[str] = []
    for symbol, changed in by_symbol.items():
        old, new = before.get(symbol), after.get(symbol)
        positions = [one for one in standing.positions if one.symbol == symbol]
        orders = [one for one in standing.orders if one.symbol == symbol]
        if old is None:
            continue
        if new is None or ("status" in changed and not new.is_open):
            found += _closed(symbol, changed, positions, orders)
        if new is not None:
            found += _units(symbol, changed, positions, orders)
            found += [text for one in positions for text in _margin(one, changed, old, new)]
            found += [text for one in orders for text in _resting(one, changed, old, new)]
            found += _against_limits(symbol, changed, new, standing)
    return found


def _closed(
    symbol: str, changed: Mapping[str, Difference], positions: list[Held], orders: list[Held]
) -> Iterator[str]:
    status = changed["status"].after if "status" in changed else "not listed"
    for one in positions:
        yield f"{one.owner} holds {one.contracts:+d} {symbol}, which is {status}: it can be reduced at most"
    for one in orders:
        yield f"{one.owner} has an order for {one.contracts:+d} {symbol}, which is {status}"


def _units(
    symbol: str, changed: Mapping[str, Difference], positions: list[Held], orders: list[Held]
) -> Iterator[str]:
    for name in sorted(UNITS & changed.keys()):
        if positions or orders:
            change = changed[name]
            yield (
                f"{symbol}: the journal counts in a {name} of {change.before}, and with {change.after} it "
                f"would be misread: flatten, then begin a new journal"
            )


def _margin(one: Held, changed: Mapping[str, Difference], old: Instrument, new: Instrument) -> Iterator[str]:
    price = one.price_ticks or old.reference_ticks
    if "tiers" in changed or "leverage_default" in changed:
        was, becomes = (
            old.maintenance_margin(one.contracts, price),
            new.maintenance_margin(one.contracts, price),
        )
        if was != becomes:
            yield (
                f"{one.owner} holds {one.contracts:+d} {one.symbol}: maintenance margin "
                f"{format_e8(was)} -> {format_e8(becomes)} USDT"
            )
        most_before, most = old.tier(one.contracts).leverage_max, new.tier(one.contracts).leverage_max
        if most < most_before:
            yield f"{one.owner} holds {one.contracts:+d} {one.symbol}: at most {most}x, it was {most_before}x"
    if "contract" in changed:
        coins = (
            format_e8(abs(one.contracts) * old.contract_e8),
            format_e8(abs(one.contracts) * new.contract_e8),
        )
        yield f"{one.owner} holds {one.contracts:+d} {one.symbol}: {coins[0]} -> {coins[1]} {old.base}"


def _resting(one: Held, changed: Mapping[str, Difference], old: Instrument, new: Instrument) -> Iterator[str]:
    if "tick" in changed and one.price_ticks and one.price_ticks * old.tick_e8 % new.tick_e8:
        price = old.price_text(one.price_ticks)
        yield f"{one.owner} has an order at {price} {one.symbol}, which is no price any more"
    if "contracts_min" in changed and abs(one.contracts) < new.contracts_min:
        yield f"{one.owner} has an order for {one.contracts:+d} {one.symbol}, below the new minimum"


def _against_limits(
    symbol: str, changed: Mapping[str, Difference], new: Instrument, standing: Standing
) -> Iterator[str]:
    for actor, limits in standing.limits.items():
        most_order, most_held = limits["max_order_contracts"], limits["max_position_contracts"]
        for name in ("contracts_max_limit", "contracts_max_market"):
            most = getattr(new, name)
            if name in changed and most < most_order:
                yield f"{actor} allows orders of {most_order} {symbol}, the venue takes {most} ({name})"
        if "contracts_min" in changed and 0 < most_order < new.contracts_min:
            yield f"{actor} allows orders of {most_order} {symbol}, the venue wants {new.contracts_min}"
        if "tiers" in changed and most_held:
            leverage = new.tier(most_held).leverage_max
            if leverage * E8 < limits["max_leverage"]:
                allowed = format_e8(limits["max_leverage"])
                yield f"{actor} allows {allowed}x, the venue {leverage}x for {most_held} {symbol}"
