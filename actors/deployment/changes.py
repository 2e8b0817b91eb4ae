"""What becomes of each actor when a deployment changes: field by field, with where it is written.

Pure: two topologies in, a plan out. What a change does to orders and money is told by whoever knows the node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from actors.deployment.masking import apart, masked_value
from actors.deployment.registry import KINDS
from actors.deployment.resolved import resolved
from actors.deployment.schema import SECTIONS
from actors.deployment.setting_types import SettingField, walk_fields, written, written_struct
from actors.deployment.topology import ActorPlan, Topology
from actors.runtime.settings import Reload

__all__ = ["ActorChange", "FieldChange", "Plan", "compare"]

Document = Mapping[str, Any]

CREATE, LIVE, RESTART, REMOVE, BLOCKED = "create", "live change", "restart", "remove", "blocked"
LIMIT_KEEPERS = ("risk", "portfolio")
IN_FORCE, OWN = "those in force", "its own"
NEW_START = "takes a new start: `polytrade stop`, then `polytrade up`"
NEW_JOURNAL = "takes a new journal: what is in this one was made under the old value"


class FieldChange(msgspec.Struct, frozen=True):
    """One value that changes, as an operator writes it; None: it was not, or will not be, there.

    Of `reads`: what is no longer heard, and what is heard from now on.
    """

    path: str
    before: Any
    after: Any
    place: str = ""  # where the new value is written; empty: it is a default now
    reload: str = Reload.LIVE
    loosens: bool = False  # a limit that keeps money safe becomes wider
    tightens: bool = False  # it becomes narrower


class ActorChange(msgspec.Struct, frozen=True):
    """What happens to one actor, and why."""

    address: str
    kind: str
    action: str
    place: str  # where the actor is written; of one that goes: where it was
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""

    @property
    def loosens(self) -> bool:
        """Whether a limit of this actor becomes wider."""
        return any(one.loosens for one in self.fields)


class Plan(msgspec.Struct, frozen=True):
    """All changes between two deployments; `blocked` are those that no running node can make."""

    base_hash: str
    new_hash: str
    actors: tuple[ActorChange, ...] = ()
    blocked: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing changes."""
        return not (self.actors or self.blocked)

    @property
    def is_possible(self) -> bool:
        """A running node can make all of it."""
        return not self.blocked and all(one.action != BLOCKED for one in self.actors)

    @property
    def loosened(self) -> tuple[tuple[str, FieldChange], ...]:
        """The limits that become wider: (address, field)."""
        return tuple((one.address, field) for one in self.actors for field in one.fields if field.loosens)

    def of(self, action: str) -> tuple[str, ...]:
        """Return the addresses to which something happens."""
        return tuple(one.address for one in self.actors if one.action == action)


def compare(before: Topology, after: Topology, documents: tuple[Document, Document] | None = None) -> Plan:
    """Return what turns one deployment into the other.

    `documents` are what was written of each (resolved.py), where a topology has its sections from elsewhere.
    """
    old = {plan.address: plan for plan in before.actors}
    new = {plan.address: plan for plan in after.actors}
    changes = [
        ActorChange(address, plan.kind, REMOVE, str(plan.origin), _limits_of(plan, IN_FORCE, None))
        for address, plan in old.items()
        if address not in new
    ]
    for address, plan in new.items():
        if address not in old:
            fields = _limits_of(plan, None, OWN)
            changes.append(ActorChange(address, plan.kind, CREATE, str(plan.origin), fields))
        elif (change := _actor_change(old[address], plan)) is not None:
            changes.append(change)
    blocked = tuple(_blocked(*(documents or (resolved(before), resolved(after)))))
    return Plan(before.content_hash, after.content_hash, tuple(changes), blocked)


def _limits_of(plan: ActorPlan, before: str | None, after: str | None) -> tuple[FieldChange, ...]:
    """Tell of an actor that keeps limits and comes or goes: others hold from then on than before."""
    if plan.kind.partition(".")[0] not in LIMIT_KEEPERS:
        return ()
    return (FieldChange("limits", before, after, str(plan.origin), loosens=True),)


# -- one actor -----------------------------------------------------------------------------------------------


def _actor_change(old: ActorPlan, new: ActorPlan) -> ActorChange | None:
    place = str(new.origin)
    if old.kind != new.kind:
        text = f"it was {old.kind}: another kind cannot take over its state; give it another name"
        return ActorChange(new.address, new.kind, BLOCKED, place, reason=text)
    fields = (*_wiring(old, new), *_settings(old, new))
    if not fields:
        return None
    fixed = [one.path for one in fields if one.reload == Reload.FIXED]
    if fixed:
        return ActorChange(new.address, new.kind, BLOCKED, place, fields, f"{fixed[0]} {NEW_JOURNAL}")
    restarts = any(one.reload == Reload.RESTART for one in fields)
    return ActorChange(new.address, new.kind, RESTART if restarts else LIVE, place, fields)


