"""What a node does to become another one, and what is wrong afterwards: asked in the loop's thread."""

from __future__ import annotations

from collections.abc import Mapping

from actors.deployment.assemble import cell_specs
from actors.deployment.changes import CREATE, LIVE, REMOVE, RESTART, Plan
from actors.deployment.topology import Topology
from actors.runtime.cell import Cell, CellState
from actors.runtime.node import Node
from actors.runtime.reshape import Reshape
from actors.secrets.keeper import SecretKeeper

__all__ = ["at_risk", "keepers_that_go", "reshape_between", "trouble_of", "unready"]

KEEPERS = ("oms", "venue", "ledger", "reconciler", "risk", "exchange")  # an account lives in these


def reshape_between(
    generation: int, before: Topology, wanted: Topology, plan: Plan, secrets: SecretKeeper
) -> Reshape:
    """Return what a node of one topology does to become one of another."""
    specs = {spec.name: spec for spec in cell_specs(wanted, secrets)}
    settings = {
        one.address: wanted.actor(one.address).settings
        for one in plan.actors
        if one.action == LIVE and wanted.actor(one.address).settings != before.actor(one.address).settings
    }
    return Reshape(generation, specs, plan.of(CREATE), plan.of(RESTART), settings, plan.of(REMOVE))


def keepers_that_go(plan: Plan) -> list[str]:
    """Return the actors of accounts that a plan removes."""
    return [
        one.address for one in plan.actors if one.action == REMOVE and one.kind.partition(".")[0] in KEEPERS
    ]


def trouble_of(node: Node, before: Mapping[str, int]) -> str:
    """Return which of these actors has failed more often than it had; empty when none has."""
    for name, failures in before.items():
        cell = node.loop.cells.get(name)
        if cell is not None and cell.failures_count > failures:
            return f"{name} failed: {cell.last_error}"
    return ""


def unready(node: Node, names: tuple[str, ...]) -> str:
    """Return which of these actors does not run well; empty when all do."""
    cells: list[Cell] = [node.cell(name) for name in names]
    late = [cell for cell in cells if cell.state is not CellState.RUNNING or not cell.is_ready]
    return f"{late[0].name} is not ready: {late[0].state.value}" if late else ""


def at_risk(node: Node, addresses: list[str]) -> list[str]:
    """Return what an account that is to go still holds at its venue, as its own actors know it."""
    found = []
    for address in addresses:
        state = node.cell(address).behaviour.state
        live = getattr(state, "live", None)
        if live:
            found.append(f"{len(live)} orders are live")
        held = getattr(state, "net_contracts", None)
        open_ones = (
            [symbol for symbol, contracts in held.items() if contracts] if isinstance(held, dict) else []
        )
        if open_ones:
            found.append(f"it holds {', '.join(open_ones)}")
    return found
