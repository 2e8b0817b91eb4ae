"""What a finished backtest leaves behind, as plain values: all that a report needs, and nothing else.

Units are those of the whole house: instants UTC nanoseconds, prices ticks of the instrument, sizes contracts
(signed when negative means sold), money 1e-8 USDT, fractions 1e-8. Everything is in the order of time.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "BarPoint",
    "ClosedTrade",
    "DataFile",
    "DataNote",
    "DeniedOrder",
    "EquityPoint",
    "FillPoint",
    "FundingPoint",
    "HaltPoint",
    "Manifest",
    "ReasonShown",
    "RunInstrument",
    "RunRecord",
    "digest_of_fills",
]


class RunInstrument(msgspec.Struct, frozen=True):
    """One traded symbol."""

    symbol: str
    tick_e8: int  # price of one tick, 1e-8 USDT
    contract_e8: int  # units of the coin in one contract, 1e-8
    tick_value: int  # what one tick moves one contract by, 1e-8 USDT


class BarPoint(msgspec.Struct, frozen=True, array_like=True):
    """One bar of the price chart; `at_ns` is its open."""

    at_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    contracts: int


class EquityPoint(msgspec.Struct, frozen=True, array_like=True):
    """The account at one instant. Profit by symbol and strategy is realised + unrealised - fees - funding."""

    at_ns: int
    equity_usdt: int  # cash + unrealised
    cash_usdt: int
    unrealised_usdt: int
    margin_usdt_used: int
    exposure_usdt: int  # sum of the absolute values of all positions at the mark
    pnl_usdt_by_symbol: tuple[int, ...]  # in the order of RunRecord.symbols
    pnl_usdt_by_strategy: tuple[int, ...]  # in the order of RunRecord.strategies


class ReasonShown(msgspec.Struct, frozen=True, array_like=True):
    """One input of a decision and its value, as text."""

    name: str
    value: str


class FillPoint(msgspec.Struct, frozen=True):
    """One fill of ours.

    `slippage_usdt` is what the price cost against the decision, `(price - decision) x signed contracts`;
    positive is lost. It is contained in the profit, not taken from it once more.
    """

    at_ns: int
    account: str
    symbol: str
    strategy: str  # address; empty when the venue acted by itself
    client_order_id: str
    trade_id: str
    order_type: str  # `market`, `limit`, ...; empty when the venue acted by itself
    signed_contracts: int
    price_ticks: int
    decision_ticks: int  # 0 when unknown
    arrival_ticks: int  # middle of bid and ask when the order left us; 0 when unknown
    decided_at_ns: int
    slippage_usdt: int
    fee_usdt: int  # positive is paid
    realised_usdt: int  # by this fill, before its fee
    maker: bool
    liquidation: bool
    reduce_only: bool
    reasons: tuple[ReasonShown, ...]


class FundingPoint(msgspec.Struct, frozen=True):
    """One settlement that moved our cash."""

    at_ns: int
    account: str
    symbol: str
    net_contracts: int
    rate_e8: int
    mark_ticks: int
    payment_usdt: int  # positive is paid


class DeniedOrder(msgspec.Struct, frozen=True):
    """An order that never reached the book: our own risk said no, or the venue did."""

    at_ns: int
    account: str
    symbol: str
    strategy: str
    by: str  # `risk` or `venue`
    rule: str  # rule of ours, or code of the venue
    text: str
    measured: int
    limit: int


class HaltPoint(msgspec.Struct, frozen=True):
    """Trading was halted or released."""

    at_ns: int
    scope: str
    level: str  # empty when released
    reason: str


class ClosedTrade(msgspec.Struct, frozen=True):
    """A position of one strategy in one symbol from flat to flat (or to the other side).

    A fill that turns the position around ends one trade and begins the next; its fee is split by contracts.
    `entry_ticks_sum` and `exit_ticks_sum` are sums of contracts x price, so that averages stay exact.
    """

    symbol: str
    strategy: str
    side: int  # 1 long, -1 short
    contracts: int  # opened in all
    entry_at_ns: int
    exit_at_ns: int
    entry_ticks_sum: int
    exit_ticks_sum: int
    gross_usdt: int
    fees_usdt: int
    funding_usdt: int
    net_usdt: int  # gross - fees - funding
    is_liquidated: bool


class DataFile(msgspec.Struct, frozen=True):
    """One file that was read."""

    role: str  # `market`, `funding`, `mark`, `trades` and `start` beside books
    symbol: str
    file: str  # as it was named
    sha256: str
    content: str  # `candles`, `trades`, `quotes`, `book`, `depth`, `funding`, `mark`
    interval_ns: int  # of candles, else 0
    rows_count: int
    first_at_ns: int
    last_at_ns: int


class DataNote(msgspec.Struct, frozen=True):
    """Something that the check of the data found and did not refuse."""

    file: str
    row: int  # data rows from 1; 0 for the whole file
    kind: str  # `gap`, `outlier`, `repaired`, `funding_missing`, `outside_range`, ...
    text: str


class Manifest(msgspec.Struct, frozen=True):
    """All that decides the result: equal manifests give equal records, byte for byte."""

    code_version: str
    deployment: str
    config_hash: str  # of everything the deployment says, overrides included
    overrides: tuple[tuple[str, str], ...]  # (`trend.fast`, `12`)
    seed: int
    from_ns: int
    to_ns: int
    files: tuple[DataFile, ...]
    settings: tuple[tuple[str, str], ...]  # what the run itself was told: repairs, sampling, ...
    code_hash: str = ""  # SHA-256 of the package's modules
    made_with: tuple[tuple[str, str], ...] = ()  # (`numpy`, `2.2.1`): what floats may depend on


class RunRecord(msgspec.Struct, frozen=True):
    """One finished run."""

    manifest: Manifest
    instruments: tuple[RunInstrument, ...]
    symbols: tuple[str, ...]
    strategies: tuple[str, ...]  # addresses
    initial_usdt: int
    bars: tuple[tuple[BarPoint, ...], ...]  # by symbol, in the order of `symbols`
    equity: tuple[EquityPoint, ...]  # at the start, at every sample, at the end
    sample_ns: int  # between two points of `equity`
    fills: tuple[FillPoint, ...]
    funding: tuple[FundingPoint, ...]
    denials: tuple[DeniedOrder, ...]
    halts: tuple[HaltPoint, ...]
    trades: tuple[ClosedTrade, ...]
    notes: tuple[DataNote, ...]
    orders_count: int
    books_agree: bool  # ledger and exchange agree to the last unit at the end


def digest_of_fills(fills: tuple[FillPoint, ...]) -> str:
    """Return the SHA-256 of all fills, funding left out; equal digests mean equal trading."""
    from hashlib import sha256

    return sha256(msgspec.msgpack.encode(fills)).hexdigest()
