"""The fault matrix: each fault alone, what an operator sees of it, what the system does, and for how long.

`python -m actors.simulation.fault_matrix docs/fault-matrix.md` runs all of them and writes the page; a test
holds the page against new runs. Times are told as classes: a page outlives what moves a millisecond.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from actors.deployment.topology import Topology
from actors.oms.events import OrderStateChanged, OrderSubmitted
from actors.reconciler.events import DifferenceResolved
from actors.risk.events import GateMoved
from actors.runtime.codec import decoder_for, message_name
from actors.runtime.journal import read_turns
from actors.runtime.messages import Message
from actors.simulation.bundle import Recipe
from actors.simulation.faults import KINDS, Fault
from actors.simulation.run import SeedRun

__all__ = ["MatrixRow", "matrix_page", "matrix_row"]

SECOND_NS = 1_000_000_000
FROM_MS, FOR_MS, ALL_MS = 43_000, 30_000, 400_000
SEED = 3
DEPLOYMENT = Path("config") / "local.yaml"
VALUES = {
    "delay": 3_000,
    "reorder_frame": 500,
    "kill_before_write": 5,
    "kill_after_write": 5,
    "disk_fail": 1,
    "disk_slow": 50,
    "clock_step": 5_000,
    "clock_drift": 10_000,
    "venue_skew": 5_000,
    "venue_lag": 10_000,
    "hand_trade": 1,
    "hand_leverage": 2,
    "hand_transfer": 25,
    "halt": 10_000,
}
TARGETS = {"crash_cell": "oms/main", "venue_mute": "orders"}
LASTING = {"hand_close_untold": 100_000, "hand_order": 90_000, "hand_leverage": 100_000}
CLASSES_S = ((1, "1 s"), (5, "5 s"), (15, "15 s"), (60, "1 min"), (300, "5 min"))
SEEN_MAX = 6
HEAD = f"""# The fault matrix

