"""A deployment with nothing left to decide, as YAML: references filled in, defaults and origins written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from actors.deployment.masking import MASK, masked_settings
from actors.deployment.places import Origin
from actors.deployment.quantities import format_duration
from actors.deployment.scalars import core_value
from actors.deployment.schema import SECTIONS
from actors.deployment.setting_types import written_struct
from actors.deployment.topology import ActorPlan, SupervisorPlan, Topology

__all__ = ["render"]

PLAIN_TEXT = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./*-]*")
COMMENT_COLUMN = 60


def render(topology: Topology, *, origins: bool = True) -> str:
    """Return the deployment as YAML, one entry for each actor.

    With `origins` every value that was written somewhere says where; the others are defaults.
    """
    lines = [*_head(topology, origins), *_supervisors(topology, origins), *_actors(topology, origins)]
    return "\n".join(lines) + "\n"


def _head(topology: Topology, origins: bool) -> Iterator[str]:
    yield f"# {', '.join(topology.files)}, resolved: a view, not a deployment file"
    yield f"# content hash {topology.content_hash}"
    if origins:
        yield "# what has no place beside it is a default"
    places = topology.section_origins if origins else {}
    top: dict[str, Any] = {"deployment": topology.deployment, "mode": topology.mode, "seed": topology.seed}
    top["catalog"] = [one.file.path for one in topology.catalogs]
    yield from _map(top, 0, places.get("", {}), "")
    for name in SECTIONS:
        values = written_struct(getattr(topology, name))
        if name == "journal":
            values["path"] = str(topology.journal_path)
        if name == "secrets":
            values["defaults"] = dict.fromkeys(values["defaults"], MASK)
        yield f"{name}:"
        yield from _map(values, 1, places.get(name, {}), "")


def _supervisors(topology: Topology, origins: bool) -> Iterator[str]:
    yield "supervisors:"
    for plan in topology.supervisors:
        yield _line(f"  {plan.name}:", plan.origin if origins else None)
        yield from _map(_supervisor(plan), 2, plan.origins if origins else {}, "")


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
        "settings": masked_settings(type(plan.settings), written_struct(plan.settings)),
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
            for number, item in enumerate(value):
                yield _line(f"{pad}  - {_flow(item)}", origins.get(f"{where}[{number}]"))
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
