"""What `chaos discover polytrade` asks for: the actions and probes of our drills."""

from __future__ import annotations

from typing import Any

__all__ = ["discover"]


def discover(discover_system: bool = True) -> Any:
    """Return our activities in Chaos Toolkit's shape; we have nothing to say about the system."""
    from actors.drills.activities import found_activities

    return found_activities()
