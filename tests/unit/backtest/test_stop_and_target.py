"""A stop and a target within one candle: the stop counts, whichever extreme the made-up path shows first."""

from pathlib import Path

import pytest

from actors.backtest.record import RunRecord
from actors.backtest.wish import MarketFiles, Wish
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.plans import Stop, TakeProfit
from actors.strategy.library.trend_follow import TrendFollow
from actors.strategy.protocol import Decision, Hold, Launch, Order
from tests.unit.backtest.histories import BTC, FUNDING, MINIMAL, MINUTE_MS, MINUTES, START_MS, run

WIDE_BAR, BARS = 20, 22
OPEN, STOP, TARGET = 100_000, 99_500, 100_500  # USDT, of a long; a short's are mirrored


def write(path: Path, high: float, low: float) -> Path:
    """Write a market at rest but for one wide candle."""
    lines = ["ts_ms,open,high,low,close,volume"]
    for bar in range(BARS):
        top, bottom = (high, low) if bar == WIDE_BAR else (OPEN + 10, OPEN - 10)
        lines.append(f"{START_MS + bar * MINUTE_MS},{OPEN},{top},{bottom},{OPEN},50")
    path.write_text("\n".join(lines) + "\n")
    return path


def record_of(folder: Path, monkeypatch: pytest.MonkeyPatch, decide, high: float, low: float) -> RunRecord:
    monkeypatch.setattr(TrendFollow, "on_bar", decide)
    monkeypatch.setattr(TrendFollow, "warmup_of", staticmethod(lambda settings: 1))
    monkeypatch.setattr(TrendFollow, "orders_at_once", 3, raising=False)
    files = {BTC: MarketFiles(str(write(folder / "btc.csv", high, low)))}
    wish = Wish(files=files, overrides=MINUTES, allowed=FUNDING)
    return run(wish, watching(folder))


def watching(folder: Path) -> Path:
    """Return the smallest deployment, with an OMS that hears the market: stops are its own business."""
    text = MINIMAL.read_text().replace("../markets", str(MINIMAL.parents[1] / "markets"))
    without = "reads: [risk/$account, venue/$account, reconciler/$account]"
    assert without in text
    path = folder / "watching.yaml"
    path.write_text(text.replace(without, without[:-1] + ", feed/*]"))
    return path


def guarded(side: Side, rests: bool):
    """Enter once; then a target, resting or watched, and a stop of the OMS. Ticks are cents."""
    sign = int(side)
    stop, target = ((OPEN + sign * (price - OPEN)) * 100 for price in (STOP, TARGET))
    out = Side.SELL if side is Side.BUY else Side.BUY
    resting = Order(out, 10, "target", (), OrderType.LIMIT, target, TimeInForce.GTC)
    steps: list[Decision] = [
        Order(side, 10, "entry"),
        resting if rests else Launch(out, 10, TakeProfit(target), "target"),
        Launch(out, 10, Stop(stop), "stop"),
    ]

    def decide(self: TrendFollow, bar, view) -> Decision:
        return steps.pop(0) if steps and view.can_act else Hold("no")

    return decide


def exit_price(record: RunRecord) -> float:
    """Return where the position was closed. (A target that nobody takes back may open another one later.)"""
    entry, first = record.fills[:2]
    assert first.signed_contracts == -entry.signed_contracts
    return first.price_ticks / 100


# High and low beyond both prices; whichever lies farther from the open is shown first.
BOTH = [(101_000, 99_400), (100_600, 99_000)]


@pytest.mark.parametrize(("high", "low"), BOTH, ids=["target first", "stop first"])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_of_a_resting_target_and_a_stop_in_one_candle_the_stop_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: Side, high: float, low: float
) -> None:
    found = record_of(tmp_path, monkeypatch, guarded(side, rests=True), high, low)
    lost = (exit_price(found) - OPEN) * int(side)
    assert lost <= STOP - OPEN
    assert found.trades[0].net_usdt < 0


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_target_alone_in_a_candle_is_met_at_its_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: Side
) -> None:
    high, low = (100_600, 99_700) if side is Side.BUY else (100_300, 99_400)
    found = record_of(tmp_path, monkeypatch, guarded(side, rests=True), high, low)
    assert (exit_price(found) - OPEN) * int(side) == TARGET - OPEN
    assert found.fills[1].maker


@pytest.mark.parametrize(("high", "low"), BOTH, ids=["target first", "stop first"])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_target_that_is_only_watched_earns_no_more_than_the_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: Side, high: float, low: float
) -> None:
    found = record_of(tmp_path, monkeypatch, guarded(side, rests=False), high, low)
    assert (exit_price(found) - OPEN) * int(side) <= 0
