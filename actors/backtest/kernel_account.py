"""An account in one instrument as pure ints, the same sums to the last unit as the exchange and the ledger.

Written so that it runs as it stands and compiled. Ints stay within 64 bits: amounts are 1e-8 USDT, and what
could grow beyond is taken apart first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from actors.domain.steps import part_e8_half_even

__all__ = [
    "Account",
    "Terms",
    "bought",
    "equity_at",
    "funded",
    "is_sound",
    "liquidated",
    "moved_to",
    "takeover_price",
]


class Terms(NamedTuple):
    """What the contract and the venue say."""

    tick_value: int  # 1e-8 USDT
    taker_fee_e8: int
    contracts_max: int  # of one market order
    leverage: int
    tiers_contracts: Any  # int64 array: largest position of each risk tier, ascending
    tiers_e8: Any  # int64 array: maintenance margin of each, of notional


class Account(NamedTuple):
    """Cash, position and what it all cost so far."""

    cash_usdt: int  # deposit, plus profit, less fees and funding
    net_contracts: int
    cost_ticks: int  # signed sum of contracts x price of what is open
    fees_usdt: int
    funding_usdt: int  # paid; negative when received
    slippage_usdt: int  # what fills cost more than the touch that was decided on
    turnover_usdt: int
    fills_count: int
    liquidations_count: int
    refused_count: int  # orders that the margin did not allow


def equity_at(account: Account, price_ticks: int, terms: Terms) -> int:
    """Return cash and open profit."""
    return account.cash_usdt + (account.net_contracts * price_ticks - account.cost_ticks) * terms.tick_value


def _share_half_even(cost: int, closing: int, net: int) -> int:
    """Return cost x closing / net for positive numbers, rounded half-even."""
    rest = cost % net * closing
    whole = cost // net * closing + rest // net
    twice = rest % net * 2
    return whole + 1 if twice > net or (twice == net and whole % 2) else whole


def bought(account: Account, signed: int, price: int, decided: int, fee_e8: int, terms: Terms) -> Account:
    """Return the account after one fill of `signed` contracts; `decided` is the close it was decided on.

    A fill closes or opens, never both: whoever turns round closes first.
    """
    net, cost, cash = account.net_contracts, account.cost_ticks, account.cash_usdt
    size = abs(signed)
    if net * signed < 0:
        direction = 1 if net > 0 else -1
        closed = cost if size == abs(net) else direction * _share_half_even(abs(cost), size, abs(net))
        cash += (direction * size * price - closed) * terms.tick_value
        cost -= closed
    else:
        cost += signed * price
    notional = size * price * terms.tick_value
    fee = part_e8_half_even(notional, fee_e8)
    return Account(
        cash - fee,
        net + signed,
        cost,
        account.fees_usdt + fee,
        account.funding_usdt,
        account.slippage_usdt + signed * (price - decided) * terms.tick_value,
        account.turnover_usdt + notional,
        account.fills_count + 1,
        account.liquidations_count,
        account.refused_count,
    )


def moved_to(account: Account, target: int, price: int, decided: int, terms: Terms) -> Account:
    """Return the account after a fill on the way to `target`, at most one order's worth; see `next_step`."""
    net = account.net_contracts
    change = -net if net * target < 0 else target - net
    change = max(-terms.contracts_max, min(terms.contracts_max, change))
    if net * change >= 0 and not _affords(account, change, price, terms):
        return _counted(account, 0, 1)
    return bought(account, change, price, decided, terms.taker_fee_e8, terms)


def _counted(account: Account, liquidations: int, refused: int) -> Account:
    return Account(
        account.cash_usdt,
        account.net_contracts,
        account.cost_ticks,
        account.fees_usdt,
        account.funding_usdt,
        account.slippage_usdt,
        account.turnover_usdt,
        account.fills_count,
        account.liquidations_count + liquidations,
        account.refused_count + refused,
    )


def _affords(account: Account, change: int, price: int, terms: Terms) -> bool:
    """Tell whether the margin allows the position to grow, the fee of the order included."""
    notional = abs(account.net_contracts + change) * price * terms.tick_value
    fee = part_e8_half_even(abs(change) * price * terms.tick_value, terms.taker_fee_e8)
    return equity_at(account, price, terms) - fee >= notional // terms.leverage


def funded(account: Account, mark_ticks: int, rate_e8: int, terms: Terms) -> Account:
    """Return the account after one settlement."""
    notional = account.net_contracts * mark_ticks * terms.tick_value
    paid = part_e8_half_even(notional, rate_e8)
    return Account(
        account.cash_usdt - paid,
        account.net_contracts,
        account.cost_ticks,
        account.fees_usdt,
        account.funding_usdt + paid,
        account.slippage_usdt,
        account.turnover_usdt,
        account.fills_count,
        account.liquidations_count,
        account.refused_count,
    )


def maintenance(account: Account, mark_ticks: int, terms: Terms) -> int:
    """Return the equity that the position needs at a mark."""
    size, last = abs(account.net_contracts), len(terms.tiers_e8) - 1
    tier = 0
    while tier < last and size > terms.tiers_contracts[tier]:
        tier += 1
    return part_e8_half_even(size * mark_ticks * terms.tick_value, terms.tiers_e8[tier])


def is_sound(account: Account, mark_ticks: int, terms: Terms) -> bool:
    """Tell whether the equity at a mark is more than the position needs."""
    return equity_at(account, mark_ticks, terms) > maintenance(account, mark_ticks, terms)


def takeover_price(account: Account, mark_ticks: int, terms: Terms) -> int:
    """Return the price at which the equity behind the position is used up."""
    size, direction = abs(account.net_contracts), 1 if account.net_contracts > 0 else -1
    ticks = equity_at(account, mark_ticks, terms) // (size * terms.tick_value)
    return max(1, mark_ticks - direction * ticks)


def liquidated(account: Account, mark_ticks: int, terms: Terms) -> Account:
    """Return the account after the insurance fund took over what lies above the next lower risk tier.

    It closes at the bankruptcy price of the equity behind the position, without a fee.
    """
    size, direction = abs(account.net_contracts), 1 if account.net_contracts > 0 else -1
    lower = 0
    for tier in range(len(terms.tiers_contracts)):
        if terms.tiers_contracts[tier] < size:
            lower = max(lower, terms.tiers_contracts[tier])
    price = takeover_price(account, mark_ticks, terms)
    account = bought(account, -direction * (size - lower), price, mark_ticks, 0, terms)
    return _counted(account, 1, 0)
