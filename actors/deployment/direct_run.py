"""Stopping a deployment from outside its node, from the latch to the proof; for people and for the heart.

In this order: the latch, so that a node which still runs, or starts meanwhile, holds still; then the venues;
then what they showed, behind the halt in the same file. Nothing here needs the node, its journal or its loop.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from actors.deployment.direct_plan import DirectPlan
from actors.deployment.secret_values import secret_source
from actors.direct.account import SIMULATED, AccountPlan, Shown, Wish
from actors.direct.driver import Times, Wire
from actors.direct.latch import HALT, PROOF, Latched, LatchLine, append, latch_path
from actors.direct.stop import Stopping, proof_text
from actors.direct.wire import HttpWire, SystemTimes
from actors.messages.control import HaltLevel
from actors.runtime.errors import InvariantError
from actors.secrets.keeper import SecretKeeper
from actors.secrets.port import SecretError, SecretSource
from actors.secrets.reference import is_reference
from actors.venue.poloniex.credentials import Credentials

__all__ = ["DirectOrder", "DirectRun", "KeysMissing"]

NAME_DIGITS = 12  # of the latch's digest, in the names of closing orders


class DirectOrder(NamedTuple):
    """What is ordered. `scope` is latched; accounts and symbol say what is done at the venues."""

    scope: str
    level: HaltLevel
    actor: str
    reason: str
    accounts: tuple[str, ...]
    symbol: str = ""
    within_ns: int = 60_000_000_000


class KeysMissing(Exception):
    """Keys of an account cannot be had: its venue cannot be asked for anything."""


class DirectRun:
    """One order, carried out step by step: `latch`, `keys`, `stop`, `record`."""

    def __init__(
        self,
        plan: DirectPlan,
        order: DirectOrder,
        times: Times | None = None,
        make_wire: Callable[[], Wire] = HttpWire,
    ) -> None:
        self.plan = plan
        self.order = order
        self.latched: Latched | None = None
        self.latch_fault = ""
        self._times = times or SystemTimes()
        self._make_wire = make_wire
        self._credentials: dict[str, Credentials] = {}
        self._stopping: Stopping | None = None
        self.began_ns = self._times.monotonic_ns()
        self.began_at_ns = self._times.now_ns()

    @property
    def path(self) -> Path:
        """Where the latch lies."""
        return latch_path(Path(self.plan.journal))

    @property
    def accounts(self) -> list[AccountPlan]:
        """The accounts that are meant."""
        return [one for one in self.plan.accounts if one.account in self.order.accounts]

    def latch(self) -> None:
        """Write the halt where the node finds it. A disk that refuses it does not keep us from the venue."""
        self._append(HALT, self.order.reason, "")

    def keys(self, source: SecretSource | None = None) -> dict[str, Credentials]:
        """Look the keys up, hold and return them by account. Errors: KeysMissing."""
        wanted = {one.address: (one.key, one.secret) for one in self.accounts if one.kind != SIMULATED}
        references = {address: [t for t in pair if is_reference(t)] for address, pair in wanted.items()}
        keeper = SecretKeeper(source or secret_source(self.plan), references)
        errors = keeper.fetch()
        if errors:
            raise KeysMissing("; ".join(map(_told, errors)))
        for one in self.accounts:
            if one.kind == SIMULATED:
                continue
            values = keeper.values_of(one.address)
            key, secret = (values.get(text, text) for text in (one.key, one.secret))
            if not key or not secret:
                raise KeysMissing(f"account {one.account} has no key in the deployment's file")
            self._credentials[one.account] = Credentials(key, secret)
        return self._credentials

    def use(self, credentials: dict[str, Credentials]) -> None:
        """Take keys that were looked up before, when they cannot be had now."""
        self._credentials = credentials

    def prepare(self) -> None:
        """Make the lines; `widen` may be called from then on."""
        order = self.order
        digest = self.latched.digest if self.latched else f"{self._times.now_ns():x}"
        wish = Wish(order.level, order.symbol, "halt" + digest[:NAME_DIGITS])
        self._stopping = Stopping(
            self.accounts, self._credentials, wish, self._make_wire, self._times, self.began_ns
        )

    def widen(self) -> None:
        """The node sends nothing any more."""
        if self._stopping is not None:
            self._stopping.widen()

    def stop(self) -> bool:
        """Stop the accounts; return whether every venue showed that it is done."""
        if self._stopping is None:
            raise InvariantError("the lines were not made: prepare() first")
        return self._stopping.run(self.order.within_ns)

    @property
    def shown(self) -> list[Shown]:
        """What every account's venue showed."""
        return list(self._stopping.shown.values()) if self._stopping is not None else []

    @property
    def proof(self) -> list[str]:
        """The same in words."""
        return [proof_text(one, self.order.level) for one in self.shown]

    def record(self, text: str = "") -> None:
        """Write what was shown behind the halt: the node puts it into its journal."""
        self._append(PROOF, self.order.reason, text or " | ".join(self.proof))

    def _append(self, kind: str, reason: str, text: str) -> None:
        order = self.order
        line = LatchLine(
            kind=kind,
            deployment=self.plan.deployment,
            scope=order.scope,
            level=order.level.name.lower(),
            actor=order.actor,
            reason=reason,
            at_ns=self._times.now_ns(),
            text=text,
        )
        try:
            written = append(self.path, line)
        except OSError as error:
            self.latch_fault = f"{self.path}: {error.strerror or error}"
            return
        if kind == HALT:
            self.latched = written


def _told(error: SecretError) -> str:
    return f"no value for {error.reference}: {error.reason}; {error.help}"