def _wiring(old: ActorPlan, new: ActorPlan) -> Iterator[FieldChange]:
    """Who reads whom, who restarts it and how much may wait change between two turns."""
    heard, hears = set(old.reads), set(new.reads)  # in whatever order
    if heard != hears:
        place = str(new.origins.get("reads", new.origin))
        yield FieldChange("reads", sorted(heard - hears), sorted(hears - heard), place)
    for name in ("supervisor", "restart", "mailbox_capacity", "stop_timeout_ns"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield FieldChange(name, before, after, str(new.origins.get(name, new.origin)))
    was, will = dict(old.place.variables), dict(new.place.variables)
    if was != will:
        yield FieldChange("variables", was, will, str(new.origin), Reload.RESTART)


def _settings(old: ActorPlan, new: ActorPlan) -> Iterator[FieldChange]:
    if old.settings == new.settings:
        return
    about = dict(walk_fields(KINDS[new.kind].settings_class))
    before, after = _flat(old.settings, about), _flat(new.settings, about)
    for path in dict.fromkeys((*before, *after)):
        was, will = before.get(path), after.get(path)
        if was == will:
            continue
        field = about.get(path) or about.get(_of_any_entry(path))
        forced = _in_force(before, path), _in_force(after, path)
        is_wider = field is not None and _widens(field, *forced)
        place = new.origins.get(f"settings.{path}")
        yield FieldChange(
            path,
            *_shown(was, will, field),
            str(place) if place else "",
            field.reload if field else Reload.RESTART,
            is_wider,
            field is not None and not is_wider and _widens(field, *reversed(forced)),
        )


def _flat(settings: msgspec.Struct, about: dict[str, SettingField], prefix: str = "") -> dict[str, Any]:
    """Return values by dotted path, down to where a path stands for one value."""
    found: dict[str, Any] = {}
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, msgspec.Struct):
            found |= _flat(value, about, f"{prefix}{name}.")
        elif isinstance(value, dict) and any(isinstance(one, msgspec.Struct) for one in value.values()):
            for key, one in value.items():
                found |= _flat(one, about, f"{prefix}{name}.{key}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _of_any_entry(path: str) -> str:
    """Return `symbols.*.stop_loss` for `symbols.BTC_USDT_PERP.stop_loss`: fields of maps, by any key."""
    name, dot, rest = path.partition(".")
    return f"{name}.*.{rest.rpartition('.')[2]}" if dot else path


def _in_force(values: dict[str, Any], path: str) -> Any:
    """Return a value; of an entry's field that is not written that of the actor as a whole."""
    found = values.get(path)
    return values.get(path.rpartition(".")[2]) if found is None else found


def _widens(field: SettingField, before: Any, after: Any) -> bool:
    """Tell whether a change of a setting widens a limit; choices are compared by their order."""
    choices = field.ascending
    if choices:
        before, after = choices.index(before), choices.index(after)
    elif field.is_off_at_zero:
        before, after = before or None, after or None
    return loosens(field.risk, before, after)


def _shown(was: Any, will: Any, field: SettingField | None) -> tuple[Any, Any]:
    """Return both values as an operator writes them, without secrets."""
    if field is None:
        return was, will
    before, after = written(was, field.type), written(will, field.type)
    shown = masked_value(after, field.type)
    return masked_value(before, field.type), apart(before, after, shown)


def loosens(risk: str, before: Any, after: Any) -> bool:
    """Tell whether a change widens a limit. No limit at all is wider than any; a list is not compared."""
    if not risk or before == after:
        return False
    if before is None or after is None:
        return after is None
    if not isinstance(before, int) or not isinstance(after, int):
        return True
    return after > before if risk == "raise" else after < before


# -- what no running node can change -------------------------------------------------------------------------


def _blocked(before: Document, after: Document) -> Iterator[str]:
    for name in ("deployment", "mode", "seed", "journal_path"):
        if before[name] != after[name]:
            yield f"{name}: {before[name]} -> {after[name]} {NEW_JOURNAL}"
    for name in dict.fromkeys((*before["sections"], *after["sections"])):
        old, new = (_section(document, name) for document in (before, after))
        for key in dict.fromkeys((*old, *new)):
            if (name, key) == ("journal", "path"):
                continue  # `journal_path` is where that leads, however it is written
            if old.get(key) != new.get(key):
                yield f"{name}.{key}: {old.get(key)} -> {new.get(key)} {NEW_START}"
    if before["markets_hash"] != after["markets_hash"]:
        yield f"the markets files: {NEW_START}"
    if before["supervisors"] != after["supervisors"]:
        yield f"the supervisors: {NEW_START}"


def _section(document: Document, name: str) -> dict[str, Any]:
    """Return a section of a document; one written before there was such a section has its defaults."""
    found = document["sections"].get(name)
    return found if found is not None else written_struct(SECTIONS[name]()) if name in SECTIONS else {}