Each fault of the [simulation](simulation.md#the-faults) alone, against `config/local.yaml`, unchanged, in
virtual time: from second {FROM_MS // 1_000} on, for {FOR_MS // 1_000} s where it lasts. Made from runs by
`python -m actors.simulation.fault_matrix docs/fault-matrix.md`; a test holds this page against new runs.
Every run kept all promises of the simulation: nothing lost, doubled or guessed, and books that agree in the
end to the last unit.

*First sign*: from the beginning of the fault to the first alert, or the first thing that is done about it.
*Trades again*: when orders leave, counted from the end of the fault.

| fault | what happens | the operator sees | the system does | first sign | trades again |
|---|---|---|---|---|---|"""


class MatrixRow(NamedTuple):
    """One fault, as it was measured."""

    kind: str
    what: str  # happens
    seen: str
    done: str
    first_sign: str
    trades_again: str


def matrix_row(topology: Topology, kind: str) -> MatrixRow:
    """Run one fault and tell what came of it. Errors: AssertionError when a promise was broken."""
    for_ms = LASTING.get(kind, FOR_MS)
    fault = Fault(
        number=0,
        kind=kind,
        at_ms=FROM_MS,
        for_ms=for_ms,
        value=VALUES.get(kind, 0),
        target=TARGETS.get(kind, ""),
    )
    run = SeedRun(topology, SEED, [fault], ALL_MS * 1_000_000)
    begin_ns = run.world.now_ns + FROM_MS * 1_000_000
    until_ns = run.world.now_ns + ALL_MS * 1_000_000  # then the run is halted, and judged
    alerts = _Watch(run, until_ns)
    outcome = run.run()
    broken = [f"{one.invariant}: {one.detail}" for one in outcome.violations]
    if broken:
        raise AssertionError(f"{kind}: {broken}")
    events = [one for one in _events(run) if one[0] < until_ns]
    first_ns = min([*alerts.first.values(), *_reactions(events, begin_ns)], default=0)
    sign = _class_of(first_ns - begin_ns) if first_ns else "none"
    again = _trades_again(alerts.halts, events, begin_ns, begin_ns + for_ms * 1_000_000)
    done = _done(alerts.restarts, events, begin_ns, outcome.deaths_count)
    return MatrixRow(kind, KINDS[kind], alerts.text(begin_ns), done, sign, again)


class _Watch:
    """Looks every second which alerts hold, which halts are in force, and how many actors have restarted."""

    def __init__(self, run: SeedRun, until_ns: int) -> None:
        self._run = run
        self._until_ns = until_ns
        self.halts: list[str] = []
        self.restarts = 0
        self.first: dict[tuple[str, str], int] = {}  # (severity, name) -> when it was seen first
        run.world.after(SECOND_NS, self._look)

    def _look(self) -> None:
        world = self._run.world
        if world.now_ns >= self._until_ns:
            return
        if not world.ended:
            self.halts, self.restarts = sorted(_halts(self._run)), _restarts(self._run)
        cell = None if world.ended else world.node.loop.cells.get("alerter")
        for alert in cell.behaviour.describe()["active"] if cell is not None else ():
            severity = getattr(alert["severity"], "name", str(alert["severity"])).lower()
            self.first.setdefault((severity, alert["name"]), world.now_ns)
        world.after(SECOND_NS, self._look)

    def text(self, begin_ns: int) -> str:
        """Return the alerts that came with the fault, the first ones first."""
        shown = sorted((at_ns, key) for key, at_ns in self.first.items() if at_ns >= begin_ns)
        return ", ".join(f"{severity} `{name}`" for _, (severity, name) in shown[:SEEN_MAX]) or "nothing"


Happened = list[tuple[int, str, Any]]


def _events(run: SeedRun) -> Happened:
    """Return (time, cell, event) of what the journal says."""
    kinds: tuple[type[Message], ...] = (GateMoved, DifferenceResolved, OrderStateChanged, OrderSubmitted)
    decode = decoder_for(kinds).decode
    tags = tuple(message_name(kind).encode() for kind in kinds)
    return [
        (turn.at_ns, entry.cell, decode(entry.event))
        for turn in read_turns(run.world.store)
        for entry in turn.entries
        if any(tag in bytes(memoryview(entry.event)[:40]) for tag in tags)
    ]


def _reactions(events: Happened, begin_ns: int) -> list[int]:
    """Return when something was done about it."""
    return [
        at_ns
        for at_ns, _, event in events
        if at_ns >= begin_ns
        and (
            isinstance(event, DifferenceResolved)
            or (isinstance(event, GateMoved) and not event.open)
            or (isinstance(event, OrderStateChanged) and event.event.value == "answer_lost")
        )
    ]


def _done(restarts: int, events: Happened, begin_ns: int, deaths: int) -> str:
    parts = []
    if deaths:
        parts.append(
            f"the process dies {deaths} times and recovers" if deaths > 1 else "the process recovers"
        )
    if restarts and not deaths:
        parts.append("the actor, and those behind it, recover")
    later = [event for at_ns, _, event in events if at_ns >= begin_ns]
    if any(isinstance(event, GateMoved) and not event.open for event in later):
        parts.append("reductions only until books agree")
    lost = any(isinstance(event, OrderStateChanged) and event.event.value == "answer_lost" for event in later)
    if lost:
        parts.append("orders in doubt are asked about")
    acts = Counter(f"{event.kind}: {event.act}" for event in later if isinstance(event, DifferenceResolved))
    parts += sorted(acts)
    return "; ".join(parts) or "goes on"


def _restarts(run: SeedRun) -> int:
    return sum(cell.restarts_count for cell in run.world.node.loop.cells.values())


def _trades_again(halts: list[str], events: Happened, begin_ns: int, end_ns: int) -> str:
    """Return how long after the fault's end orders leave again, and what a person has to do."""
    after = [at_ns for at_ns, _, event in events if at_ns >= end_ns and isinstance(event, OrderSubmitted)]
    during = [
        at_ns
        for at_ns, _, event in events
        if begin_ns <= at_ns < end_ns and isinstance(event, OrderSubmitted)
    ]
    if halts and not after:
        return "when a person resumes " + ", ".join(f"`{scope}`" for scope in halts)
    text = (
        "all the time"
        if _is_steady(during, begin_ns, end_ns)
        else _class_of(after[0] - end_ns)
        if after
        else "no"
    )
    if halts:
        text += "; there when a person resumes " + ", ".join(f"`{scope}`" for scope in halts)
    return text


def _is_steady(orders: list[int], begin_ns: int, end_ns: int) -> bool:
    """Tell whether orders left all along, without a pause of ten seconds."""
    marks = [begin_ns, *orders, end_ns]
    return all(after - before < 10 * SECOND_NS for before, after in pairwise(marks))


def _halts(run: SeedRun) -> set[str]:
    found: set[str] = set()
    for cell in run.world.node.loop.cells.values():
        if cell.kind == "risk":
            behaviour: Any = cell.behaviour
            found |= set(behaviour.state.halts)
    return found


def _class_of(duration_ns: int) -> str:
    for seconds, text in CLASSES_S:
        if duration_ns < seconds * SECOND_NS:
            return f"within {text}"
    return "minutes"


def matrix_page(rows: list[MatrixRow]) -> str:
    """Return the page."""
    lines = [HEAD]
    for row in rows:
        lines.append(
            f"| `{row.kind}` | {row.what} | {row.seen} | {row.done} | {row.first_sign} | {row.trades_again} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run everything and write the page named on the command line."""
    topology = Recipe((str(DEPLOYMENT.absolute()),)).topology()
    rows = []
    for kind in KINDS:
        rows.append(matrix_row(topology, kind))
        sys.stderr.write(f"{kind}: {rows[-1].done}\n")
    Path(sys.argv[1]).write_text(matrix_page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
