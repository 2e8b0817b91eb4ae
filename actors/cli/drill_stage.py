"""Stages for drills: one of our own in a temporary folder, or a deployment that runs already."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.cli.targets import Target, find_target, load_topology
from actors.drills.processes import free_port, start, stop
from actors.drills.stage import LIVE, STAGE_FILE, Stage, save_stage

__all__ = ["existing_stage", "own_stage"]

NODE_FOR = "1h"  # it ends by itself if nobody is left to stop it
VENUE = "venue.poloniex"
VAULT_TOKEN = "drill-root"  # of a double that holds no secrets
FILE = "deployment.yaml"


@contextlib.contextmanager
def own_stage(folder: Path, kind: str) -> Iterator[tuple[Stage, Path]]:
    """Yield a running stage of a kind (a file of `folder`/stages) and the file that tells of it.

    Everything lies in a temporary folder and listens on free ports of loopback; all of it is gone afterwards.
    Errors: Problem, DrillFailed.
    """
    source = (folder / "stages" / f"{kind}.yaml").absolute()
    if not source.is_file():
        known = ", ".join(sorted(one.stem for one in source.parent.glob("*.yaml")))
        raise Problem(ExitCode.NOT_FOUND, f"there is no stage {kind!r}", f"there are {known}")
    with tempfile.TemporaryDirectory(prefix="polytrade-drill-", ignore_cleanup_errors=True) as place:
        stage = _prepared(Path(place), source)
        path = Path(place) / STAGE_FILE
        try:
            for name in stage.commands:
                start(stage, name)
                save_stage(stage, path)
                if name == "vault":
                    _fill_vault(stage)
            yield stage, path
        finally:
            with contextlib.suppress(OSError):
                stage.pids.update(_pids_now(path))
            for name in reversed(stage.commands):
                stop(stage, name)


def _pids_now(path: Path) -> dict[str, int]:
    """Return the processes as actions left them: a drill may have started one again."""
    from actors.drills.stage import load_stage

    return load_stage(path).pids


def _prepared(place: Path, source: Path) -> Stage:
    """Return a stage with nothing started yet, its deployment's file written."""
    exchange = f"127.0.0.1:{free_port()}"
    vault = f"http://127.0.0.1:{free_port()}"
    receiver = f"http://127.0.0.1:{free_port()}"
    given = {"host": exchange, "vault": vault, "credential": str(place / "credential"), "receiver": receiver}
    environment = {"POLYTRADE_STATE": str(place), "XDG_RUNTIME_DIR": str(place)}
    wished = {"host", *_inputs_of(source)}
    wants_vault = "vault" in wished
    inputs = {name: text for name, text in given.items() if name in wished}
    lines = [
        f"extends: {source}",
        "inputs:",
        *(f"  {name}: {{default: {text!r}}}" for name, text in inputs.items()),
    ]
    file = place / FILE
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with _variables(environment):
        topology = load_topology([str(file)])
    commands = {"exchange": _exchange_words(exchange, place, source)}
    if wants_vault:
        commands["vault"] = ["vault", "--port", vault.rpartition(":")[2], "--root-token", VAULT_TOKEN]
    if "receiver" in wished:
        commands["receiver"] = ["drill", "receiver", "--port", receiver.rpartition(":")[2]]
    commands["node"] = ["up", str(file), "--plain", "--for", NODE_FOR]
    return Stage(
        **_facts(topology, place, str(file)),
        exchange=f"http://{exchange}",
        vault=vault if wants_vault else "",
        vault_token=VAULT_TOKEN if wants_vault else "",
        receiver=receiver if "receiver" in wished else "",
        key="local-key",
        secret="local-secret",
        is_ours=True,
        commands=commands,
        environment=environment,
    )


def _exchange_words(address: str, place: Path, source: Path) -> list[str]:
    rules = source.with_name("exchange").with_suffix(".yaml")
    port = address.rpartition(":")[2]
    return ["exchange", "--port", port, "--state", str(place / "exchange"), "--config", str(rules)]


def _inputs_of(source: Path) -> Any:
    import yaml

    return (yaml.safe_load(source.read_text(encoding="utf-8")) or {}).get("inputs") or {}


def _facts(topology: Any, place: Path, file: str) -> dict[str, Any]:
    accounts = [plan.address.partition("/")[2] for plan in topology.actors if plan.kind == VENUE]
    symbols = {plan.address.partition("/")[2] for plan in topology.actors if plan.address.startswith("feed/")}
    return {
        "deployment": topology.deployment,
        "mode": topology.mode,
        "file": file,
        "journal": str(topology.journal_path),
        "socket": str(topology.socket_path),
        "folder": str(place),
        "account": next(iter(accounts), "main"),
        "symbols": tuple(sorted(symbols)),
    }


@contextlib.contextmanager
def _variables(given: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, text in before.items():
            os.environ.pop(name, None) if text is None else os.environ.update({name: text})


def _fill_vault(stage: Stage) -> None:
    """Put the exchange's keys into the Vault double and leave a token there that may read them alone."""
    from actors.drills.actions.vault import POLICY, ask

    ask(stage, "POST", "sys/mounts/local", {"type": "kv", "options": {"version": "2"}})
    ask(stage, "POST", "local/data/exchange", {"data": {"key": stage.key, "secret": stage.secret}})
    ask(stage, "PUT", "sys/policies/acl/node", {"policy": POLICY})
    made = ask(stage, "POST", "auth/token/create", {"policies": ["node"], "ttl": "2h"})
    credential = Path(stage.folder) / "credential"
    descriptor = os.open(credential, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(made["auth"]["client_token"])


@contextlib.contextmanager
def existing_stage(file: str, *, may_disturb_live: bool) -> Iterator[tuple[Stage, Path]]:
    """Yield a stage for a deployment that runs: its processes stay, its exchange is disturbed if it is here.

    Errors: Problem when it does not run, or trades real money and that was not allowed.
    """
    target = find_target(file)
    mode = str(target.client.get("/v1/status").get("mode", ""))
    if mode == LIVE and not may_disturb_live:
        text = f"{target.name} trades real money"
        raise Problem(
            ExitCode.REFUSED, text, "drill a paper deployment; --in-live-mode if you really mean it"
        )
    with tempfile.TemporaryDirectory(prefix="polytrade-drill-") as place:
        stage = _stage_of(target, mode, Path(place))
        stage.may_disturb_live = may_disturb_live
        path = Path(place) / STAGE_FILE
        save_stage(stage, path)
        yield stage, path


def _stage_of(target: Target, mode: str, place: Path) -> Stage:
    from actors.drills.wire import DrillFailed, request

    topology = load_topology([target.file]) if target.file else None
    facts = _facts(topology, place, target.file) if topology else {}
    stage = Stage(
        **{
            "deployment": target.name,
            "file": target.command_words,
            **facts,
            "mode": mode,
            "journal": str(target.journal),
            "socket": str(target.socket),
            "folder": str(place),
        }
    )
    urls = {plan.settings.rest_url for plan in topology.actors if plan.kind == VENUE} if topology else set()
    for url in urls:
        place_of = urlsplit(url)
        if place_of.scheme == "http" and place_of.hostname in ("127.0.0.1", "localhost"):
            with contextlib.suppress(DrillFailed):  # without a fault port it is not disturbed
                request("GET", f"{url}/__faults__")
                stage.exchange = url
    return stage
