"""Do the parts of one account fit together? Checks over settings of several actors."""

from __future__ import annotations

from typing import Any

from actors.deployment.expansion import Draft
from actors.deployment.faults import FaultLog, did_you_mean
from actors.deployment.places import Span
from actors.deployment.quantities import format_e8
from actors.deployment.yaml_tree import Map
from actors.domain.money import E8

__all__ = ["check_accounts"]


def check_accounts(drafts: list[Draft], log: FaultLog) -> None:
    """Note orders for an account that nobody looks after, and books that could never agree."""
    known = {draft.address: draft for draft in drafts}
    risks = {d.variables["account"]: d for d in drafts if d.family == "risk" and "account" in d.variables}
    ledgers = {d.variables["account"]: d for d in drafts if d.family == "ledger" and "account" in d.variables}
    traders: dict[tuple[str, str], Draft] = {}
    for draft in drafts:
        if draft.family == "strategy":
            _check_strategy(draft, risks, ledgers, log)
            _check_position(draft, traders, log)
        elif draft.family == "exchange":
            _check_exchange(draft, known, ledgers, log)
    _check_shares(drafts, log)


def _place(draft: Draft, *path: str) -> Span:
    """Return the place of a setting; of the actor when it is a default."""
    span, node = draft.key.span, draft.entry
    for name in ("settings", *path):
        if name not in node.keys:
            break
        span, found = node.keys[name].span, node.values[name]
        if not isinstance(found, Map):
            return found.span
        node = found
    return span


def _check_strategy(draft: Draft, risks: dict[str, Draft], ledgers: dict[str, Draft], log: FaultLog) -> None:
    account = getattr(draft.settings, "account", None)
    if account is not None and risks and account not in risks:
        places = {name: risk.key.span for name, risk in risks.items()}
        span = _place(draft, "account")
        message = f"actor {draft.name!r} trades for the account {account!r}, which no risk actor looks after"
        log.add("E217", span, message, did_you_mean(account, places, span.source.name))
    ledger = ledgers.get(str(account))
    if ledger is None or draft.misread or ledger.address in draft.sources:
        return
    if getattr(draft.settings, "equity_usdt", None) == 0:
        message = f"actor {draft.name!r} sizes by the account's equity, and does not read its ledger"
        help = f"add {ledger.address!r} to 'reads', or write an amount"
        log.add("E212", _place(draft, "equity_usdt"), message, help)


def _check_position(draft: Draft, traders: dict[tuple[str, str], Draft], log: FaultLog) -> None:
    account, symbol = str(getattr(draft.settings, "account", "")), draft.variables.get("symbol", "")
    first = traders.setdefault((account, symbol), draft)
    if first is not draft and account and symbol:
        message = f"actors {first.address!r} and {draft.address!r} would share one position in {symbol}"
        log.add("W405", draft.key.span, message, "give each its own symbols, or its own account")


def _check_shares(drafts: list[Draft], log: FaultLog) -> None:
    """Note actors that would together use more than all of what a key, or an address, may."""
    users: dict[tuple[str, str], list[Draft]] = {}
    for draft in drafts:
        if draft.kind is not None and draft.kind.shares and draft.settings is not None:
            whose = str(getattr(draft.settings, draft.kind.shares))
            users.setdefault((draft.kind.shares, whose), []).append(draft)
    for (name, _), sharers in users.items():
        used = [getattr(draft.settings, "limits_fraction", 0) for draft in sharers]
        total = sum(used)
        if total > E8 and len(sharers) > 1:
            largest, count = sharers[used.index(max(used))], len(sharers)
            message = (
                f"{count} actors share the limits of one {name!r} and would use {format_e8(total)} of them"
            )
            each = format_e8(E8 // count)
            help = f"give each a 'limits_fraction' of at most {each}"
            log.add("E219", _place(largest, "limits_fraction"), message, help)


def _check_exchange(draft: Draft, known: dict[str, Draft], ledgers: dict[str, Draft], log: FaultLog) -> None:
    deposits: dict[str, int] | None = getattr(draft.settings, "accounts", None)
    if deposits is None:
        return
    for address in draft.sources:
        account = known[address].variables.get("account")
        if account is None:
            continue
        if account not in deposits:
            message = f"actor {draft.name!r} has no account {account!r}, which {address!r} would trade for"
            log.add("E217", _place(draft, "accounts"), message, f"write 'accounts: {{{account}: \"10000\"}}'")
        elif account in ledgers:
            _check_first_cash(draft, ledgers[account], deposits[account], account, log)


def _check_first_cash(draft: Draft, ledger: Draft, deposit: int, account: str, log: FaultLog) -> None:
    cash: Any = getattr(ledger.settings, "initial_usdt", deposit)
    if cash != deposit:
        begins, gets = format_e8(cash), format_e8(deposit)
        message = f"the ledger of account {account!r} begins with {begins} USDT, the exchange with {gets}"
        help = "the two would never agree, and risk denies every order until they do"
        log.add("E218", _place(ledger, "initial_usdt"), message, help)
