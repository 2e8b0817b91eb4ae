"""All actions and probes, by module: one visible list, which `chaos discover polytrade` shows."""

from __future__ import annotations

from typing import Any

from actors import __version__

__all__ = ["ACTIONS", "PROBES", "found_activities"]

ACTIONS = (
    "actors.drills.actions.disk",
    "actors.drills.actions.node",
    "actors.drills.actions.operator",
    "actors.drills.actions.processes",
    "actors.drills.actions.vault",
    "actors.drills.actions.venue",
    "actors.drills.actions.watching",
)
PROBES = (
    "actors.drills.probes.alerts",
    "actors.drills.probes.processes",
    "actors.drills.probes.state",
    "actors.drills.probes.watching",
)


def found_activities() -> Any:
    """Return them in Chaos Toolkit's shape."""
    from chaoslib.discovery import discover_actions, discover_probes, initialize_discovery_result

    found = initialize_discovery_result("polytrade", __version__, "polytrade")
    for name in ACTIONS:
        found["activities"] += discover_actions(name)
    for name in PROBES:
        found["activities"] += discover_probes(name)
    return found
