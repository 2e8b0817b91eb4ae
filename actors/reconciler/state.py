"""What a reconciler keeps over restarts, and the statements that one look compares."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from actors.messages.account import LedgerSnapshot
from actors.messages.trading import OrdersSnapshot
from actors.messages.venue import VenueAccount

__all__ = ["ReconcilerState", "Statements"]


class Statements(NamedTuple):
    """What both sides say: the venue's statement and ours, of one request."""

    theirs: VenueAccount
    orders: OrdersSnapshot
    ledger: LedgerSnapshot


class ReconcilerState(msgspec.Struct):
    """What survives: where the last agreement stands, and what is still open from the last disagreement."""

    agreed_at_ns: int = 0  # the venue's date of the last statement we agreed with; 0 before the first
    agrees: bool = False
    rounds_count: int = 0
    disagreements_count: int = 0
    resolutions_count: int = 0
    finished_at_ns: int = 0
    differences: list[str] = []
    drifting: list[str] = []  # symbols with an open PositionDrift alert
    standing: dict[str, int] = {}  # `kind/key` of a difference that counts -> since when
    stopped: dict[str, str] = {}  # symbol -> why it was halted; forgotten once nothing differs there
    by_hand: dict[str, int] = {}  # symbols with an open ManualTrade alert -> since when
    unfit: list[str] = []  # symbols with an open TermsWrong alert
    unknown: list[str] = []  # symbols with an open UnknownInstrument alert
    corrections: dict[str, tuple[int, int]] = {}  # symbol -> (contracts that corrections added, when last)
    corrected: list[str] = []  # symbols whose position was corrected since the last agreement
    transfers: list[str] = []  # ids of transfers that are in our cash, newest last
    transfers_new: dict[str, int] = {}  # those that the venue has listed and cash was not compared with yet
