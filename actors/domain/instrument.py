"""The specification of one contract: what a tick and a contract are worth, and what the venue allows."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal

from actors.domain.money import E8, EXACT, divide_half_even, format_e8, parse_e8, scaled, whole_half_even

__all__ = ["OPEN", "Instrument", "MarketKind", "RiskTier"]

OPEN = "OPEN"


class MarketKind(enum.Enum):
    """What a trade leads to."""

    PERPETUAL = "perpetual"  # a position on margin, long or short, that pays funding
    SPOT = "spot"  # coins against money at once; what is held is never below zero


@dataclass(frozen=True, slots=True)
class RiskTier:
    """Limits for positions of up to `contracts_max` contracts (step function over the whole position)."""

    contracts_max: int
    leverage_max: int
    maintenance_e8: int  # of notional, in 1e-8


@dataclass(frozen=True, slots=True)
class Instrument:
    """One market against USDT. Prices are ints of `tick_e8`, sizes ints of contracts.

    A contract of a spot market is one step of the coin's quantity. It has leverage 1 and no maintenance, so
    that the margin of what is held is its whole value, and what is free is the money.
    """

    symbol: str
    base: str
    tick_e8: int  # price step, 1e-8 USDT per base unit
    contract_e8: int  # base units per contract, in 1e-8
    contracts_min: int
    contracts_max_limit: int  # per limit order
    contracts_max_market: int  # per market order
    leverage_max: int
    leverage_default: int
    price_band_e8: int  # how far from the mark price a limit may lie, fraction in 1e-8
    maker_fee_e8: int  # of notional, in 1e-8; negative is a rebate
    taker_fee_e8: int
    funding_interval_ns: int
    tiers: tuple[RiskTier, ...]  # ascending by contracts_max
    reference_ticks: int = 0  # a plausible price for synthetic markets; 0 when nobody knows one
    assumed: frozenset[str] = frozenset()  # fields that nobody has confirmed with the venue
    market: MarketKind = MarketKind.PERPETUAL
    status: str = OPEN  # what the venue let people do here when it was asked last

    def __post_init__(self) -> None:
        if self.tick_e8 <= 0 or self.contract_e8 <= 0 or self.tick_e8 * self.contract_e8 % E8:
            raise ValueError(
                f"{self.symbol}: a tick of one contract must be worth a whole number of 1e-8 USDT, "
                f"but tick {format_e8(self.tick_e8)} x contract {format_e8(self.contract_e8)} is not"
            )
        if not self.tiers or [t.contracts_max for t in self.tiers] != sorted(
            {t.contracts_max for t in self.tiers}
        ):
            raise ValueError(f"{self.symbol}: risk tiers must exist and ascend")

    @property
    def is_spot(self) -> bool:
        """Whether trades settle at once, in coins."""
        return self.market is MarketKind.SPOT

    @property
    def is_open(self) -> bool:
        """Whether the venue took orders of every kind when it was asked last."""
        return self.status == OPEN

    @property
    def tick_value(self) -> int:
        """What one tick of one contract is worth, in 1e-8 USDT. Exact."""
        return self.tick_e8 * self.contract_e8 // E8

    def notional(self, contracts: int, price_ticks: int) -> int:
        """Return the value of `contracts` at a price, in 1e-8 USDT. Exact; signed like its arguments."""
        return contracts * price_ticks * self.tick_value

    def price_ticks(self, price: str | Decimal) -> int:
        """Return a decimal price in ticks. Errors: ValueError when it lies between two ticks."""
        ticks, rest = divmod(parse_e8(price), self.tick_e8)
        if rest:
            raise ValueError(f"{self.symbol}: price {price} is not a multiple of {format_e8(self.tick_e8)}")
        return ticks

    def nearest_ticks(self, price: str | Decimal) -> int:
        """Return a decimal price in ticks, rounded half-even; for market data off the grid."""
        return whole_half_even(EXACT.divide(scaled(Decimal(price)), Decimal(self.tick_e8)))

    def price_text(self, price_ticks: int) -> str:
        """Return a price in ticks as decimal text."""
        return format_e8(price_ticks * self.tick_e8)

    def tier(self, contracts: int) -> RiskTier:
        """Return the tier of a position of so many contracts (sign ignored); beyond the last, the last."""
        size = abs(contracts)
        for tier in self.tiers:
            if size <= tier.contracts_max:
                return tier
        return self.tiers[-1]

    def initial_margin(self, contracts: int, price_ticks: int, leverage: int) -> int:
        """Return what opening so many contracts ties up, in 1e-8 USDT, rounded half-even; never negative."""
        return divide_half_even(abs(self.notional(contracts, price_ticks)), leverage)

    def maintenance_margin(self, contracts: int, price_ticks: int) -> int:
        """Return the equity a position must keep, in 1e-8 USDT, rounded half-even; never negative."""
        notional = abs(self.notional(contracts, price_ticks))
        return divide_half_even(notional * self.tier(contracts).maintenance_e8, E8)

    def fee(self, contracts: int, price_ticks: int, *, maker: bool) -> int:
        """Return the fee of a fill in 1e-8 USDT, rounded half-even; positive is paid, negative a rebate."""
        notional = abs(self.notional(contracts, price_ticks))
        return divide_half_even(notional * (self.maker_fee_e8 if maker else self.taker_fee_e8), E8)

    def coin_fee(self, fee_e8: int) -> tuple[int, int]:
        """Return what a fee taken in the coin (1e-8 of it) does to what was bought: (contracts, dust).

        So many whole contracts go; of the last one the fee takes only a part, and the rest, the dust (1e-8
        of the coin), stays in the account beside the contracts. Exact: contracts x contract_e8 - dust is
        the fee. It depends on the one fill alone, so a fill told twice or late says the same.
        """
        contracts = -(-fee_e8 // self.contract_e8)
        return contracts, contracts * self.contract_e8 - fee_e8

    def carry_dust(self, held_e8: int, fee_contracts: int, dust_e8: int) -> tuple[int, int]:
        """Return (fee_contracts, dust_e8) of a purchase when so much dust is held already.

        As soon as dust makes up a whole contract it is one: the fee takes one less, and the dust shrinks.
        Exact, and whatever the order of fills, held dust stays below one contract.
        """
        if held_e8 + dust_e8 < self.contract_e8:
            return fee_contracts, dust_e8
        return fee_contracts - 1, dust_e8 - self.contract_e8

    def funding(self, net_contracts: int, mark_ticks: int, rate_e8: int) -> int:
        """Return what a position pays at one settlement, in 1e-8 USDT; negative when it receives.

        Longs pay shorts when the rate is positive.
        """
        return divide_half_even(self.notional(net_contracts, mark_ticks) * rate_e8, E8)
