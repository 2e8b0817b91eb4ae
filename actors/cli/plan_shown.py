"""Plans and generations as lines of text, readable without colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from actors.cli.shown import table_text

__all__ = ["applied_text", "generation_lines", "plan_lines"]

SIGNS = {"create": "+", "live change": "~", "restart": "!", "remove": "-", "blocked": "x"}
EFFECTS = {
    "create": "starts, with what the journal knows of an actor of this name",
    "live change": "goes on, with the new values from one turn to the next",
    "restart": "is rebuilt from the journal; its messages wait, its orders stay",
    "remove": "stops; orders it wished for go on without it",
}
UNMINDED = "; nobody minds them then"


def plan_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield a plan: actor by actor, field by field, with the place of each new value."""
    name, base = found["deployment"], found["base"]
    if found["first"]:
        yield f"{name} has not run yet: `polytrade up` begins with generation 1, {len(found['first'])} actors"
        return
    if not (found["changes"] or found["blocked"]):
        yield f"{name}: nothing changes, generation {base} is what the files say"
        return
    from actors.deployment.approvals import approvals_text

    yield f"{name}: against generation {base}"
    for change in found["changes"]:
        yield from _change_lines(change, found.get("holds", {}).get(change["address"], ""))
    for text in found["blocked"]:
        yield f"x blocked: {text}"
    yield _sum(found)
    if found.get("approvals", {}).get("wanted"):
        why = ", ".join(found["approvals"]["why"])
        wanted = approvals_text(found["approvals"]["wanted"])
        yield f"needs {wanted} by others ({why}): polytrade approve PLAN"


def _change_lines(change: dict[str, Any], at_stake: str) -> Iterator[str]:
    action = change["action"]
    yield f"{SIGNS[action]} {action}  {change['address']} ({change['kind']})  {change['place']}"
    for field in change["fields"]:
        place = f"  {field['place']}" if field["place"] else "  by default"
        mark = "  LOOSENS LIMIT" if field["loosens"] else "  tightens limit" if field["tightens"] else ""
        yield f"    {_field(field)}{place}{mark}"
    yield f"    {change['reason'] or EFFECTS[action]}"
    if any(field["tightens"] for field in change["fields"]):
        yield "    what is beyond a tighter limit stays; what would go further beyond it is denied"
    if at_stake:
        yield f"    now: {at_stake}{UNMINDED if action == 'remove' else ''}"


def _field(field: dict[str, Any]) -> str:
    if field["path"] != "reads":
        return f"{field['path']}: {_value(field['before'])} -> {_value(field['after'])}"
    words = [*(f"-{one}" for one in field["before"]), *(f"+{one}" for one in field["after"])]
    return f"reads: {' '.join(words)}"


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value)


def _sum(found: dict[str, Any]) -> str:
    counts: dict[str, int] = {}
    for change in found["changes"]:
        counts[change["action"]] = counts.get(change["action"], 0) + 1
    words = [f"{count} {action}" for action, count in counts.items()]
    if found["blocked"]:
        words.append(f"{len(found['blocked'])} that a running node cannot do")
    if found["loosened"]:
        count = len(found["loosened"])
        words.append("1 limit becomes wider" if count == 1 else f"{count} limits become wider")
    return ", ".join(words)


def applied_text(answer: dict[str, Any]) -> str:
    """Return what a change that runs has done, in a few words."""
    counts = [
        f"{len(answer[name])} {name}" for name in ("created", "restarted", "told", "removed") if answer[name]
    ]
    return ", ".join(counts) or "wiring changed"


def generation_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield generations as a table."""
    from actors.domain.evidence import instant_text

    shown = [("generation", "since", "by", "changes", "reason")]
    for one in rows:
        by = f"{one['actor']}, {one['approver']}" if one["approver"] else one["actor"]
        changes = str(len(one["changes"])) if one["changes"] else ""
        shown.append((str(one["generation"]), instant_text(one["at_ns"]), by, changes, one["reason"]))
    yield table_text(shown)
