"""How many contracts: money in, contracts out, in ints."""

from __future__ import annotations

from typing import NamedTuple

from actors.domain.instrument import Instrument
from actors.domain.money import E8
from actors.domain.orders import Side
from actors.domain.steps import Sizing, size_at_risk
from actors.strategy.settings import StrategySettings

__all__ = ["Step", "contracts_at_risk", "is_reached", "next_step", "sizing_of"]


class Step(NamedTuple):
    """The next order on the way to a target."""

    side: Side
    contracts: int
    reduce_only: bool


def contracts_at_risk(
    settings: StrategySettings,
    instrument: Instrument,
    equity_usdt: int,
    price_ticks: int,
    stop_ticks: float,
) -> int:
    """Return the contracts that lose risk_fraction of equity over `stop_ticks`, rounded down and capped.

    Unit: equity in 1e-8 USDT. A stop nearer than one tick counts as one tick.
    """
    return size_at_risk(sizing_of(settings, instrument), equity_usdt, price_ticks, stop_ticks)


def sizing_of(settings: StrategySettings, instrument: Instrument) -> Sizing:
    """Return what the settings and the catalog allow, as a step function is told."""
    contracts_max = instrument.tiers[-1].contracts_max
    if settings.contracts_max:
        contracts_max = min(contracts_max, settings.contracts_max)
    return Sizing(
        settings.risk_fraction,
        settings.notional_fraction,
        instrument.tick_value,
        instrument.contracts_min,
        contracts_max,
    )


def is_reached(net_contracts: int, target_contracts: int, instrument: Instrument) -> bool:
    """Tell whether a target needs no further order.

    At a spot market the fee of a buy is taken from what was bought; a target is not topped up for what the
    fee took, because the fee of that order would take it again.
    """
    lacking = target_contracts - net_contracts
    if lacking <= 0 or not instrument.is_spot:
        return lacking == 0
    return lacking <= 2 * (1 + target_contracts * instrument.taker_fee_e8 // E8)


def next_step(net_contracts: int, target_contracts: int, contracts_max: int) -> Step | None:
    """Return the next order on the way to a target, at most `contracts_max` large; None when it is reached.

    A position is closed before the other side is opened: the closing order can be reduce-only, so it goes
    through under a halt, and cannot overshoot should the position be smaller than we think.
    """
    if net_contracts == target_contracts:
        return None
    crosses = net_contracts * target_contracts < 0
    change = -net_contracts if crosses else target_contracts - net_contracts
    side = Side.BUY if change > 0 else Side.SELL
    reduces = net_contracts * change < 0
    return Step(side, min(abs(change), contracts_max), reduces)
