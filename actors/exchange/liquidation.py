"""Liquidation of an account whose equity no longer covers the maintenance margin of its positions.

First all its orders go, then positions, the one that needs most margin first, step by step down the risk
tiers, until the equity left suffices for what is left. Each step closes at the bankruptcy price of the equity
that backs the position; the insurance fund takes whatever the market then gives, more or less. An isolated
position falls alone. When the fund has lost more than it may, the other side is deleveraged for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.domain.money import E8
from actors.exchange.accounts import Member, Standing
from actors.exchange.codes import CancelReason
from actors.exchange.events import PositionLiquidated
from actors.exchange.margin import takeover
from actors.runtime.messages import Message

if TYPE_CHECKING:
    from actors.exchange.engine import Exchange

__all__ = ["liquidate_if_due", "maintenance_usdt", "queue_place"]


def maintenance_usdt(member: Member) -> int:
    """Return the equity that an account's cross-margined positions need, in 1e-8 USDT."""
    return sum(standing.maintenance_usdt for standing in _crossed(member))


def _crossed(member: Member) -> list[Standing]:
    return [standing for standing in member.positions() if not standing.is_isolated]


def liquidate_if_due(exchange: Exchange, member: Member, outcomes: list[Message], at_ns: int) -> None:
    """Liquidate as far as necessary; nothing happens while a position has no mark price."""
    for standing in member.standings.values():
        if standing.is_isolated and standing.holding.position[0]:
            _liquidate_isolated(exchange, standing, outcomes, at_ns)
    if member.equity_usdt > member.initial_usdt:
        return  # the initial margin is at least the maintenance margin: the cheap answer for the many
    held = _crossed(member)
    if not all(standing.market.is_marked for standing in held):
        return
    if not held or member.equity_usdt > maintenance_usdt(member):
        return
    crossed = [standing for standing in member.standings.values() if not standing.is_isolated]
    exchange.cancel_all(crossed, CancelReason.LIQUIDATION, outcomes, at_ns)
    while held and member.equity_usdt <= maintenance_usdt(member):
        standing = max(held, key=_weight)
        needed = maintenance_usdt(member)
        equity = member.equity_usdt
        share = equity * standing.maintenance_usdt // needed if needed else equity
        _step(exchange, standing, share, outcomes, at_ns)
        held = _crossed(member)


def _liquidate_isolated(exchange: Exchange, standing: Standing, outcomes: list[Message], at_ns: int) -> None:
    if not standing.market.is_marked or standing.equity_usdt > standing.maintenance_usdt:
        return
    exchange.cancel_all([standing], CancelReason.LIQUIDATION, outcomes, at_ns)
    while standing.holding.position[0] and standing.equity_usdt <= standing.maintenance_usdt:
        _step(exchange, standing, standing.equity_usdt, outcomes, at_ns)


def _weight(standing: Standing) -> tuple[int, str]:
    return standing.maintenance_usdt, standing.key


def _step(
    exchange: Exchange, standing: Standing, equity_usdt: int, outcomes: list[Message], at_ns: int
) -> None:
    """Close one tier's worth of a position at the price that uses up the equity standing behind it."""
    market = standing.market
    net = standing.holding.position.net_contracts
    closed, price = takeover(market.instrument, net, market.reference_ticks, equity_usdt)
    _take_over(exchange, standing, closed, price, False, outcomes, at_ns)
    loss_max = exchange.rules.insurance_loss_usdt_max
    if loss_max >= 0 and exchange.state.insurance_usdt < -loss_max:
        _deleverage(exchange, standing, closed, price, outcomes, at_ns)


def _deleverage(
    exchange: Exchange, fallen: Standing, closed: int, price: int, outcomes: list[Message], at_ns: int
) -> None:
    """Close as much on the other side at the bankruptcy price, the most profitable and leveraged first.

    Those positions pass to the market at the mark as well: what they do not earn is what the fund lost.
    """
    opposite = _side_of(exchange, fallen.market.symbol, -closed)
    left = abs(closed)
    for standing in sorted(opposite, key=_rank, reverse=True):
        contracts = min(left, abs(standing.holding.position[0]))
        if not contracts:
            return
        left -= contracts
        signed = -contracts if closed > 0 else contracts
        exchange.cancel_all([standing], CancelReason.DELEVERAGED, outcomes, at_ns)
        _take_over(exchange, standing, signed, price, True, outcomes, at_ns)


def _side_of(exchange: Exchange, symbol: str, sign: int) -> list[Standing]:
    """Return the positions of a symbol with the sign of a number."""
    found = [standing for member in exchange.members.values() for standing in member.positions_in(symbol)]
    return [standing for standing in found if standing.holding.position[0] * sign > 0]


def queue_place(exchange: Exchange, standing: Standing) -> tuple[int, int]:
    """Return a position's place in the queue of its side, and how many stand there: the last goes first.

    Without a position it stands nowhere: (0, 1).
    """
    net = standing.holding.position[0]
    if not net:
        return 0, 1
    side = _side_of(exchange, standing.market.symbol, net)
    own = _rank(standing)
    return sum(_rank(other) <= own for other in side), len(side)


def _rank(standing: Standing) -> tuple[int, str, str]:
    cost = abs(standing.holding.position[1]) * standing.market.tick_value
    return (
        standing.unrealised_usdt * standing.leverage * E8 // max(1, cost),
        standing.member.name,
        standing.key,
    )


def _take_over(
    exchange: Exchange,
    standing: Standing,
    closed: int,
    price: int,
    deleveraged: bool,
    outcomes: list[Message],
    at_ns: int,
) -> None:
    member, market, state = standing.member, standing.market, exchange.state
    event = PositionLiquidated(
        state.orders_count + 1,
        state.trades_count + 1,
        member.name,
        market.symbol,
        closed,
        price,
        market.reference_ticks,
        at_ns,
        standing.key,
        deleveraged,
    )
    exchange.record(event)
    outcomes += member.wallet.closed.newest().fills
