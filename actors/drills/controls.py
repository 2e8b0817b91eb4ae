"""The control every drill runs under: a failed activity ends the method, and no secret stays in the record.

Chaos Toolkit by itself goes on after a failed activity, and ignores tolerances inside `method`. It calls
functions of a module, one experiment at a time, so what they must know between two calls is kept here.
"""

from __future__ import annotations

from typing import Any

from actors.drills.masks import Masks

__all__ = [
    "CONTROL",
    "MASKS",
    "after_activity_control",
    "after_method_control",
    "before_method_control",
    "configure_control",
]

CONTROL = {"name": "polytrade", "provider": {"type": "python", "module": "actors.drills.controls"}}
MASKS = Masks()
_under_way: set[str] = set()


def configure_control(configuration: dict[str, Any] | None = None, secrets: Any = None) -> None:
    """Learn what must not be written down: secrets come resolved here."""
    MASKS.learn(configuration, secrets)


def before_method_control(context: Any) -> None:
    """From now on a failure ends the method."""
    _under_way.add("method")


def after_method_control(context: Any) -> None:
    """What fails now, does not keep rollbacks from being played."""
    _under_way.clear()


def after_activity_control(context: dict[str, Any], state: dict[str, Any] | None = None) -> None:
    """Mask what the activity brought, and stop the method after one that failed."""
    from chaoslib.exceptions import InterruptExecution

    if state is None:
        return
    for field in ("output", "exception"):
        if state.get(field) is not None:
            state[field] = MASKS.cleaned(state[field])
    if _under_way and state.get("status") == "failed":
        raise InterruptExecution(f"{context.get('name')} failed")
