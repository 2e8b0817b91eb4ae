"""Probes of what the monitoring tells people: an alert comes through, ends, or the sign of life is missed."""

from __future__ import annotations

from typing import Any

from actors.drills.stage import stage_of
from actors.drills.watching import Servers, servers_of
from actors.drills.wire import until

__all__ = ["alert_ends", "alert_fires"]

Given = dict[str, Any] | None
WATCHDOG = "Watchdog"  # it always fires: its page is that it does not


def alert_fires(
    name: str, slo: str = "", hidden: bool = False, within: float = 60.0, configuration: Given = None
) -> str:
    """Wait until Alertmanager tells people of an alert; of `Watchdog`, until it does not any more.

    `slo`: of this promise. `hidden`: something worse hides it, so Prometheus is asked instead.
    """
    servers = servers_of(stage_of(configuration))
    until(lambda: _is_told(servers, name, slo, hidden), within, f"{name} is told", lambda: _all(servers))
    return f"{name} is told"


def alert_ends(
    name: str, slo: str = "", hidden: bool = False, within: float = 120.0, configuration: Given = None
) -> str:
    """Wait until an alert is over, as whoever was asked for it says."""
    servers = servers_of(stage_of(configuration))
    until(lambda: not _is_told(servers, name, slo, hidden), within, f"{name} ends", lambda: _all(servers))
    return f"{name} is over"


def _is_told(servers: Servers, name: str, slo: str, hidden: bool) -> bool:
    if hidden:
        where = f'alertname="{name}",alertstate="firing"' + (f',slo="{slo}"' if slo else "")
        return bool(servers.ask(f"ALERTS{{{where}}}"))
    told = [one for one in servers.told(name) if slo in ("", one["labels"].get("slo"))]
    return not told if name == WATCHDOG else bool(told)


def _all(servers: Servers) -> str:
    firing = sorted({one["metric"]["alertname"] for one in servers.ask('ALERTS{alertstate="firing"}')})
    return f"Prometheus says: {', '.join(firing) or 'nothing'}"
