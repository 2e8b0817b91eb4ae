"""Draws the order lifecycle from its table, into docs/order-lifecycle.md.

Run `python -m tests.unit.oms.lifecycle_picture` after the table has changed; a test compares.
"""

from __future__ import annotations

import re
from pathlib import Path

from actors.domain.lifecycle import TERMINAL, TRANSITIONS, OrderState

DOCUMENT = Path(__file__).parents[3] / "docs" / "order-lifecycle.md"
BLOCK = re.compile(r"(<!-- from the table: begin -->\n).*?(<!-- from the table: end -->)", re.DOTALL)


def picture() -> str:
    """Return the state diagram as Mermaid: one arrow for each pair of states, with what leads along it."""
    arrows: dict[tuple[OrderState, OrderState], list[str]] = {}
    for (state, event), following in TRANSITIONS.items():
        arrows.setdefault((state, following), []).append(event.value)
    lines = ["```mermaid", "stateDiagram-v2", "  direction LR", f"  [*] --> {OrderState.SUBMITTING.value}"]
    for (state, following), events in arrows.items():
        lines.append(f"  {state.value} --> {following.value}: {', '.join(events)}")
    lines += [f"  {state.value} --> [*]" for state in OrderState if state in TERMINAL]
    return "\n".join([*lines, "```", ""])


def drawn_into(document: str) -> str:
    """Return the document with the picture of today's table. Errors: ValueError without its markers."""
    text, count = BLOCK.subn(lambda found: found[1] + picture() + found[2], document)
    if count != 1:
        raise ValueError(f"{DOCUMENT.name} must have the markers of the picture once, not {count} times")
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(drawn_into(DOCUMENT.read_text("utf-8")), "utf-8")
