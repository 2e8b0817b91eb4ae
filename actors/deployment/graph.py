"""Who reads whom, drawn: Mermaid for documents, DOT for Graphviz, text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from actors.deployment.quantities import format_duration
from actors.deployment.topology import Edge, SupervisorPlan, Topology

__all__ = ["graph"]

MESSAGES_SHOWN = 3


def graph(topology: Topology, form: Literal["mermaid", "dot", "text"] = "text") -> str:
    """Return a drawing of a deployment's actors under their supervisors, and of what flows between them."""
    draw = {"mermaid": _mermaid, "dot": _dot, "text": _text}[form]
    return "\n".join(draw(topology)) + "\n"


def _label(edge: Edge) -> str:
    more = len(edge.messages) - MESSAGES_SHOWN
    shown = ", ".join(edge.messages[:MESSAGES_SHOWN])
    return f"{shown} +{more}" if more > 0 else shown


def _mermaid(topology: Topology) -> Iterator[str]:
    ids = {plan.address: f"a{index}" for index, plan in enumerate(topology.actors)}
    yield "flowchart LR"
    for supervisor in topology.supervisors:
        members = [plan for plan in topology.actors if plan.supervisor == supervisor.name]
        if members:
            yield f'  subgraph {supervisor.name}["{supervisor.name}: {supervisor.strategy}"]'
            yield from (f'    {ids[plan.address]}["{plan.address}<br/>{plan.kind}"]' for plan in members)
            yield "  end"
    for edge in topology.edges:
        yield f'  {ids[edge.source]} -->|"{_label(edge)}"| {ids[edge.reader]}'


def _dot(topology: Topology) -> Iterator[str]:
    yield f'digraph "{topology.deployment}" {{'
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    for supervisor in topology.supervisors:
        members = [plan for plan in topology.actors if plan.supervisor == supervisor.name]
        if members:
            yield f'  subgraph "cluster_{supervisor.name}" {{'
            yield f'    label="{supervisor.name}: {supervisor.strategy}";'
            yield from (f'    "{plan.address}" [label="{plan.address}\\n{plan.kind}"];' for plan in members)
            yield "  }"
    for edge in topology.edges:
        yield f'  "{edge.source}" -> "{edge.reader}" [label="{_label(edge)}"];'
    yield "}"


def _text(topology: Topology) -> Iterator[str]:
    yield f"{topology.deployment} ({topology.mode})"
    yield from _branch(topology, None, "")
    yield ""
    yield "who reads whom:"
    for plan in topology.actors:
        yield f"  {plan.address}"
        for edge in topology.edges:
            if edge.reader == plan.address:
                yield f"    <- {edge.source}: {', '.join(edge.messages)}"


def _branch(topology: Topology, parent: str | None, indent: str) -> Iterator[str]:
    children: list[tuple[str, str | None]] = [
        (_limits(plan), plan.name) for plan in topology.supervisors if plan.parent == parent
    ]
    actors = [plan for plan in topology.actors if plan.supervisor == parent]
    children += [(f"{plan.address} ({plan.kind})", None) for plan in actors]
    for index, (label, name) in enumerate(children):
        last = index == len(children) - 1
        yield f"{indent}{'└─' if last else '├─'} {label}"
        if name is not None:
            yield from _branch(topology, name, indent + ("   " if last else "│  "))


def _limits(plan: SupervisorPlan) -> str:
    period = format_duration(plan.period_ns)
    return f"{plan.name} [{plan.strategy}, {plan.intensity} in {period}, then {plan.exhausted}]"
