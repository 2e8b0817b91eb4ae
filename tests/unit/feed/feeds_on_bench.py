"""Feeds on the bench: one instrument, a place for it, and both kinds ready to crank."""

import heapq
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.instrument import Instrument, RiskTier
from actors.domain.place import Place
from actors.feed.replay import ReplayFeed
from actors.feed.settings import ReplaySettings, SyntheticSettings
from actors.feed.synthetic import SyntheticFeed
from actors.runtime.messages import Message
from actors.runtime.testing import Bench

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = 20_372 * DAY + 12 * HOUR  # a day of 2025, 12:00 UTC
BTC, ETH, DOGE = "BTC_USDT_PERP", "ETH_USDT_PERP", "DOGE_USDT_PERP"


def instrument(symbol: str = BTC, reference_ticks: int = 600_000) -> Instrument:
    """Return a contract of 0.001 coins with a tick of 0.1 USDT."""
    return Instrument(
        symbol=symbol,
        base=symbol.partition("_")[0],
        tick_e8=10_000_000,
        contract_e8=100_000,
        contracts_min=1,
        contracts_max_limit=1_000_000,
        contracts_max_market=100_000,
        leverage_max=75,
        leverage_default=10,
        price_band_e8=5_000_000,
        maker_fee_e8=10_000,
        taker_fee_e8=60_000,
        funding_interval_ns=8 * HOUR,
        tiers=(RiskTier(10_000_000, 75, 500_000),),
        reference_ticks=reference_ticks,
    )


def place(symbol: str = BTC, mode: str = "paper", directory: str = ".") -> Place:
    """Return where a feed of this symbol stands."""
    return Place(
        deployment="test",
        address=f"feed/{symbol}",
        mode=mode,
        variables={"symbol": symbol},
        instruments={symbol: instrument(symbol)},
        directory=directory,
    )


def synthetic(symbol: str = BTC, now_ns: int = NOON, start: bool = True, **settings: Any) -> Bench:
    """Return a synthetic feed on the bench."""
    made = SyntheticSettings(**settings)
    return Bench(
        lambda: SyntheticFeed(made, place(symbol)), name=f"feed/{symbol}", now_ns=now_ns, start=start
    )


def replay(
    directory: Path,
    path: str,
    mode: str = "backtest",
    now_ns: int = NOON,
    start: bool = True,
    **settings: Any,
) -> Bench:
    """Return a replay feed on the bench."""
    made = ReplaySettings(path=path, **settings)
    spot = place(BTC, mode, str(directory))
    return Bench(lambda: ReplayFeed(made, spot), name=f"feed/{BTC}", now_ns=now_ns, start=start)


def fire(bench: Bench) -> None:
    """Let the next timer fire, and only that one."""
    due_ns, _, _, message, _ = heapq.heappop(bench._timers)
    bench.now_ns = max(bench.now_ns, due_ns)
    bench.behaviour.receive(message, bench)


def encoded(messages: Iterable[Message]) -> bytes:
    """Return messages as the bytes that would travel."""
    return b"".join(msgspec.msgpack.encode(message) for message in messages)
