"""Policy about alerts: whom they reach, and that whoever is reached finds out what to do."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from actors.deployment.expansion import Draft
from actors.deployment.faults import FaultLog, nearest
from actors.deployment.places import Span
from actors.deployment.yaml_tree import Map
from actors.drills.runbooks.catalogue import listed_alerts
from actors.runtime.messages import Severity

__all__ = ["check_alert_route", "check_runbooks", "listed"]

ROOT = Path(__file__).resolve().parents[2]
OF_EVERY_NODE = frozenset({"runtime", "deployment"})  # alerts about the node itself
NAMED_MAX = 5
RANKS = list(Severity)


def check_alert_route(root: Map, drafts: list[Draft], log: FaultLog) -> None:
    """Note, for live mode, that pages or tickets would reach nobody."""
    alerters = [draft for draft in drafts if draft.kind is not None and draft.kind.listens]
    help = "give the alerter a route with 'channel: webhook'"
    if not alerters:
        span = root.keys["actors"].span
        log.add("E303", span, "no alerter is there: nobody would hear of a page", help)
    for draft in alerters:
        routes = getattr(draft.settings, "routes", None)
        if routes is None:
            continue
        span = _setting_span(draft, "routes")
        outward = [
            RANKS.index(route.severity_min) for route in routes if route.channel != "log" and route.at_once
        ]
        if not outward:
            later = any(route.channel != "log" for route in routes)
            only = "pages by escalation only" if later else "to a log only"
            log.add("E303", span, f"actor {draft.name!r} delivers {only}: nobody would be woken", help)
        elif min(outward) > RANKS.index(Severity.TICKET):
            message = f"actor {draft.name!r} delivers tickets to a log only: nobody would see them"
            log.add("E314", span, message, "write 'severity_min: ticket' in one route that leaves the node")


def check_runbooks(drafts: list[Draft], folder: str, log: FaultLog) -> None:
    """Note alerts that the deployment can raise and that have no runbook in the folder it names."""
    for draft in drafts:
        written = getattr(draft.settings, "runbooks", "")
        if not written:
            continue
        path, span = Path(folder, written), _setting_span(draft, "runbooks")
        if not path.is_dir():
            beside = (
                [one.name for one in path.parent.iterdir() if one.is_dir()] if path.parent.is_dir() else []
            )
            found = nearest(path.name, beside)
            help = f"did you mean {os.path.join(os.path.dirname(written), found)!r}?" if found else ""
            log.add("E013", span, f"there is no folder {written!r} with runbooks", help)
            continue
        missing = sorted(name for name in _alerts_of(drafts) if not (path / f"{name}.md").is_file())
        if missing:
            named = ", ".join(missing[:NAMED_MAX])
            more = f" and {len(missing) - NAMED_MAX} more" if len(missing) > NAMED_MAX else ""
            message = f"alerts without a runbook in {written!r}: {named}{more}"
            log.add("E315", span, message, "the program's own are in runbooks/; copy them, then change them")


def _alerts_of(drafts: list[Draft]) -> set[str]:
    folders = {draft.kind.behaviour.split(".")[1] for draft in drafts if draft.kind is not None}
    return {name for name, folder in listed().items() if folder in folders | OF_EVERY_NODE}


@cache
def listed() -> dict[str, str]:
    """Return every alert with the folder of the actors that raise it."""
    return {name: Path(alert.document).parts[1] for name, alert in listed_alerts(ROOT).items()}


def _setting_span(draft: Draft, name: str) -> Span:
    settings = draft.entry.get("settings")
    node = settings.get(name) if isinstance(settings, Map) else None
    return draft.key.span if node is None else node.span
