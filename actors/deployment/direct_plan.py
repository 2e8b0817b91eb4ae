"""What stopping a deployment from outside needs to know, written beside its journal whenever it starts.

The file of a deployment may have been edited since, or need inputs that only its start knew; the node that
may have to be stopped is the one that was started, so that is what is remembered. It holds references, no
secrets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.deployment.sections import DeadManSection, SecretsSection
from actors.deployment.topology import ActorPlan, Topology
from actors.direct.account import FUTURES, SIMULATED, SPOT, AccountPlan, Coin
from actors.domain.instrument import Instrument

__all__ = ["PLAN_FILE", "DirectPlan", "plan_of", "read_plan", "write_plan"]

PLAN_FILE = "direct.json"
KINDS = {"venue.poloniex": FUTURES, "venue.poloniex_spot": SPOT, "venue.simulated": SIMULATED}


class DirectPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment as it was started."""

    deployment: str
    mode: str
    journal: str
    socket: str
    file: str
    folder: str  # of the file; relative paths in `secrets` begin there
    accounts: tuple[AccountPlan, ...]
    secrets: SecretsSection
    dead_man: DeadManSection

    @property
    def directory(self) -> Path:
        """The folder of the deployment's file."""
        return Path(self.folder)

    @property
    def reaches_out(self) -> bool:
        """Whether there is an account outside the node."""
        return any(one.kind != SIMULATED for one in self.accounts)

    @property
    def wants_dead_man(self) -> bool:
        """Whether its accounts shall be stopped from outside when its node makes no progress."""
        return self.reaches_out and self.dead_man.after > 0


def plan_of(topology: Topology) -> DirectPlan:
    """Return what a deployment's file says now."""
    return DirectPlan(
        deployment=topology.deployment,
        mode=topology.mode,
        journal=str(topology.journal_path),
        socket=str(topology.socket_path),
        file=str(topology.files[0]),
        folder=str(topology.directory),
        accounts=tuple(_account(plan) for plan in topology.actors if plan.kind in KINDS),
        secrets=_without_idle_values(topology.secrets),
        dead_man=topology.dead_man,
    )


def _without_idle_values(secrets: SecretsSection) -> SecretsSection:
    """Values that stand in a file are copied only where they are what opens the account."""
    return secrets if secrets.provider == "env" else replace(secrets, defaults={})


def write_plan(plan: DirectPlan, journal: Path) -> None:
    """Leave a plan beside a journal, whole or not at all. Errors: OSError."""
    journal.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = journal / f"{PLAN_FILE}.new"
    with open(beside, "wb", opener=_private) as file:
        file.write(msgspec.json.format(msgspec.json.encode(plan)))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(journal / PLAN_FILE)


def read_plan(journal: Path) -> DirectPlan | None:
    """Return the plan beside a journal; None when there is none, or one of another version."""
    try:
        return msgspec.json.decode((journal / PLAN_FILE).read_bytes(), type=DirectPlan)
    except (OSError, msgspec.MsgspecError):
        return None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _account(plan: ActorPlan) -> AccountPlan:
    kind, settings = KINDS[plan.kind], plan.settings
    account = plan.place.account
    if kind == SIMULATED:
        return AccountPlan(account=account, address=plan.address, kind=kind)
    found: Any = settings
    return AccountPlan(
        account=account,
        address=plan.address,
        kind=kind,
        rest_url=found.rest_url,
        key=found.key,
        secret=found.secret,
        vip_level=found.vip_level,
        limits_fraction=found.limits_fraction,
        direct_fraction=found.direct_fraction,
        request_timeout_ns=found.request_timeout,
        coins=tuple(_coins(plan.place.instruments, is_spot=kind == SPOT)),
    )


def _coins(instruments: Mapping[str, Instrument], *, is_spot: bool) -> Iterable[Coin]:
    for one in instruments.values():
        if one.is_spot == is_spot:
            yield Coin(one.symbol, one.base, one.contract_e8, one.contracts_min, one.contracts_max_market)
