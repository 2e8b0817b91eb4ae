"""May this stage be disturbed? Asked by every action, so that `chaos run` by hand is held to it as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.drills.stage import LIVE, Stage, stage_of
from actors.drills.wire import DrillFailed

__all__ = ["NOT_HERE", "stage_of_ours", "stage_to_disturb"]

NOT_HERE = "not for this deployment"  # begins why a drill was refused, which is no failure of it


def stage_to_disturb(configuration: Mapping[str, Any] | None) -> Stage:
    """Return the stage. Errors: DrillFailed when real money is traded there and nobody allowed it."""
    stage = stage_of(configuration)
    if stage.mode == LIVE and not stage.may_disturb_live:
        raise DrillFailed(f"{NOT_HERE}: {stage.deployment} trades real money: drills leave it alone")
    return stage


def stage_of_ours(configuration: Mapping[str, Any] | None) -> Stage:
    """Return a stage whose processes were started for drills. Errors: DrillFailed when they were not."""
    stage = stage_to_disturb(configuration)
    if not stage.is_ours:
        text = f"the processes of {stage.deployment} were not started by this drill: they stay"
        raise DrillFailed(f"{NOT_HERE}: {text}")
    return stage
