"""The strategies themselves, bar by bar, without an actor around them."""

from math import ceil

import msgspec
import pytest

from actors.domain.bars import ClosedBar
from actors.domain.orders import Side, TimeInForce
from actors.messages.market import Quote
from actors.messages.plans import Bracket
from actors.runtime.settings import Settings
from actors.strategy.library import STRATEGIES
from actors.strategy.library.mean_reversion import MeanReversion, MeanReversionSettings
from actors.strategy.library.parade import Parade, ParadeSettings
from actors.strategy.library.pulse import Pulse, PulseSettings
from actors.strategy.library.trend_follow import TrendFollow, TrendFollowSettings
from actors.strategy.protocol import Amend, Decision, Hold, Launch, Order, Target, View
from actors.strategy.settings import StrategySettings
from tests.unit.strategy.strategy_bench import BTC, CATALOG, MINUTE, START

UNIT = 100_000_000


def play(strategy: object, view: View, closes: list[int], *, spread: int = 100) -> list[Decision]:
    """Show one bar per close and return what was decided on each."""
    found = []
    for number, close in enumerate(closes, 1):
        view.last_ticks = close
        bar = ClosedBar(START + number * MINUTE, MINUTE, close, close + spread, close - spread, close, 1, 1)
        found.append(strategy.on_bar(bar, view))  # type: ignore[attr-defined]
    return found


def targets(decisions: list[Decision]) -> list[int]:
    """Return the sides of the targets in a row, each once."""
    sides: list[int] = []
    for decision in decisions:
        if isinstance(decision, Target):
            side = (decision.net_contracts > 0) - (decision.net_contracts < 0)
            if not sides or sides[-1] != side:
                sides.append(side)
    return sides


def whys(decisions: list[Decision]) -> list[str]:
    return [decision.why for decision in decisions]


def trend(**changes: object) -> tuple[TrendFollow, View]:
    settings = TrendFollowSettings(**{"fast": 2, "slow": 5, "atr": 3, "atr_filter": 0} | changes)  # type: ignore[arg-type]
    return TrendFollow(settings, CATALOG[BTC]), View(settings, CATALOG[BTC])


