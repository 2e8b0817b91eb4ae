"""Halts: what a scope means, and which of them bind whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from actors.messages.control import FlattenPositions, Halt, HaltLevel, Resume
from actors.messages.trading import CancelOrders
from actors.risk.picture import Picture
from actors.risk.state import HaltRecord

__all__ = ["LEVEL_OF_ACTION", "bind_halts", "cancels_of", "flattens_of", "halt_fault", "resume_fault"]

# What a supervisor says must happen when it gives up -> the halt that does it. An exhausted supervisor that
# stops its actors leaves nobody to watch resting orders, so they go.
LEVEL_OF_ACTION: dict[str, HaltLevel | None] = {
    "continue": None,
    "reduce_only": HaltLevel.NO_NEW_RISK,
    "cancel_all": HaltLevel.CANCEL_ALL,
    "flatten": HaltLevel.FLATTEN,
    "stop": HaltLevel.CANCEL_ALL,
}


def halt_fault(halt: Halt, account: str, symbols: Mapping[str, object]) -> str:
    """Return why a halt cannot be carried out here; empty when it can."""
    fault = _scope_fault(halt.scope, account, symbols)
    if fault:
        return fault
    if not halt.actor or not halt.reason:
        return "a halt needs to say who wants it and why"
    if halt.scope.startswith("strategy/") and halt.level is HaltLevel.FLATTEN:
        return (
            "the positions of one strategy cannot be told from the account's: "
            "halt `symbol/<symbol>` with FLATTEN, or this scope with CANCEL_ALL"
        )
    return ""


def resume_fault(resume: Resume, halts: Mapping[str, HaltRecord]) -> str:
    """Return why a scope cannot be resumed; empty when it can."""
    if resume.scope not in halts:
        found = ", ".join(halts) or "none"
        return f"no halt is in force in scope {resume.scope!r}; in force: {found}"
    if not resume.actor or not resume.reason:
        return "a resume needs to say who wants it and why"
    return ""


def _scope_fault(scope: str, account: str, symbols: Mapping[str, object]) -> str:
    kind, _, name = scope.partition("/")
    if scope == "all" or scope == "account/" + account or (kind == "strategy" and name):
        return ""
    if kind == "account":
        return f"this is the risk actor of account {account!r}, not of {name!r}"
    if kind == "symbol":
        return "" if name in symbols else f"{name!r} is not among this deployment's symbols"
    return f"{scope!r} is no scope; write all, account/<name>, symbol/<symbol> or strategy/<address>"


def bind_halts(picture: Picture, account: str, halts: Mapping[str, HaltRecord]) -> None:
    """Spread the halts in force to where a rule looks for them."""
    everywhere = [halts[scope].level for scope in ("all", "account/" + account) if scope in halts]
    picture.halt_level = int(max(everywhere, default=0))
    for symbol, market in picture.markets.items():
        found = halts.get("symbol/" + symbol)
        market.halt_level = int(found.level) if found else 0
    picture.strategy_halts = {
        scope.partition("/")[2]: int(found.level)
        for scope, found in halts.items()
        if scope.startswith("strategy/")
    }


def cancels_of(scope: str, account: str, reason: str) -> CancelOrders:
    """Return what cancels every live order in a scope of one account, a strategy's one by one."""
    kind, _, name = scope.partition("/")
    symbol, strategy = (name if kind == "symbol" else ""), (name if kind == "strategy" else "")
    return CancelOrders(account, symbol, strategy, "", reason, at_venue=kind != "strategy")


def flattens_of(scope: str, account: str, reason: str) -> FlattenPositions:
    """Return what closes every position in a scope of one account."""
    kind, _, name = scope.partition("/")
    return FlattenPositions(account, name if kind == "symbol" else "", reason)
