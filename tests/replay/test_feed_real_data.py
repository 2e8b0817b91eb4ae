"""Real candles and trades through the replay feed: nothing lost, nothing made up, the same bytes twice."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from actors.domain.bars import BarBuilder
from actors.feed.settings import ReplaySettings
from actors.messages.market import (
    Bar,
    BookDepth,
    FeedStatus,
    FundingSettled,
    MarkPrice,
    Quote,
    ReplayFinished,
    Trade,
)
from actors.runtime.testing import Bench
from tests.unit.feed.feeds_on_bench import DAY, HOUR, MINUTE, encoded, replay

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no market data beside the repository")
pytest.importorskip("duckdb")

BEFORE_ALL = 1_500_000_000 * 1_000_000_000


def played(path: str, duration_ns: int = 400 * DAY, **settings: Any) -> Bench:
    if not (DATA / path).exists():
        pytest.skip(f"{path} is not there")
    bench = replay(DATA, path, now_ns=BEFORE_ALL, **settings)
    bench.advance(0)
    assert bench.is_ready
    bench.advance(bench.behaviour._file.first_ns - BEFORE_ALL + duration_ns)  # type: ignore[attr-defined]
    return bench


@pytest.mark.parametrize("symbol", ["AVAX", "BCH"])
def test_a_crash_day_of_trades_comes_through_whole(symbol: str) -> None:
    bench = played(f"trades/BINANCE_{symbol}USD_PERP_COINM_2025-10-10.parquet", quantity="contracts")
    trades = bench.take(Trade)
    (finished,) = bench.take(ReplayFinished)
    assert len(trades) == finished.rows_count > 100_000
    assert [trade.at_ns for trade in trades] == sorted(trade.at_ns for trade in trades)
    assert len({trade.trade_id for trade in trades}) == len(trades)
    low, high = min(t.price_ticks for t in trades), max(t.price_ticks for t in trades)
    assert low < 0.8 * high  # it was a crash
    assert all(0 < quote.bid_ticks < quote.ask_ticks for quote in bench.take(Quote))


@pytest.mark.parametrize("symbol", ["BTC", "ETH", "LTC", "SOL", "XRP"])
def test_three_days_of_candles_come_through_as_bars_equal_to_their_trades(symbol: str) -> None:
    bench = played(f"candles_1m/BINANCE_{symbol}USDT_PERP_2025-05_2025-06.parquet", 3 * DAY)
    bars = bench.take(Bar)
    assert len(bars) == 3 * 1440
    assert {bar.interval_ns for bar in bars} == {MINUTE}
    builder = BarBuilder(MINUTE)
    built = [b for t in bench.take(Trade) for b in builder.add_trade(t.at_ns, t.price_ticks, t.contracts)]
    assert len(built) >= len(bars) - 1
    for mine, theirs in zip(built, bars, strict=False):
        assert tuple(mine) == (theirs.at_ns, MINUTE, *_body(theirs))
    assert len(bench.take(MarkPrice)) >= 4 * len(bars)
    assert [status.state.value for status in bench.take(FeedStatus)] == ["live"]
    assert bench.alerts == []


def _body(bar: Bar) -> tuple[int, ...]:
    return (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks, bar.contracts, bar.trades_count)


def test_funding_of_a_week_is_settled_every_eight_hours() -> None:
    bench = played(
        "candles_1m/BINANCE_BTCUSDT_PERP_2025-07.parquet",
        funding_path="funding/BINANCE_BTCUSDT_PERP_FUNDING_2019-09_2026-05.parquet",
    )
    settled = bench.take(FundingSettled)
    assert len(settled) == 22
    assert all(item.at_ns % (8 * HOUR) == 0 and item.mark_ticks > 1_000_000 for item in settled)


def test_the_same_day_gives_the_same_bytes() -> None:
    digests = {
        hashlib.sha256(encoded(played("trades/GEMINI_BTCUSD_SPOT_2025-10-10.parquet").published)).hexdigest()
        for _ in range(2)
    }
    assert len(digests) == 1


def test_every_candle_and_funding_file_passes_the_check_or_says_what_is_wrong() -> None:
    from actors.feed.replay_file import ReplayFile, read_funding
    from tests.unit.feed.feeds_on_bench import instrument

    for path in sorted((DATA / "candles_1m").glob("*.parquet")) + sorted(
        (DATA / "candles_1h").glob("*.parquet")
    ):
        file = ReplayFile(ReplaySettings(path=path.name), str(path.parent), instrument())
        assert next(file.check()) == 2_000
        assert file.interval_ns in (MINUTE, HOUR)
    for path in sorted((DATA / "funding").glob("*.parquet")):
        assert read_funding(ReplaySettings(path="x", funding_path=path.name), str(path.parent), instrument())


def test_real_books_come_through_whole() -> None:
    path = "book/HYPERLIQUID_ETH_PERP_L2top10_2025-12-10.parquet"
    bench = played(path, trades_path="trades/HYPERLIQUID_ETH_PERP_2025-12-10.parquet")
    books = bench.take(BookDepth)
    assert len(books) == bench.take(ReplayFinished)[0].rows_count == 2081
    assert all(book.bids[0][0] < book.asks[0][0] and len(book.bids) == 10 for book in books)
    assert 6_000 < len(bench.take(Trade)) <= 6_385


def test_real_changes_of_a_book_keep_to_the_trades_beside_them() -> None:
    name = "BINANCE_BTCUSDT_PERP_2024-08-08T2354"
    bench = played(
        f"book/{name}_depthdiff.parquet",
        10 * 1_000_000_000,
        book_path=f"book/{name}_rest_snapshot.json",
        trades_path=f"trades/{name}.parquet",
    )
    books, trades = bench.take(BookDepth), bench.take(Trade)
    assert len(books) > 50
    assert len(trades) > 50
    assert all(book.bids[0][0] < book.asks[0][0] for book in books)
    low, high = books[0].bids[-1][0] * 0.999, books[0].asks[-1][0] * 1.001
    assert all(low < trade.price_ticks < high for trade in trades)
