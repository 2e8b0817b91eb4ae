"""A market maker as one pure step function: the quotes of Guéant, Lehalle and Fernandez-Tapia, simplified.

Source: O. Guéant, C.-A. Lehalle, J. Fernandez-Tapia, "Dealing with the inventory risk", 2013: far from the
end, half the spread is ln(1 + gamma / k) / gamma, and both quotes lean against the position.
"""

from __future__ import annotations

from math import ceil, floor, log, sqrt
from typing import NamedTuple

from actors.backtest.tick_kernel_loop import TickSeen, TickWish

__all__ = ["QuoterMemory", "QuoterParams", "quote"]

POST_ONLY = 1


class QuoterParams(NamedTuple):
    """Prices in ticks, sizes in lots."""

    gamma: float  # aversion to risk, per tick
    decay: float  # k: by how much the chance of a fill falls with each tick from the middle
    lean: float  # ticks of lean for one order of position and one tick of volatility per step
    memory_steps: float  # over how many steps volatility is averaged
    order_lots: int
    net_lots_max: int


class QuoterMemory(NamedTuple):
    """The middle at the last step (0: none yet) and the average of its squared moves."""

    middle_ticks: float
    variance: float


def quote(memory: QuoterMemory, params: QuoterParams, seen: TickSeen) -> tuple[QuoterMemory, TickWish]:
    """Return a bid and an ask round the middle, none on the side on which the position is full."""
    if seen.bid_ticks == 0 or seen.ask_ticks == 0:
        return memory, TickWish(0, 0, 0, 0, POST_ONLY, 0)
    middle = (seen.bid_ticks + seen.ask_ticks) * 0.5
    move = middle - memory.middle_ticks if memory.middle_ticks > 0.0 else 0.0
    variance = memory.variance + (move * move - memory.variance) / params.memory_steps
    half = log(1.0 + params.gamma / params.decay) / params.gamma
    lean = params.lean * sqrt(variance) * (seen.net_lots / params.order_lots)
    bid = min(floor(middle - half - lean), seen.ask_ticks - 1)
    ask = max(ceil(middle + half - lean), seen.bid_ticks + 1)
    bid_lots = min(params.order_lots, params.net_lots_max - seen.net_lots)
    ask_lots = min(params.order_lots, params.net_lots_max + seen.net_lots)
    wish = TickWish(bid, max(bid_lots, 0), ask, max(ask_lots, 0), POST_ONLY, 0)
    return QuoterMemory(middle, variance), wish
