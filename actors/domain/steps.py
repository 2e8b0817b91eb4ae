"""What a step function sees: a strategy as one pure function of numbers, run by the actor and by the kernel.

    step(memory, params, seen, sizing) -> (memory, target_contracts, why)

`memory` and `params` are NamedTuples of ints and floats that belong to the strategy; `why` is an index into
its texts, and 0 means that it does not know enough yet to want anything. A step calls only `math`, its own
plain functions and those of this module: the kernel compiles it as it stands, and both must reach the same
number. So every int here stays within 64 bits, and products that might not are taken apart (`part_e8`).
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

__all__ = ["Seen", "Sizing", "ema_next", "part_e8", "part_e8_half_even", "size_at_risk", "wilder_next"]

E8 = 100_000_000


class Seen(NamedTuple):
    """A closed bar in ticks, and what the account is worth."""

    high_ticks: int
    low_ticks: int
    close_ticks: int
    past_ticks: int  # close of `lookback` bars before this one; 0 when there was none, or none is wanted
    equity_usdt: int  # 1e-8 USDT


class Sizing(NamedTuple):
    """What turns the distance of a stop into contracts."""

    risk_e8: int  # of equity
    notional_e8: int  # of equity
    tick_value: int  # 1e-8 USDT
    contracts_min: int
    contracts_max: int


def part_e8(amount: int, fraction_e8: int) -> int:
    """Return amount * fraction_e8 // 1e8, without a product of the two."""
    return amount // E8 * fraction_e8 + amount % E8 * fraction_e8 // E8


def part_e8_half_even(amount: int, fraction_e8: int) -> int:
    """Return amount * fraction_e8 / 1e8, rounded to the nearest, ties to the even one."""
    rest = amount % E8 * fraction_e8
    whole = amount // E8 * fraction_e8 + rest // E8
    twice = rest % E8 * 2
    return whole + 1 if twice > E8 or (twice == E8 and whole % 2) else whole


def size_at_risk(sizing: Sizing, equity_usdt: int, price_ticks: int, stop_ticks: float) -> int:
    """Return the contracts that lose `risk_e8` of equity over `stop_ticks`, rounded down and capped.

    A stop nearer than one tick counts as one tick. 0 when that is less than the smallest order, or when
    price or equity are not known.
    """
    if price_ticks <= 0 or equity_usdt <= 0:
        return 0
    contracts = part_e8(equity_usdt, sizing.risk_e8) // (max(1, ceil(stop_ticks)) * sizing.tick_value)
    affordable = part_e8(equity_usdt, sizing.notional_e8) // (price_ticks * sizing.tick_value)
    contracts = min(contracts, affordable, sizing.contracts_max)
    return contracts if contracts >= sizing.contracts_min else 0


def ema_next(value: float, count: int, period: int, close_ticks: int) -> float:
    """Return the exponential average after its `count`-th value; the first `period` are averaged evenly."""
    if count <= period:
        return value + (close_ticks - value) / count
    return value + (close_ticks - value) * 2.0 / (period + 1)


def wilder_next(value: float, count: int, period: int, span: int) -> float:
    """Return Wilder's average after its `count`-th value."""
    return value + (span - value) / min(count, period)
