"""The tree of supervisors: one root, no circles, everybody under somebody who is declared."""

from __future__ import annotations

from collections.abc import Mapping

from actors.deployment.conversion import Converter
from actors.deployment.expansion import Draft
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Origin, Span
from actors.deployment.sections import SupervisorSection
from actors.deployment.topology import SupervisorPlan
from actors.deployment.yaml_tree import Map, Node, Scalar

__all__ = ["ROOT", "adopt", "read_supervisors"]

ROOT = "root"
NOWHERE: Mapping[str, Origin] = {}


def read_supervisors(node: Node | None, log: FaultLog) -> dict[str, SupervisorPlan]:
    """Return the declared supervisors by name, in order; one root when none is declared."""
    plans: dict[str, SupervisorPlan] = {}
    for name, entry in node.values.items() if isinstance(node, Map) else ():
        key = node.keys[name] if isinstance(node, Map) else Scalar(entry.span, name, name)
        if isinstance(entry, Scalar) and entry.value is None:
            log.add("E103", key.span, f"supervisor {name!r} has no value", "write '{}' to take every default")
        elif isinstance(entry, Map):
            about = f"supervisor {name!r}"
            converter = Converter(log, about)
            section = converter.settings(SupervisorSection, entry, missing_at=key.span)
            plans[name] = _plan(name, section or _only_parent(entry), key.span, converter.origins)
    if not plans:
        return {ROOT: _plan(ROOT, SupervisorSection(), None)}
    if isinstance(node, Map):
        _check_tree(plans, node, log)
    return plans


def _only_parent(entry: Map) -> SupervisorSection:
    """Return what can be known of a faulty entry, so that one fault does not lead to others."""
    parent = entry.get("parent")
    return SupervisorSection(parent=parent.text if isinstance(parent, Scalar) else "")


def _plan(
    name: str, section: SupervisorSection, span: Span | None, origins: Mapping[str, Origin] = NOWHERE
) -> SupervisorPlan:
    return SupervisorPlan(
        name=name,
        parent=section.parent or None,
        strategy=section.strategy,
        intensity=section.intensity,
        period_ns=section.period,
        exhausted=section.exhausted,
        backoff_ns_min=section.backoff_min,
        backoff_ns_max=section.backoff_max,
        origin=span.origin if span else None,
        origins=origins,
    )


def _check_tree(plans: dict[str, SupervisorPlan], node: Map, log: FaultLog) -> None:
    places = {name: node.keys[name].span for name in plans}
    roots = [name for name, plan in plans.items() if plan.parent is None]
    for name in roots[1:]:
        first = places[roots[0]].seen_from(places[name].source.name)
        message = f"supervisor {name!r} has no parent, and neither has {roots[0]!r}"
        help = f"write 'parent: {roots[0]}' (declared at {first})"
        log.add("E206", places[name], message, help)
    for name, plan in plans.items():
        if plan.parent is not None and plan.parent not in plans:
            others = {other: span for other, span in places.items() if other != name}
            span = _parent_span(node, name)
            help = did_you_mean(plan.parent, others, span.source.name)
            log.add(
                "E204",
                span,
                f"supervisor {name!r} has the parent {plan.parent!r}, which is not declared",
                help,
            )
    for name in _in_circles(plans):
        log.add("E205", _parent_span(node, name), f"supervisor {name!r} is, in the end, its own parent")


def _parent_span(node: Map, name: str) -> Span:
    entry = node.values[name]
    parent = entry.get("parent") if isinstance(entry, Map) else None
    return parent.span if parent is not None else node.keys[name].span


def _in_circles(plans: dict[str, SupervisorPlan]) -> list[str]:
    """Return one supervisor of each circle: the one declared first."""
    found: list[str] = []
    told: set[str] = set()
    for name in plans:
        if name in told:
            continue
        chain: list[str] = []
        step: str | None = name
        while step is not None and step in plans and step not in chain and step not in told:
            chain.append(step)
            step = plans[step].parent
        if step == name:
            found.append(name)
        if step in chain:
            told.update(chain)
    return found


def adopt(
    drafts: list[Draft], plans: dict[str, SupervisorPlan], node: Node | None, log: FaultLog
) -> dict[str, str]:
    """Return every actor's supervisor by address; note unknown ones, and supervisors without children."""
    places = {name: key.span for name, key in node.keys.items()} if isinstance(node, Map) else {}
    root = next((name for name, plan in plans.items() if plan.parent is None), ROOT)
    chosen: dict[str, str] = {}
    for draft in drafts:
        said = draft.entry.get("supervisor")
        name = said.text if isinstance(said, Scalar) and isinstance(said.value, str) else root
        chosen[draft.address] = name
        if said is not None and name not in plans and name != root:
            message = f"actor {draft.name!r} has the supervisor {name!r}, which is not declared"
            log.add("E204", said.span, message, did_you_mean(name, places, said.span.source.name))
    used = {*chosen.values(), *(plan.parent for plan in plans.values())}
    for name, span in places.items():
        if name in plans and name not in used:
            log.add("W403", span, f"supervisor {name!r} has no children")
    return chosen
