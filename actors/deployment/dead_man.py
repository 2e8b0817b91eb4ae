"""The dead man's switch: what the heart does at the venues when its node makes no progress any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from actors.deployment.direct_plan import DirectPlan, read_plan
from actors.deployment.direct_run import DirectOrder, DirectRun, KeysMissing
from actors.messages.control import HaltLevel
from actors.runtime.clock import monotonic_ns
from actors.secrets.port import SecretSource

__all__ = ["DeadMan", "Orphan"]

HEART = "heart"
ALONE_NS = 5_000_000_000  # for a node without a heart to take its orders back


class DeadMan:
    """Latches and stops every account of a deployment; the keys are those it was started with.

    They are looked up when it is made, because a store of secrets may be as dead as the node by then.
    """

    def __init__(self, plan: DirectPlan, source: SecretSource) -> None:
        self._plan = plan
        self._source = source
        self._held = dead_man_run(plan, HEART, "").keys(source)

    def __call__(self, reason: str) -> str:
        """Do it, and return what came of it in words."""
        run = dead_man_run(self._as_it_runs(), HEART, reason)
        run.latch()
        try:
            run.keys(self._source)  # they may have been changed since
        except KeysMissing:
            run.use(self._held)
        run.prepare()
        run.widen()
        run.stop()
        run.record()
        fault = [f"THE LATCH IS NOT SET: {run.latch_fault}"] if run.latch_fault else []
        return "; ".join([*fault, *run.proof])

    def _as_it_runs(self) -> DirectPlan:
        """Return the plan beside the journal: accounts may have been added since the start."""
        found = read_plan(Path(self._plan.journal))
        return found if found is not None and found.deployment == self._plan.deployment else self._plan


def dead_man_run(plan: DirectPlan, actor: str, reason: str) -> DirectRun:
    """Return the run that a deployment's `dead_man` section asks for."""
    accounts = tuple(one.account for one in plan.accounts)
    level = HaltLevel[plan.dead_man.level.upper()]
    return DirectRun(plan, DirectOrder("all", level, actor, reason, accounts, within_ns=plan.dead_man.within))


class Orphan:
    """A node's beat that outlives its heart for a moment: nobody is left who would stop the accounts for it.

    So it latches the halt that its heart would have, gives its own actors the time to carry it out, and only
    then lets the node stop in order.
    """

    def __init__(self, plan: DirectPlan, beat: Callable[[], bool]) -> None:
        self._plan = plan
        self._beat = beat
        self._alone_since_ns = 0

    def __call__(self) -> bool:
        """Tell the heart that there is progress; return whether to go on."""
        if self._beat():
            return True
        if not self._plan.wants_dead_man:
            return False
        now_ns = monotonic_ns()
        if not self._alone_since_ns:
            self._alone_since_ns = now_ns
            dead_man_run(self._plan, "node", "its heart died: nobody would restart it or stop it").latch()
        return now_ns - self._alone_since_ns < ALONE_NS
