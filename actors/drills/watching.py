"""Prometheus and Alertmanager beside a stage, with the rules of its deployment: started, asked, stopped.

Their rules look over seconds instead of hours, so that a drill sees an alert end; nothing else is changed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from actors.drills import wire
from actors.drills.processes import end_with_parent, free_port, is_alive, listens, polytrade
from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed, until

__all__ = ["Servers", "servers_of", "start_servers", "stop_servers", "target_node"]

FOLDER, FILE = "watching", "servers.json"
INSTANCE = "drill"  # the node keeps this name when it comes back on another port
START_S = 30.0
# A window or wait of the files -> the drill's.
WINDOWS = {"5m": "5s", "30m": "8s", "1h": "12s", "2h": "8s", "6h": "15s", "1d": "15s", "3d": "20s"}
WINDOWS |= {"15m": "60s", "30d": "60s"}
WAITS = ("group_wait", "group_interval", "repeat_interval")


class Servers(msgspec.Struct):
    """Where they are, and their processes by name."""

    folder: str
    prometheus: str
    alertmanager: str
    pids: dict[str, int] = {}

    def save(self) -> None:
        """Keep it for the next action."""
        Path(self.folder, FILE).write_bytes(msgspec.json.encode(self))

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return what Prometheus knows now; nothing while it does not answer."""
        with contextlib.suppress(DrillFailed):
            found = wire.request("GET", f"{self.prometheus}/api/v1/query?query={quote(query)}")
            return list(found["data"]["result"])
        return []

    def told(self, name: str) -> list[dict[str, Any]]:
        """Return the alerts of a name that Alertmanager tells people; nothing while it does not answer."""
        wanted = "active=true&inhibited=false&silenced=false"
        with contextlib.suppress(DrillFailed):
            found = wire.request("GET", f"{self.alertmanager}/api/v2/alerts?{wanted}")
            return [one for one in found if one["labels"]["alertname"] == name]
        return []


def servers_of(stage: Stage) -> Servers:
    """Return those of a stage. Errors: DrillFailed when none were started."""
    try:
        return msgspec.json.decode(Path(stage.folder, FOLDER, FILE).read_bytes(), type=Servers)
    except OSError:
        raise DrillFailed("nobody has started Prometheus for this stage: `start_watching` does") from None


def start_servers(stage: Stage) -> Servers:
    """Make the files of the stage's deployment and start both on them. Errors: DrillFailed."""
    folder = Path(stage.folder, FOLDER)
    shutil.rmtree(folder, ignore_errors=True)  # a drill before this one has seen other things
    polytrade(stage, "monitoring", stage.file, "--out", str(folder))
    servers = Servers(str(folder), f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}")
    _hurry(folder, servers)
    target_node(stage, servers)
    start_server(servers, "alertmanager")
    start_server(servers, "prometheus")
    until(lambda: servers.ask("polytrade_node_ready == 1"), START_S, "Prometheus sees the node")
    until(lambda: servers.told("Watchdog"), START_S, "the sign of life comes through")
    return servers


def start_server(servers: Servers, name: str) -> None:
    """Start one of them, if it does not run, and wait until it listens. Errors: DrillFailed."""
    if name in servers.pids and is_alive(servers.pids[name]):
        return
    here, url = Path(servers.folder, "monitoring"), getattr(servers, name)
    program = _program(name)
    words = [f"--config.file={here / name}.yaml", f"--web.listen-address={url.removeprefix('http://')}"]
    if name == "prometheus":
        words += [f"--storage.tsdb.path={servers.folder}/tsdb", "--rules.alert.resend-delay=1s"]
    else:
        words += [f"--storage.path={servers.folder}/alerts-told", "--cluster.listen-address="]
    with Path(servers.folder, f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [program, *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    servers.pids[name] = process.pid
    servers.save()
    until(lambda: listens(url), START_S, f"{name} listens")


def _program(name: str) -> str:
    for known in (f"prometheus-{name}", name):
        if found := shutil.which(known):
            return found
    raise DrillFailed(f"{name} is not installed; `make ops-tools` installs it")


def stop_servers(servers: Servers, *names: str) -> None:
    """End some of them, or all; one that is gone is no failure. Errors: DrillFailed."""
    for name in names or tuple(servers.pids):
        pid = servers.pids.pop(name, 0)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    servers.save()


def target_node(stage: Stage, servers: Servers) -> None:
    """Tell Prometheus where the node listens now."""
    address = str(wire.view(stage)["http"]).removeprefix("http://")
    labels = {"deployment": stage.deployment, "instance": INSTANCE}
    body = msgspec.json.encode([{"targets": [address], "labels": labels}])
    path = Path(servers.folder, "monitoring", "targets.json")
    aside = path.with_suffix(".new")
    aside.write_bytes(body)
    aside.replace(path)


def _hurry(folder: Path, servers: Servers) -> None:
    for path in folder.rglob("*.yaml"):
        text = re.sub(r"\[(\w+)\]", lambda m: f"[{WINDOWS.get(m[1], m[1])}]", path.read_text("utf-8"))
        text = re.sub(r"\bfor: \d+m\b", "for: 2s", re.sub(r"\bfor: \d+s\b", "for: 1s", text))
        for name in WAITS:
            text = re.sub(rf"\b{name}: \w+", f"{name}: 1s", text)
        if path.name == "prometheus.yaml" and path.parent == folder / "monitoring":
            text = re.sub(r"\b(\w+_(?:interval|timeout)): \w+", r"\1: 1s", text)
            text = re.sub(r"127\.0\.0\.1:9093", servers.alertmanager.removeprefix("http://"), text)
            text = text[: text.index("    static_configs:", text.index("scrape_configs:"))]
            text = text.rstrip() + "\n    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]\n"
        path.write_text(text, "utf-8")
