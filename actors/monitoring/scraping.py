"""Prometheus: whom it asks how often, which rules it judges, whom it tells; where Grafana finds it."""

from __future__ import annotations

from typing import Any

from actors.deployment.quantities import format_duration
from actors.deployment.topology import Topology

__all__ = ["grafana_dashboards", "grafana_datasource", "prometheus"]


def prometheus(topology: Topology) -> dict[str, Any]:
    """Return the configuration; rule files are named relative to it."""
    section = topology.monitoring
    every = format_duration(section.scrape_every)
    labels = {"deployment": topology.deployment, "mode": topology.mode}
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": ["../alerts/*.rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(section.alertmanagers)}]}]},
        "scrape_configs": [
            {
                "job_name": "polytrade",
                # The node answers only those who call it by an address.
                "static_configs": [{"targets": list(section.targets), "labels": labels}],
            }
        ],
    }


def grafana_datasource() -> dict[str, Any]:
    """Return the provisioning of the one data source."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "uid": "prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": "http://127.0.0.1:9090",
                "isDefault": True,
            }
        ],
    }


def grafana_dashboards() -> dict[str, Any]:
    """Return the provisioning of the dashboards' folder."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "polytrade",
                "folder": "Polytrade",
                "type": "file",
                "allowUiUpdates": False,
                "options": {"path": "/etc/polytrade/dashboards"},
            }
        ],
    }
