"""A strategy that is restarted in the middle of a run decides as if nothing had happened."""

import random

import msgspec
import pytest

from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.messages.market import Trade
from actors.messages.trading import OrderIntent
from actors.strategy.events import SignalDecided
from actors.strategy.library.mean_reversion import MeanReversionSettings
from actors.strategy.library.trend_follow import TrendFollowSettings
from actors.strategy.settings import StrategySettings
from tests.unit.strategy.strategy_bench import BTC, MINUTE, START, StrategyBench, bars_of

TREND = TrendFollowSettings(fast=3, slow=8, atr=5, atr_filter=0)
REVERSION = MeanReversionSettings(window=10, entry=130_000_000, bars_max=6)


def market(seed: int, minutes: int) -> list[Trade]:
    """Return a price that wanders in swings; some minutes pass without a trade."""
    chance, price, drift, found = random.Random(seed), 8_000_000.0, 0.0, []
    for minute in range(minutes):
        if minute % 12 == 0:
            drift = chance.uniform(-6_000, 6_000)
        for number in range(chance.choice([0, 1, 2, 5])):
            price += drift / 3 + chance.gauss(0, 3_000)
            at_ns = START + minute * MINUTE + (number + 1) * MINUTE // 7
            found.append(Trade(BTC, at_ns, int(price), chance.randint(1, 9), Side.BUY, "t"))
    return found


def run(settings: StrategySettings, trades: list[Trade], restarts: frozenset[int]) -> StrategyBench:
    """Play the trades, filling each order at once; restart before the trades whose numbers are given."""
    bench = StrategyBench(settings)
    bench.live()
    for number, trade in enumerate(trades):
        bench.advance(max(0, trade.at_ns - bench.now_ns))
        fill_all(bench)
        if number in restarts:
            bench.past = bars_of(trades[:number])
            bench.restart()
            bench.answer()
        bench.tell(trade)
        fill_all(bench)
    return bench


def fill_all(bench: StrategyBench) -> None:
    while intents := bench.take(OrderIntent):
        for intent in intents:
            bench.update(intent, OrderState.FILLED, intent.contracts)


def signals(bench: StrategyBench) -> list[SignalDecided]:
    return [event for event in bench.events if isinstance(event, SignalDecided)]


@pytest.mark.parametrize("settings", [TREND, REVERSION], ids=["trend_follow", "mean_reversion"])
@pytest.mark.parametrize("seed", range(4))
def test_restarts_change_no_later_decision(settings: StrategySettings, seed: int) -> None:
    trades = market(seed, 150)
    undisturbed = run(settings, trades, frozenset())
    chance = random.Random(-1 - seed)
    restarts = frozenset(chance.sample(range(len(trades)), 25))
    disturbed = run(settings, trades, restarts)
    assert signals(disturbed) == signals(undisturbed)
    assert sum(1 for signal in signals(undisturbed) if signal.intent_id) >= 6
    assert disturbed.actor.state.net_contracts == undisturbed.actor.state.net_contracts
    assert msgspec.to_builtins(disturbed.actor.state) == msgspec.to_builtins(undisturbed.actor.state)


@pytest.mark.parametrize("settings", [TREND, REVERSION], ids=["trend_follow", "mean_reversion"])
def test_what_is_saved_stays_small(settings: StrategySettings) -> None:
    bench = run(settings, market(1, 300), frozenset())
    assert len(msgspec.msgpack.encode(bench.actor.state)) < 1_500
