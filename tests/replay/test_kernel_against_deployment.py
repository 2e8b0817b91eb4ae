"""The kernel and the deployment trade alike: every size, price, fee and payment, to the last unit."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from actors.backtest.kernel import Kernel, Trial, terms_of
from actors.backtest.kernel_loop import Plan, Result
from actors.backtest.kernel_market import Bars, KernelBars, prepare
from actors.exchange.events import PositionLiquidated
from actors.feed.replay_file import ReplayFile, read_funding
from actors.feed.settings import ReplaySettings
from actors.strategy.library import STRATEGIES
from actors.strategy.library.trend_follow import trend_step
from actors.strategy.sizing import sizing_of
from actors.strategy.stepped import SteppedStrategy
from tests.replay.real_data import DATA, RealRun
from tests.simulation.paper import recorded

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START_MS = 1_746_403_200_000  # 2025-05-05 00:00 UTC
MINUTES = 2_000
TREND, REVERSION = "strategy.trend_follow", "strategy.mean_reversion"

Fills = list[tuple[int, int, int]]  # signed contracts, price, fee


def market(folder: Path, *, crash: bool = False) -> dict[str, str]:
    """Write candles with a hole of some minutes, and funding on and beside the minute; return their paths."""
    draw = np.random.default_rng(11)
    closes = 90_000 * np.exp(np.cumsum(draw.normal(0, 8e-4, MINUTES)))
    opens = np.concatenate(([closes[0]], closes[:-1])) + draw.normal(0, 5, MINUTES)
    highs = np.maximum(opens, closes) + draw.exponential(20, MINUTES)
    lows = np.minimum(opens, closes) - draw.exponential(20, MINUTES)
    if crash:
        lows[1_000::50] *= 0.85
    with (folder / "candles.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("ts_ms", "open", "high", "low", "close", "volume"))
        for i in range(MINUTES):
            if not 700 <= i < 703:
                prices = (f"{price:.2f}" for price in (opens[i], highs[i], lows[i], closes[i]))
                out.writerow((START_MS + i * 60_000, *prices, "3.5"))
    with (folder / "funding.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("ts_ms", "rate"))
        out.writerows((START_MS + h * 3_600_000 + h * 7, f"{0.0001 * (h - 2):.6f}") for h in range(0, 33, 2))
    return {"data": str(folder / "candles.csv"), "funding": str(folder / "funding.csv")}


def deployed(duration_s: int, **inputs: str) -> tuple[RealRun, Fills]:
    run = RealRun("kernel_parity.yaml", **inputs)
    run.sim.run_for(duration_s * SECOND)
    return run, [(fill.signed_contracts, fill.price_ticks, fill.fee_usdt) for fill in run.fills()]


def prepared(run: RealRun) -> KernelBars:
    """Return what the run has played."""
    cell = run.sim.node.cell("feed/BTC_USDT_PERP").behaviour
    settings: ReplaySettings = cell._settings
    instrument = run.topology.instruments["BTC_USDT_PERP"]
    file = ReplayFile(settings, "/", instrument)
    rows = np.array([row for chunk in file.chunks() for row in chunk], np.int64)
    if cell._playback is not None:
        cell._playback.catch_up(run.sim.now_ns)
    played = cell._playback.rows_done if cell._playback is not None else cell.state.rows_done
    rows = rows[:played]
    funding = np.array(read_funding(settings, "/", instrument), np.int64)
    bars = Bars(rows[:, 0] + MINUTE, rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4], MINUTE)
    return prepare(bars, settings.spread, funding[:, 0], funding[:, 1])


def kernel_run(run: RealRun, *, compile_it: bool = True) -> tuple[Result, Fills]:
    settings = run.sim.node.cell("strategy/BTC_USDT_PERP").behaviour.settings
    strategy = STRATEGIES[type(settings)]
    assert issubclass(strategy, SteppedStrategy)
    instrument = run.topology.instruments["BTC_USDT_PERP"]
    plan = Plan(
        10_000 * 10**8, settings.equity_usdt, strategy.warmup_of(settings), strategy.lookback_of(settings)
    )
    trial = Trial(
        plan, strategy.params_of(settings), strategy.first_memory(), sizing_of(settings, instrument)
    )
    fills = np.zeros((10_000, 4), np.int64)
    kernel = Kernel(strategy.step, prepared(run), terms_of(instrument), compile_it=compile_it)
    result = kernel.run(trial, fills)
    rows = fills[: result.account.fills_count].tolist()
    return result, [(signed, price, fee) for _, signed, price, fee in rows]


def check_alike(run: RealRun, expected: Fills, result: Result, found: Fills) -> None:
    ledger = run.sim.node.cell("ledger/main").behaviour.state
    assert found == expected
    assert result.account.cash_usdt == ledger.cash_usdt
    assert result.account.funding_usdt == sum(paid.payment_usdt for paid in run.funding())
    assert result.account.net_contracts == sum(signed for signed, _, _ in expected)


@pytest.mark.parametrize("kind", [TREND, REVERSION])
def test_kernel_reaches_the_fills_and_the_cash_of_the_deployment(tmp_path: Path, kind: str) -> None:
    run, expected = deployed(MINUTES * 60 + 60, kind=kind, **market(tmp_path))
    assert len(expected) > 40
    assert len(run.funding()) > 4
    slow = kernel_run(run, compile_it=False)
    check_alike(run, expected, *slow)
    pytest.importorskip("numba")
    assert kernel_run(run) == slow


def test_kernel_is_liquidated_at_the_price_and_at_the_step_of_the_deployment(tmp_path: Path) -> None:
    run, expected = deployed(
        MINUTES * 60 + 60, kind=REVERSION, size="9", risk="1", depth="1000000", **market(tmp_path, crash=True)
    )
    liquidations = recorded(run.sim.store, PositionLiquidated)
    assert liquidations
    result, found = kernel_run(run, compile_it=False)
    index = next(i for i, (_, _, fee) in enumerate(expected) if fee == 0)
    assert found[: index + 1] == expected[: index + 1]
    assert expected[index][1] == liquidations[0].bankruptcy_ticks
    assert result.account.liquidations_count >= 1


@pytest.mark.skipif(not DATA.is_dir(), reason="no market data beside the repository")
@pytest.mark.parametrize("kind", [TREND, REVERSION])
def test_kernel_reaches_the_deployment_over_recorded_candles(kind: str) -> None:
    pytest.importorskip("duckdb")
    run, expected = deployed(
        86_400,
        kind=kind,
        start="2025-05-04T00:00:00Z",
        data=str(DATA / "candles_1m/BINANCE_BTCUSDT_PERP_2025-05_2025-06.parquet"),
        funding=str(DATA / "funding/BINANCE_BTCUSDT_PERP_FUNDING_2019-09_2026-05.parquet"),
    )
    assert len(expected) > 10
    check_alike(run, expected, *kernel_run(run, compile_it=False))


def test_kernel_that_reads_a_later_bar_would_be_found(tmp_path: Path) -> None:
    """Bars after a decision leave the fills before it as they are."""
    run, _ = deployed(MINUTES * 60 + 60, kind=TREND, **market(tmp_path))
    bars = prepared(run)
    _, whole = kernel_run(run, compile_it=False)
    settings = run.sim.node.cell("strategy/BTC_USDT_PERP").behaviour.settings
    strategy = STRATEGIES[type(settings)]
    assert issubclass(strategy, SteppedStrategy)
    instrument = run.topology.instruments["BTC_USDT_PERP"]
    cut = bars._replace(prices=bars.prices.copy())
    cut.prices[1_000:] *= 2
    plan = Plan(10_000 * 10**8, settings.equity_usdt, strategy.warmup_of(settings), 0)
    trial = Trial(
        plan, strategy.params_of(settings), strategy.first_memory(), sizing_of(settings, instrument)
    )
    fills = np.zeros((10_000, 4), np.int64)
    Kernel(trend_step, cut, terms_of(instrument), compile_it=False).run(trial, fills)
    before = fills[(fills[:, 0] > 0) & (fills[:, 0] < 1_000), 1:].tolist()
    assert len(before) > 20
    assert [tuple(row) for row in before] == whole[: len(before)]
