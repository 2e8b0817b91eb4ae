"""The step between a strategy's goal and its orders that decides the size, when the strategy shall not."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.sizing import (
    contracts_of_fraction,
    ewma,
    fixed_fraction,
    kelly,
    log_return,
    volatility_target,
    yearly,
)
from actors.runtime.settings import E8, Settings, setting

__all__ = ["SizeMemory", "SizeSettings", "observe", "sized"]

UNIT = 100_000_000
YEAR_NS = 31_536_000_000_000_000  # 365 days: these markets never close


class SizeSettings(Settings, frozen=True, kw_only=True):
    """Who decides the size of a position. `notional_fraction` and `contracts_max` cap what it says."""

    rule: Annotated[
        Literal["strategy", "fixed_fraction", "volatility_target", "kelly"],
        setting("The strategy itself, or a rule that takes only its direction."),
    ] = "strategy"
    fraction: Annotated[
        E8,
        setting(
            "fixed_fraction: the position's value as a part of equity. kelly: how much of full Kelly.",
            minimum=0,
            risk="raise",
            examples=("0.1", "0.25"),
        ),
    ] = UNIT // 10
    volatility: Annotated[
        E8,
        setting(
            "volatility_target: what a year of the position should move equity by.",
            minimum=0,
            risk="raise",
            examples=("0.2",),
        ),
    ] = UNIT // 5
    memory: Annotated[
        int,
        setting(
            "Bars that mean and volatility look back, in the weights of a moving average; until so many were "
            "seen nothing is opened by them.",
            minimum=2,
            maximum=100_000,
        ),
    ] = 100


class SizeMemory(msgspec.Struct, array_like=True):
    """What is saved with the strategy's state."""

    count: int = 0  # returns seen
    mean: float = 0.0  # of log returns
    square: float = 0.0  # of their squares
    last_ticks: int = 0
    side: int = 0  # of the position that was sized
    contracts: int = 0  # chosen when it opened: it does not follow every bar


def observe(memory: SizeMemory, close_ticks: int, bars: int) -> None:
    """Take a closed bar into the averages; the first returns weigh the same, later ones 1 / bars."""
    if memory.last_ticks and close_ticks > 0:
        memory.count += 1
        found = log_return(memory.last_ticks, close_ticks)
        weight = 1.0 / min(memory.count, bars)
        memory.mean = ewma(memory.mean, found, weight)
        memory.square = ewma(memory.square, found * found, weight)
    memory.last_ticks = close_ticks


def sized(
    memory: SizeMemory,
    settings: SizeSettings,
    wished_contracts: int,
    equity_usdt: int,
    price_ticks: int,
    cap_e8: int,
    instrument: Instrument,
    bar_ns: int,
) -> int:
    """Return the goal in place of the wished one: its direction, the rule's size, fixed while it is held."""
    side = (wished_contracts > 0) - (wished_contracts < 0)
    if side == memory.side and (memory.contracts or not side):
        return side * memory.contracts
    memory.side, memory.contracts = side, 0
    if side:
        fraction = _fraction(memory, settings, side, cap_e8 / UNIT, bar_ns)
        contracts = contracts_of_fraction(equity_usdt, fraction, price_ticks, instrument.tick_value)
        memory.contracts = contracts if contracts >= instrument.contracts_min else 0
    return side * memory.contracts


def _fraction(memory: SizeMemory, settings: SizeSettings, side: int, cap: float, bar_ns: int) -> float:
    if settings.rule == "fixed_fraction":
        return min(cap, fixed_fraction(settings.fraction))
    if memory.count < settings.memory:
        return 0.0
    variance = max(0.0, memory.square - memory.mean * memory.mean)
    if settings.rule == "kelly":
        return kelly(side * memory.mean, variance, settings.fraction / UNIT, cap)
    return volatility_target(settings.volatility / UNIT, yearly(variance, YEAR_NS / bar_ns), cap)
