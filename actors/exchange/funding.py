"""Funding: at a settlement every position pays rate x notional at the mark to the other side."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from actors.exchange.events import FundingCharged, FundingShare
from actors.exchange.prices import Market
from actors.runtime.messages import Message

if TYPE_CHECKING:
    from actors.exchange.engine import Exchange

__all__ = ["last_instant", "settle_clock", "settle_funding"]


def last_instant(at_ns: int, interval_ns: int) -> int:
    """Return the newest settlement instant not after `at_ns`: for 8 h that is 00, 08 or 16 UTC."""
    return at_ns - at_ns % interval_ns


def settle_clock(exchange: Exchange, market: Market, at_ns: int) -> list[Message]:
    """Settle the newest instant that has passed, with the last rate and mark, unless that was done.

    An instant without a known rate or mark waits for them. Of several instants missed while the exchange was
    down only the newest is settled: nobody could trade, and nobody knows the rates in between.
    """
    instant = last_instant(at_ns, market.instrument.funding_interval_ns)
    if instant <= exchange.state.markets[market.symbol].settled_at_ns:
        return []
    if not (market.is_marked and market.is_rated):
        return []
    opened_at_ns = min((wallet.opened_at_ns for wallet in exchange.state.wallets.values()), default=at_ns)
    if instant <= opened_at_ns:
        return []
    return settle_funding(exchange, market, market.rate_e8, market.reference_ticks, instant, at_ns)


def settle_funding(
    exchange: Exchange, market: Market, rate_e8: int, mark_ticks: int, settled_at_ns: int, at_ns: int
) -> list[Message]:
    """Charge one settlement to everybody who holds a position; one that is not new is ignored."""
    symbol = market.symbol
    if settled_at_ns <= exchange.state.markets[symbol].settled_at_ns:
        return []
    instrument = market.instrument
    shares = []
    for member in exchange.members.values():
        for standing in member.positions_in(symbol):
            net = standing.holding.position.net_contracts
            payment = instrument.funding(net, mark_ticks, rate_e8)
            shares.append(FundingShare(member.name, net, payment, standing.key))
    event = FundingCharged(symbol, rate_e8, mark_ticks, tuple(shares), settled_at_ns, at_ns)
    exchange.record(event)
    counts = Counter(share.account for share in shares)
    paid: list[Message] = []
    for account, count in counts.items():
        paid += [*islice(exchange.members[account].wallet.funding.newest_first(), count)][::-1]
    return paid
