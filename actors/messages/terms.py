"""How an account is set up at its venue, and money that came or went."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["CashTransferred", "SetLeverage", "VenueTerms"]


class VenueTerms(Message, frozen=True):
    """The leverage that new orders of one symbol take, in the margin mode that we trade in."""

    symbol: str
    leverage: int


class SetLeverage(Message, frozen=True):
    """Have the venue give new orders of a symbol this leverage; the next comparison shows it."""

    account: str
    symbol: str
    leverage: int


class CashTransferred(Message, frozen=True):
    """The venue moved money into the account or out of it, by somebody's order."""

    account: str
    transfer_id: str  # unique per account
    amount_usdt: int  # 1e-8 USDT; positive came in
    at_ns: int
