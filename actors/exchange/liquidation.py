"""Liquidation of an account whose equity no longer covers the maintenance margin of its positions.

First all its orders go, then positions, the one that needs most margin first, step by step down the risk
tiers, until the equity left suffices for what is left. Each step closes at the bankruptcy price of the equity
that backs the position; the insurance fund takes whatever the market then gives, more or less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.exchange.accounts import Member, Standing
from actors.exchange.codes import CancelReason
from actors.exchange.events import PositionLiquidated
from actors.exchange.margin import takeover
from actors.runtime.messages import Message

if TYPE_CHECKING:
    from actors.exchange.engine import Exchange

__all__ = ["liquidate_if_due", "maintenance_usdt"]


def maintenance_usdt(member: Member) -> int:
    """Return the equity that all of an account's positions need, in 1e-8 USDT."""
    return sum(standing.maintenance_usdt for standing in member.positions())


def liquidate_if_due(exchange: Exchange, member: Member, outcomes: list[Message], at_ns: int) -> None:
    """Liquidate as far as necessary; nothing happens while a position has no mark price."""
    if member.equity_usdt > member.initial_usdt:
        return  # the initial margin is at least the maintenance margin: the cheap answer for the many
    held = list(member.positions())
    if not all(standing.market.is_marked for standing in held):
        return
    if not held or member.equity_usdt > maintenance_usdt(member):
        return
    exchange.cancel_all(member, CancelReason.LIQUIDATION, outcomes, at_ns)
    while held and member.equity_usdt <= maintenance_usdt(member):
        _step(exchange, max(held, key=_weight), outcomes, at_ns)
        held = list(member.positions())


def _weight(standing: Standing) -> tuple[int, str]:
    return standing.maintenance_usdt, standing.market.symbol


def _step(exchange: Exchange, standing: Standing, outcomes: list[Message], at_ns: int) -> None:
    """Close one tier's worth of a position at the price that uses up the equity standing behind it."""
    member, market, state = standing.member, standing.market, exchange.state
    needed = maintenance_usdt(member)
    equity = member.equity_usdt
    share = equity * standing.maintenance_usdt // needed if needed else equity
    mark = market.reference_ticks
    net = standing.holding.position.net_contracts
    closed, price = takeover(market.instrument, net, mark, share)
    event = PositionLiquidated(
        state.orders_count + 1,
        state.trades_count + 1,
        member.name,
        market.symbol,
        closed,
        price,
        mark,
        at_ns,
    )
    exchange.record(event)
    outcomes += member.wallet.closed.newest().fills
