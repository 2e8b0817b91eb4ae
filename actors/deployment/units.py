"""A journal counts prices in ticks and sizes in contracts; with others it would be misread, silently."""

from __future__ import annotations

import json

from actors.deployment.topology import Topology
from actors.domain.money import format_e8
from actors.runtime.errors import JournalError
from actors.runtime.store import Store

__all__ = ["UNITS", "UnitsChanged", "check_units", "units_after"]

UNITS = "units"  # in the journal's meta: symbol -> [tick, contract], both in 1e-8
Units = dict[str, list[int]]


class UnitsChanged(JournalError):
    """A symbol in the journal has another tick or contract size now."""


def check_units(store: Store, topology: Topology, place: str) -> None:
    """Refuse a journal that counts in other units than the deployment. Errors: UnitsChanged."""
    now = {name: [one.tick_e8, one.contract_e8] for name, one in topology.instruments.items()}
    for symbol, was in _known(store).items():
        if now.get(symbol, was) == was:
            continue
        names = ("tick", "contract")
        changed = [
            f"a {name} of {format_e8(before)}, now {format_e8(after)}"
            for name, before, after in zip(names, was, now[symbol], strict=True)
            if before != after
        ]
        raise UnitsChanged(
            f"{place}: the journal counts {symbol} in {' and '.join(changed)}, and would be misread; "
            "start once more on the old markets file to close what is open, then move the journal's folder "
            "away and begin a new one (docs/markets.md)"
        )


def units_after(store: Store, topology: Topology) -> str:
    """Return the units of every symbol that ever was in a journal, with those of a deployment, as JSON."""
    return json.dumps(_known(store) | _units(topology), sort_keys=True)


def _known(store: Store) -> Units:
    raw = store.get("meta", UNITS.encode())
    found: Units = json.loads(raw) if raw else {}
    return found


def _units(topology: Topology) -> Units:
    """Return the units of what the deployment's actors are made for."""
    symbols = {plan.place.variables.get("symbol", "") for plan in topology.actors}
    markets = topology.instruments
    return {name: [markets[name].tick_e8, markets[name].contract_e8] for name in symbols if name in markets}
