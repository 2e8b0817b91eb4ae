"""Faults inside the node: actors that fail or hang, a slow or full disk, a clock that is set, a leak."""

from __future__ import annotations

from typing import Any

from actors.drills import wire
from actors.drills.actions.guard import stage_to_disturb

__all__ = ["node_fault", "node_well", "restart_actor"]

Given = dict[str, Any] | None


def node_fault(kind: str, fields: Given = None, configuration: Given = None) -> str:
    """Bring a fault about inside the node; docs/drills.md lists kinds and fields."""
    stage = stage_to_disturb(configuration)
    found = wire.control(stage, "POST", "/v1/faults", {"kind": kind, **(fields or {})}, 60.0)
    return str(found["does"])


def node_well(within: float = 60.0, configuration: Given = None) -> str:
    """Take the faults inside the node back. One that was started again has none."""
    stage = stage_to_disturb(configuration)

    def clear() -> bool:
        return wire.view_or_none(stage) is not None and _cleared(stage)

    wire.until(clear, within, "the node takes its faults back")
    return "no faults in the node"


def _cleared(stage: Any) -> bool:
    try:
        return bool(wire.control(stage, "POST", "/v1/faults/clear", {}, 60.0)["accepted"])
    except wire.DrillFailed:
        return False


def restart_actor(actor: str, configuration: Given = None) -> str:
    """Rebuild an actor, as `polytrade restart` does."""
    stage = stage_to_disturb(configuration)
    return str(wire.control(stage, "POST", f"/v1/actors/{actor}/restart", {"actor": "drill"})["state"])
