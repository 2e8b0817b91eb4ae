"""What the open positions are worth at the mark, as running sums: one change costs the same for any number.

None of this is state: after a restart it is rebuilt from the positions and the next mark prices.
"""

from __future__ import annotations

from collections.abc import Mapping

from actors.domain.instrument import Instrument
from actors.domain.money import E8, divide_half_even

__all__ = ["Valuation", "Valued"]


class Valued:
    """One instrument's part in the sums. Amounts are 1e-8 USDT."""

    __slots__ = (
        "instrument",
        "margin_usdt_initial",
        "margin_usdt_maintenance",
        "mark_ticks",
        "tick_value",
        "unrealised_usdt",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.tick_value = instrument.tick_value
        self.mark_ticks = 0  # 0 while nobody told us
        self.unrealised_usdt = 0
        self.margin_usdt_initial = 0
        self.margin_usdt_maintenance = 0


class Valuation:
    """The sums over all positions of one account, and which positions lack a mark price."""

    __slots__ = (
        "by_symbol",
        "margin_usdt_initial",
        "margin_usdt_maintenance",
        "unmarked",
        "unrealised_usdt",
    )

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self.by_symbol = {symbol: Valued(instrument) for symbol, instrument in instruments.items()}
        self.unmarked: set[str] = set()
        self.unrealised_usdt = 0
        self.margin_usdt_initial = 0
        self.margin_usdt_maintenance = 0

    def revalue(self, valued: Valued, net_contracts: int, cost_ticks: int, dust_e8: int = 0) -> None:
        """Put one position's present size, cost and mark into the sums; dust is worth its coins at the mark.

        Margin follows the venue: value at the mark over the leverage, and times the maintenance rate of the
        tier that the whole position falls into; both rounded half-even.
        """
        if net_contracts:
            value = net_contracts * valued.mark_ticks * valued.tick_value
            unrealised = value - cost_ticks * valued.tick_value
            if value < 0:
                value = -value
            instrument = valued.instrument
            tier = instrument.tier(net_contracts)
            leverage = instrument.leverage_default
            if leverage > tier.leverage_max:
                leverage = tier.leverage_max
            initial = divide_half_even(value, leverage)
            maintenance = divide_half_even(value * tier.maintenance_e8, E8)
        else:
            unrealised = initial = maintenance = 0
        if dust_e8:
            worth = divide_half_even(dust_e8 * valued.mark_ticks * valued.instrument.tick_e8, E8)
            unrealised += worth
            initial += worth
        self.unrealised_usdt += unrealised - valued.unrealised_usdt
        self.margin_usdt_initial += initial - valued.margin_usdt_initial
        self.margin_usdt_maintenance += maintenance - valued.margin_usdt_maintenance
        valued.unrealised_usdt = unrealised
        valued.margin_usdt_initial = initial
        valued.margin_usdt_maintenance = maintenance
