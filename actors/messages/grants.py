"""How the accounts of a deployment share the portfolio's limits. Amounts are 1e-8 USDT."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.messages import Message, Overflow

__all__ = ["Measures", "PortfolioGrant", "PortfolioUse"]


class Measures(Message, frozen=True):
    """One amount for each limit that accounts share."""

    gross_usdt: int = 0
    net_usdt: int = 0
    correlated_usdt: int = 0


class PortfolioGrant(Message, frozen=True):
    """What one account may come to, orders included. It holds until one with a higher number is taken."""

    OVERFLOW: ClassVar[Overflow] = Overflow.CONFLATE

    account: str
    number: int
    own: Measures
    together: Measures  # what all accounts may come to while this grant holds

    @property
    def conflation_key(self) -> str:
        """An account's grants replace each other."""
        return self.account


class PortfolioUse(Message, frozen=True):
    """What an account comes to in its worst case, and the grant that it keeps to."""

    OVERFLOW: ClassVar[Overflow] = Overflow.CONFLATE

    account: str
    number: int  # of the grant taken last; 0 while there is none
    known: bool  # every position and live order of it has a price
    used: Measures
    limits: Measures  # of the portfolio, as this account's settings in force say; 0 where it has none
    at_ns: int

    @property
    def conflation_key(self) -> str:
        """An account's reports replace each other."""
        return self.account
