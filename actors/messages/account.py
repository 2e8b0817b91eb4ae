"""Money and positions as the ledger states them. Amounts are 1e-8 USDT."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.messages import Message, Overflow

__all__ = [
    "AccountState",
    "AdjustCash",
    "LedgerPosition",
    "LedgerSnapshot",
    "LedgerSnapshotRequest",
    "PortfolioShare",
    "PortfolioState",
    "PositionOverruled",
    "PositionState",
]


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
    cash_usdt: int  # deposits + realised - fees - funding; what coins cost is no longer in it
    equity_usdt: int  # cash + what coins cost + unrealised
    margin_usdt_used: int  # initial margin of positions (orders are reserved by risk)
    margin_usdt_maintenance: int
    unrealised_usdt: int
    fees_usdt: int  # since the account began; positive is paid
    funding_usdt: int  # since the account began; positive is paid
    day_start_equity_usdt: int  # equity when the day began
    equity_peak_usdt: int
    at_ns: int
    day_start_ns: int = 0
    week_start_equity_usdt: int = 0  # equity when Monday's day began
    week_start_ns: int = 0

    @property
    def conflation_key(self) -> str:
        """One account's states replace each other."""
        return self.account


class PortfolioShare(Message, frozen=True):
    """One account's part in the portfolio."""

    account: str
    equity_usdt: int
    loss_usdt: int  # since its day began; negative is a profit
    net_usdt: tuple[tuple[str, int], ...]  # (symbol, value at the mark), shorts negative


class PortfolioState(Message, frozen=True):
    """All accounts of the deployment together, and how their symbols have moved with each other."""

    OVERFLOW: ClassVar[Overflow] = Overflow.CONFLATE

    shares: tuple[PortfolioShare, ...]
    complete: bool  # every account and every price is known, and young
    symbols: tuple[str, ...]  # of the correlations' rows
    correlations: tuple[tuple[float, ...], ...]
    shrinkage_e8: int  # how far towards gross exposure they are to be taken, fraction
    at_ns: int

    @property
    def conflation_key(self) -> str:
        """There is one portfolio."""
        return ""


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


class LedgerSnapshotRequest(Message, frozen=True):
    """The ledger shall state its books now, by publishing a LedgerSnapshot with the same request_id.

    The OMS passes the reconciler's question on, behind every Fill it published before: so the answer is a
    consistent cut with the OrdersSnapshot of the same request_id. The one who sends this is not the one who
    needs the answer; publish it, do not reply.
    """

    account: str
    request_id: str


class LedgerPosition(Message, frozen=True):
    """One open position in the ledger's books."""

    symbol: str
    net_contracts: int
    cost_ticks: int
    dust_e8: int = 0  # spot: coins beside the contracts, in 1e-8


class LedgerSnapshot(Message, frozen=True):
    """The ledger's books at one instant, for comparison with the venue's."""

    account: str
    request_id: str
    cash_usdt: int  # deposits + realised - fees - funding; what coins cost is no longer in it
    positions: tuple[LedgerPosition, ...]  # only those that are not flat
    fills_count: int  # how many different fills were booked since the account began
    funding_ids: tuple[str, ...]  # of the settlements booked last, newest last; keep about 64
    at_ns: int


class PositionOverruled(Message, frozen=True):
    """A position moved without the orders of strategies: a liquidation, a flatten, a correction of the books.

    Risk says so when it sees the fill of an order that no strategy asked for, and when ledger and orders have
    disagreed for a while; strategies take over what is less than they thought.
    """

    account: str
    symbol: str
    net_contracts: int  # what the account holds
    at_ns: int
