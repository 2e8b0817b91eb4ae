"""Does everybody stand before the right kind of market, perpetual or spot?"""

from __future__ import annotations

from collections.abc import Mapping

from actors.deployment.expansion import Draft
from actors.deployment.faults import FaultLog
from actors.domain.instrument import Instrument

__all__ = ["check_markets"]


def check_markets(drafts: list[Draft], instruments: Mapping[str, Instrument], log: FaultLog) -> None:
    """Note symbols that their feed, or the account they are traded on, knows nothing of."""
    markets = _markets_of_accounts(drafts)
    for draft in drafts:
        instrument = instruments.get(draft.variables.get("symbol", ""))
        if instrument is None or draft.kind is None:
            continue
        has, symbol = instrument.market.value, instrument.symbol
        if draft.kind.market not in ("", has):
            message = f"actor {draft.name!r} brings in {draft.kind.market} markets, and {symbol} is {has}"
            log.add("E220", draft.places["symbol"], message, _other_kind(draft.kind.name))
        account = str(getattr(draft.settings, "account", ""))
        if draft.family == "strategy" and markets.get(account, has) != has:
            message = (
                f"actor {draft.name!r} would trade {symbol}, which is {has}, on the account {account!r}, "
                f"which is {markets[account]}"
            )
            log.add("E220", draft.places["symbol"], message, f"trade it on an account whose venue is {has}")


def _markets_of_accounts(drafts: list[Draft]) -> dict[str, str]:
    """Return the kind of market of each account, by its venue, or by the exchange that reads its venue."""
    by_address = {draft.address: draft for draft in drafts}
    found = {}
    for draft in drafts:
        market = draft.kind.market if draft.kind else ""
        if draft.family == "venue" and market:
            found[draft.variables.get("account", "")] = market
        elif draft.family == "exchange" and market:
            for address in draft.sources:
                account = by_address[address].variables.get("account") if address in by_address else None
                if account is not None:
                    found[account] = market
    return found


def _other_kind(kind: str) -> str:
    other = kind.removesuffix("_spot") if kind.endswith("_spot") else f"{kind}_spot"
    return f"use 'kind: {other}' for it"
