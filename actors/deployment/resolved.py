"""A topology as one document that can be read again: what a generation keeps, and what a plan carries.

Everything is written as an operator would, with where it was written beside it. Markets are not in it: they
belong to the files that the node began with, and a change of theirs takes a new start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from actors.deployment.conversion import Converter
from actors.deployment.faults import ConfigError, FaultLog
from actors.deployment.fingerprint import content_hash
from actors.deployment.places import Origin, SourceFile, Span
from actors.deployment.quantities import format_duration
from actors.deployment.registry import KINDS
from actors.deployment.setting_types import written_struct
from actors.deployment.supervisors import read_supervisors
from actors.deployment.topology import ActorPlan, Topology
from actors.deployment.yaml_tree import List, Map, Node, Scalar
from actors.domain.instrument import Instrument
from actors.runtime.settings import Settings

__all__ = ["from_resolved", "markets_hash", "node_of", "resolved"]

SECTIONS = ("journal", "loop", "control", "clock", "secrets", "dead_man", "watch", "apply", "canary")


def resolved(topology: Topology) -> dict[str, Any]:
    """Return the document: plain values that JSON can hold."""
    return {
        "deployment": topology.deployment,
        "mode": topology.mode,
        "seed": topology.seed,
        "files": list(topology.files),
        "journal_path": str(topology.journal_path),
        "content_hash": topology.content_hash,
        "markets_hash": markets_hash(topology.instruments),
        "sections": {name: _section(topology, name) for name in SECTIONS},
        "supervisors": {plan.name: _supervisor(plan) for plan in topology.supervisors},
        "actors": [_actor(plan) for plan in topology.actors],
    }


def _section(topology: Topology, name: str) -> dict[str, Any]:
    """Return a section as it is written; values of secrets stay where they are."""
    found = written_struct(getattr(topology, name))
    if name == "secrets":
        found["defaults"] = sorted(found["defaults"])
    return found


def _supervisor(plan: Any) -> dict[str, Any]:
    return {
        **({"parent": plan.parent} if plan.parent else {}),
        "strategy": plan.strategy,
        "intensity": plan.intensity,
        "period": format_duration(plan.period_ns),
        "exhausted": plan.exhausted,
        "backoff_min": format_duration(plan.backoff_ns_min),
        "backoff_max": format_duration(plan.backoff_ns_max),
    }


def _actor(plan: ActorPlan) -> dict[str, Any]:
    return {
        "address": plan.address,
        "name": plan.name,
        "kind": plan.kind,
        "variables": dict(plan.place.variables),
        "supervisor": plan.supervisor,
        "restart": plan.restart,
        "mailbox_capacity": plan.mailbox_capacity,
        "stop_timeout_ns": plan.stop_timeout_ns,
        "reads": list(plan.reads),
        "settings": written_struct(plan.settings),
        "origin": [plan.origin.file, plan.origin.line, plan.origin.column],
        "origins": {path: [one.file, one.line, one.column] for path, one in plan.origins.items()},
    }


def markets_hash(instruments: Mapping[str, Instrument]) -> str:
    """Return what tells two sets of markets apart."""
    return hashlib.sha256(msgspec.json.encode(instruments, order="sorted")).hexdigest()


def from_resolved(document: Mapping[str, Any], like: Topology) -> Topology:
    """Return the topology of a document, in the sections and markets of `like`.

    Errors: ConfigError when a setting does not fit the code of today, as after a downgrade.
    """
    log = FaultLog()
    span = Span(SourceFile("generation", ()), 1, 1)
    supervisors = read_supervisors(node_of(document["supervisors"], span), log)
    known = {plan.name: plan.origin for plan in like.supervisors}
    supervisors = {name: replace(plan, origin=known.get(name)) for name, plan in supervisors.items()}
    made: dict[tuple[str, bytes], Settings] = {}  # many actors have the same
    plans = [_plan(one, like, span, log, made) for one in document["actors"]]
    faults = log.sorted()
    actors = tuple(plan for plan in plans if plan is not None)
    if faults or len(actors) < len(plans):
        raise ConfigError(faults)
    fixed = (
        *(like.deployment, like.mode, like.seed),
        *(written_struct(like.clock), written_struct(like.loop), like.journal.durability),
    )
    return replace(
        like,
        files=tuple(document["files"]),
        supervisors=tuple(supervisors.values()),
        actors=actors,
        content_hash=content_hash(fixed, list(supervisors.values()), actors, like.instruments),
        warnings=(),
    )


def _plan(
    one: Mapping[str, Any],
    like: Topology,
    span: Span,
    log: FaultLog,
    made: dict[tuple[str, bytes], Settings],
) -> ActorPlan | None:
    kind = KINDS.get(one["kind"])
    if kind is None:
        log.add("E201", span, f"actor {one['address']!r}: there is no kind {one['kind']!r} in this release")
        return None
    written = kind.name, msgspec.json.encode(one["settings"])
    settings = made.get(written)
    if settings is None:
        node = node_of(one["settings"], span)
        converter = Converter(log, f"actor {one['address']!r}")
        if isinstance(node, Map):
            settings = converter.settings(kind.settings_class, node, missing_at=span)
    if settings is None:
        return None
    made[written] = settings
    template = like.actors[0].place
    place = replace(
        template, address=one["address"], variables=dict(one["variables"]), instruments=like.instruments
    )
    return ActorPlan(
        address=one["address"],
        name=one["name"],
        kind=kind.name,
        behaviour=kind.behaviour,
        settings=settings,
        place=place,
        reads=tuple(one["reads"]),
        supervisor=one["supervisor"],
        restart=one["restart"],
        mailbox_capacity=one["mailbox_capacity"],
        stop_timeout_ns=one["stop_timeout_ns"],
        origin=Origin(*one["origin"]),
        origins={path: Origin(*place) for path, place in one["origins"].items()},
    )


def node_of(value: Any, span: Span) -> Node:
    """Return a plain value as the tree that the converter reads."""
    if isinstance(value, dict):
        found = Map(span)
        for name, item in value.items():
            found.put(Scalar(span, str(name), str(name)), node_of(item, span))
        return found
    if isinstance(value, list | tuple):
        return List(span, [node_of(item, span) for item in value])
    return Scalar(span, value, "" if value is None else str(value), quoted=isinstance(value, str))
