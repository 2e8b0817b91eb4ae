"""From a checked topology to a node that can start."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from actors import __version__
from actors.deployment.topology import ActorPlan, Topology
from actors.deployment.units import UNITS, UnitsChanged, check_units, units_after
from actors.runtime.behaviour import Behaviour
from actors.runtime.cell import CellSpec, Restart
from actors.runtime.clock import Clock
from actors.runtime.node import Node
from actors.runtime.store import Store
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.supervision import Strategy, SupervisorSpec
from actors.runtime.turn import LoopLimits
from actors.secrets.keeper import SecretKeeper

__all__ = ["assemble", "cell_specs", "open_store", "supervisor_specs"]


def open_store(topology: Topology) -> LmdbStore:
    """Open the deployment's journal for writing.

    Errors: JournalError, as when another node has it, or when it counts in other ticks and contracts.
    """
    journal, path = topology.journal, topology.journal_path
    store = LmdbStore(path, Durability(journal.durability), size_bytes_max=journal.size_max)
    try:
        check_units(store, topology, str(path))
    except UnitsChanged:
        store.close()
        raise
    return store


def assemble(
    topology: Topology,
    store: Store,
    clock: Clock,
    extra: tuple[CellSpec, ...] = (),
    secrets: SecretKeeper | None = None,
) -> Node:
    """Return a node of the topology's actors, wired and supervised, not yet started.

    `extra` are actors that nobody declared: observers, or what ends a run over recorded data. Without
    `secrets` every reference stays one.
    """
    journal, loop = topology.journal, topology.loop
    limits = LoopLimits(
        inputs_max=loop.inputs_max,
        turn_ns_max=loop.turn_max,
        snapshot_events=journal.snapshot_events,
        dedupe_ids_kept=journal.dedupe_ids_kept,
        dead_letters_kept=journal.dead_letters_kept,
    )
    facts = {
        "deployment": topology.deployment,
        "configuration_hash": topology.content_hash,
        "clock": topology.clock.kind,
        "version": __version__,
        UNITS: units_after(store, topology),
    }
    return Node(
        [*cell_specs(topology, secrets), *_under_root(topology, extra)],
        supervisor_specs(topology),
        store,
        clock,
        seed=topology.seed,
        limits=limits,
        facts=facts,
    )


def _under_root(topology: Topology, extra: tuple[CellSpec, ...]) -> list[CellSpec]:
    return [replace(spec, supervisor=topology.root.name) for spec in extra]


def cell_specs(topology: Topology, secrets: SecretKeeper | None = None) -> list[CellSpec]:
    """Return what the node needs to know of each actor."""
    return [
        CellSpec(
            name=plan.address,
            make=plan.make if secrets is None else partial(_make, plan, secrets),
            reads=plan.reads,
            supervisor=plan.supervisor,
            restart=Restart(plan.restart),
            mailbox_capacity=plan.mailbox_capacity,
            stop_timeout_ns=plan.stop_timeout_ns,
            kind=plan.kind,
        )
        for plan in topology.actors
    ]


def _make(plan: ActorPlan, secrets: SecretKeeper) -> Behaviour:
    return plan.make(secrets.values_of(plan.address))


def supervisor_specs(topology: Topology) -> tuple[SupervisorSpec, ...]:
    """Return what the node needs to know of each supervisor."""
    return tuple(
        SupervisorSpec(
            name=plan.name,
            parent=plan.parent,
            strategy=Strategy(plan.strategy),
            intensity=plan.intensity,
            period_ns=plan.period_ns,
            exhausted=plan.exhausted,
            backoff_ns_min=max(1, plan.backoff_ns_min),
            backoff_ns_max=plan.backoff_ns_max,
        )
        for plan in topology.supervisors
    )
