"""Processes of the stage: killed, stopped in the middle, started again; only of a stage made for drills."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from actors.drills import wire
from actors.drills.actions.guard import stage_of_ours
from actors.drills.processes import is_alive, polytrade, start, stop
from actors.drills.stage import STAGE_FILE, Stage, save_stage
from actors.drills.wire import DrillFailed, until

__all__ = [
    "freeze",
    "kill",
    "restart_service",
    "start_again",
    "start_second_node",
    "stop_second_node",
    "thaw",
]

Given = dict[str, Any] | None
GONE_S = 20.0
SECOND_FILE, SECOND_FOR = "second.yaml", "10m"


def kill(process: str, sign: str = "KILL", times: int = 1, configuration: Given = None) -> list[int]:
    """Send a signal to `node` (its heart starts another), `heart`, `up`, `exchange`, `vault` or `receiver`.

    More than once, each time a new node is up and trades. Returns the ids.
    """
    stage = stage_of_ours(configuration)
    killed = []
    for number in range(times):
        if number:
            wire.until(lambda: _is_new(stage, killed), GONE_S * 3, "the node is up again")
        pid = pid_of(stage, process)
        os.kill(pid, getattr(signal, f"SIG{sign}"))
        killed.append(pid)
        if sign == "KILL":
            until(lambda pid=pid: not is_alive(pid), GONE_S, f"{process} is gone")
    return killed


def _is_new(stage: Stage, killed: list[int]) -> bool:
    found = wire.view_or_none(stage)
    return found is not None and found["pid"] not in killed and bool(found["ready"])


def freeze(process: str = "node", configuration: Given = None) -> int:
    """Stop a process in the middle of whatever it does (SIGSTOP)."""
    return kill(process, "STOP", configuration=configuration)[0]


def thaw(process: str = "node", configuration: Given = None) -> str:
    """Let a stopped process go on; one that is gone is no failure."""
    stage = stage_of_ours(configuration)
    try:
        os.kill(pid_of(stage, process, within_s=1.0), signal.SIGCONT)
    except (DrillFailed, ProcessLookupError):
        return f"{process} is not there"
    return f"{process} goes on"


def start_again(process: str, configuration: Given = None) -> int:
    """Start a process of the stage that ended; one that lives is left alone. `node` is `polytrade up`."""
    stage = stage_of_ours(configuration)
    pid = stage.pids.get(process, 0)
    if pid and is_alive(pid):
        return pid
    made = start(stage, process)
    save_stage(stage, Path(stage.folder) / STAGE_FILE)
    return made


def restart_service(within: float = 60.0, configuration: Given = None) -> int:
    """Wait until `polytrade up` has ended, and start it again, as a service manager does; return its id."""
    stage = stage_of_ours(configuration)
    pid = stage.pids["node"]
    until(lambda: not is_alive(pid), within, "the deployment ends")
    return start_again("node", configuration=configuration)


def start_second_node(configuration: Given = None) -> int:
    """Start another node of the same deployment, with a journal of its own, on the same account."""
    stage = stage_of_ours(configuration)
    folder = Path(stage.folder)
    lines = (f"extends: {stage.file}", "deployment: second", f"journal: {{path: {folder / 'second'}}}")
    (folder / SECOND_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    stage.commands["second"] = ["up", str(folder / SECOND_FILE), "--plain", "--for", SECOND_FOR]
    pid = start(stage, "second", ready=False)
    save_stage(stage, folder / STAGE_FILE)
    return pid


def stop_second_node(configuration: Given = None) -> str:
    """Cancel what the second node has at the venue and stop it in order; none is no failure."""
    stage = stage_of_ours(configuration)
    if not is_alive(stage.pids.get("second", 0)):
        return "there is no second node"
    second = str(Path(stage.folder) / SECOND_FILE)
    polytrade(stage, "halt", second, "--flatten", "--reason", "end of a drill", codes=(0, 4, 5, 10, 13))
    stop(stage, "second")
    save_stage(stage, Path(stage.folder) / STAGE_FILE)
    return "the second node has ended"


def pid_of(stage: Stage, process: str, within_s: float = 30.0) -> int:
    """Return the id of a process: `up` is what was started, `heart` its child, `node` the heart's child."""
    if process in ("exchange", "vault", "receiver"):
        return stage.pids[process]
    if process == "up":
        return stage.pids["node"]
    heart = until(lambda: _child(stage.pids["node"]), within_s, "there is a heart")
    return heart if process == "heart" else until(lambda: _child(heart), within_s, "there is a node")


def _child(pid: int) -> int:
    """Return the first child of a process that is no zombie; 0 for none."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return next((int(one) for one in found if is_alive(int(one))), 0)
