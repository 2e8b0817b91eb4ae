"""What an account decides beside orders: its leverage, the margin behind isolated positions, its money.

Each returns why not, None when it is done. Amounts are 1e-8 USDT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.domain.money import format_e8
from actors.exchange.accounts import Member, Standing
from actors.exchange.admission import Refused
from actors.exchange.codes import Refusal
from actors.exchange.events import CashMoved, FeesSet, LeverageSet, MarginMoved
from actors.exchange.margin import exposures_ticks, initial_margin, worst_contracts

if TYPE_CHECKING:
    from actors.exchange.engine import Exchange

__all__ = ["free_usdt", "move_cash", "move_margin", "set_fees", "set_leverage"]


def free_usdt(member: Member) -> int:
    """Return what an account may still tie up, or take out. Negative when it is short."""
    return member.wallet.cash_usdt + member.unrealised_usdt - member.initial_usdt


def set_leverage(exchange: Exchange, standing: Standing, leverage: int, at_ns: int) -> Refused | None:
    """Change the leverage of a position, there or not, if its size and the account can bear it.

    An isolated position that needs more margin takes it from the cash; one that needs less keeps it.
    """
    market, holding = standing.market, standing.holding
    if not 1 <= leverage <= market.instrument.leverage_max:
        return (Refusal.BAD_LEVERAGE, f"1 to {market.instrument.leverage_max} is possible")
    if worst_contracts(holding) > market.contracts_max_at(leverage):
        return (Refusal.RISK_LIMIT, f"the position is too large for leverage {leverage}")
    mark, tick_value = market.reference_ticks, market.tick_value
    exposure, _ = exposures_ticks(holding, mark)
    missing = 0
    if standing.is_isolated:
        held = abs(holding.position[0]) * mark
        exposure -= held
        missing = max(0, initial_margin(held, tick_value, leverage) - holding.margin_usdt)
    needed = initial_margin(exposure, tick_value, leverage) - standing.initial_usdt + missing
    free = free_usdt(standing.member)
    if needed > 0 and needed > free:
        text = f"leverage {leverage} needs {format_e8(needed)} USDT more, {format_e8(free)} are free"
        return (Refusal.INSUFFICIENT_MARGIN, text)
    name = standing.member.name
    exchange.record(LeverageSet(name, standing.key, leverage, at_ns))
    if missing:
        exchange.record(MarginMoved(name, standing.key, missing, at_ns))
    return None


def move_margin(exchange: Exchange, standing: Standing, amount_usdt: int, at_ns: int) -> Refused | None:
    """Put cash behind an isolated position, or take some back, down to its initial margin."""
    holding, market = standing.holding, standing.market
    net = holding.position[0]
    if not (standing.is_isolated and net):
        return (Refusal.NO_POSITION, "there is no isolated position")
    if amount_usdt > free_usdt(standing.member):
        return (Refusal.INSUFFICIENT_MARGIN, f"{format_e8(free_usdt(standing.member))} USDT are free")
    initial = initial_margin(abs(net) * market.reference_ticks, market.tick_value, standing.leverage)
    if amount_usdt < 0 and standing.equity_usdt + amount_usdt < initial:
        return (Refusal.INSUFFICIENT_MARGIN, f"the position needs {format_e8(initial)} USDT")
    exchange.record(MarginMoved(standing.member.name, standing.key, amount_usdt, at_ns))
    return None


def move_cash(exchange: Exchange, member: Member, amount_usdt: int, at_ns: int) -> Refused | None:
    """Bring money into an account, or out of it: no more than is free, and no open profit."""
    most = min(free_usdt(member), member.wallet.cash_usdt)
    if amount_usdt < 0 and -amount_usdt > most:
        return (Refusal.INSUFFICIENT_MARGIN, f"{format_e8(most)} USDT can be taken out")
    exchange.record(CashMoved(member.name, amount_usdt, at_ns))
    return None


def set_fees(exchange: Exchange, member: Member, maker_e8: int, taker_e8: int, at_ns: int) -> None:
    """Give an account fees of its own; the same again changes nothing."""
    if member.wallet.fees_e8 != {"maker": maker_e8, "taker": taker_e8}:
        exchange.record(FeesSet(member.name, maker_e8, taker_e8, at_ns))
