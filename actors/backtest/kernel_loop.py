"""The loop over bars: fill what was decided, settle funding, liquidate, value, decide anew.

`bind` ties it to one step function. What it returns runs as it stands, slowly, or compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from actors.backtest.kernel_account import (
    Account,
    Terms,
    equity_at,
    funded,
    is_sound,
    liquidated,
    moved_to,
    takeover_price,
)
from actors.backtest.kernel_market import KernelBars
from actors.backtest.kernel_tally import Days, Path, Trades, day_ended, moved, trade_ended
from actors.domain.steps import Seen

__all__ = ["Plan", "Result", "bind"]

LAST_OF_DAY, SETTLES, LOW_FIRST = 1, 2, 4
# Turning round takes two orders; more are needed only beyond the largest one a venue takes.
ORDERS_PER_BAR_MAX = 100


class Plan(NamedTuple):
    """What a run is told beside the market and the strategy's own parameters."""

    deposit_usdt: int
    equity_usdt: int  # that sizes are computed from; 0 takes the account's own
    warmup: int  # closed bars before anything may be ordered, counted from `first`
    lookback: int
    first: int = 0  # the first bar that is seen; nothing is ordered, settled or valued before it


class Result(NamedTuple):
    """What became of it."""

    account: Account
    trades: Trades
    days: Days
    path: Path
    equity_usdt: int  # at the last close


def begin(deposit: int) -> tuple[Account, Trades, Days, Path]:
    """Return the books before the first bar."""
    account = Account(deposit, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    return (
        account,
        Trades(0, 0, 0, 0, deposit),
        Days(0, deposit, 0.0, 0.0, 0.0, 0.0, 0.0),
        Path(deposit, 0.0, 0),
    )


def reach(
    account: Account, trades: Trades, target: int, bar: int, bars: KernelBars, terms: Terms, fills: Any
) -> tuple[Account, Trades]:
    """Fill the orders on the way to the target at the touch that meets them; `bar` is the first one after."""
    bid, ask = touch_at_close(bars, bar - 1)
    for _ in range(ORDERS_PER_BAR_MAX):
        net = account.net_contracts
        if net == target:
            break
        buys = net < 0 if net * target < 0 else target > net
        price = bars.touch[bar, 1] if buys else bars.touch[bar, 0]
        fees = account.fees_usdt
        account = moved_to(account, target, price, ask if buys else bid, terms)
        if account.net_contracts == net:
            break
        row = account.fills_count - 1
        if row < len(fills):
            fills[row, 0], fills[row, 1], fills[row, 2] = bar, account.net_contracts - net, price
            fills[row, 3] = account.fees_usdt - fees
        if account.net_contracts == 0:
            trades = trade_ended(trades, account.cash_usdt)
    return account, trades


def touch_at_close(bars: KernelBars, bar: int) -> tuple[int, int]:
    """Return the bid and ask that a decision on a bar sees, as `feed.replay` shows them."""
    spread = bars.spread[bar]
    bid = bars.prices[bar, 3] - spread // 2
    return max(1, bid), max(2, bid + spread)


def nearer_to_flat(net: int, target: int) -> int:
    """Return how far a position may go once the data is at its end: risk then lets pass what reduces."""
    return max(0, min(net, target)) if net > 0 else min(0, max(net, target))


def settle(account: Account, bar: int, next_row: int, bars: KernelBars, terms: Terms) -> tuple[Account, int]:
    """Settle funding as often as the bar saw it."""
    while next_row < len(bars.funding) and bars.funding[next_row, 0] == bar:
        account = funded(account, bars.funding[next_row, 2], bars.funding[next_row, 1], terms)
        next_row += 1
    return account, next_row


def rescue(
    account: Account, trades: Trades, bar: int, bars: KernelBars, terms: Terms, fills: Any
) -> tuple[Account, Trades]:
    """Liquidate at the first price of the bar's path at which equity no longer suffices."""
    first, second = (2, 1) if bars.marks[bar] & LOW_FIRST else (1, 2)
    for point in (0, first, second, 3):
        mark = bars.prices[bar, point]
        while account.net_contracts and not is_sound(account, mark, terms):
            net, price = account.net_contracts, takeover_price(account, mark, terms)
            account = liquidated(account, mark, terms)
            row = account.fills_count - 1
            if row < len(fills):
                fills[row, 0], fills[row, 1] = bar, account.net_contracts - net
                fills[row, 2], fills[row, 3] = price, 0
            if account.net_contracts == 0:
                trades = trade_ended(trades, account.cash_usdt)
    return account, trades


def is_in_danger(account: Account, bar: int, bars: KernelBars, terms: Terms) -> bool:
    """Tell whether the worst price of the bar leaves too little equity."""
    worst = bars.prices[bar, 2] if account.net_contracts > 0 else bars.prices[bar, 1]
    return not is_sound(account, worst, terms)


def bind(step: Callable[..., Any]) -> Callable[..., Result]:
    """Return run(bars, plan, params, memory, sizing, terms, fills, curve) for one step function.

    `fills` (k, 4) takes bar, signed contracts, price and fee of the first k fills, `curve` (n,) the equity at
    each close; both may be empty.
    """

    def run(
        bars: KernelBars,
        plan: Plan,
        params: Any,
        memory: Any,
        sizing: Any,
        terms: Terms,
        fills: Any,
        curve: Any,
    ) -> Result:
        account, trades, days, path = begin(plan.deposit_usdt)
        target, next_row, prices = 0, 0, bars.prices
        equity = plan.deposit_usdt
        while next_row < len(bars.funding) and bars.funding[next_row, 0] < plan.first:
            next_row += 1
        for bar in range(plan.first, len(prices)):
            if target != account.net_contracts:
                account, trades = reach(account, trades, target, bar, bars, terms, fills)
            is_held, flags, close = account.net_contracts != 0, bars.marks[bar], prices[bar, 3]
            if flags & SETTLES:
                account, next_row = settle(account, bar, next_row, bars, terms)
            if is_held and is_in_danger(account, bar, bars, terms):
                account, trades = rescue(account, trades, bar, bars, terms, fills)
            moves = is_held or equity != account.cash_usdt
            equity = equity_at(account, close, terms)
            if moves:
                path = moved(path, equity, is_held)
            if flags & LAST_OF_DAY:
                days = day_ended(days, equity)
            if len(curve):
                curve[bar] = equity
            seen_before = bar - plan.first
            past = prices[bar - plan.lookback, 3] if 0 < plan.lookback <= seen_before else 0
            worth = plan.equity_usdt if plan.equity_usdt else equity
            seen = Seen(prices[bar, 1], prices[bar, 2], close, past, worth)
            memory, wanted, why = step(memory, params, seen, sizing)
            if why and seen_before + 1 >= plan.warmup:
                target = wanted
        last = len(prices)
        if not bars.goes_on:
            target = nearer_to_flat(account.net_contracts, target)
        account, trades = reach(account, trades, target, last, bars, terms, fills)
        return Result(account, trades, days, path, equity_at(account, prices[last - 1, 3], terms))

    return run
