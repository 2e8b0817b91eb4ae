"""Faults inside the node: actors that fail or hang, a slow or full disk, a clock that is set, a leak."""

from __future__ import annotations

from typing import Any

from actors.drills import wire
from actors.drills.actions.guard import stage_to_disturb

__all__ = ["crash_each", "node_fault", "node_fault_that_kills", "node_well", "restart_actor"]

Given = dict[str, Any] | None


def node_fault(kind: str, fields: Given = None, configuration: Given = None) -> str:
    """Bring a fault about inside the node; docs/drills.md lists kinds and fields."""
    stage = stage_to_disturb(configuration)
    found = wire.control(stage, "POST", "/v1/faults", {"kind": kind, **(fields or {})}, 60.0)
    return str(found["does"])


def node_fault_that_kills(
    kind: str, fields: Given = None, within: float = 90.0, configuration: Given = None
) -> int:
    """Bring a fault about that the node does not survive; wait for the next one; return its id."""
    stage = stage_to_disturb(configuration)
    before = wire.view(stage)["pid"]
    node_fault(kind, fields, configuration)

    def look() -> int:
        found = wire.view_or_none(stage)
        return int(found["pid"]) if found is not None and found["pid"] != before and found["ready"] else 0

    return wire.until(look, within, "the heart has started another node")


def node_well(within: float = 60.0, configuration: Given = None) -> str:
    """Take the faults inside the node back. One that was started again has none."""
    stage = stage_to_disturb(configuration)

    def clear() -> bool:
        return wire.view_or_none(stage) is not None and _cleared(stage)

    wire.until(clear, within, "the node takes its faults back")
    return "no faults in the node"


def crash_each(within: float = 30.0, configuration: Given = None) -> list[str]:
    """Fail one actor after the other, each once, and wait until it is back; return their addresses."""
    stage = stage_to_disturb(configuration)
    actors = [str(one["address"]) for one in wire.view(stage)["actors"]]
    for actor in actors:
        before = _actor(stage, actor)["restarts"]
        node_fault("crash", {"actor": actor}, configuration)

        def is_back(actor: str = actor, before: int = before) -> bool:
            found = _actor(stage, actor)
            return found["restarts"] > before and found["state"] == "running"

        wire.until(
            is_back, within, f"{actor} fails and is back", lambda actor=actor: str(_actor(stage, actor))
        )
    return actors


def _actor(stage: Any, address: str) -> Any:
    found = wire.view(stage)["actors"]
    return next(one for one in found if one["address"] == address)


def _cleared(stage: Any) -> bool:
    try:
        return bool(wire.control(stage, "POST", "/v1/faults/clear", {}, 60.0)["accepted"])
    except wire.DrillFailed:
        return False


def restart_actor(actor: str, configuration: Given = None) -> str:
    """Rebuild an actor, as `polytrade restart` does."""
    stage = stage_to_disturb(configuration)
    return str(wire.control(stage, "POST", f"/v1/actors/{actor}/restart", {"actor": "drill"})["state"])
