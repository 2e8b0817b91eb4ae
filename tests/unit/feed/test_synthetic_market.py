"""The statistics of the synthetic market: regimes, correlation, fat tails, clusters, and what follows."""

import math
from itertools import pairwise
from statistics import fmean, median, pstdev

import numpy as np
import pytest

from actors.domain.bars import DAY_NS
from actors.feed.factor import SESSION_MINUTES, Regime, make_session, seconds_of
from actors.feed.noise import normals, words
from actors.feed.price_path import MINUTE_NS, SECOND_NS, SESSION_NS, PricePath
from actors.feed.settings import SyntheticSettings
from actors.feed.synthetic_market import SyntheticMarket
from actors.messages.market import BookDepth, MarkPrice, Quote, Trade
from tests.unit.feed.feeds_on_bench import BTC, DAY, DOGE, ETH, NOON, SECOND, instrument, synthetic

DAYS = 10
FIRST = NOON // MINUTE_NS


def path_of(symbol: str, seed: int = 7, volatility: float = 0.06, correlation: float = 0.6) -> PricePath:
    path = PricePath(seed, symbol, volatility, correlation, 10)
    path.anchor(NOON // SESSION_NS, math.log(600_000))
    return path


def levels_of(symbol: str, days: int = DAYS, **settings: float) -> np.ndarray:
    path = path_of(symbol, **settings)  # type: ignore[arg-type]
    return np.array([path.minute_level(FIRST + minute) for minute in range(days * 1440 + 1)])


def returns_of(symbol: str, days: int = DAYS, **settings: float) -> np.ndarray:
    return np.diff(levels_of(symbol, days, **settings))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_symbols_move_together_as_much_as_asked() -> None:
    btc, eth, doge = (returns_of(symbol) for symbol in (BTC, ETH, DOGE))
    for a, b in ((btc, eth), (btc, doge), (eth, doge)):
        assert 0.45 < correlation(a, b) < 0.75
    assert abs(correlation(returns_of(BTC, correlation=0.0), returns_of(ETH, correlation=0.0))) < 0.3
    assert correlation(returns_of(BTC, correlation=1.0), returns_of(ETH, correlation=1.0)) > 0.999


def test_symbols_move_together_from_second_to_second_too() -> None:
    a, b = (
        np.concatenate([np.diff(path.second_levels(FIRST + m)) for m in range(60)])
        for path in (path_of(BTC), path_of(ETH))
    )
    assert correlation(a, b) > 0.3


def test_markets_of_different_seeds_have_nothing_in_common() -> None:
    assert abs(correlation(returns_of(BTC, seed=1), returns_of(BTC, seed=2))) < 0.05


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_returns_have_fat_tails(seed: int) -> None:
    returns = returns_of(BTC, seed=seed)
    centred = returns - returns.mean()
    kurtosis = float((centred**4).mean() / (centred**2).mean() ** 2)
    assert kurtosis > 5  # 3 is the normal distribution's


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_volatility_comes_in_clusters_while_returns_do_not_repeat(seed: int) -> None:
    returns = returns_of(BTC, seed=seed)
    size = np.abs(returns)
    assert correlation(size[:-1], size[1:]) > 0.1
    assert correlation(size[:-15], size[15:]) > 0.04
    assert abs(correlation(returns[:-1], returns[1:])) < 0.12


def test_a_day_moves_as_much_as_the_volatility_says() -> None:
    keys = [f"{seed}/common" for seed in range(8)]
    sessions = [sum(make_session(key, index, key).returns) for key in keys for index in range(180)]
    days = [sum(sessions[first : first + 6]) for first in range(0, len(sessions), 6)]
    assert 0.8 < pstdev(days) < 1.2


def test_every_regime_occurs_and_lasts_long_enough_to_be_seen() -> None:
    path = path_of(BTC)
    regimes = [path.regimes(FIRST + minute)[0] for minute in range(DAYS * 1440)]
    shares = {regime: regimes.count(regime) / len(regimes) for regime in Regime}
    assert min(shares[Regime.TREND_UP], shares[Regime.TREND_DOWN], shares[Regime.RANGE]) > 0.15
    assert 0.005 < shares[Regime.STORM] < 0.15
    changes = [minute for minute, (a, b) in enumerate(pairwise(regimes)) if a is not b]
    assert 30 < median(after - before for before, after in pairwise(changes)) < 120


def test_trends_go_somewhere_and_ranges_come_back() -> None:
    path = path_of(BTC, correlation=1.0)
    stretches: dict[Regime, list[list[float]]] = {regime: [] for regime in Regime}
    last = None
    for minute in range(30 * 1440):
        regime, _ = path.regimes(FIRST + minute)
        if regime is not last or minute % SESSION_MINUTES == 0:
            stretches[regime].append([path.minute_level(FIRST + minute)])
        last = regime
        stretches[regime][-1].append(path.minute_level(FIRST + minute + 1))

    def efficiency(levels: list[float]) -> float:
        """Return how much of the way walked was kept: 1 is a straight line."""
        return abs(levels[-1] - levels[0]) / sum(abs(b - a) for a, b in pairwise(levels))

    long = {regime: [s for s in found if len(s) > 40] for regime, found in stretches.items()}
    ups = [s[-1] - s[0] for s in long[Regime.TREND_UP]]
    downs = [s[-1] - s[0] for s in long[Regime.TREND_DOWN]]
    assert fmean(move > 0 for move in ups) > 0.85
    assert fmean(move < 0 for move in downs) > 0.85
    trending = fmean(efficiency(s) for s in long[Regime.TREND_UP] + long[Regime.TREND_DOWN])
    assert trending > 3 * fmean(efficiency(s) for s in long[Regime.RANGE])
    assert min(len(found) for found in (ups, downs, long[Regime.RANGE])) > 20


def test_spread_widens_and_depth_thins_out_in_turbulence() -> None:
    market = SyntheticMarket(SyntheticSettings(tick=SECOND), BTC, instrument())
    market.begin(NOON)
    moments = [market.moment(NOON // SECOND + 60 * minute) for minute in range(2 * 1440)]
    ranked = sorted(moments, key=lambda moment: moment.turbulence)
    calm, wild = ranked[:200], ranked[-200:]
    spread = [fmean(m.touch.ask_ticks - m.touch.bid_ticks for m in group) for group in (calm, wild)]
    depth = [fmean(m.touch.bid_contracts + m.touch.ask_contracts for m in group) for group in (calm, wild)]
    traded = [fmean(len(market.trades(m)) for m in group) for group in (calm, wild)]
    assert wild[0].turbulence > 2 * calm[-1].turbulence
    assert spread[1] > 3 * spread[0]
    assert depth[1] < 0.7 * depth[0]
    assert traded[1] > traded[0]


def test_the_book_grows_deeper_away_from_the_touch() -> None:
    market = SyntheticMarket(SyntheticSettings(), BTC, instrument())
    market.begin(NOON)
    books = [market.depth(market.moment(NOON * 10 // SECOND + step)) for step in range(200)]
    near, far = (fmean(side[level][1] for book in books for side in book) for level in (0, 9))
    assert far > 3 * near


def test_jumps_leave_no_price_in_between() -> None:
    path = path_of(BTC)
    found = 0
    for index in range(NOON // SESSION_NS, NOON // SESSION_NS + 30):
        session = make_session(f"7/{BTC}", index, "7/common")
        for minute, jump in session.jumps.items():
            second = (index * SESSION_MINUTES + minute) * 60 + jump.second
            inner = [path.level(second * SECOND_NS + tick * SECOND_NS // 10) for tick in range(10)]
            moves = [abs(b - a) for a, b in pairwise([*inner, path.second_level(second + 1)])]
            assert sorted(moves)[-2] < 1e-12 < max(moves)
            found += 1
    assert found > 5


def test_second_returns_sum_to_the_minute_and_ticks_meet_the_seconds() -> None:
    session = make_session("7/common", 100, "7/common")
    for minute in range(0, SESSION_MINUTES, 7):
        total = sum(seconds_of("7/common", 100 * SESSION_MINUTES + minute, session))
        assert total == pytest.approx(session.returns[minute], abs=1e-12)
    path = path_of(BTC)
    for minute in (FIRST - 1, FIRST, FIRST + SESSION_MINUTES):
        assert path.second_level((minute + 1) * 60) == pytest.approx(path.second_levels(minute)[-1], abs=1e-9)


def test_the_same_instant_has_the_same_price_whatever_was_asked_before() -> None:
    wandering, direct = path_of(BTC), path_of(BTC)
    instants = [NOON + k * 37 * MINUTE_NS + k * 100_000_000 for k in range(-40, 40)]
    seen = {at_ns: wandering.level(at_ns) for at_ns in instants}
    for at_ns in reversed(instants):
        assert direct.level(at_ns) == pytest.approx(seen[at_ns], abs=1e-9)
    wandering.advance(NOON // SESSION_NS + 3)
    assert wandering.level(instants[0]) == pytest.approx(seen[instants[0]], abs=1e-9)


def test_prices_stay_positive_over_ten_days_even_where_a_tick_is_much() -> None:
    made = SyntheticSettings(tick=10 * SECOND, volatility=40_000_000)
    for ticks in (1, 40, 600_000):
        market = SyntheticMarket(made, BTC, instrument(reference_ticks=ticks))
        market.begin(NOON)
        for step in range(NOON // made.tick, (NOON + DAYS * DAY) // made.tick, 60):
            moment = market.moment(step)
            bids, asks = market.depth(moment)
            mark, index = market.mark_and_index(moment.at_ns)
            assert 0 < bids[-1][0] <= bids[0][0] < asks[0][0]
            assert min(mark, index) > 0
            assert all(size > 0 for _, size in bids + asks)
            assert all(one.price_ticks > 0 and one.contracts > 0 for one in market.trades(moment))


def test_a_whole_feed_of_ten_days_keeps_mark_quote_and_trades_together() -> None:
    bench = synthetic(tick=60 * SECOND)
    bench.advance(DAYS * DAY)
    marks = {mark.at_ns: mark for mark in bench.take(MarkPrice)}
    for quote in bench.take(Quote):
        mark = marks[quote.at_ns]
        assert quote.bid_ticks > 0
        assert abs((quote.bid_ticks + quote.ask_ticks) / 2 / mark.mark_ticks - 1) < 0.001
        assert abs(mark.index_ticks / mark.mark_ticks - 1) < 0.003
    assert len(bench.take(Trade)) > 10_000
    assert len(bench.take(BookDepth)) == DAYS * 1440 + 1


def test_the_past_is_that_of_the_market_also_before_it_began() -> None:
    market = SyntheticMarket(SyntheticSettings(), BTC, instrument())
    market.begin(NOON)
    bars = market.history(DAY_NS, 200, NOON)
    assert 20 <= len(bars) <= 30  # a month is the farthest it looks back
    assert bars[-1].at_ns == NOON - NOON % DAY_NS
    assert all(0 < bar.low_ticks <= bar.close_ticks <= bar.high_ticks for bar in bars)


def test_noise_is_what_its_key_says() -> None:
    assert words("a", 5) == words("a", 9)[:5]
    assert words("a", 5) != words("b", 5)
    draws = normals("a", 20_000)
    assert abs(fmean(draws)) < 0.03
    assert abs(pstdev(draws) - 1) < 0.02
    assert abs(correlation(np.array(draws[:-1]), np.array(draws[1:]))) < 0.03
