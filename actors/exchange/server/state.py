"""What the served exchange remembers beside the engine: bills, positions' histories, modes, spot wallets."""

from __future__ import annotations

import msgspec

from actors.exchange.ring import Ring
from actors.exchange.server.spot_state import SpotState
from actors.exchange.state import ExchangeState

__all__ = ["Bill", "ClosedPosition", "Note", "ServerState", "Settlement", "User"]

BILLS_KEPT_MAX = 2_000  # per account
POSITIONS_KEPT_MAX = 500  # closed ones, per account
SETTLEMENTS_KEPT_MAX = 1_000  # per symbol: almost a year


class Bill(msgspec.Struct, array_like=True, gc=False):
    """One change of an account's money."""

    number: int
    kind: str  # FEE, PNL, FUNDING_FEE, TRANSFER, MANUAL_MARGIN, LIQ_PNL, ADL_PNL
    holding: str  # its key; empty for transfers
    amount_usdt: int  # positive came in
    at_ns: int


class Note(msgspec.Struct, array_like=True, gc=False):
    """What an open position has gone through since it was opened."""

    opened_at_ns: int = 0
    updated_at_ns: int = 0
    opened_contracts: int = 0
    opened_ticks: int = 0  # sum of contracts x price_ticks
    closed_contracts: int = 0
    closed_ticks: int = 0
    realised_usdt: int = 0
    last_realised_usdt: int = 0  # of the last close
    fees_usdt: int = 0
    funding_usdt: int = 0  # positive was paid
    size_before: int = 0  # before the last fill, signed


class ClosedPosition(msgspec.Struct, array_like=True, gc=False):
    """A position that is no more."""

    number: int
    holding: str
    side: int  # of the position: 1 long, -1 short
    note: Note
    state: str  # NORMAL, LIQ, ADL


class User(msgspec.Struct, gc=False):
    """One account's part of it."""

    is_hedged: bool = False
    bills: Ring[Bill] = msgspec.field(default_factory=Ring)
    notes: dict[str, Note] = {}  # of open positions, by holding
    positions: Ring[ClosedPosition] = msgspec.field(default_factory=Ring)


class Settlement(msgspec.Struct, array_like=True, gc=False):
    """One settlement of funding."""

    rate_e8: int
    at_ns: int


class ServerState(msgspec.Struct, gc=False):
    """All of it."""

    engine: ExchangeState = msgspec.field(default_factory=ExchangeState)
    users: dict[str, User] = {}
    bills_count: int = 0
    settlements: dict[str, Ring[Settlement]] = {}
    spot: SpotState = msgspec.field(default_factory=SpotState)
