"""Money and positions as the ledger states them. Amounts are 1e-8 USDT."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.messages import Message, Overflow

__all__ = ["AccountState", "AdjustCash", "PositionState"]


class PositionState(Message, frozen=True):
    """One position changed, or its mark moved far enough to matter."""

    OVERFLOW: ClassVar[Overflow] = Overflow.CONFLATE

    account: str
    symbol: str
    net_contracts: int
    cost_ticks: int
    mark_ticks: int
    unrealised_usdt: int
    realised_usdt: int  # since the account began, before fees and funding
    at_ns: int

    @property
    def conflation_key(self) -> str:
        """One position's states replace each other."""
        return f"{self.account}/{self.symbol}"


class AccountState(Message, frozen=True):
    """The account as a whole."""

    OVERFLOW: ClassVar[Overflow] = Overflow.CONFLATE

    account: str
    cash_usdt: int  # deposits + realised - fees - funding
    equity_usdt: int  # cash + unrealised
    margin_usdt_used: int  # initial margin of positions (orders are reserved by risk)
    margin_usdt_maintenance: int
    unrealised_usdt: int
    fees_usdt: int  # since the account began; positive is paid
    funding_usdt: int  # since the account began; positive is paid
    day_start_equity_usdt: int  # equity at the last 00:00 UTC
    equity_peak_usdt: int
    at_ns: int

    @property
    def conflation_key(self) -> str:
        """One account's states replace each other."""
        return self.account


class AdjustCash(Message, frozen=True):
    """Correct the ledger's cash, with proof: what the venue shows and we never heard of.

    A transfer moves the day's start and the peak along, so that a withdrawal is no loss.
    """

    account: str
    amount_usdt: int  # positive adds
    reason: str
    evidence: str  # where anybody can look it up: a bill id, a snapshot's request_id, a ticket
    actor: str  # who says so: a person or an actor's address
    transfer: bool = False