def reversion(**changes: object) -> tuple[MeanReversion, View]:
    settings = MeanReversionSettings(**{"window": 8, "entry": UNIT * 3 // 2, "bars_max": 4} | changes)  # type: ignore[arg-type]
    return MeanReversion(settings, CATALOG[BTC]), View(settings, CATALOG[BTC])


UP = [8_000_000 + 1_000 * n for n in range(12)]
DOWN = [UP[-1] - 1_000 * n for n in range(1, 16)]


def test_trend_follow_goes_with_a_rise_and_turns_with_a_fall() -> None:
    strategy, view = trend(atr_stop=50 * UNIT)
    decisions = play(strategy, view, UP + DOWN)
    assert targets(decisions) == [1, -1]
    assert "fast above slow" in whys(decisions)
    assert "fast below slow" in whys(decisions)


def test_trend_follow_names_its_inputs() -> None:
    strategy, view = trend()
    decision = play(strategy, view, UP)[-1]
    assert [name for name, _ in decision.reasons] == ["close", "fast", "slow", "atr", "stop"]


def test_trend_follow_holds_until_its_averages_are_full() -> None:
    strategy, view = trend()
    decisions = play(strategy, view, UP[:5])
    assert [type(decision) for decision in decisions] == [Hold] * 4 + [Target]
    assert strategy.bars_warmup == 5


def test_trend_follow_without_shorts_only_leaves() -> None:
    strategy, view = trend(short=False, atr_stop=50 * UNIT)
    assert targets(play(strategy, view, UP + DOWN)) == [1, 0]


def test_trend_follow_waits_until_the_averages_lie_far_enough_apart() -> None:
    strategy, view = trend(atr_filter=3 * UNIT)
    assert targets(play(strategy, view, UP)) == [0]


def test_trend_follow_sizes_by_its_stop() -> None:
    strategy, view = trend(atr_stop=4 * UNIT, risk_fraction=UNIT // 100, notional_fraction=100 * UNIT)
    play(strategy, view, UP[:5])
    distance = UP[4] - strategy.memory.now.stop_ticks
    assert distance == pytest.approx(4 * strategy.memory.now.atr)
    loss_each = ceil(distance) * CATALOG[BTC].tick_value
    at_stake = view.equity_usdt // 100
    assert at_stake - loss_each < strategy.memory.now.contracts * loss_each <= at_stake


def test_trend_follow_leaves_at_the_trailing_stop_and_stays_out_on_that_side() -> None:
    strategy, view = trend(fast=2, slow=5, atr_stop=2 * UNIT)
    drop = [UP[-1] + 3_000, UP[-1] - 500, UP[-1] - 400, UP[-1] - 300]
    decisions = play(strategy, view, [*UP, *drop], spread=10)
    assert "the trailing stop was met" in whys(decisions)
    assert isinstance(decisions[-1], Target)
    assert decisions[-1].net_contracts == 0
    assert strategy.memory.now.stopped_side == 1


def test_trend_follow_trails_its_stop_and_never_takes_it_back() -> None:
    strategy, view = trend(atr_stop=5 * UNIT)
    stops = []
    for close, spread in [*((close, 10) for close in UP[:8]), (UP[7] - 100, 2_000), (UP[7] - 50, 2_000)]:
        view.last_ticks = close
        strategy.on_bar(ClosedBar(0, MINUTE, close, close + spread, close - spread, close, 1, 1), view)
        if strategy.memory.now.side:
            stops.append(strategy.memory.now.stop_ticks)
    assert stops == sorted(stops)
    assert stops[-1] > stops[0]


def test_trend_follow_that_cannot_afford_a_contract_stays_flat() -> None:
    strategy, view = trend()
    view.equity_usdt = 10 * UNIT
    assert targets(play(strategy, view, UP)) == [0]


FLAT = [8_000_000, 8_000_100] * 4


def test_mean_reversion_buys_below_the_mean_and_leaves_at_it() -> None:
    strategy, view = reversion()
    decisions = play(strategy, view, [*FLAT, 7_999_700, 7_999_800, 8_000_050])
    assert targets(decisions) == [0, 1, 0]
    assert whys(decisions)[-3:] == ["far below the mean", "waiting for the mean", "back at the mean"]


def test_mean_reversion_sells_above_the_mean() -> None:
    strategy, view = reversion()
    decisions = play(strategy, view, [*FLAT, 8_000_400])
    assert targets(decisions) == [0, -1]
    strategy, view = reversion(short=False)
    assert targets(play(strategy, view, [*FLAT, 8_000_400])) == [0]


def test_mean_reversion_gives_up_when_time_is_over_and_does_not_come_back_at_once() -> None:
    strategy, view = reversion(window=20, bars_max=3, exit=0)
    decisions = play(strategy, view, [*FLAT * 3, 7_999_700, 7_999_690, 7_999_680, 7_999_670, 7_999_000])
    assert whys(decisions)[-2:] == ["time is over", "not far enough"]
    assert strategy.memory.now.lost_side == 1


def test_mean_reversion_gives_each_bet_its_whole_time() -> None:
    strategy, view = reversion(window=20, bars_max=3, exit=UNIT // 10)
    first = [*FLAT * 3, 7_999_700, 7_999_700, 8_000_200]
    decisions = play(strategy, view, [*first, 8_000_400, 8_000_400, 8_000_400, 8_000_400])
    assert whys(decisions)[-4:] == ["far above the mean", *["waiting for the mean"] * 2, "time is over"]


def test_mean_reversion_gives_up_at_the_stop() -> None:
    strategy, view = reversion(window=40, stop=3 * UNIT)
    decisions = play(strategy, view, [*FLAT * 5, 7_999_920, 7_998_000])
    assert whys(decisions)[-2:] == ["far below the mean", "strayed to the stop"]


def test_mean_reversion_may_come_back_after_the_price_was_near_its_mean() -> None:
    strategy, view = reversion(window=8, bars_max=1, exit=0)
    strategy.memory.now = strategy.memory.now._replace(lost_side=1)
    closes = [*FLAT, 7_999_700]
    assert targets(play(strategy, view, closes)) == [0]
    strategy, view = reversion(window=8, bars_max=1, exit=UNIT * 5 // 4)
    strategy.memory.now = strategy.memory.now._replace(lost_side=1)
    assert targets(play(strategy, view, closes)) == [0, 1]


def test_mean_reversion_of_a_market_that_stands_still_does_nothing() -> None:
    strategy, view = reversion()
    assert targets(play(strategy, view, [8_000_000] * 30)) == [0]


def test_pulse_buys_and_sells_in_turn() -> None:
    settings = PulseSettings(contracts=3, orders_at_once=2)
    strategy, view = Pulse(settings, CATALOG[BTC]), View(settings, CATALOG[BTC])
    quote = Quote(BTC, START, 1, 1, 2, 1)
    assert strategy.on_quote(quote, view) == Hold("waiting")
    view.can_act = True
    turns = [strategy.on_quote(quote, view) for _ in range(4)]
    assert [turn[:2] for turn in turns] == [(Side.BUY, 3), (Side.SELL, 3)] * 2


def test_pulse_rests_every_third_order_amends_it_and_takes_it_back() -> None:
    settings = PulseSettings(pause=1_000, rests=True)
    strategy, view = Pulse(settings, CATALOG[BTC]), View(settings, CATALOG[BTC])
    quote, steps = Quote(BTC, START, 10_000, 1, 10_001, 1), []
    for step in range(12):
        view.now_ns, view.can_act = START + step * 1_000, not strategy.memory.is_resting
        steps.append(strategy.on_quote(quote, view))
        view.now_ns += 999
        assert strategy.on_quote(quote, view) == Hold("waiting"), "it pauses between two steps"
    kinds = [type(step).__name__ for step in steps]
    turn = ["Order", "Order", "Amend", "Amend", "Cancel"]
    assert kinds == [*turn, "Order", *turn, "Order"]
    resting = [step for step in steps if isinstance(step, Order) and step.limit_ticks]
    assert [(one.limit_ticks, one.time_in_force) for one in resting] == [(9_800, TimeInForce.GTC)] * 2
    amends = [(step.limit_ticks, step.contracts) for step in steps if isinstance(step, Amend)]
    assert amends == [(10_000, 2), (9_800, 2)] * 2


@pytest.mark.parametrize(("net", "side"), [(6, Side.SELL), (-6, Side.BUY)])
def test_pulse_goes_back_towards_flat_when_its_turns_do_not_cancel_out(net: int, side: Side) -> None:
    settings = PulseSettings(contracts=3, orders_at_once=2)
    strategy, view = Pulse(settings, CATALOG[BTC]), View(settings, CATALOG[BTC])
    view.can_act, view.net_contracts = True, net
    quote = Quote(BTC, START, 1, 1, 2, 1)
    assert [strategy.on_quote(quote, view)[0] for _ in range(3)] == [side] * 3


def test_a_parade_of_brackets_alone_protects_all_it_enters_for_as_long_as_it_is_told() -> None:
    settings = ParadeSettings(only_brackets=True, pause=1_000_000_000, hold=40_000_000_000)
    strategy, view = Parade(settings, CATALOG[BTC]), View(settings, CATALOG[BTC])
    view.can_act = True
    launched = []
    for step in range(6):
        view.now_ns = START + step * settings.pause
        launched.append(strategy.on_quote(Quote(BTC, view.now_ns, 500_000, 1, 500_002, 1), view))
    plans = [one.plan for one in launched if isinstance(one, Launch)]
    assert [(isinstance(plan, Bracket), plan.hold_ns) for plan in plans] == [(True, settings.hold)] * 6
    assert all(plan.stop_ticks for plan in plans)


@pytest.mark.parametrize("settings_class", list(STRATEGIES))
def test_every_strategy_keeps_its_contract(settings_class: type[StrategySettings]) -> None:
    settings = settings_class()
    strategy = STRATEGIES[settings_class](settings, CATALOG[BTC])
    assert isinstance(settings, Settings)
    assert isinstance(strategy.memory, strategy.MEMORY)
    assert strategy.bars_warmup >= 0
    assert any(hasattr(strategy, name) for name in ("on_bar", "on_quote", "on_trade"))
    copy = msgspec.convert(msgspec.msgpack.decode(msgspec.msgpack.encode(strategy.memory)), strategy.MEMORY)
    assert copy == strategy.memory


@pytest.mark.parametrize(
    ("settings_class", "values", "fault"),
    [
        (TrendFollowSettings, {"fast": 50, "slow": 50}, "fast must be the smaller one"),
        (TrendFollowSettings, {"bar": 7 * 1_000_000_000}, "divide a day"),
        (MeanReversionSettings, {"exit": 3 * UNIT}, "must ascend"),
        (MeanReversionSettings, {"stop": 2 * UNIT}, "must ascend"),
        (PulseSettings, {"contracts": 0}, ">= 1"),
        (PulseSettings, {"account": "no spaces"}, "regex"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    settings_class: type[StrategySettings], values: dict[str, object], fault: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=fault):
        msgspec.convert(values, settings_class)
