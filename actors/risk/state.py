"""What risk knows for certain: rebuilt from its events. Prices and the account's money are not among it."""

from __future__ import annotations

import msgspec

from actors.messages.control import HaltLevel

__all__ = [
    "CLOSED_KEPT",
    "LATCHES_KEPT",
    "Attributed",
    "Book",
    "Grant",
    "HaltRecord",
    "Override",
    "Reservation",
    "RiskState",
    "StrategyDay",
]

LATCHES_KEPT = 10_000  # lines of the latch; a person writes one at a time

# Ended orders remembered at least, and at most twice as many: for repeated intents and late fills.
CLOSED_KEPT = 1_000


class Book(msgspec.Struct, array_like=True):
    """One symbol: the position that our fills add up to, and what live orders can still add to it."""

    net_contracts: int = 0
    buy_contracts: int = 0  # of live buy orders, not filled yet
    sell_contracts: int = 0
    opened_ns: int = 0  # when the position opened; 0 while there is none
    flow_ticks: int = 0  # contracts x price paid, less received, since it opened


class Reservation(msgspec.Struct, array_like=True):
    """A live order."""

    symbol: str
    strategy: str
    side: int  # sign of what a fill adds
    contracts: int
    filled_contracts: int = 0
    adopted: bool = False  # nobody asked us: the OMS flattens, or somebody trades by hand
    fee_contracts: int = 0  # of what was bought, taken as fees; spot only
    filled_ticks: int = 0  # sum of contracts x price over its fills


class HaltRecord(msgspec.Struct, array_like=True):
    """A latched halt."""

    level: HaltLevel
    actor: str
    reason: str
    at_ns: int
    evidence: str = ""  # where it came from, when nobody in the node ordered it


class Attributed(msgspec.Struct, array_like=True):
    """What the fills of one strategy's own orders have left in one symbol."""

    net_contracts: int = 0
    flow_ticks: int = 0  # contracts x price paid, less received


class Grant(msgspec.Struct, array_like=True):
    """This account's part in the limits on all accounts, as the portfolio granted it; 0 before it has."""

    number: int = 0
    gross_usdt: int = 0
    net_usdt: int = 0
    correlated_usdt: int = 0
    all_gross_usdt: int = 0  # what all accounts may come to while this part holds
    all_net_usdt: int = 0
    all_correlated_usdt: int = 0


class Near(msgspec.Struct, array_like=True):
    """Somebody was warned that a limit is near."""

    scope: str
    at_ns: int


class StrategyDay(msgspec.Struct, array_like=True):
    """Where a strategy stood when the day began."""

    day_start_ns: int
    profit_usdt: int


class Override(msgspec.Struct, array_like=True):
    """A limit that a person has changed in a running node."""

    value: int
    loosens: bool
    actor: str
    reason: str
    at_ns: int
    until_ns: int = 0  # 0 is for good
    approver: str = ""


class RiskState(msgspec.Struct):
    """Its size follows the live orders and the number of symbols."""

    books: dict[str, Book] = {}
    reserved: dict[str, Reservation] = {}  # by intent_id
    closed: dict[str, int] = {}  # intent_id -> filled contracts, of orders that ended last
    closed_before: dict[str, int] = {}  # the generation before those
    halts: dict[str, HaltRecord] = {}  # by scope
    feeds_stale: dict[str, str] = {}  # symbol -> what is wrong
    gate_epoch: int = 0  # run of the node in which the books were found to agree; 0 while they are not
    loss_day: int = -1  # day on which the loss limit latched last
    rate_full_ns: int = 0  # when the bucket of order tokens will be full again
    allowed_count: int = 0
    denied_count: int = 0
    loss_streak: int = 0  # losing trades in a row
    loss_at_ns: int = 0  # when the streak grew last
    rejects_in_row: int = 0
    rejects_count: int = 0  # since the books began
    exits: dict[str, int] = {}  # symbol -> when risk ordered its position closed last
    attributed: dict[str, dict[str, Attributed]] = {}  # by strategy and symbol
    strategy_days: dict[str, StrategyDay] = {}
    breaches: dict[str, int] = {}  # rule -> period in which it latched last
    peak_ledger_usdt: int = 0  # the ledger's peak when drawdown was measured anew; 0 never
    peak_own_usdt: int = 0  # the highest equity since then
    tightened: dict[str, Override] = {}  # by the limit's name
    loosened: dict[str, Override] = {}
    asked: dict[str, Override] = {}  # loosenings that wait for a second person
    began_halted: bool = False  # the halt that a new deployment begins with has been latched
    grant: Grant = msgspec.field(default_factory=Grant)
    near: dict[str, Near] = {}  # rule -> the warning that holds
    latches: dict[str, int] = {}  # digests of lines of the latch that were taken -> number of the line
