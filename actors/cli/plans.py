"""Plans: made against the generation that runs, kept in a file, read again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.cli.targets import Target, load_topology, running_options

__all__ = ["compared", "keep_plan", "kept_by", "planned", "planned_files", "read_plan"]

FORMAT = 1
ANSWER_WITHIN_S = 3.0  # a plan is made without a node, too


def planned_files(
    files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...]
) -> dict[str, Any]:
    """Return what files make of the generation that runs, or ran last. Errors: Problem, ConfigError."""
    return planned(load_topology(files, *running_options(files, environments, inputs)), files[0])


def planned(topology: Any, file: str) -> dict[str, Any]:
    """Return the plan that makes a running deployment what a topology says."""
    from actors.deployment.generations import Generations
    from actors.deployment.resolved import resolved

    current = Generations(topology.journal_path).current()
    target = Target(topology.deployment, topology.journal_path, topology.socket_path, file)
    return compared(target, current, resolved(topology), topology)


def compared(target: Target, current: Any, document: Any, topology: Any = None) -> dict[str, Any]:
    """Return a plan as it is shown and kept."""
    import msgspec

    from actors.deployment.approvals import digest_of, why_approved
    from actors.deployment.changes import compare
    from actors.deployment.resolved import from_resolved

    base = {
        "format": FORMAT,
        "deployment": document["deployment"],
        "journal": str(target.journal),
        "socket": str(target.socket),
        "base": current.number if current is not None else 0,
        "document": document,
    }
    if current is None:
        new = [f"create {one['address']}" for one in document["actors"]]
        return {**base, "changes": [], "blocked": [], "loosened": [], "first": new, "approvals": {}}
    like = topology or _as_it_runs(target, current)
    before = from_resolved(current.document, like)
    after = topology or from_resolved(document, like)
    found = compare(before, after, (current.document, document))
    loosened = [f"{address}: {field.path}" for address, field in found.loosened]
    changes = msgspec.to_builtins(found.actors)
    why = why_approved(like.apply, before, after, found)
    approvals = {
        "wanted": like.apply.approvals if why and not found.is_empty else 0,
        "why": list(why),
        "digest": digest_of(current.number, document),
    }
    before_rows = [one for one in current.document["actors"] if one["address"] in _changed(changes)]
    return {
        **base,
        "changes": changes,
        "holds": _holds(target, before_rows),
        "blocked": list(found.blocked),
        "loosened": loosened,
        "first": [],
        "approvals": approvals,
    }


def _changed(changes: list[dict[str, Any]]) -> set[str]:
    return {one["address"] for one in changes}


def _holds(target: Target, actors: list[dict[str, Any]]) -> dict[str, str]:
    """Return what actors that change have at stake, as the node says; nothing when it does not run."""
    from actors.cli.plan_holds import holds

    if not (actors and target.socket.exists()):
        return {}
    try:
        orders = target.client.get("/v1/orders?closed=0", ANSWER_WITHIN_S)["orders"]
        positions = target.client.get("/v1/view", ANSWER_WITHIN_S)["positions"]
    except Problem:
        return {}
    return holds(actors, orders, positions)


def _as_it_runs(target: Target, current: Any) -> Any:
    """Return the deployment that a generation came from, for its markets and sections.

    The journal's folder knows it, whatever became of its files since. Errors: as `load_topology`, where the
    folder is of an older release, or another user's.
    """
    from actors.deployment.stored import NotStored, stored_topology

    try:
        return stored_topology(target.journal)
    except (NotStored, OSError):
        return load_topology(current.files)


def kept_by(target: Target) -> Any:
    """Return the generations of a deployment."""
    from actors.deployment.generations import Generations

    return Generations(target.journal)


def keep_plan(path: Path, found: dict[str, Any]) -> None:
    """Write a plan down, whole or not at all, for `apply` and `approve`. Errors: OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        with open(os.open(beside, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
        beside.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)


def read_plan(path: Path) -> dict[str, Any]:
    """Return a plan that was kept. Errors: Problem."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT or not isinstance(found["document"], dict):
            raise ValueError("another format")
    except OSError as error:
        raise Problem(ExitCode.NOT_FOUND, f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        text = f"{path} is no plan of this release"
        raise Problem(ExitCode.USAGE, text, "make one with `polytrade plan FILE --out PLAN`") from None
    return found
