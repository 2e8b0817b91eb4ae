"""Each incremental indicator equals its definition computed in one go, and its saved copy goes on alike."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.strategy.indicators import Atr, Ema, RollingStd, Rsi, Sma, ZScore

RELATIVE = 1e-9

prices = st.lists(st.integers(1, 20_000_000), min_size=1, max_size=120)
# Far from zero and hardly moving: where sums of squares lose their digits.
calm = st.integers(8_000_000, 9_000_000).flatmap(
    lambda at: st.lists(st.integers(at, at + 3), min_size=1, max_size=120)
)
series = prices | calm
periods = st.integers(1, 30)
bars = st.lists(
    st.tuples(st.integers(1_000, 2_000_000), st.integers(0, 900), st.integers(0, 900), st.integers(0, 100)),
    min_size=1,
    max_size=100,
).map(lambda rows: [(low + up + down, low, low + (up + down) * part // 100) for low, up, down, part in rows])


def batch_ema(values: list[int], period: int) -> float:
    average = float(np.mean(values[:period]))
    for value in values[period:]:
        average += (value - average) * 2 / (period + 1)
    return average


def batch_wilder(values: np.ndarray[Any, Any], period: int) -> float:
    average = float(np.mean(values[:period]))
    for value in values[period:]:
        average = (average * (period - 1) + float(value)) / period
    return average


def batch_std(values: list[int], period: int) -> float:
    window = np.array(values[-period:], dtype=np.float64)
    return float(np.std(window - window[0]))


@given(series, periods)
def test_ema_equals_the_batch(values: list[int], period: int) -> None:
    ema = Ema(period)
    for value in values:
        ema.update(value)
    assert ema.value == pytest.approx(batch_ema(values, period), rel=RELATIVE)
    assert ema.ready is (len(values) >= period)


@given(series, periods)
def test_sma_equals_the_batch(values: list[int], period: int) -> None:
    sma = Sma(period)
    results = [sma.update(value) for value in values]
    assert results[-1] == sma.value == pytest.approx(np.mean(values[-period:]), rel=RELATIVE)
    assert sma.ready is (len(values) >= period)


@given(series, periods)
def test_rolling_std_equals_the_batch(values: list[int], period: int) -> None:
    std = RollingStd(period)
    for value in values:
        std.update(value)
    assert std.value == pytest.approx(batch_std(values, period), rel=RELATIVE, abs=0.0)


@given(series, periods)
def test_z_score_equals_the_batch(values: list[int], period: int) -> None:
    score = ZScore(period)
    for value in values:
        score.update(value)
    window = np.array(values[-period:], dtype=np.float64)
    shifted = window - window[-1]  # exact: the differences are small integers
    spread = batch_std(values, period)
    expected = -float(np.sum(shifted)) / len(window) / spread if spread else 0.0
    assert score.value == pytest.approx(expected, rel=RELATIVE, abs=0.0)


@given(bars, periods)
def test_atr_equals_the_batch(rows: list[tuple[int, int, int]], period: int) -> None:
    atr = Atr(period)
    for high, low, close in rows:
        atr.update(high, low, close)
    high, low, close = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    before = np.concatenate(([np.nan], close[:-1]))
    ranges = np.fmax(high - low, np.fmax(abs(high - before), abs(low - before)))
    assert atr.value == pytest.approx(batch_wilder(ranges, period), rel=RELATIVE, abs=1e-300)
    assert atr.ready is (len(rows) >= period)


@given(series, periods)
def test_rsi_equals_the_batch(values: list[int], period: int) -> None:
    rsi = Rsi(period)
    for value in values:
        rsi.update(value)
    changes = np.diff(np.array(values, dtype=np.float64))
    if len(changes) == 0:
        assert rsi.value == 50.0
        return
    gain, loss = batch_wilder(np.maximum(changes, 0), period), batch_wilder(np.maximum(-changes, 0), period)
    expected = 50.0 if gain + loss == 0 else 100 - 100 / (1 + gain / loss) if loss else 100.0
    assert rsi.value == pytest.approx(expected, rel=RELATIVE, abs=1e-12)


MAKERS: list[Callable[[int], Any]] = [Ema, Sma, RollingStd, ZScore, Rsi]


@given(series, periods, st.sampled_from(MAKERS), st.integers(0, 120))
def test_a_saved_copy_goes_on_exactly_alike(
    values: list[int], period: int, make: Callable[[int], Any], cut: int
) -> None:
    original, expected = make(period), []
    restored, found = make(period), []
    for number, value in enumerate(values):
        if number == cut:
            raw = msgspec.msgpack.encode(restored)
            restored = msgspec.convert(msgspec.msgpack.decode(raw), type(restored))
        expected.append(original.update(value))
        found.append(restored.update(value))
    assert found == expected
