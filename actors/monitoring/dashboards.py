"""Panels as Grafana's JSON: laid out in rows of 24, with one choice of instances above all of them."""

from __future__ import annotations

import json
from typing import Any

from actors.monitoring.links import dashboard_uid
from actors.monitoring.page_account import ACCOUNT
from actors.monitoring.page_feeds import FEEDS
from actors.monitoring.page_overview import OVERVIEW
from actors.monitoring.page_runtime import RUNTIME
from actors.monitoring.panels import Dashboard, Panel

__all__ = ["DASHBOARDS", "dashboard_files", "queries"]

DASHBOARDS = (OVERVIEW, ACCOUNT, FEEDS, RUNTIME)
COLUMNS, STAT_ROWS, GRAPH_ROWS = 24, 4, 8
SELECTOR = 'instance=~"$instance"'
SOURCE = {"type": "prometheus", "uid": "prometheus"}


def dashboard_files() -> dict[str, str]:
    """Return every dashboard as file name and text."""
    return {
        f"{dashboard_uid(one.name)}.json": json.dumps(_page(one), indent=1, ensure_ascii=False) + "\n"
        for one in DASHBOARDS
    }


def queries() -> list[tuple[str, str]]:
    """Return every query with the title of what it is for, as Prometheus would be asked."""
    asked = [
        (panel.title, _selected(query.expr))
        for page in DASHBOARDS
        for panel in page.panels
        for query in panel.queries
    ]
    asked += [(one["name"], one["target"]["expr"]) for one in (_restarts(), _generations())]
    return [
        (title, expr.replace("$__rate_interval", "1m").replace("$instance", ".+")) for title, expr in asked
    ]


def _selected(expr: str) -> str:
    return expr.replace("SEL", SELECTOR)


def _page(one: Dashboard) -> dict[str, Any]:
    return {
        "uid": dashboard_uid(one.name),
        "title": one.title,
        "description": "Made by `polytrade monitoring`; change actors/monitoring/panels.py, not this.",
        "tags": ["polytrade"],
        "timezone": "utc",
        "schemaVersion": 38,
        "version": 1,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_instances()]},
        "annotations": {"list": [_restarts(), _generations()]},
        "links": [_siblings()],
        "panels": _laid_out(one.panels),
    }


def _instances() -> dict[str, Any]:
    return {
        "name": "instance",
        "label": "Node",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": "label_values(polytrade_build_info, instance)", "refId": "instance"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _restarts() -> dict[str, Any]:
    expr = f"changes(polytrade_node_start_timestamp_seconds{{{SELECTOR}}}[1m]) > 0"
    return _annotation("Node restarted", expr, "red")


def _generations() -> dict[str, Any]:
    expr = f"changes(polytrade_node_generation{{{SELECTOR}}}[1m]) > 0"
    return _annotation("Configuration changed", expr, "blue")


def _annotation(name: str, expr: str, color: str) -> dict[str, Any]:
    target = {"refId": "Anno", "expr": expr, "interval": "30s"}
    return {"name": name, "datasource": SOURCE, "enable": True, "iconColor": color, "target": target}


def _siblings() -> dict[str, Any]:
    return {
        "title": "Polytrade",
        "type": "dashboards",
        "tags": ["polytrade"],
        "icon": "external link",
        "tooltip": "",
        "targetBlank": False,
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
    }


def _laid_out(panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        height = STAT_ROWS if panel.kind == "stat" else GRAPH_ROWS
        if x + panel.width > COLUMNS or (found and height != tallest):
            x, y = 0, y + tallest
        tallest = height
        found.append(_panel(number, panel, {"x": x, "y": y, "w": panel.width, "h": height}))
        x += panel.width
    return found


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": _selected(query.expr),
                "legendFormat": query.legend or "__auto",
                **({"format": "table", "instant": True} if panel.kind == "table" else {}),
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel.kind),
        **({"transformations": TABLE_COLUMNS} if panel.kind == "table" else {}),
    }


# A table shows labels and value; the instant of the query says nothing.
TABLE_COLUMNS = [{"id": "organize", "options": {"excludeByName": {"Time": True}}}]


def _field(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": _steps(panel)}}
    if panel.kind == "timeseries":
        custom: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 5, "showPoints": "never"}
        if panel.warn is not None or panel.bad is not None:
            custom["thresholdsStyle"] = {"mode": "dashed"}
        field["custom"] = custom
    else:
        field["noValue"] = "none"
    return field


def _steps(panel: Panel) -> list[dict[str, Any]]:
    """Return colours from the lowest value on; Grafana wants the first step without one."""
    marks = [("yellow", panel.warn), ("red", panel.bad)]
    known = [(colour, value) for colour, value in marks if value is not None]
    if not panel.lower_is_worse:
        return [{"color": "green", "value": None}, *({"color": c, "value": v} for c, v in known)]
    rising = sorted(known, key=lambda one: one[1])
    colours = [colour for colour, _ in rising] + ["green"]
    values: list[float | None] = [None, *(value for _, value in rising)]
    return [{"color": c, "value": v} for c, v in zip(colours, values, strict=True)]


def _options(kind: str) -> dict[str, Any]:
    if kind == "stat":
        reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": reduce, "colorMode": "value", "graphMode": "area"}
    if kind == "timeseries":
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    return {"showHeader": True}
