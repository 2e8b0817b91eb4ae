"""From trades, bars, time and history to the closed bars a strategy is shown: each once, in order.

Functions over StrategyState; nothing here decides or sends.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors.domain.bars import BarBuilder, BarLike
from actors.messages.market import Bar, Trade
from actors.strategy.state import StrategyState

__all__ = ["close_by_time", "due_in_ns", "missed_bars", "take_bar", "take_trade"]


def builder(state: StrategyState, interval_ns: int) -> BarBuilder:
    """Return the open bar, made when there is none."""
    if state.bars is None:
        state.bars = BarBuilder(interval_ns)
    return state.bars


def take_trade(state: StrategyState, trade: Trade, interval_ns: int, now_ns: int) -> Sequence[BarLike]:
    """Take one trade; return the bars it closed. Nothing once the feed sends bars itself."""
    if state.source_interval_ns:
        return ()
    state.lag_ns = max(0, now_ns - trade.at_ns)
    return builder(state, interval_ns).add_trade(trade.at_ns, trade.price_ticks, trade.contracts)


def take_bar(state: StrategyState, bar: Bar, interval_ns: int) -> Sequence[BarLike]:
    """Take one bar of the feed; return the bars it closed.

    The largest interval that divides ours is used; from the first such bar on, trades no longer count.
    """
    if interval_ns % bar.interval_ns or bar.interval_ns < state.source_interval_ns:
        return ()
    if bar.interval_ns > state.source_interval_ns:
        state.source_interval_ns = bar.interval_ns
        state.bars = None
    if bar.interval_ns == interval_ns:
        return (bar,)
    return builder(state, interval_ns).add_bar(bar)


def close_by_time(state: StrategyState, now_ns: int, grace_ns: int) -> Sequence[BarLike]:
    """Return the bars that ended although nobody traded, by the source's clock less a grace."""
    if state.source_interval_ns or state.bars is None:
        return ()
    return state.bars.close_until(now_ns - state.lag_ns - grace_ns)


def due_in_ns(state: StrategyState, now_ns: int, grace_ns: int) -> int:
    """Return in how long the open bar is to be closed by time; -1 when no bar waits for that."""
    if state.source_interval_ns or state.bars is None or not state.bars.closes_at_ns:
        return -1
    return max(0, state.bars.closes_at_ns + state.lag_ns + grace_ns - now_ns)


def missed_bars(
    state: StrategyState, history: Sequence[BarLike], interval_ns: int
) -> tuple[Sequence[BarLike], bool]:
    """Return the bars of a history that were not seen yet, and whether they go on from the last one seen.

    The open bar stays as it is when the history ends before it does; else the feed's version of it counts,
    and a new one goes on from there.
    """
    if not history:
        return (), True
    newest = history[-1]
    open_end_ns = state.bars.closes_at_ns if state.bars is not None else 0
    unseen = [bar for bar in history if bar.at_ns > state.bar_at_ns]
    if unseen and newest.at_ns >= open_end_ns and not state.source_interval_ns:
        state.bars = _going_on(newest)
    if not unseen or not state.bar_at_ns or unseen[0].at_ns - interval_ns == state.bar_at_ns:
        return unseen, True
    return history, False


def _going_on(bar: BarLike) -> BarBuilder:
    price = bar.close_ticks
    return BarBuilder(bar.interval_ns, bar.at_ns + bar.interval_ns, price, price, price, price)
