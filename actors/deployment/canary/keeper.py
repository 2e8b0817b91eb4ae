"""The life of a canary: a part of a change is begun, watched, and promoted or rolled back.

Whether one runs is told by the newest generation alone: nothing else has to be kept. A node that ends while
one runs begins with the generation before it (deployment/beginning.py): what was not proven is not trusted.
"""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from actors.alerter.state import AlerterState
from actors.deployment.applying import ROLLED_BACK, Applied, Applier, NotApplied, Wish, refuse_beside_canary
from actors.deployment.canary.criteria import Measures, broken, percentile
from actors.deployment.canary.measuring import Gauge
from actors.deployment.canary.part import owned_by, owners, part_of
from actors.deployment.canary.settings import CanarySection
from actors.deployment.changes import ActorChange
from actors.deployment.faults import nearest
from actors.deployment.generations import CanaryTerms, Generation
from actors.deployment.resolved import from_resolved, resolved
from actors.messages.canary import CanaryBegan, CanaryEnded
from actors.runtime.node import Node

__all__ = ["CanaryKeeper"]

LOOK_S = 1.0
PROVE_S = 5.0
KEEPER = "canary"  # who promotes and rolls back by itself
SECOND_NS = 1_000_000_000
NAMES_SHOWN = 8


class CanaryKeeper:
    """Runs beside the loop. One canary at a time; `look` judges it."""

    def __init__(
        self, applier: Applier, node: Node, settings: CanarySection, prove_s: float = PROVE_S
    ) -> None:
        self._applier = applier
        self._node = node
        self._settings = settings
        self._prove_s = prove_s  # for so long the rest must run well once it is promoted
        self._over = threading.Event()
        self._judging = threading.Lock()
        self._running: tuple[Generation, Gauge] | None = None
        self._measures: Measures | None = None
        self._thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def start(self) -> None:
        """Look now and then until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End looking; a canary that runs is rolled back by the next start."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._over.wait(LOOK_S):
            try:
                self.look()
            except NotApplied:  # the loop stood still: it is looked at again
                continue

    # -- what operators ask ------------------------------------------------------------------------------

    def begin(self, wish: Wish, target: str, for_ns: int) -> Applied:
        """Bring in what a symbol or account owns of a change. Errors: NotApplied."""
        approved_by, part, terms = self._part(wish, target, for_ns)
        applied = self._applier.apply(
            msgspec.structs.replace(wish, document=part, terms=terms, approver=approved_by or wish.approver)
        )
        if applied.taken_back:
            return applied
        current = self._applier.current()
        if current is None or current.canary is None:
            raise NotApplied("another generation came meanwhile", "plan it again")
        owned = owned_by(target, current.document)
        with self._judging:
            gauge = Gauge(self._node, self._applier.inside, target, owned, terms.changed)
            self._running, self._measures = (current, gauge), None
        self._note(
            CanaryBegan(
                *(current.number, target, terms.changed, terms.deferred, terms.until_ns),
                *(wish.actor, wish.reason),
            )
        )
        return applied

    def promote(self, actor: str, reason: str) -> Applied:
        """Bring in the rest now. What cannot be brought in takes the canary back. Errors: NotApplied."""
        with self._judging:
            return self._promote(self._canary(), actor, reason)

    def abort(self, actor: str, reason: str) -> int:
        """Bring back the generation before the canary; return its number now. Errors: NotApplied."""
        with self._judging:
            return self._go_back(self._canary(), "aborted", actor, reason)

    def status(self) -> dict[str, Any]:
        """Return how a canary stands; `running` is false without one."""
        current = self._applier.current()
        terms = current.canary if current is not None else None
        if current is None or terms is None:
            return {"running": False}
        found = {"generation": current.number, "target": terms.target, "base": terms.base}
        found |= {"until_ns": terms.until_ns, "changed": terms.changed, "deferred": terms.deferred}
        found |= {"left_s": round(self.left_s()), "reason": current.reason, "actor": current.actor}
        return {"running": True, **found, "measures": _shown(self._measures), "limits": self._limits()}

    def left_s(self) -> float:
        """Return the seconds until the canary is promoted; 0 without one."""
        running = self._running
        if running is None or running[0].canary is None:
            return 0.0
        return max(0.0, (running[0].canary.until_ns - self._node.loop.clock.now_ns()) / SECOND_NS)

    # -- judging -----------------------------------------------------------------------------------------

    def look(self) -> None:
        """Promote what has done well for long enough, roll back what does not. Errors: NotApplied."""
        with self._judging:
            self._end_acknowledged()
            if self._running is None:
                return
            (canary, gauge), terms = self._running, self._running[0].canary
            if terms is None or self._applier.generations.numbers()[-1] != canary.number:
                self._superseded(canary)
                return
            self._measures = gauge.measure()
            why = broken(self._settings, self._measures)
            if why:
                self._go_back(canary, "rolled back", KEEPER, why)
            elif self._node.loop.clock.now_ns() >= terms.until_ns:
                self._promote(canary, KEEPER, "it did well until the end")

    def _promote(self, canary: Generation, actor: str, reason: str) -> Applied:
        terms = _terms(canary)
        words = f"{canary.reason + '; ' if canary.reason else ''}canary of {terms.target} promoted: {reason}"
        wish = Wish(
            terms.wanted, canary.number, actor, words, canary.approver, self._prove_s, ends_canary=True
        )
        try:
            applied = self._applier.apply(wish)
        except NotApplied as fault:
            if actor != KEEPER:
                raise
            self._go_back(canary, "rolled back", KEEPER, f"the rest could not be brought in: {fault}")
            raise
        if applied.taken_back:
            newest = self._applier.generations.numbers()[-1]
            why = f"the rest could not be brought in: {applied.taken_back}"
            self._go_back(canary, "rolled back", KEEPER, why, newest)
        else:
            self._ended(applied.generation, terms.target, "promoted", actor, reason)
        return applied

    def _go_back(self, canary: Generation, outcome: str, actor: str, why: str, newest: int = 0) -> int:
        terms = _terms(canary)
        document = self._applier.generations.read(terms.base).document
        words = f"canary of {terms.target} {outcome}: {why}"
        number = self._applier.go_back(Wish(document, newest or canary.number, actor, words, of=terms.base))
        if outcome == "rolled back":
            text = f"the canary of {terms.target}, generation {canary.number}, was rolled back: {why}"
            self._applier.tell_rolled_back(text)
        self._ended(number, terms.target, outcome, actor, why)
        return number

    def _superseded(self, canary: Generation) -> None:
        """Somebody went back to an earlier generation beside the canary."""
        newest = self._applier.current()
        number, actor, reason = (newest.number, newest.actor, newest.reason) if newest else (0, "", "")
        self._ended(number, _terms(canary).target, "superseded", actor, reason)

    def _ended(self, generation: int, target: str, outcome: str, actor: str, reason: str) -> None:
        self._running = self._measures = None
        self._note(CanaryEnded(generation, target, outcome, actor, reason))

    def _end_acknowledged(self) -> None:
        """Somebody takes care of a canary that was rolled back: there is nothing else to wait for."""
        for cell in list(self._node.loop.cells.values()):
            state = getattr(cell.behaviour, "state", None)
            alerts = list(state.alerts.values()) if isinstance(state, AlerterState) else []
            if any(one.name == ROLLED_BACK and not one.over and one.acknowledgement for one in alerts):
                self._applier.tell_rolled_back("")

    # -- the part ----------------------------------------------------------------------------------------

    def _part(self, wish: Wish, target: str, for_ns: int) -> tuple[str, dict[str, Any], CanaryTerms]:
        """Return who approved the whole, what comes first, and on which terms. The whole must be possible."""
        refuse_beside_canary(self._applier.current(), wish)
        meant, whole = self._applier.plan(wish.document)
        self._applier.refuse(whole, wish)
        approved_by = self._applier.approved(meant, whole, wish)
        wanted = {**wish.document, "content_hash": meant.content_hash}
        topology = self._applier.topology
        before = resolved(topology)
        known = owners(before) | owners(wish.document)
        if target not in known:
            close = nearest(target, known)
            raise NotApplied(
                f"no actor belongs to {target!r}",
                f"did you mean {close!r}?"
                if close
                else f"there are {', '.join(sorted(known)[:NAMES_SHOWN])}",
                refused=True,
            )
        part = part_of(before, wish.document, target)
        part["content_hash"] = from_resolved(part, topology).content_hash
        plan = self._applier.plan(part)[1]
        owned = owned_by(target, before, wish.document)
        changed = tuple(one.address for one in plan.actors if one.address in owned)
        if not changed:
            text = (
                f"none of the changes is of {target} alone: {', '.join(_words(whole.actors)[:NAMES_SHOWN])}"
            )
            raise NotApplied(text, "apply it without --canary, or name another symbol", refused=True)
        done = set(plan.actors)
        deferred = tuple(_words(one for one in whole.actors if one not in done))
        until_ns = self._node.loop.clock.now_ns() + for_ns
        there = tuple(name for name in changed if name not in plan.of("remove"))
        return approved_by, part, CanaryTerms(target, until_ns, wish.base, wanted, there, deferred)

    def _canary(self) -> Generation:
        if self._running is None:
            raise NotApplied(
                "no canary runs", "`polytrade apply FILE --canary SYMBOL` begins one", refused=True
            )
        return self._running[0]

    def _note(self, fact: CanaryBegan | CanaryEnded) -> None:
        self._node.loop.call(lambda: self._node.note(fact))

    def _limits(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self._settings)
        return found


def _terms(canary: Generation) -> CanaryTerms:
    if canary.canary is None:
        raise AssertionError(canary.number)
    return canary.canary


def _words(changes: Any) -> list[str]:
    found: list[ActorChange] = list(changes)
    return [f"{one.action} {one.address}" for one in found]


def _shown(found: Measures | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "orders": found.ours.orders,
        "refused": found.ours.refused,
        "latency_p99_ns": percentile(found.ours.answers_ns),
        "latency_p99_ns_others": percentile(found.others.answers_ns),
        "drawdown_usdt": found.drawdown_usdt,
        "restarts": found.restarts,
        "pages": list(found.pages),
        "halts": list(found.halts),
        "down": list(found.down),
    }
