"""What a simulation begins with that the files do not say: money at the exchange, and a person who resumes.

A deployment that takes over whatever its account holds (`initial_usdt: "0"`), and begins halted until
somebody has looked at it, would stand still for ever in a simulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from actors.deployment.quantities import format_e8
from actors.deployment.topology import ActorPlan, Topology

__all__ = ["AS_WRITTEN", "FAR_VENUES", "USDT_DEFAULT", "Beginning", "beginning_of", "ledger_usdt"]

FAR_VENUES = ("venue.poloniex", "venue.poloniex_spot")
USDT_DEFAULT = 10_000 * 100_000_000
ADOPTING = ("adopt", "adopt_first")
ALL = ""  # every account


class Beginning(msgspec.Struct, frozen=True):
    """`cash_usdt`: what accounts hold at the exchange, if not what our ledgers begin with."""

    cash_usdt: dict[str, int] = {}
    is_resumed: bool = False  # trading that begins halted is resumed when the node is up


AS_WRITTEN = Beginning()


def beginning_of(topology: Topology, given: Mapping[str, int]) -> tuple[Beginning, tuple[str, ...]]:
    """Return what to begin with so that something can trade, and in words what was assumed for it.

    `given`: 1e-8 USDT by account, or for all under "". Errors: ValueError when there is no such account.
    """
    accounts = [_name(plan) for plan in topology.actors if plan.kind in FAR_VENUES]
    if given and not accounts:
        raise ValueError("its exchange is an actor of the deployment, and says what accounts hold")
    for account in given:
        if account not in (*accounts, ALL):
            raise ValueError(f"it has no account {account!r} at an exchange; there is {', '.join(accounts)}")
    cash = {
        account: given.get(account, given.get(ALL, _fitting_usdt(topology, account)))
        for account in accounts
        if account in given or ALL in given or ledger_usdt(topology, account) == 0
    }
    begins_halted = any(getattr(plan.settings, "begins_halted", False) for plan in topology.actors)
    return Beginning(cash, begins_halted), tuple(_said(topology, cash, given, begins_halted))


def _said(
    topology: Topology, cash: Mapping[str, int], given: Mapping[str, int], begins_halted: bool
) -> Iterator[str]:
    for account, usdt in cash.items():
        why = "" if account in given or ALL in given else f", {_reason(usdt)}"
        yield f"account {account} begins with {format_e8(usdt)} USDT at the exchange{why}"
        if usdt != ledger_usdt(topology, account) and not _adopts(topology, account):
            yield f"the reconciler of {account} does not adopt that: its books will not agree"
    if begins_halted:
        yield "somebody resumes trading, which begins halted"


def _reason(usdt: int) -> str:
    beside = "" if usdt == USDT_DEFAULT else " and one position of it may be worth no more"
    return f"since its ledger begins with nothing{beside}"


def _fitting_usdt(topology: Topology, account: str) -> int:
    """Return an account of the size that the limits are made for: with more, every wish is too large."""
    for plan in topology.actors:
        if plan.kind == "risk" and plan.place.variables.get("account") == account:
            limit = int(getattr(plan.settings, "max_position_notional_usdt", 0))
            return min(limit, USDT_DEFAULT) or USDT_DEFAULT
    return USDT_DEFAULT


def ledger_usdt(topology: Topology, account: str) -> int:
    """Return what our ledger of an account begins with."""
    for plan in topology.actors:
        if plan.kind == "ledger" and plan.place.variables.get("account") == account:
            return int(getattr(plan.settings, "initial_usdt", USDT_DEFAULT))
    return USDT_DEFAULT


def _adopts(topology: Topology, account: str) -> bool:
    return any(
        plan.kind == "reconciler"
        and plan.place.variables.get("account") == account
        and getattr(plan.settings, "cash_drift", "") in ADOPTING
        for plan in topology.actors
    )


def _name(plan: ActorPlan) -> str:
    return plan.place.variables["account"]
