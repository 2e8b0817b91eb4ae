"""What an operator does, by the same commands: a runbook unattended, a halt, any command of `polytrade`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.drills import wire
from actors.drills.actions.disk import free_anchors, mend_chain, show_tape
from actors.drills.actions.guard import stage_of_ours, stage_to_disturb
from actors.drills.actions.node import node_well
from actors.drills.actions.processes import restart_service, start_again, stop_second_node, thaw
from actors.drills.actions.vault import vault_well, vault_write
from actors.drills.actions.venue import set_leverage, set_position_mode, trade_by_hand, venue_well
from actors.drills.processes import Run, polytrade
from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed

__all__ = ["command", "edit", "halt", "resume", "run_runbook", "see_to_plans", "use_markets"]

Given = dict[str, Any] | None
RUNBOOK_S = 180.0
STEP_S = 60.0


def halt(level: str = "no_new_risk", scope: str = "all", configuration: Given = None) -> str:
    """Halt trading, as `polytrade halt` does."""
    stage = stage_to_disturb(configuration)
    body = {"scope": scope, "level": level, "actor": "drill", "reason": "drill"}
    found = wire.control(stage, "POST", "/v1/halt", body)
    if not found["accepted"]:
        raise DrillFailed(f"nobody took the halt: {found['answers']}")
    return ", ".join(answer["actor"] for answer in found["answers"])


def resume(scope: str = "", within: float = 0.0, configuration: Given = None) -> str:
    """Release halts, all of them without a scope; waits so many seconds for one, none then is no failure."""
    stage = stage_to_disturb(configuration)
    released = []
    with contextlib.suppress(DrillFailed):
        wire.until(lambda: wire.view(stage)["halts"], within, "something is halted")
    for one in wire.view(stage)["halts"]:
        found = str(one["scope"]).partition(":")[2] or str(one["scope"])
        if scope and found != scope:
            continue
        polytrade(
            stage, "resume", stage.file, "--scope", found, "--reason", "end of a drill", codes=(0, 5, 9)
        )
        released.append(found)
    return ", ".join(released) or "nothing was halted"


def edit(settings: dict[str, Any] | None = None, configuration: Given = None) -> str:
    """Write other settings of actors into the deployment's file (`{pulse: {pause: 1s}}`); none: as it was."""
    import yaml

    stage = stage_of_ours(configuration)
    file = Path(stage.file)
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["actors"] = {name: {"settings": given} for name, given in (settings or {}).items()}
    if not settings:
        del document["actors"]
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return "edited" if settings else "as it was"


def use_markets(file: str = "", configuration: Given = None) -> str:
    """Have the deployment count by another markets file, and start it anew; none: by its stage's own.

    `file`: relative to the folder of the stages.
    """
    import yaml

    stage = stage_of_ours(configuration)
    own = Path(stage.file)
    document = yaml.safe_load(own.read_text(encoding="utf-8"))
    before = document.pop("catalog", "")
    if file:
        document["catalog"] = str((Path(document["extends"]).parent / file).resolve())
    if document.get("catalog", "") == before:
        return "as it was"
    own.write_text(yaml.safe_dump(document), encoding="utf-8")
    polytrade(stage, "stop", stage.file)
    return f"started anew as {restart_service(configuration=configuration)}"


def command(words: list[str], codes: list[int] | None = None, configuration: Given = None) -> str:
    """Run a command of `polytrade`; FILE, JOURNAL and BACKUPS stand for the stage's."""
    stage = stage_to_disturb(configuration)
    known = {"FILE": stage.file, "JOURNAL": stage.journal, "BACKUPS": str(Path(stage.folder) / "backups")}
    return polytrade(stage, *(known.get(word, word) for word in words), codes=tuple(codes or [0]))[-2_000:]


# What others may do in the middle of a runbook.
CURES: dict[str, Callable[..., Any]] = {
    "command": command,
    "free_anchors": free_anchors,
    "mend_chain": mend_chain,
    "node_well": node_well,
    "restart_service": restart_service,
    "set_leverage": set_leverage,
    "set_position_mode": set_position_mode,
    "show_tape": show_tape,
    "start_again": start_again,
    "stop_second_node": stop_second_node,
    "thaw": thaw,
    "trade_by_hand": trade_by_hand,
    "use_markets": use_markets,
    "vault_well": vault_well,
    "vault_write": vault_write,
    "venue_well": venue_well,
}


def run_runbook(
    name: str,
    key: str = "",
    cure_after: str = "",
    cure: dict[str, Any] | None = None,
    of_firing: bool = False,
    configuration: Given = None,
) -> dict[str, Any]:
    """Follow a runbook unattended; every step must come out as it says.

    `of_firing`: its key is that of the alert of this name that fires, where nobody can know it before.
    A fault that only others can end is cured once the step `cure_after` is on record, by an action of CURES:
    `{do: venue_well, arguments: {...}}`.
    """
    stage = stage_to_disturb(configuration)
    before = _steps(stage, name)
    if of_firing:
        key = wire.until(lambda: _firing_key(stage, name), STEP_S, f"{name} fires")
    words = ("runbook", "run", name, stage.file, *(("--key", key) if key else ()), "--auto", "--json")
    run = Run(stage, words)  # what it writes lands in the stage's folder
    if cure_after:

        def is_there() -> bool:
            return run.is_over or cure_after in _steps(stage, name)[len(before) :]

        wire.until(is_there, STEP_S, f"{name} comes to step {cure_after}")
        wanted = cure or {"do": "venue_well"}
        CURES[wanted["do"]](**wanted.get("arguments", {}), configuration=configuration)
    code, out, err = run.end(RUNBOOK_S)
    if not out:
        raise DrillFailed(f"the runbook {name} did not run: {err.strip()[-600:]}")
    found = json.loads(out)
    steps = {one["step"]: one["result"] for one in found["outcomes"]}
    if code:
        last = found["outcomes"][-1]
        raise DrillFailed(
            f"the runbook {name} did not fit: {last['step']} was {last['result']}: {last['got'][-600:]}"
        )
    return {"steps": steps}


def see_to_plans(configuration: Given = None) -> str:
    """Say of every plan that lost an order that a person has seen it; none is no failure.

    A halt, or books that differ for a moment, deny the entry of a plan that was allowed just before.
    """
    stage = stage_to_disturb(configuration)
    plans = [str(one["key"]) for one in wire.view(stage)["alerts"] if one["name"] == "ParentFailed"]
    for plan in plans:
        words = ("orders", "cancel", stage.file, plan, "--reason", "seen in a drill")
        polytrade(stage, *words, codes=(0, 13))
    return ", ".join(plans) or "none lost an order"


def _firing_key(stage: Stage, name: str) -> str:
    found = (wire.view_or_none(stage) or {"alerts": ()})["alerts"]
    return next((str(one["key"]) for one in found if one["name"] == name), "")


def _steps(stage: Stage, name: str) -> list[str]:
    """Return the steps of all runs of a runbook that are on record, oldest first."""
    files = sorted(Path(stage.journal).glob(f"runbooks/{name}-*.jsonl"))
    return [json.loads(line)["step"] for file in files for line in file.read_text().splitlines()]
