"""Between the OMS and a venue: what a halt asks about all that rests, beside requests for one order."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["CancelAll"]


class CancelAll(Message, frozen=True):
    """Take everything back that rests, in one symbol or in all, orders of other hands included.

    Each order that is named is answered as by CancelOrder, taken by the venue's own word for all or not.
    """

    account: str
    symbol: str  # "" is every symbol
    client_order_ids: tuple[str, ...]  # ours, that rest as far as we know
    symbols: tuple[str, ...]  # theirs, one each
