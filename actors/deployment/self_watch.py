"""What a node watches about itself: which looks there are, which alerts they raise, and which still hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from actors.alerter.state import AlerterState
from actors.deployment.sections import WatchSection
from actors.runtime.beat import Death
from actors.runtime.clock import monotonic_ns, wall_and_stopwatch_ns
from actors.runtime.clock_watch import ClockSteps
from actors.runtime.loop_watch import CommitLatency, LoopDelay, SelfWatch
from actors.runtime.memory_watch import MemoryWatch, allowed_bytes
from actors.runtime.messages import AlertResolved, Severity
from actors.runtime.node import Node
from actors.runtime.node_alert import NODE_SOURCE, NodeAlert

__all__ = ["alert_of", "end_strays", "held_by_node", "tell_of_death", "watched_beat"]

DEAD, STALLED = "NodeDead", "LoopStalled"


def _alerters(node: Node) -> list[AlerterState]:
    states = [getattr(cell.behaviour, "state", None) for cell in node.loop.cells.values()]
    return [state for state in states if isinstance(state, AlerterState)]


def held_by_node(node: Node) -> frozenset[str]:
    """Return the names of alerts that the node itself raised, in this life or before, and not ended."""
    return frozenset(
        alert.name
        for state in _alerters(node)
        for alert in state.alerts.values()
        if alert.source == NODE_SOURCE and not alert.over
    )


def end_strays(node: Node) -> None:
    """End the alerts of actors that the deployment has not any more: they cannot do it."""
    known = {*node.loop.cells, NODE_SOURCE}
    for state in _alerters(node):
        for alert in list(state.alerts.values()):
            if alert.source not in known and not alert.over:
                node.note(AlertResolved(alert.name, alert.key, alert.source, node.now_ns))


def alert_of(node: Node, name: str, severity: Severity, calm_ns: int = 0) -> NodeAlert:
    """Return an alert of the node, which holds already when the node before left it behind."""
    return NodeAlert(name, severity, node.note, calm_ns=calm_ns, holds=name in held_by_node(node))


def tell_of_death(alert: NodeAlert, node: Node, death: Death | None, silent_ns: int) -> None:
    """Say that the node before this one died, if it did, by its heart's word or else by the journal's."""
    if death is not None:
        text = f"the node died and was away for {death.away_s:.1f} s: {death.reason}"
        text += f"; its heart started it again (restart {death.restarts_count})"
    elif node.journal.was_cut_off:
        text = f"the node before did not end in order; its journal was silent for {silent_ns / 1e9:.0f} s"
    else:
        return
    alert.look(text, node.now_ns, monotonic_ns())


def watched_beat(
    node: Node,
    settings: WatchSection,
    beat: Callable[[], bool],
    death: Death | None,
    silent_ns: int,
) -> SelfWatch:
    """Return a beat that also looks at the node, about once a second."""
    calm_alert = partial(alert_of, node, calm_ns=settings.calm)
    stalled, dead = (
        calm_alert(STALLED, Severity.PAGE),
        alert_of(node, DEAD, Severity.PAGE, settings.death_calm),
    )
    tell_of_death(dead, node, death, silent_ns)
    if death is not None and death.is_stall:
        stalled.look(f"the loop stood still: {death.reason}", node.now_ns, monotonic_ns())
    memory_max = settings.memory_max or allowed_bytes()
    growth = MemoryWatch(memory_max, settings.memory_growth_max, settings.memory_settle)
    pairs: tuple[tuple[NodeAlert, Callable[[int], str]], ...] = (
        (stalled, LoopDelay(settings.loop_late_max).wrong),
        (dead, lambda _: ""),
        (calm_alert("JournalLag", Severity.PAGE), _latency(node, settings).wrong),
        (alert_of(node, "MemoryGrowing", Severity.TICKET), growth.wrong),
        (
            calm_alert("ClockStep", Severity.TICKET),
            ClockSteps(settings.clock_step_max, _readings(node)).wrong,
        ),
    )

    def look(reading_ns: int) -> None:
        for one, judge in pairs:
            one.look(judge(reading_ns), node.now_ns, reading_ns)

    return SelfWatch(beat, (look,))


def _readings(node: Node) -> Callable[[], tuple[int, int, int]]:
    """Return what reads the stopwatch and the clock that the node lives by."""

    def read() -> tuple[int, int, int]:
        before_ns, wall_ns, after_ns = wall_and_stopwatch_ns()
        return before_ns, wall_ns + getattr(node.loop.clock, "offset_ns", 0), after_ns

    return read


def _latency(node: Node, settings: WatchSection) -> CommitLatency:
    counters: Any = node.loop.counters

    def read() -> tuple[int, int]:
        return counters.commits + counters.syncs, counters.commit_ns + counters.sync_ns

    def waiting() -> int:
        return node.loop.inlet.waiting_count

    most = node.loop.limits.inlet_max
    return CommitLatency(read, waiting, settings.commit_max, settings.commit_for, most)
