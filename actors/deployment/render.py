"""A deployment with nothing left to decide, as YAML: references filled in, defaults and origins written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from actors.deployment.places import Origin
from actors.deployment.quantities import format_duration
from actors.deployment.scalars import core_value
from actors.deployment.setting_types import written_struct
from actors.deployment.topology import ActorPlan, SupervisorPlan, Topology

__all__ = ["render"]

PLAIN_TEXT = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./*-]*")
COMMENT_COLUMN = 60


def render(topology: Topology, *, origins: bool = True) -> str:
    """Return the deployment as YAML, one entry for each actor.

    With `origins` every value that was written somewhere says where; the others are defaults.
    """
    lines = [*_head(topology), *_supervisors(topology, origins), *_actors(topology, origins)]
    return "\n".join(lines) + "\n"


def _head(topology: Topology) -> Iterator[str]:
    yield f"# {', '.join(topology.files)}, resolved: a view, not a deployment file"
    yield f"# content hash {topology.content_hash}"
    yield f"deployment: {topology.deployment}"
    yield f"mode: {topology.mode}"
    yield f"seed: {topology.seed}"
    sections = {"journal": topology.journal, "loop": topology.loop, "control": topology.control}
    for name, section in {**sections, "clock": topology.clock}.items():
        values = written_struct(section)
        if name == "journal":
            values["path"] = str(topology.journal_path)
        yield f"{name}:"
        yield from _map(values, 1, {}, "")


def _supervisors(topology: Topology, origins: bool) -> Iterator[str]:
    yield "supervisors:"
    for plan in topology.supervisors:
        yield _line(f"  {plan.name}:", plan.origin if origins else None)
        yield from _map(_supervisor(plan), 2, {}, "")


def _supervisor(plan: SupervisorPlan) -> dict[str, Any]:
    parent = {} if plan.parent is None else {"parent": plan.parent}
    return parent | {
        "strategy": plan.strategy,
        "intensity": plan.intensity,
        "period": format_duration(plan.period_ns),
        "exhausted": plan.exhausted,
        "backoff_min": format_duration(plan.backoff_ns_min),
        "backoff_max": format_duration(plan.backoff_ns_max),
    }


def _actors(topology: Topology, origins: bool) -> Iterator[str]:
    yield "actors:"
    for plan in topology.actors:
        yield _line(f"  {_scalar(plan.address)}:", plan.origin if origins else None)
        yield from _map(_actor(plan), 2, plan.origins if origins else {}, "")


def _actor(plan: ActorPlan) -> dict[str, Any]:
    return {
        "kind": plan.kind,
        **({"variables": dict(plan.place.variables)} if plan.place.variables else {}),
        "supervisor": plan.supervisor,
        "restart": plan.restart,
        "mailbox_capacity": plan.mailbox_capacity,
        "stop_timeout": format_duration(plan.stop_timeout_ns),
        "reads": list(plan.reads),
        "settings": written_struct(plan.settings),
    }


def _map(values: Mapping[str, Any], depth: int, origins: Mapping[str, Origin], path: str) -> Iterator[str]:
    pad = "  " * depth
    for name, value in values.items():
        where = f"{path}{name}"
        if isinstance(value, dict) and value:
            yield _line(f"{pad}{_scalar(name)}:", origins.get(where))
            yield from _map(value, depth + 1, origins, f"{where}.")
        elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            yield _line(f"{pad}{_scalar(name)}:", origins.get(where))
            yield from (f"{pad}  - {_flow(item)}" for item in value)
        else:
            yield _line(f"{pad}{_scalar(name)}: {_flow(value)}", origins.get(where))


def _line(text: str, origin: Origin | None) -> str:
    return f"{text:{COMMENT_COLUMN}} # {origin}" if origin is not None else text


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(name)}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        is_plain = PLAIN_TEXT.fullmatch(value) and core_value(value) == value
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return "null" if value is None else str(value)
