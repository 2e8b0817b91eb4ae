"""How a position is cut into closing orders. Pure."""

from __future__ import annotations

from actors.domain.orders import Side

__all__ = ["closing_orders"]

ORDERS_AT_ONCE = 10  # closing orders sent for one symbol in one step; the next step follows when they end


def closing_orders(net_contracts: int, working_contracts: int, contracts_max: int) -> tuple[Side, list[int]]:
    """Return the side and sizes of the market orders that close what is open and not being closed yet.

    net_contracts is signed; working_contracts is what our own live closing orders may still fill;
    contracts_max bounds one order, 0 means no bound. The sizes never sum to more than what is open, so the
    position cannot turn over even if the venue ignored reduce-only.
    """
    side = Side.SELL if net_contracts > 0 else Side.BUY
    left = abs(net_contracts) - working_contracts
    bound = contracts_max or left
    sizes: list[int] = []
    while left > 0 and len(sizes) < ORDERS_AT_ONCE:
        sizes.append(min(left, bound))
        left -= sizes[-1]
    return side, sizes
