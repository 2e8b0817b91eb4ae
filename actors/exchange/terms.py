"""What an order says beyond side, size and price: which of an account's positions it is for, and what
happens when it meets an order of its own account.

Plain orders, such as our own venue's messages hold, are for the one cross-margined position of their symbol.
"""

from __future__ import annotations

import enum

import msgspec

__all__ = ["PLAIN", "SelfTrade", "Slot", "Terms", "holding_keys", "slot_of"]


class Slot(enum.IntEnum):
    """One of the positions that an account may have in one symbol, side by side."""

    CROSS = 0
    CROSS_LONG = 1
    CROSS_SHORT = 2
    ISOLATED = 3
    ISOLATED_LONG = 4
    ISOLATED_SHORT = 5


class SelfTrade(enum.IntEnum):
    """Which order ends when an account's order meets another of the same account."""

    EXPIRE_TAKER = 0
    EXPIRE_MAKER = 1
    EXPIRE_BOTH = 2
    ALLOWED = 3  # none: they trade


class Terms(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Beside the request in an order; the defaults are what a plain order means."""

    slot: Slot = Slot.CROSS
    self_trade: SelfTrade = SelfTrade.EXPIRE_TAKER


PLAIN = Terms()
SUFFIXES = ("", "/long", "/short", "/isolated", "/isolated/long", "/isolated/short")


def holding_keys(symbol: str) -> tuple[str, ...]:
    """Return the keys of a symbol's holdings in a wallet, by slot; the first is the symbol itself."""
    return tuple(symbol + suffix for suffix in SUFFIXES)


def slot_of(key: str) -> tuple[str, Slot]:
    """Return (symbol, slot) of a holding's key."""
    symbol, slash, rest = key.partition("/")
    return symbol, Slot(SUFFIXES.index(slash + rest))
