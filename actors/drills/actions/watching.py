"""The monitoring beside the stage: started, blinded, ended; and a node that restarts before its eyes."""

from __future__ import annotations

from typing import Any

from actors.drills import wire
from actors.drills.actions.guard import stage_of_ours
from actors.drills.actions.processes import kill
from actors.drills.watching import (
    Servers,
    servers_of,
    start_server,
    start_servers,
    stop_servers,
    target_node,
)
from actors.drills.wire import DrillFailed, until

__all__ = ["blind", "restart_node", "see_again", "start_watching", "stop_watching"]

Given = dict[str, Any] | None
STARTED = "polytrade_node_start_timestamp_seconds"
SEEN_S = 30.0


def start_watching(configuration: Given = None) -> str:
    """Start Prometheus and Alertmanager with the rules of the stage's deployment."""
    servers = start_servers(stage_of_ours(configuration))
    return f"Prometheus at {servers.prometheus}, Alertmanager at {servers.alertmanager}"


def stop_watching(configuration: Given = None) -> str:
    """End both; when none runs that is no failure."""
    try:
        stop_servers(servers_of(stage_of_ours(configuration)))
    except DrillFailed as none:
        return str(none)
    return "nobody watches"


def blind(configuration: Given = None) -> str:
    """End Prometheus: alerts stop, and so does the sign of life."""
    stop_servers(servers_of(stage_of_ours(configuration)), "prometheus")
    return "Prometheus is gone"


def see_again(configuration: Given = None) -> str:
    """Start Prometheus again."""
    start_server(servers_of(stage_of_ours(configuration)), "prometheus")
    return "Prometheus is back"


def restart_node(times: int = 3, configuration: Given = None) -> str:
    """Kill the node so many times, each time once Prometheus has seen the one before."""
    stage = stage_of_ours(configuration)
    servers = servers_of(stage)
    for number in range(1, times + 1):
        before = _started(servers)
        (killed,) = kill("node", configuration=configuration)
        until(lambda killed=killed: _is_up(stage, killed), SEEN_S, f"the node is up after kill {number}")
        target_node(stage, servers)
        until(
            lambda before=before: _started(servers) not in ("", before),
            SEEN_S,
            f"Prometheus sees start {number}",
        )
    return f"the node was killed {times} times"


def _is_up(stage: Any, killed: int) -> bool:
    found = wire.view_or_none(stage)
    return found is not None and found["pid"] != killed and bool(found["ready"]) and bool(found["http"])


def _started(servers: Servers) -> str:
    found = servers.ask(STARTED)
    return str(found[0]["value"][1]) if found else ""
