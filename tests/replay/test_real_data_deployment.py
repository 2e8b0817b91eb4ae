"""Recorded markets through whole deployments: strategies, risk, OMS, venue, exchange, ledger, reconciler."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from actors.exchange.events import PositionLiquidated
from actors.risk.events import IntentDenied
from actors.strategy.events import PositionAdopted
from tests.replay.real_data import CODE, DATA, FOLDER, RealRun
from tests.simulation.paper import positions, recorded

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no market data beside the repository")
pytest.importorskip("duckdb")

HOUR_S, DAY_S = 3_600, 86_400
CANDLES, TRADES, LIQUIDATION = "real_candles.yaml", "real_trades.yaml", "real_liquidation.yaml"


@contextmanager
def another_process(
    name: str, duration_s: int, step_s: int, **inputs: str
) -> Iterator[subprocess.Popen[str]]:
    """Run the same in a process whose sets and dicts of text have another order; it prints its digests."""
    command = [sys.executable, "-m", "tests.replay.real_data", name, str(duration_s), str(step_s)]
    command += [f"{key}={value}" for key, value in inputs.items()]
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    with subprocess.Popen(
        command, cwd=FOLDER.parents[1], env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def digests_of(process: subprocess.Popen[str]) -> list[str]:
    printed, _ = process.communicate()
    assert process.returncode == 0
    code, *digests = printed.split()
    assert code == CODE, "the code changed between the starts of two processes: run this again"
    return digests


def test_the_day_of_the_crash_leaves_books_that_agree_and_bytes_that_repeat() -> None:
    with another_process(TRADES, DAY_S, 6 * HOUR_S) as process:
        run = RealRun(TRADES).run_for(DAY_S, 6 * HOUR_S)
        assert digests_of(process) == run.digests
    run.sim.run_for(HOUR_S * 1_000_000_000)  # the files end at midnight; what was on its way has arrived
    run.check()
    run.check_trading(orders_min=60)
    assert len(run.funding()) >= 4
    feeds = [cell for name, cell in run.sim.node.loop.cells.items() if "_feed/" in name]
    assert [cell.behaviour.state.rows_done for cell in feeds] == [24_706, 22_320, 15_608, 12_764, 10_282]
    assert {event.rule for event in recorded(run.sim.store, IntentDenied)} <= {"stale_data"}


def test_another_seed_draws_other_delays_and_nothing_else() -> None:
    def fills(**inputs: str) -> list[object]:
        run = RealRun(TRADES, **inputs).run_for(3 * HOUR_S, 3 * HOUR_S)
        run.check()
        return [(fill.symbol, fill.price_ticks, fill.filled_at_ns, fill.fee_usdt) for fill in run.fills()]

    assert fills(seed="7") != fills(seed="8")
    assert fills(seed="7", jitter="0ms") == fills(seed="8", jitter="0ms") != []


def test_an_account_that_the_crash_liquidates_agrees_to_the_last_unit() -> None:
    run = RealRun(LIQUIDATION).run_for(2 * HOUR_S, HOUR_S)
    liquidated = recorded(run.sim.store, PositionLiquidated)
    assert {event.symbol for event in liquidated} == {"SOL_USDT_PERP", "LTC_USDT_PERP"}
    assert positions(run.sim.node) == {}
    ledger = run.sim.node.cell("ledger/main").behaviour.state
    assert 0 <= ledger.cash_usdt < ledger.initial_usdt // 1000
    liquidations = [event for event in run.fills() if not event.client_order_id]
    assert len(liquidations) == len(liquidated)
    run.check(known_quarrels=tuple(unaware(run)))


def unaware(run: RealRun) -> Iterator[str]:
    """Yield what is said of strategies that have not yet wished to reduce a position they no longer have."""
    adopted = {event.symbol for event in recorded(run.sim.store, PositionAdopted)}
    believed = {}
    for symbol in ("SOL_USDT_PERP", "LTC_USDT_PERP"):
        state = run.sim.node.cell(f"reversion/{symbol}").behaviour.state
        assert bool(state.net_contracts) == (symbol not in adopted)
        if state.net_contracts:
            believed[symbol] = state.net_contracts
    yield f"positions: exchange {{}}, strategies {believed}"


def test_two_days_of_candles_leave_books_that_agree_and_bytes_that_repeat() -> None:
    with another_process(CANDLES, 2 * DAY_S, 12 * HOUR_S) as process:
        run = RealRun(CANDLES).run_for(2 * DAY_S, 12 * HOUR_S)
        assert digests_of(process) == run.digests
    run.sim.run_for(60 * 1_000_000_000)
    run.check()
    run.check_trading(orders_min=100)
    assert len({event.funding_id.rpartition("/")[2] for event in run.funding()}) >= 4


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_seven_weeks_of_candles_leave_books_that_agree_and_bytes_that_repeat() -> None:
    days = 51
    with another_process(CANDLES, days * DAY_S, DAY_S) as process:
        run = RealRun(CANDLES).run_for(days * DAY_S, DAY_S)
        assert digests_of(process) == run.digests
    run.check()
    run.check_trading(orders_min=2_000)
    assert len(run.funding()) > 300
