"""`polytrade halt --direct`: stops a deployment's accounts at their venues, from this process."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from actors.cli.client import ControlClient
from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note, print_json
from actors.cli.problems import Problem
from actors.cli.running import running_deployments
from actors.cli.targets import find_target, load_topology, shortest
from actors.deployment.direct_plan import DirectPlan, plan_of, read_plan
from actors.deployment.direct_run import DirectOrder, DirectRun, KeysMissing
from actors.deployment.faults import ConfigError
from actors.direct.account import SIMULATED, Shown
from actors.messages.control import HaltLevel
from actors.runtime.clock import parse_duration

__all__ = ["NodeAsked", "halt_directly"]

NODE_ANSWERS_WITHIN_S = 1.0  # the venue is not kept waiting for it
LEVELS = {level.name.lower(): level for level in HaltLevel}
TAKES, REFUSES, SILENT, AWAY = "takes the halt", "refuses the halt", "does not answer", "does not run here"


def halt_directly(file: str | None, scope: str, level: str, reason: str, given: dict[str, Any]) -> None:
    """Latch, stop, prove. Errors: Problem; UNCONFIRMED when a venue does not show what was ordered."""
    from actors.cli.ordering import who

    plan = _plan_of(file, given)
    order = _order(plan, scope, LEVELS[level], who(), reason, given)
    run = DirectRun(plan, order)
    run.latch()
    if run.latched is not None and not given["as_json"]:
        number, path = run.latched.number, shortest(str(run.path))
        echo(f"latch: {scope} halted at {order.level.name}, line {number} of {path}")
    node = NodeAsked(plan, order)
    node.start()
    try:
        run.keys()
    except KeysMissing as error:
        run.record(f"no venue was asked for anything: {error}")
        remedy = f"the latch is set; nothing was asked of the venue: {error}"
        raise Problem(ExitCode.CONFIGURATION, "keys are missing", remedy) from None
    run.prepare()
    node.when_silent(run.widen)
    proven = run.stop()
    node.join(NODE_ANSWERS_WITHIN_S)
    run.record()
    _tell(run, node.said, given["as_json"], proven=proven)


# -- which deployment, which accounts ------------------------------------------------------------------------


def _plan_of(file: str | None, given: dict[str, Any]) -> DirectPlan:
    """Return what was started, if that is known; else what the file says now."""
    if file is None or Path(file).is_dir():
        journal = find_target(file).journal
        plan = read_plan(journal)
        if plan is None:
            text = f"{shortest(str(journal))} does not say which accounts its deployment has"
            raise Problem(
                ExitCode.NOT_FOUND, text, "name the deployment's file; `up` leaves direct.json there"
            )
        return plan
    if not given["environments"] and not given["inputs"]:
        path = str(Path(file).absolute())
        for one in running_deployments():
            if one.file == path and (plan := read_plan(Path(one.journal))) is not None:
                return plan
    try:
        topology = load_topology([file], given["environments"], given["inputs"])
    except ConfigError:
        note("help: a deployment that was started before can be named by the folder of its journal")
        raise
    started = read_plan(topology.journal_path)
    if started is not None and not given["environments"] and not given["inputs"]:
        return started
    return plan_of(topology)


def _order(
    plan: DirectPlan, scope: str, level: HaltLevel, actor: str, reason: str, given: dict[str, Any]
) -> DirectOrder:
    kind, _, name = scope.partition("/")
    known = [one.account for one in plan.accounts]
    if kind == "strategy":
        text = (
            "a venue does not know strategies: from outside the orders of one cannot be told from the others"
        )
        remedy = "use --symbol or --account, or `polytrade halt --strategy` while the node runs"
        raise Problem(ExitCode.USAGE, text, remedy)
    if kind not in ("all", "account", "symbol") or (kind != "all") is not bool(name):
        text = f"{scope!r} is no scope"
        raise Problem(ExitCode.USAGE, text, "use all, account/<name> or symbol/<symbol>")
    account = given["account"] or (name if kind == "account" else "")
    if account and account not in known:
        text = f"{plan.deployment} has no account {account!r}"
        raise Problem(ExitCode.NOT_FOUND, text, f"it has {', '.join(known) or 'none'}")
    symbol = name if kind == "symbol" else ""
    symbols = sorted({coin.symbol for one in plan.accounts for coin in one.coins})
    if symbol and symbols and symbol not in symbols:
        raise Problem(ExitCode.NOT_FOUND, f"{plan.deployment} has no symbol {symbol!r}", "look at its file")
    try:
        within_ns = parse_duration(given["within"])
    except ValueError as error:
        raise Problem(ExitCode.USAGE, f"--within: {error}", "write 30s") from None
    accounts = tuple([account] if account else known)
    if symbol and not account:  # a futures symbol is nothing to a spot account
        fitting = tuple(
            one.account
            for one in plan.accounts
            if one.kind == SIMULATED or any(coin.symbol == symbol for coin in one.coins)
        )
        accounts = fitting or accounts
    return DirectOrder(scope, level, actor, reason, accounts, symbol, within_ns)


# -- the node, if it lives -----------------------------------------------------------------------------------


class NodeAsked(threading.Thread):
    """Asks the node to halt as well, beside the venue; it has the latch in any case."""

    def __init__(self, plan: DirectPlan, order: DirectOrder) -> None:
        super().__init__(name="node", daemon=True)
        self._client = ControlClient(Path(plan.socket), plan.deployment)
        self._body = {
            "scope": order.scope,
            "level": order.level.name.lower(),
            "actor": order.actor,
            "reason": order.reason,
        }
        self._changing = threading.Lock()
        self._on_silence: list[Any] = []
        self.said = ""

    def run(self) -> None:
        said = SILENT
        try:
            found = self._client.post("/v1/halt", self._body, NODE_ANSWERS_WITHIN_S)
            said = TAKES if found["accepted"] else REFUSES
        except Problem as problem:
            said = AWAY if problem.code is ExitCode.NOT_RUNNING else SILENT
        with self._changing:
            self.said = said
        for act in self._on_silence if said in (AWAY, SILENT) else ():
            act()

    def when_silent(self, act: Any) -> None:
        """Have something done when it is known that the node does not answer."""
        with self._changing:
            self._on_silence.append(act)
            known = self.said in (AWAY, SILENT)
        if known:
            act()


# -- what is told --------------------------------------------------------------------------------------------


def _tell(run: DirectRun, node: str, as_json: bool, *, proven: bool) -> None:
    if as_json:
        print_json(_report(run, node, proven=proven))
    else:
        echo(f"node: {node or SILENT}")
        for line in run.proof:
            echo(line)
        for one in run.shown:
            if one.looks_count:
                echo(f"{one.account}: {_figures(one)}")
    _warn_of_what_is_not_proven(run, node)
    if run.latch_fault:
        raise Problem(
            ExitCode.UNCONFIRMED,
            f"the latch could not be written: {run.latch_fault}",
            "a node that starts again trades again: halt it, or keep it from starting",
        )
    if not proven:
        left = [text for text, one in zip(run.proof, run.shown, strict=True) if not one.proven]
        raise Problem(
            ExitCode.UNCONFIRMED, "; ".join(left), "run the same command again; it does no harm twice"
        )


def _warn_of_what_is_not_proven(run: DirectRun, node: str) -> None:
    if node == AWAY and not (Path(run.plan.journal) / "data.mdb").exists():
        note(
            f"no journal lies at {shortest(run.plan.journal)}: a node on another machine does not see this "
            "latch; halt or stop it there, or it may trade again"
        )
    if all(one.kind == SIMULATED for one in run.accounts):
        note("the venue of this deployment is simulated and lives in its node: only the latch was set")


def _figures(one: Shown) -> str:
    return (
        f"last cancel sent after {one.last_cancel_ns / 1e9:.3f} s, ended after {one.ended_ns / 1e9:.3f} s; "
        f"{one.requests_count} requests, {one.refused_count} answered 429, {one.lost_count} not answered"
    )


def _report(run: DirectRun, node: str, *, proven: bool) -> dict[str, Any]:
    order, latched = run.order, run.latched
    return {
        "proven": proven and not run.latch_fault,
        "deployment": run.plan.deployment,
        "scope": order.scope,
        "level": order.level.name.lower(),
        "actor": order.actor,
        "reason": order.reason,
        "began_at_ns": run.began_at_ns,
        "node": node or SILENT,
        "latch": {
            "path": str(run.path),
            "line": latched.number if latched else 0,
            "sha256": latched.digest if latched else "",
            "fault": run.latch_fault,
        },
        "accounts": [
            {
                "account": one.account,
                "proven": one.proven,
                "fault": one.fault,
                "orders": one.orders,
                "positions": one.positions,
                "positions_before": one.positions_before,
                "canceled": one.canceled_count,
                "closing_orders": one.closing_count,
                "looks": one.looks_count,
                "requests": one.requests_count,
                "requests_refused": one.refused_count,
                "requests_lost": one.lost_count,
                "last_cancel_s": round(one.last_cancel_ns / 1e9, 6),
                "ended_s": round(one.ended_ns / 1e9, 6),
            }
            for one in run.shown
        ],
    }
