"""One actor, or one supervisor, as closely as an operator may want to look."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.control.fields import FieldNames, masked
from actors.control.sampler import describe
from actors.runtime.cell import Cell
from actors.runtime.node import Node
from actors.runtime.supervision import Supervisor

__all__ = ["inspect_actor", "inspect_supervisor", "shown_actor"]

WAITING_SHOWN = 5


def inspect_actor(node: Node, address: str) -> dict[str, Any]:
    """Return a cell's insides. Runs inside the loop and converts nothing but the description.

    Errors: KeyError when there is no such actor.
    """
    cell = node.cell(address)
    spec = cell.spec
    return {
        "address": cell.name,
        "kind": cell.kind,
        "behaviour": type(cell.behaviour).__name__,
        "state_kept": cell.behaviour.PERSISTENCE.value,
        "phase": cell.phase,
        "state": cell.state.value,
        "ready": cell.is_ready,
        "supervisor": {
            "name": spec.supervisor,
            "restart": spec.restart.value,
            "stop_timeout_ms": spec.stop_timeout_ns / 1e6,
        },
        "mailbox": {
            "waiting": len(cell.data),
            "waiting_control": len(cell.control),
            "capacity": cell.capacity,
            "refused": cell.refused_count,
            "first": [_item(item) for _, item in zip(range(WAITING_SHOWN), cell.data, strict=False)],
        },
        "counts": {
            "handled": cell.handled_count,
            "failures": cell.failures_count,
            "restarts": cell.restarts_count,
        },
        "recovery_ms": cell.recovery_ns / 1e6,
        "last_error": cell.last_error,
        "suspect": _item(cell.suspect) if cell.suspect is not None else None,
        "reads": list(spec.reads),
        "read_by": sorted(cell.context.peers),
        "sends": {
            kind.__name__: [target.name for target in targets]
            for kind, targets in cell.context.routes.items()
            if targets
        },
        "recent": list(cell.recent),
        "description": describe(cell),
    }


def _item(item: Any) -> dict[str, Any]:
    message, cause, sender = item
    return {"message": message, "cause": cause, "sender": str(sender)}


def shown_actor(found: dict[str, Any], names: FieldNames) -> dict[str, Any]:
    """Return what `inspect_actor` found with its messages as plain values; runs outside the loop."""
    mailbox = dict(found["mailbox"])
    mailbox["first"] = [_shown_item(item, names) for item in mailbox["first"]]
    suspect = found["suspect"]
    return {
        **found,
        "mailbox": mailbox,
        "suspect": _shown_item(suspect, names) if suspect else None,
        "recent": [masked(names.message(message)) for message in found["recent"]],
        "description": masked(msgspec.json.decode(found["description"])),
    }


def _shown_item(item: dict[str, Any], names: FieldNames) -> dict[str, Any]:
    return {**masked(names.message(item["message"])), "cause": item["cause"], "sender": item["sender"]}


def inspect_supervisor(node: Node, name: str) -> dict[str, Any]:
    """Return a supervisor and its children in start order. Errors: KeyError."""
    supervisor = node.tree.supervisors[name]
    spec = supervisor.spec
    return {
        "supervisor": name,
        "parent": spec.parent or "",
        "strategy": spec.strategy.value,
        "intensity": spec.intensity,
        "period_s": spec.period_ns / 1e9,
        "exhausted_action": spec.exhausted,
        "restarts_in_period": len(supervisor.restarts),
        "exhausted": supervisor.is_exhausted,
        "children": [_child(child) for child in supervisor.children],
    }


def _child(child: Cell | Supervisor) -> dict[str, Any]:
    if isinstance(child, Supervisor):
        return {"supervisor": child.spec.name}
    return {"actor": child.name, "state": child.state.value, "restarts": child.restarts_count}
