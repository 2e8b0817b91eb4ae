"""What is known of one account when nobody but its venue can be asked, and what is wanted of it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from actors.messages.control import HaltLevel

__all__ = ["FUTURES", "SIMULATED", "SPOT", "AccountPlan", "Coin", "Order", "Shown", "Wish", "batches"]

FUTURES, SPOT, SIMULATED = "futures", "spot", "simulated"
SETTLE_NS = 500_000_000  # between two looks: placement is asynchronous
LOOKS_CLEAN = 2  # in a row, before it is believed


class Coin(msgspec.Struct, frozen=True):
    """One symbol of a deployment, as far as closing it needs to know."""

    symbol: str
    base: str  # the coin, of a spot market
    contract_e8: int  # of a spot market: the step of its quantity
    contracts_min: int
    contracts_max: int  # of one market order; 0: no bound


class AccountPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where one account is traded, and under which limits. `key` and `secret` are references."""

    account: str
    address: str  # of the venue actor whose secrets these are
    kind: str  # futures | spot | simulated
    rest_url: str = ""
    key: str = ""
    secret: str = ""
    vip_level: int = 0
    limits_fraction: int = 100_000_000  # 1e-8; of the venue's limits, what the deployment may use at all
    direct_fraction: int = 10_000_000  # 1e-8; of that, what the node never uses
    request_timeout_ns: int = 4_000_000_000
    coins: tuple[Coin, ...] = ()


class Wish(NamedTuple):
    """What shall be true of an account afterwards."""

    level: HaltLevel
    symbol: str = ""  # empty: all of them, those the deployment does not know included
    name: str = ""  # begins the client_order_ids of closing orders

    def concerns(self, symbol: str) -> bool:
        """Tell whether a symbol is meant."""
        return not self.symbol or symbol == self.symbol


class Order(NamedTuple):
    """An order that rests, by either market's list."""

    symbol: str
    venue_order_id: str


class Shown(msgspec.Struct):
    """What an account's venue showed at the end, and what was done to make it so."""

    account: str
    orders: list[str] = []  # that rest still; "symbol venue_order_id"
    positions: dict[str, str] = {}  # that are open still: symbol -> signed contracts, or coins
    positions_before: dict[str, str] = {}
    canceled_count: int = 0  # the venue said yes to
    closing_count: int = 0  # orders sent to close
    looks_count: int = 0  # readings of the whole account
    requests_count: int = 0
    refused_count: int = 0  # 429
    lost_count: int = 0  # without an answer
    last_cancel_ns: int = 0  # after the trigger
    ended_ns: int = 0  # after the trigger
    proven: bool = False
    fault: str = ""  # why it is not proven


def batches(names: list[str], size: int) -> list[tuple[str, ...]]:
    """Return a list cut into pieces of at most `size`."""
    return [tuple(names[start : start + size]) for start in range(0, len(names), size)]
