"""Draws the state machine of each type of parent order from its table, into docs/parent-orders.md.

Run `python -m tests.unit.oms.parent_pictures` after a table has changed; a test compares.
"""

from __future__ import annotations

import re
from pathlib import Path

from actors.domain.parent_states import PARENT_ENDED, ParentState
from actors.oms.parents.kind import ParentKind
from actors.oms.parents.registry import PARENTS

DOCUMENT = Path(__file__).parents[3] / "docs" / "parent-orders.md"
KINDS = {kind.name: kind for kind in PARENTS.values()}
BEGINS = {
    "trailing_stop": (ParentState.WAITING, ParentState.TRAILING),
    "bracket": (ParentState.ENTERING,),
    "close_all": (ParentState.FIRING,),
    **dict.fromkeys(("twap", "vwap", "iceberg"), (ParentState.WORKING,)),
}
BLOCK = re.compile(
    r"(<!-- from the table of (\w+): begin -->\n).*?(<!-- from the table of \2: end -->)", re.DOTALL
)


def begins(kind: ParentKind) -> tuple[ParentState, ...]:
    """Return the states in which a type may begin."""
    return BEGINS.get(kind.name, (ParentState.WAITING,))


def picture(kind: ParentKind) -> str:
    """Return the state diagram as Mermaid: one arrow for each pair of states, with what leads along it."""
    arrows: dict[tuple[ParentState, ParentState], list[str]] = {}
    for (state, event), following in kind.table.items():
        arrows.setdefault((state, following), []).append(event.value)
    lines = ["```mermaid", "stateDiagram-v2", "  direction LR"]
    lines += [f"  [*] --> {state.value}" for state in begins(kind)]
    for (state, following), events in arrows.items():
        lines.append(f"  {state.value} --> {following.value}: {', '.join(events)}")
    reached = {following for _, following in arrows}
    lines += [f"  {state.value} --> [*]" for state in ParentState if state in PARENT_ENDED & reached]
    return "\n".join([*lines, "```", ""])


def drawn_into(document: str) -> str:
    """Return the document with the pictures of today's tables. Errors: KeyError without such a type."""
    return BLOCK.sub(lambda found: found[1] + picture(KINDS[found[2]]) + found[3], document)


if __name__ == "__main__":
    DOCUMENT.write_text(drawn_into(DOCUMENT.read_text("utf-8")), "utf-8")
