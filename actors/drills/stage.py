"""The stage of a drill: how to reach the deployment, its exchange and its Vault, what may be done.

Whoever runs drills writes it to a file; actions and probes find that by `configuration: stage` of the
experiment, which is the variable POLYTRADE_STAGE. So `chaos run` finds the stage of `polytrade drill stage`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["LIVE", "STAGE_FILE", "STAGE_VARIABLE", "Stage", "load_stage", "save_stage", "stage_of"]

STAGE_VARIABLE = "POLYTRADE_STAGE"
STAGE_FILE = "stage.json"  # in the stage's folder
LIVE = "live"


class Stage(msgspec.Struct, kw_only=True):
    """All that actions and probes may know. Its file is its owner's alone: it may hold secrets."""

    deployment: str
    mode: str
    file: str  # what names the deployment on a command line
    journal: str  # folder
    socket: str  # of the control API
    folder: str  # where this stage keeps its files
    account: str = "main"
    symbols: tuple[str, ...] = ()
    exchange: str = ""  # http://127.0.0.1:port; empty: it is not ours to disturb
    vault: str = ""
    receiver: str = ""  # takes what the alerter tells; empty: there is none
    vault_token: str = ""  # of the double; it may do everything there
    key: str = ""  # of the account at the exchange, to ask it ourselves; empty: we cannot
    secret: str = ""
    is_ours: bool = False  # its processes were started for drills and may be killed
    may_disturb_live: bool = False
    commands: dict[str, list[str]] = {}  # process -> words behind `polytrade`
    environment: dict[str, str] = {}  # of these processes, over ours
    pids: dict[str, int] = {}


def save_stage(stage: Stage, path: Path) -> None:
    """Write the file, as a whole. Errors: OSError."""
    aside = path.with_suffix(".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(stage)))
    aside.replace(path)


def load_stage(path: Path) -> Stage:
    """Return a stage. Errors: OSError, msgspec.MsgspecError."""
    return msgspec.json.decode(path.read_bytes(), type=Stage)


def stage_of(configuration: Mapping[str, Any] | None) -> Stage:
    """Return the stage an experiment's configuration names. Errors: ValueError in words, OSError."""
    name = (configuration or {}).get("stage")
    if not name:
        raise ValueError(
            f"the experiment has no `configuration: stage`; it is {{type: env, key: {STAGE_VARIABLE}}}, "
            "and `polytrade drill stage` makes one"
        )
    return load_stage(Path(name))
