"""What is different in a markets file, what it means for deployments, what stays open: as values, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actors.cli.markets_shown import change_lines
from actors.cli.output import echo, note
from actors.domain.listing import Difference, unconfirmed
from actors.domain.markets_file import MarketsFile
from actors.domain.sync import SyncPlan

__all__ = ["report", "show_report"]

SYMBOLS_SHOWN = 10


def report(file: MarketsFile, plan: SyncPlan, deployment: str | None, **more: Any) -> dict[str, Any]:
    """Return a plan in plain values. `deployment`: whose positions are looked at; None for those that run."""
    after = plan.after
    return {
        "file": file.path,
        "as_of": file.as_of,
        **more,
        "changes": [change._asdict() for change in plan.changes],
        "added": plan.added,
        "not_added": plan.not_added,
        "notes": plan.notes,
        "effects": _effects(file, after, plan.changes, deployment),
        "unconfirmed": {
            s: list(unconfirmed(one)) for s, one in after.instruments.items() if unconfirmed(one)
        },
    }


def show_report(found: dict[str, Any]) -> None:
    """Write a report for people: differences to stdout, what is to be known beside them to stderr."""
    changes = [Difference(**change) for change in found["changes"]]
    echo(f"{found['file']}, of {found['as_of']}: {_counted(changes)}")
    for line in change_lines(changes):
        echo(f"  {line}")
    for name, told in found["effects"].items():
        echo(f"for {name}:")
        for text in told or ["nothing it holds and no limit of it is touched"]:
            echo(f"  {text}")
    for text in found["notes"]:
        note(text)
    if left := found["not_added"]:
        shown = ", ".join(left[:SYMBOLS_SHOWN]) + (" ..." if len(left) > SYMBOLS_SHOWN else "")
        note(f"{len(left)} more at the venue, not on file: {shown}; take one up with --add SYMBOL")


def _counted(changes: Sequence[Difference]) -> str:
    return {0: "no differences", 1: "1 difference"}.get(len(changes), f"{len(changes)} differences")


def _effects(
    before: MarketsFile, after: MarketsFile, changes: Sequence[Difference], deployment: str | None
) -> dict[str, list[str]]:
    """Return what changes mean, by deployment."""
    from actors.cli.markets_effects import effects, standing_of
    from actors.cli.running import running_deployments
    from actors.cli.targets import find_target

    if not changes:
        return {}
    found = {}
    targets = [find_target(deployment)] if deployment else [_target(one) for one in running_deployments()]
    for target in targets:
        standing = standing_of(target, _topology(target.file))
        shown = f"{standing.deployment} (by {standing.source})"
        found[shown] = effects(changes, before.instruments, after.instruments, standing)
    return found


def _target(one: Any) -> Any:
    from actors.cli.targets import Target

    return Target(one.deployment, Path(one.journal), Path(one.socket), one.file)


def _topology(file: str) -> Any | None:
    """Return a deployment for its limits; None when its file is gone, or does not stand by itself."""
    from actors.cli.targets import load_topology
    from actors.deployment.faults import ConfigError

    try:
        return load_topology([file]) if file else None
    except ConfigError:
        return None
