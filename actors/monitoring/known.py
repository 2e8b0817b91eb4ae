"""Every alert with severities and what it means for the money, from the actors' tables and the runbooks."""

from __future__ import annotations

from pathlib import Path

from actors.drills.runbooks.catalogue import listed_alerts
from actors.drills.runbooks.lint import read_all
from actors.monitoring.alert_rules import Known

__all__ = ["AlertWithoutRunbook", "known_alerts"]

SEVERITIES = ("page", "ticket")


class AlertWithoutRunbook(Exception):
    """A rule would lead nowhere."""


def known_alerts(root: Path, runbooks: Path) -> dict[str, Known]:
    """Return the alerts that a document below `root` lists, by name. Errors: AlertWithoutRunbook."""
    read, faults = read_all(runbooks)
    impacts = {one.name: one.impact for one in read}
    found: dict[str, Known] = {}
    for name, alert in sorted(listed_alerts(root).items()):
        severities = tuple(one for one in SEVERITIES if one in alert.severity)
        if name not in impacts:
            broken = [str(fault) for fault in faults if name in str(fault)]
            raise AlertWithoutRunbook(broken[0] if broken else f"{name}: there is no {runbooks / name}.md")
        folder = str(Path(alert.document).parent).removeprefix("actors/").removeprefix("actors")
        found[name] = Known(name, severities, alert.when, impacts[name], folder)
    return found
