"""What a parent order is to do: one class per type. Prices are ticks; 0 means that there is none.

`source` is the price that triggers look at. A stop is met when the price is at it or beyond it, on the side
where it hurts; a target when the price is at it or beyond it, on the other side.
"""

from __future__ import annotations

from actors.domain.orders import OrderType, TimeInForce
from actors.domain.parent_states import PriceSource
from actors.runtime.messages import Message

__all__ = [
    "Bracket",
    "CloseAll",
    "Iceberg",
    "OneCancelsOther",
    "Plan",
    "ScheduledClose",
    "Stop",
    "StopLimit",
    "TakeProfit",
    "TrailingStop",
    "Twap",
    "Vwap",
]

MARK = PriceSource.MARK


class Stop(Message, frozen=True):
    """A market order once the price has gone against us as far as `stop_ticks`."""

    stop_ticks: int
    source: PriceSource = MARK


class StopLimit(Message, frozen=True):
    """A limit order once the price has gone against us as far as `stop_ticks`. It may never fill."""

    stop_ticks: int
    limit_ticks: int
    source: PriceSource = MARK


class TrailingStop(Message, frozen=True):
    """A stop that follows the best price seen at a distance, never back; in ticks or a part of it."""

    trail_ticks: int = 0
    trail_e8: int = 0  # of the best price, in 1e-8
    activation_ticks: int = 0  # it follows from this price on; 0: at once
    source: PriceSource = MARK


class TakeProfit(Message, frozen=True):
    """A market order once the price has gone our way to `target_ticks`; or a limit order that rests."""

    target_ticks: int
    rests: bool = False  # at the venue, from the start
    source: PriceSource = MARK


class OneCancelsOther(Message, frozen=True):
    """A stop and a target for the same contracts: what one of them closes, the other no longer does."""

    stop_ticks: int
    target_ticks: int
    rests: bool = False  # the target, at the venue
    source: PriceSource = MARK


class Bracket(Message, frozen=True):
    """An entry, and exits for what of it has filled: a stop, fixed or trailing or both, and a target."""

    order_type: OrderType = OrderType.MARKET  # of the entry
    limit_ticks: int = 0
    time_in_force: TimeInForce = TimeInForce.IOC
    stop_ticks: int = 0
    target_ticks: int = 0
    rests: bool = False  # the target, at the venue
    trail_ticks: int = 0
    trail_e8: int = 0
    activation_ticks: int = 0
    hold_ns: int = 0  # closed so long after the first fill at the latest
    source: PriceSource = MARK


class Twap(Message, frozen=True):
    """Equal slices over a time, each an order that fills at once or not at all."""

    slices_count: int
    duration_ns: int
    limit_ticks: int = 0  # no slice trades at a worse price; 0: at the market


class Vwap(Message, frozen=True):
    """Slices that follow a volume profile, each an order that fills at once or not at all."""

    weights: tuple[int, ...]  # volume expected in each slice, oldest first; only their ratios count
    duration_ns: int
    limit_ticks: int = 0


class Iceberg(Message, frozen=True):
    """A limit order of which only a part is shown; the next part follows when it has filled."""

    limit_ticks: int
    shown_contracts: int


class ScheduledClose(Message, frozen=True):
    """A closing market order at an instant, or after a time."""

    at_ns: int = 0
    after_ns: int = 0  # since it was accepted


class CloseAll(Message, frozen=True):
    """Close the position of a symbol, or of all, whoever opened it, until nothing is open."""


Plan = (
    Stop
    | StopLimit
    | TrailingStop
    | TakeProfit
    | OneCancelsOther
    | Bracket
    | Twap
    | Vwap
    | Iceberg
    | ScheduledClose
    | CloseAll
)
