"""The report of a made-up year: a sample of the account each minute, hourly bars, a trade each half hour."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import process_time

import numpy as np

from actors.backtest.record import (
    BarPoint,
    ClosedTrade,
    DataFile,
    EquityPoint,
    FillPoint,
    Manifest,
    RunInstrument,
    RunRecord,
)

__all__ = ["backtest_report_kb", "backtest_report_s", "year_of_minutes"]

MINUTE_NS = 60_000_000_000
START_NS = 1_704_067_200_000_000_000  # 2024-01-01
MINUTES = 365 * 1440
HOLD = 35  # minutes between two fills
SYMBOL, STRATEGY = "BTC_USDT_PERP", "trend/BTC_USDT_PERP"
INITIAL_USDT = 10_000 * 100_000_000
CONTRACTS = 10
TICK_VALUE = 10_000


def backtest_report_s() -> float:
    """Return CPU seconds from the record to all files of the report."""
    return _measured()[0]


def backtest_report_kb() -> float:
    """Return the size of the page in kB."""
    return _measured()[1]


def _measured() -> tuple[float, float]:
    from actors.backtest.report import write_report

    record = year_of_minutes()
    with tempfile.TemporaryDirectory() as folder:
        began_s = process_time()
        written = write_report(record, Path(folder))
        return process_time() - began_s, written[0].stat().st_size / 1000


def year_of_minutes() -> RunRecord:
    """Return a record as a year of trading one symbol leaves it behind."""
    rng = np.random.default_rng(11)
    prices = (1_000_000 + np.cumsum(rng.integers(-300, 301, MINUTES))).clip(100_000).tolist()
    fills = tuple(_fill(minute, prices[minute]) for minute in range(HOLD, MINUTES, HOLD))
    trades = tuple(_trade(a, b) for a, b in zip(fills[::2], fills[1::2], strict=False))
    return RunRecord(
        manifest=_manifest(),
        instruments=(RunInstrument(SYMBOL, 10_000_000, 100_000, TICK_VALUE),),
        symbols=(SYMBOL,),
        strategies=(STRATEGY,),
        initial_usdt=INITIAL_USDT,
        bars=(tuple(_bar(minute, prices[minute : minute + 60]) for minute in range(0, MINUTES, 60)),),
        equity=_equity(prices),
        sample_ns=MINUTE_NS,
        fills=fills,
        funding=(),
        denials=(),
        halts=(),
        trades=trades,
        notes=(),
        orders_count=len(fills),
        books_agree=True,
    )


def _equity(prices: list[int]) -> tuple[EquityPoint, ...]:
    points = []
    for minute, price in enumerate(prices):
        profit = (price - prices[0]) * CONTRACTS * TICK_VALUE
        points.append(
            EquityPoint(
                START_NS + minute * MINUTE_NS,
                INITIAL_USDT + profit,
                INITIAL_USDT,
                profit,
                0,
                price * CONTRACTS * TICK_VALUE if minute // HOLD % 2 else 0,
                (profit,),
                (profit,),
            )
        )
    return tuple(points)


def _bar(minute: int, prices: list[int]) -> BarPoint:
    at_ns = START_NS + minute * MINUTE_NS
    return BarPoint(at_ns, prices[0], max(prices), min(prices), prices[-1], 100)


def _fill(minute: int, price: int) -> FillPoint:
    number = minute // HOLD
    at_ns = START_NS + minute * MINUTE_NS
    return FillPoint(
        at_ns=at_ns,
        account="main",
        symbol=SYMBOL,
        strategy=STRATEGY,
        client_order_id=f"order-{number}",
        trade_id=str(number),
        order_type="market",
        signed_contracts=CONTRACTS if number % 2 else -CONTRACTS,
        price_ticks=price,
        decision_ticks=price - 1,
        arrival_ticks=price,
        decided_at_ns=at_ns,
        slippage_usdt=CONTRACTS * TICK_VALUE,
        fee_usdt=price * CONTRACTS,
        realised_usdt=0,
        maker=False,
        liquidation=False,
        reduce_only=not number % 2,
        reasons=(),
    )


def _trade(entry: FillPoint, shut: FillPoint) -> ClosedTrade:
    gross = (shut.price_ticks - entry.price_ticks) * CONTRACTS * TICK_VALUE
    fees = entry.fee_usdt + shut.fee_usdt
    return ClosedTrade(
        symbol=SYMBOL,
        strategy=STRATEGY,
        side=1,
        contracts=CONTRACTS,
        entry_at_ns=entry.at_ns,
        exit_at_ns=shut.at_ns,
        entry_ticks_sum=entry.price_ticks * CONTRACTS,
        exit_ticks_sum=shut.price_ticks * CONTRACTS,
        gross_usdt=gross,
        fees_usdt=fees,
        funding_usdt=0,
        net_usdt=gross - fees,
        is_liquidated=False,
    )


def _manifest() -> Manifest:
    end_ns = START_NS + MINUTES * MINUTE_NS
    sha = "0" * 64
    file = DataFile("market", SYMBOL, "year.csv", sha, "candles", MINUTE_NS, MINUTES, START_NS, end_ns)
    return Manifest("0", "year", sha, (), 1, START_NS, end_ns, (file,), ())
