"""A spot market as readers get it: contracts and ticks, from frames and lists that count coins."""

from __future__ import annotations

import json

import msgspec
import pytest

from actors.domain.money import parse_e8
from actors.messages.market import (
    BookDepth,
    FeedState,
    FeedStatus,
    FundingRate,
    History,
    HistoryRequest,
    MarkPrice,
    Quote,
    Trade,
)
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import HttpRequest, HttpResponse
from tests.contract.venue.spot_driver import COIN, SECOND, SpotFeedBench

MINUTE = 60 * SECOND


@pytest.fixture
def bench() -> SpotFeedBench:
    found = SpotFeedBench(cross_check_every=2 * SECOND)
    found.run(8 * SECOND)
    return found


def test_book_quote_trades_and_mark_are_those_of_the_exchange(bench: SpotFeedBench) -> None:
    view = bench.world.core.spot.views[COIN.symbol]
    book = bench.world.raw("GET", f"/markets/{COIN.symbol}/orderBook", "limit=20")[1]
    shown = bench.take(BookDepth)[-1]
    for side, levels in (("bids", shown.bids), ("asks", shown.asks)):
        prices, sizes = book[side][::2], book[side][1::2]
        told = [(COIN.price_text(price), contracts * COIN.contract_e8) for price, contracts in levels]
        assert told[:5] == [(p, parse_e8(q)) for p, q in zip(prices, sizes, strict=True)][:5]
    quote = bench.take(Quote)[-1]
    assert (quote.bid_ticks, quote.ask_ticks) == (shown.bids[0][0], shown.asks[0][0])
    trades = bench.take(Trade)
    assert trades
    printed = {(one.price_ticks, one.contracts) for one in view.trades}
    assert {(one.price_ticks, one.contracts) for one in trades} <= printed
    assert bench.take(MarkPrice)[-1].mark_ticks == view.mark_ticks
    assert bench.take(FeedStatus)[-1].state is FeedState.LIVE
    assert bench.take(FundingRate) == []


def test_stream_and_lists_are_held_against_each_other(bench: SpotFeedBench) -> None:
    checks = bench.feed.check.checks_count
    bench.run(8 * SECOND)
    assert bench.feed.check.checks_count >= checks + 4
    assert not bench.feed.check.is_lying


def test_a_stream_that_lists_contradict_is_worth_nothing(
    bench: SpotFeedBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = bench._answer

    def contradicted(request: HttpRequest) -> Message:
        answer = honest(request)
        if "/ticker24h" in request.url and isinstance(answer, HttpResponse):
            row = json.loads(answer.body) | {"markPrice": "40000.00"}
            return msgspec.structs.replace(answer, body=json.dumps(row).encode())
        return answer

    monkeypatch.setattr(bench, "_answer", contradicted)
    bench.run(9 * SECOND)
    assert bench.feed.check.is_lying
    assert [alert.name for alert in bench.alerts] == ["FeedLying"]
    assert bench.take(FeedStatus)[-1].state is FeedState.FROZEN


def test_history_is_closed_bars_in_contracts(bench: SpotFeedBench) -> None:
    bench.run(3 * MINUTE)
    bench.sent.clear()
    bench.tell(HistoryRequest(COIN.symbol, MINUTE, 2), sender="trend/BTC_USDT")
    bench.run(2 * SECOND)
    (history,) = [m for _, m in bench.sent if isinstance(m, History)]
    assert len(history.bars) == 2
    for bar in history.bars:
        assert bar.low_ticks <= bar.open_ticks <= bar.high_ticks
        assert bar.contracts > 0
    rows = bench.world.raw("GET", f"/markets/{COIN.symbol}/candles", "interval=MINUTE_1&limit=5")[1]
    closed = {row[12] * 1_000_000 + MINUTE: parse_e8(row[5]) // COIN.contract_e8 for row in rows}
    assert [closed[bar.at_ns] for bar in history.bars] == [bar.contracts for bar in history.bars]


def test_a_gap_in_the_book_costs_a_new_snapshot_not_a_wrong_book(bench: SpotFeedBench) -> None:
    gaps = bench.feed.gaps_count
    row = {
        "symbol": COIN.symbol,
        "asks": [["1.00", "5"]],
        "bids": [],
        "lastId": 1,
        "id": 2,
        "ts": bench.now_ns // 1_000_000,
    }
    bench.frame({"channel": "book_lv2", "action": "update", "data": [row]})
    assert bench.feed.gaps_count == gaps + 1
    assert not bench.feed.picture.book.is_ready
    bench.run(3 * SECOND)
    assert bench.feed.picture.book.is_ready
    assert bench.feed.picture.top[2] > 1_000_000


def test_less_than_a_contract_is_nothing_and_a_missing_mark_is_the_middle(bench: SpotFeedBench) -> None:
    bench.take(Trade)
    bench.take(MarkPrice)
    at_ms = bench.now_ns // 1_000_000
    small = {
        "symbol": COIN.symbol,
        "id": "99999999999",
        "price": "80000",
        "quantity": "0.00000099",
        "takerSide": "buy",
        "createTime": at_ms,
    }
    bench.frame({"channel": "trades", "data": [small]})
    bench.frame({"channel": "ticker", "data": [{"symbol": COIN.symbol, "close": "1", "ts": at_ms}]})
    assert bench.take(Trade) == []
    bid, _, ask, _ = bench.feed.picture.top
    assert bench.take(MarkPrice)[-1].mark_ticks == (bid + ask) // 2
