"""Draws the lives of orders and amendments from their tables, into docs/order-lifecycle.md.

Run `python -m tests.unit.oms.lifecycle_picture` after a table has changed; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from actors.domain.amending import AMEND_ENDED, AMEND_TRANSITIONS, AmendState
from actors.domain.lifecycle import TERMINAL, TRANSITIONS, OrderState

DOCUMENT = Path(__file__).parents[3] / "docs" / "order-lifecycle.md"


def drawn(table: Mapping[tuple[Any, Any], Any], first: Enum, ends: Collection[Enum]) -> str:
    """Return a state diagram as Mermaid: one arrow for each pair of states, with what leads along it."""
    arrows: dict[tuple[Any, Any], list[str]] = {}
    for (state, event), following in table.items():
        arrows.setdefault((state, following), []).append(event.value)
    lines = ["```mermaid", "stateDiagram-v2", "  direction LR", f"  [*] --> {first.value}"]
    for (state, following), events in arrows.items():
        lines.append(f"  {state.value} --> {following.value}: {', '.join(events)}")
    lines += [f"  {state.value} --> [*]" for state in type(first) if state in ends]
    return "\n".join([*lines, "```", ""])


def picture() -> str:
    """Return the life of an order."""
    return drawn(TRANSITIONS, OrderState.SUBMITTING, TERMINAL)


def amend_picture() -> str:
    """Return the life of an amendment; `kept` is told without being entered on the record."""
    return drawn(AMEND_TRANSITIONS, AmendState.WAITING, AMEND_ENDED - {AmendState.KEPT})


PICTURES = {"the table": picture, "the table of amendments": amend_picture}


def drawn_into(document: str) -> str:
    """Return the document with the pictures of today's tables. Errors: ValueError without their markers."""
    for name, draw in PICTURES.items():
        block = re.compile(rf"(<!-- from {name}: begin -->\n).*?(<!-- from {name}: end -->)", re.DOTALL)
        document, count = block.subn(lambda found, draw=draw: found[1] + draw() + found[2], document)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"{DOCUMENT.name} must have the markers of {name} once, not {count} times")
    return document


if __name__ == "__main__":
    DOCUMENT.write_text(drawn_into(DOCUMENT.read_text("utf-8")), "utf-8")
