"""Where the annotations of an alert lead: its runbook and the dashboard that shows its cause."""

from __future__ import annotations

from typing import NamedTuple

from actors.deployment.objectives import MonitoringSection

__all__ = ["Links", "dashboard_uid"]


def dashboard_uid(name: str) -> str:
    """Return the id that Grafana keeps for a dashboard of ours."""
    return f"polytrade-{name}"


class Links(NamedTuple):
    """Addresses from the deployment."""

    runbooks: str
    dashboards: str

    @classmethod
    def from_section(cls, section: MonitoringSection) -> Links:
        """Return those that a deployment says."""
        return cls(section.runbooks_url.rstrip("/"), section.dashboards_url.rstrip("/"))

    def of(self, alert: str, dashboard: str) -> dict[str, str]:
        """Return the annotations of one alert."""
        return {
            "runbook_url": f"{self.runbooks}/{alert}.md",
            "dashboard_url": f"{self.dashboards}/d/{dashboard_uid(dashboard)}",
        }
