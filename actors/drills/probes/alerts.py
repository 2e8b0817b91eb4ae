"""Probes of alerts: that one fires, that it ends, that none does."""

from __future__ import annotations

from typing import Any

from actors.drills import wire
from actors.drills.stage import Stage, stage_of
from actors.drills.wire import until, view_or_none

__all__ = ["alert_ends", "alert_fires", "firing", "is_silent"]

Given = dict[str, Any] | None


def alert_fires(
    name: str, key: str = "", within: float = 60.0, configuration: Given = None
) -> dict[str, Any]:
    """Wait until an alert fires; return what it says. Fails when it does not within so many seconds."""
    stage = stage_of(configuration)

    def look() -> list[dict[str, Any]]:
        return _matching(stage, name, key)

    found = until(look, within, f"{name} fires", lambda: _others(stage))[0]
    return {"name": name, "key": found["key"], "severity": found["severity"], "summary": found["summary"]}


def alert_ends(name: str, key: str = "", within: float = 60.0, configuration: Given = None) -> str:
    """Wait until an alert does not fire any more, as a node that answers tells it."""
    stage = stage_of(configuration)

    def look() -> bool:
        found = view_or_none(stage)
        return found is not None and not _of_view(found, name, key)

    until(look, within, f"{name} ends", lambda: _others(stage))
    return f"{name} is over"


def is_silent(name: str, within: float = 60.0, configuration: Given = None) -> str:
    """Wait until an alert does not fire, before a fault that shall raise it."""
    return alert_ends(name, within=within, configuration=configuration)


def firing(configuration: Given = None) -> list[str]:
    """Return the names of all alerts that fire, with their keys."""
    return sorted(f"{one['name']}[{one['key']}]" for one in wire.view(stage_of(configuration))["alerts"])


def _matching(stage: Stage, name: str, key: str) -> list[dict[str, Any]]:
    return _of_view(view_or_none(stage) or {}, name, key)


def _of_view(found: dict[str, Any], name: str, key: str) -> list[dict[str, Any]]:
    return [one for one in found.get("alerts", ()) if one["name"] == name and key in ("", one["key"])]


def _others(stage: Stage) -> str:
    found = view_or_none(stage)
    if found is None:
        return "the node does not answer"
    return "fires: " + (", ".join(f"{one['name']}[{one['key']}]" for one in found["alerts"]) or "nothing")
