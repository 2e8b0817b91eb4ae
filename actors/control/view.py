"""The view: one object with everything the terminal shows, built from samples of the node."""

from __future__ import annotations

from collections import deque
from typing import Any

from actors.control.event_text import event_text
from actors.control.sampler import ActorSample, Sample
from actors.control.trading_view import Instruments, trading_view
from actors.runtime.behaviour import Phase

__all__ = ["ViewBuilder"]

SAMPLES_KEPT = 6  # rates are taken over the last few seconds
EVENTS_SHOWN = 20


class ViewBuilder:
    """Turns samples into views; remembers a few of them to know rates."""

    def __init__(self, facts: dict[str, Any], instruments: Instruments) -> None:
        self._facts = facts
        self._instruments = instruments
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_KEPT)

    def build(self, sample: Sample, events: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the view of a sample and of the newest events (newest last)."""
        if not self._samples or sample is not self._samples[-1]:
            self._samples.append(sample)
        before = self._samples[0]
        elapsed_s = max((sample.taken_ns - before.taken_ns) / 1e9, 0.0)
        started = {actor.address: actor for actor in before.actors}
        return {
            **self._facts,
            "at_ns": sample.at_ns,
            "ready": sample.ready,
            "phase": phase_name(sample.phase),
            "loop": self._loop(sample, before, elapsed_s),
            "journal": self._journal(sample, before, elapsed_s),
            "supervisors": [
                {
                    "name": found.name,
                    "parent": found.parent,
                    "strategy": found.strategy,
                    "restarts": found.restarts,
                    "intensity": found.intensity,
                    "exhausted": found.exhausted,
                }
                for found in sample.supervisors
            ],
            "actors": [
                actor_view(actor, _rate(actor, started.get(actor.address), elapsed_s))
                for actor in sample.actors
            ],
            "restarts": sum(actor.restarts for actor in sample.actors),
            "failures": sample.counters["failures"],
            **trading_view(sample.descriptions, self._instruments),
            "events": [
                {**event, "text": event_text(event["fields"], self._instruments)}
                for event in events[-EVENTS_SHOWN:]
            ],
        }

    def _loop(self, sample: Sample, before: Sample, elapsed_s: float) -> dict[str, Any]:
        now, then = sample.counters, before.counters
        return {
            "turns": now["turns"],
            "inputs": now["inputs"],
            "messages": now["messages"],
            "messages_per_s": _per_second(now["messages"] - then["messages"], elapsed_s),
            "busy_fraction": round(min(1.0, (now["busy_ns"] - then["busy_ns"]) / 1e9 / elapsed_s), 4)
            if elapsed_s
            else 0.0,
            "conflated": now["conflated"],
            "refused": now["refused"],
            "dropped": now["dropped"],
            "dead_letters": now["dead_letters"],
            "delay_ms": round(sample.loop_delay_ns / 1e6, 3),
        }

    def _journal(self, sample: Sample, before: Sample, elapsed_s: float) -> dict[str, Any]:
        now, then = sample.counters, before.counters
        commits = now["commits"] - then["commits"] or now["commits"]
        commit_ns = now["commit_ns"] - then["commit_ns"] or now["commit_ns"]
        return {
            "sequence": sample.sequence,
            "turn": sample.turn,
            "events": now["events"],
            "events_per_s": _per_second(now["events"] - then["events"], elapsed_s),
            "commits": now["commits"],
            "commit_ms": round(commit_ns / commits / 1e6, 3) if commits else 0.0,
            "commit_ms_last": round(now["commit_ns_last"] / 1e6, 3),
            "written_at_ns": sample.written_at_ns,
            "used_bytes": sample.disk_bytes,
            "limit_bytes": sample.disk_bytes_max,
        }


def actor_view(actor: ActorSample, rate: float) -> dict[str, Any]:
    """Return one actor's line of the tree."""
    return {
        "address": actor.address,
        "kind": actor.kind,
        "supervisor": actor.supervisor,
        "phase": phase_name(actor.phase),
        "state": actor.state,
        "ready": actor.ready,
        "waiting": actor.waiting,
        "capacity": actor.capacity,
        "handled": actor.handled,
        "handled_per_s": rate,
        "restarts": actor.restarts,
        "failures": actor.failures,
        "refused": actor.refused,
        "recovery_ms": round(actor.recovery_ns / 1e6, 3),
        "last_error": actor.last_error,
    }


def phase_name(phase: int) -> str:
    """Return a phase in words; a node that has not started anything is `recovering`."""
    return Phase(phase).name.lower() if phase >= 0 else "recovering"


def _rate(actor: ActorSample, before: ActorSample | None, elapsed_s: float) -> float:
    return 0.0 if before is None else _per_second(actor.handled - before.handled, elapsed_s)


def _per_second(count: int, elapsed_s: float) -> float:
    return round(count / elapsed_s, 1) if elapsed_s else 0.0
