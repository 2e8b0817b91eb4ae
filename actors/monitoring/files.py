"""All files of the monitoring of one deployment: made, written, and held against what lies there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actors.deployment.topology import Topology
from actors.monitoring.alert_rules import Known, inside_alerts, outside_alerts
from actors.monitoring.dashboards import dashboard_files
from actors.monitoring.indicators import indicators_of
from actors.monitoring.links import Links
from actors.monitoring.routing import alertmanager
from actors.monitoring.rule_tests import alert_tests, slo_tests
from actors.monitoring.scraping import grafana_dashboards, grafana_datasource, prometheus
from actors.monitoring.slo_rules import slo_alerts, slo_records
from actors.monitoring.yaml_text import Block, yaml_text

__all__ = ["drifted", "monitoring_files", "write"]

MARK = "Made by `polytrade monitoring`"  # in every file of ours; what lacks it is somebody else's
HEAD = MARK + " from the deployment {name!r}; docs/monitoring.md. Do not edit.\n"
GENERATED = ("alerts/*.yaml", "alerts/tests/*.yaml", "dashboards/*.json", "monitoring/**/*.yaml")
RULES = {
    "slo": "Promises: what was bad over each window, and alerts on how fast the budgets of 30 days go.",
    "outside": "What only somebody outside the node can see, and the sign of life of the monitoring itself.",
    "inside": "What nodes raise themselves, so that Alertmanager has it, too.",
}


def monitoring_files(topology: Topology, known: dict[str, Known]) -> dict[str, str]:
    """Return every file below the output folder as path and text."""
    links = Links.from_section(topology.monitoring)
    indicators = indicators_of(topology)
    slo = slo_alerts(indicators, links)
    outside = outside_alerts(known, links)
    inside = inside_alerts(known.values(), links)

    def made(what: str, document: Any) -> str:
        return yaml_text(HEAD.format(name=topology.deployment) + what, document)

    alert_rules = ["../outside.rules.yaml", "../inside.rules.yaml"]
    groups = {
        "slo": [("polytrade-slo-records", slo_records(indicators)), ("polytrade-slo", slo)],
        "outside": [("polytrade-outside", outside)],
        "inside": [("polytrade-inside", inside)],
    }
    found = {f"alerts/{name}.rules.yaml": made(RULES[name], _groups(parts)) for name, parts in groups.items()}
    tests = "promtool test rules runs it: each alert fires when it should, and only then."
    found["alerts/tests/slo.test.yaml"] = made(tests, slo_tests(indicators, slo, ["../slo.rules.yaml"]))
    found["alerts/tests/alerts.test.yaml"] = made(tests, alert_tests([*outside, *inside], alert_rules))
    found |= {f"dashboards/{name}": text for name, text in dashboard_files().items()}
    found["monitoring/prometheus.yaml"] = made("Prometheus, started in this folder.", prometheus(topology))
    found["monitoring/alertmanager.yaml"] = made("Alertmanager.", alertmanager(topology.monitoring))
    found["monitoring/grafana/datasources/prometheus.yaml"] = made("Grafana.", grafana_datasource())
    found["monitoring/grafana/dashboards/polytrade.yaml"] = made("Grafana.", grafana_dashboards())
    return found


def _groups(parts: list[tuple[str, list[dict[str, Any]]]]) -> dict[str, Any]:
    blocks = [(name, [{**rule, "expr": Block(rule["expr"])} for rule in rules]) for name, rules in parts]
    return {"groups": [{"name": name, "rules": rules} for name, rules in blocks]}


def drifted(folder: Path, files: dict[str, str]) -> list[str]:
    """Return the paths that lack, differ, or are left over."""
    wrong = [path for path, text in files.items() if not _same(folder / path, text)]
    there = {path for one in GENERATED for path in folder.glob(one)}
    ours = {path.relative_to(folder).as_posix() for path in there if MARK in path.read_text(encoding="utf-8")}
    return wrong + sorted(ours - files.keys())


def write(folder: Path, files: dict[str, str]) -> list[str]:
    """Write what has changed, take away what is left over; return the paths. Errors: OSError."""
    changed = drifted(folder, files)
    for path in changed:
        if path in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(files[path], encoding="utf-8")
        else:
            (folder / path).unlink()
    return changed


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
