"""From one generation to the next while the node runs: checked first, switched, watched, or taken back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import msgspec

from actors.deployment.approvals import Approval, Approvals, digest_of, missing, why_approved
from actors.deployment.changes import CREATE, LIVE, REMOVE, RESTART, Plan, compare
from actors.deployment.direct_plan import plan_of, write_plan
from actors.deployment.faults import ConfigError
from actors.deployment.generations import CanaryTerms, Generation, GenerationMoved, Generations
from actors.deployment.resolved import from_resolved, resolved
from actors.deployment.secret_values import secrets_of
from actors.deployment.self_watch import alert_of, end_strays
from actors.deployment.switching import at_risk, keepers_that_go, reshape_between, trouble_of, unready
from actors.deployment.topology import Topology
from actors.domain.persons import same_person
from actors.runtime.clock import monotonic_ns
from actors.runtime.errors import RuntimeFault
from actors.runtime.messages import Severity
from actors.runtime.node import Node
from actors.runtime.reshape import Reshape
from actors.secrets.keeper import SecretKeeper

__all__ = ["HEART", "ROLLED_BACK", "Applied", "Applier", "NotApplied", "Wish", "refuse_beside_canary"]

FAILED = "ConfigApplyFailed"
ROLLED_BACK = "CanaryRolledBack"
HEART = "heart"  # who took a generation back when its node died
LOOK_S = 0.1
INSIDE_S = 10.0  # for what happens in the loop
SLICE_PAUSE_S = 0.002  # between two looks into the journal beside the loop: what trades goes first


class NotApplied(Exception):
    """A generation was not brought in; what ran before runs on."""

    def __init__(self, reason: str, help: str = "", *, refused: bool = False) -> None:
        super().__init__(reason)
        self.help = help
        self.refused = refused  # the wish was at fault, and whoever had it knows


class Wish(msgspec.Struct, frozen=True):
    """What is to be brought in, by whom and why. `base`: the generation that the plan was made against."""

    document: dict[str, Any]
    base: int
    actor: str
    reason: str
    approver: str = ""
    prove_s: float = 5.0
    of: int = 0
    user_id: int = -1  # of whoever applies, as the control socket saw it
    terms: CanaryTerms | None = None  # when it is a canary
    ends_canary: bool = False  # it is what the canary that runs is a part of


class Applied(msgspec.Struct, frozen=True):
    """What became of it. `taken_back`: why the generation before runs again; empty when all is well."""

    generation: int
    created: tuple[str, ...]
    restarted: tuple[str, ...]
    told: tuple[str, ...]
    removed: tuple[str, ...]
    taken_back: str = ""
    canary_until_ns: int = 0  # it is a canary until then
    deferred: tuple[str, ...] = ()  # changes that wait for its end


class Applier:
    """Runs beside the loop, in whatever thread asks; one at a time."""

    def __init__(
        self, node: Node, topology: Topology, secrets: SecretKeeper, generations: Generations, run: str
    ) -> None:
        self.topology = topology
        self.generations = generations
        self.approvals = Approvals(generations.folder)
        self._node = node
        self._secrets = secrets
        self._run = run
        self._busy = threading.Lock()
        self._pause = threading.Event()
        self._shapes: dict[int, Reshape] = {}
        node.shape_of = self._shapes.__getitem__

    def current(self) -> Generation | None:
        """Return the newest generation."""
        return self.generations.current()

    @property
    def now_ns(self) -> int:
        """The node's time."""
        return self._node.loop.clock.now_ns()

    def begun(self) -> None:
        """Tell, once the node has started, when that took back what the one before it died of."""
        current = self.generations.current()
        if current is None or current.actor != HEART:
            return
        undone = self.generations.read(current.number - 1)
        if undone.canary is None:
            self._tell(f"generation {undone.number} was {current.reason}")
        else:
            self.tell_rolled_back(f"generation {undone.number} was {current.reason}")

    def plan(self, document: Mapping[str, Any]) -> tuple[Topology, Plan]:
        """Return what a document makes of this node. Errors: NotApplied."""
        try:
            wanted = from_resolved(document, self.topology)
        except (ConfigError, KeyError, TypeError) as error:
            text = f"this release cannot read it: {error}"
            raise NotApplied(text, "plan it again with this release") from None
        return wanted, compare(self.topology, wanted, (resolved(self.topology), document))

    def apply(self, wish: Wish) -> Applied:
        """Bring in a configuration and watch it; take it back when something fails. Errors: NotApplied."""
        if not self._busy.acquire(blocking=False):
            raise NotApplied("another change is under way", "wait for it")
        try:
            applied = self._apply(wish)
        except NotApplied as fault:
            if not fault.refused:
                self._tell(f"a change of the configuration by {wish.actor} was not brought in: {fault}")
            raise
        else:
            self._tell(
                applied.taken_back and f"generation {applied.generation} was taken back: {applied.taken_back}"
            )
            return applied
        finally:
            self._busy.release()

    def _tell(self, failed: str) -> None:
        """Raise the alert, or end it: with the next change that succeeds, or with nothing left to change."""
        node = self._node
        node.loop.call(lambda: alert_of(node, FAILED, Severity.TICKET).look(failed, node.now_ns))
        if not failed:
            self.tell_rolled_back("")

    def tell_rolled_back(self, why: str) -> None:
        """Raise the alert about a canary, or end it."""
        node = self._node
        node.loop.call(lambda: alert_of(node, ROLLED_BACK, Severity.TICKET).look(why, node.now_ns))

    def _apply(self, wish: Wish) -> Applied:
        current = self.generations.current()
        base = current.number if current is not None else 0
        if base != wish.base:
            text = f"generation {base} runs; the plan was made against generation {wish.base}"
            raise NotApplied(text, "plan it again", refused=True)
        refuse_beside_canary(current, wish)
        wanted, plan = self.plan(wish.document)
        if plan.is_empty and wish.ends_canary:
            self._keep(base + 1, wish, wanted, plan)
            return Applied(base + 1, (), (), (), ())
        self.refuse(plan, wish)
        is_part = wish.terms is not None or wish.ends_canary  # the whole was approved when it began
        approved_by = "" if is_part else self.approved(wanted, plan, wish)
        self._fetch_secrets(wanted)
        before = self.topology
        change = reshape_between(base + 1, self.topology, wanted, plan, self._secrets)
        self._prepare(change)
        wish = msgspec.structs.replace(wish, approver=approved_by or wish.approver)
        self._keep(change.generation, wish, wanted, plan, unproven=True)
        trouble = self._switched(change, wanted) or self._prove(change, wish.prove_s)
        if trouble:
            self._take_back(trouble, before, base)
        self.generations.proven()
        return Applied(
            change.generation,
            change.create,
            change.restart,
            tuple(change.settings or ()),
            change.remove,
            trouble,
            wish.terms.until_ns if wish.terms else 0,
            wish.terms.deferred if wish.terms else (),
        )

    def _prepare(self, change: Reshape) -> None:
        """Build the new beside the old, a slice between two turns at a time."""
        preparation = self.inside(lambda: self._node.reshaper.prepare(change))
        while self.inside(preparation.advance):
            self._pause.wait(SLICE_PAUSE_S)

    def _switched(self, change: Reshape, wanted: Topology) -> str:
        """Make the node the new one. Returns what went wrong."""
        try:
            self._switch(change, wanted)
        except NotApplied as fault:
            return str(fault)
        return ""

    def refuse(self, plan: Plan, wish: Wish) -> None:
        """Errors: NotApplied when a plan cannot be brought in as it is wished."""
        if plan.is_empty:
            self._tell("")
            raise NotApplied("nothing changes", refused=True)
        if plan.blocked:
            raise NotApplied(plan.blocked[0], "`polytrade plan` shows all of it", refused=True)
        blocked = next(
            (one for one in plan.actors if one.action not in (CREATE, LIVE, RESTART, REMOVE)), None
        )
        if blocked is not None:
            text = f"{blocked.address}: {blocked.reason}"
            raise NotApplied(text, "`polytrade plan` shows all of it", refused=True)
        if plan.loosened and not wish.reason.strip():
            address, field = plan.loosened[0]
            text = f"{address}: {field.path} {field.before} -> {field.after} loosens a limit"
            raise NotApplied(text, "say why with --reason", refused=True)
        keepers = keepers_that_go(plan)
        if keepers and (risks := self.inside(lambda: at_risk(self._node, keepers))):
            text = f"{keepers[0]} cannot go: {risks[0]}"
            raise NotApplied(text, "cancel and close first: `polytrade halt --level flatten`", refused=True)

    def approved(self, wanted: Topology, plan: Plan, wish: Wish) -> str:
        """Return who has approved a plan, where its deployment wants that. Errors: NotApplied."""
        section, found = self.topology.apply, self.approvals.of(digest_of(wish.base, wish.document))
        reasons = why_approved(section, self.topology, wanted, plan)
        lacks = missing(section, found, wish.actor, wish.user_id, self.now_ns) if reasons else ""
        if lacks:
            text = f"not approved ({', '.join(reasons)}): {lacks}"
            remedy = (
                "keep the plan with `--out PLAN.json`; another person gives `polytrade approve PLAN.json`"
            )
            raise NotApplied(text, remedy, refused=True)
        return ", ".join(dict.fromkeys(one.by for one in found if not same_person(one.by, wish.actor)))

    def approve(self, approval: Approval, base: int) -> None:
        """Keep somebody's word for a plan. Errors: NotApplied."""
        current = self.generations.current()
        number = current.number if current is not None else 0
        if number != base:
            text = f"generation {number} runs; the plan was made against generation {base}"
            raise NotApplied(text, "plan it again", refused=True)
        try:
            self.approvals.add(approval)
        except ValueError as error:
            raise NotApplied(str(error), "use `polytrade approve PLAN`", refused=True) from None
        except OSError as error:
            raise NotApplied(f"the approval cannot be kept: {error.strerror}", "make room for it") from None

    def _fetch_secrets(self, wanted: Topology) -> None:
        held = {plan.address: tuple(text for _, text in secrets_of(plan)) for plan in wanted.actors}
        errors = self._secrets.extend(held)
        if errors:
            raise NotApplied(f"no value for {errors[0].reference}: {errors[0].reason}", errors[0].help)

    def _keep(self, number: int, wish: Wish, wanted: Topology, plan: Plan, *, unproven: bool = False) -> None:
        generation = Generation(
            number=number,
            at_ns=self._node.loop.clock.now_ns(),
            actor=wish.actor,
            reason=wish.reason,
            content_hash=wanted.content_hash,
            files=wanted.files,
            document=dict(wish.document),
            approver=wish.approver,
            of=wish.of,
            run=self._run,
            changes=tuple(f"{one.action} {one.address}" for one in plan.actors),
            canary=wish.terms,
        )
        try:
            if unproven:  # said before it is there: whoever finds both does not trust it
                self.generations.begin_proof(number)
            self.generations.add(generation)
        except (GenerationMoved, OSError) as error:
            if unproven:
                self.generations.proven()
            if isinstance(error, GenerationMoved):
                raise NotApplied(str(error), "plan it again") from None
            text = f"the generation cannot be written: {error.strerror}"
            raise NotApplied(text, "make room for it") from None

    def _switch(self, change: Reshape, wanted: Topology) -> None:
        self._shapes = {change.generation: change}
        self._node.shape_of = self._shapes.__getitem__
        self.topology = wanted
        self.inside(lambda: self._node.command("reshape", change.generation))
        self._node.loop.call(lambda: end_strays(self._node))
        with contextlib.suppress(OSError):  # the plan of the start still stops what it knew
            write_plan(plan_of(wanted), self.generations.folder.parent)

    # -- afterwards ------------------------------------------------------------------------------------

    def _prove(self, change: Reshape, prove_s: float) -> str:
        """Return what went wrong with the actors that changed; empty when nothing did for so long."""
        names = (*change.create, *change.restart, *(change.settings or ()))
        before = {name: self._node.cell(name).failures_count for name in names}
        until_ns = monotonic_ns() + int(prove_s * 1e9)
        while True:
            trouble = str(self.inside(lambda: trouble_of(self._node, before)))
            if trouble or monotonic_ns() >= until_ns:
                return trouble or str(self.inside(lambda: unready(self._node, names)))
            self._pause.wait(LOOK_S)

    def _take_back(self, trouble: str, before: Topology, base: int) -> None:
        """Bring the topology before back, as a generation of its own. Errors: NotApplied."""
        back = Wish(resolved(before), base + 1, "apply", f"taken back: {trouble}", of=base)
        self._return_to(before, back)

    def go_back(self, wish: Wish) -> int:
        """Bring an earlier generation back at once; return the number it has now. Errors: NotApplied."""
        if not self._busy.acquire(blocking=False):
            raise NotApplied("another change is under way", "wait for it")
        try:
            self._return_to(self.plan(wish.document)[0], wish)
            return wish.base + 1
        finally:
            self._busy.release()

    def _return_to(self, before: Topology, back: Wish) -> None:
        """Where it cannot be written, as on a full disk, the generation that runs is struck out instead."""
        plan = compare(self.topology, before)
        number = back.base + 1
        try:
            self._keep(number, back, before, plan)
        except NotApplied:
            self.generations.strike(back.base)
        self._switch(reshape_between(number, self.topology, before, plan, self._secrets), before)

    def inside(self, action: Callable[[], Any]) -> Any:
        """Run something in the loop's thread between two turns and wait. Errors: NotApplied."""
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(action())
            except Exception as error:
                future.set_exception(error)

        self._node.loop.call(run)
        try:
            return future.result(INSIDE_S)
        except TimeoutError:
            raise NotApplied(
                f"the loop made no progress for {INSIDE_S:g} s", "look at the node's log"
            ) from None
        except RuntimeFault as fault:
            raise NotApplied(str(fault), "what ran before runs on") from None
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            raise NotApplied(text, "this is a fault of the node; see its log") from error


def refuse_beside_canary(current: Generation | None, wish: Wish) -> None:
    """Nothing but its own end, or the way back, comes beside a canary. Errors: NotApplied."""
    if current is None or current.canary is None or wish.ends_canary or wish.of:
        return
    text = f"generation {current.number} is a canary of {current.canary.target}"
    raise NotApplied(text, "`polytrade canary promote` or `abort` ends it", refused=True)
