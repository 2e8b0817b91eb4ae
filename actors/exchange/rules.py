"""What the operator decides about an exchange, in the units of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """The engine's settings; the defaults are the venue's own habits where we know them."""

    # Where our orders stand in the market's queue: at the front, so that a trade at their price fills them,
    # or at the back, so that only a trade through their price does.
    queue_front: bool = False
    queue_shown: bool = False  # behind what is displayed at their price instead; see queue_position
    slippage_e8: int = 0  # of the price, for what a taker trades with the market; see slippage
    impact_e8: int = 0
    impact_window_ns: int = 3_600_000_000_000
    leverage: Mapping[str, int] = field(default_factory=dict)  # by symbol; else the instrument's default
    fees_e8: Mapping[str, int] = field(default_factory=dict)  # `maker`, `taker`; else the instrument's
    # Settle at the instrument's interval with the last rate and mark, instead of when the market says so.
    funding_by_clock: bool = False
    open_orders_max: int = 20_000  # per account
    closed_orders_kept_max: int = 5_000  # per account
    funding_kept_max: int = 1_000  # payments per account
    # What the insurance fund may lose before profitable positions on the other side are closed for it; a
    # negative number means that it pays whatever is needed.
    insurance_loss_usdt_max: int = -1
