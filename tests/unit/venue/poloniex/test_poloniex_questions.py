"""Evidence: what the venue's lists say about an order and about the account."""

from __future__ import annotations

from typing import Any

import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.venue import (
    FundingPaid,
    OrderFilled,
    OutcomeUnknown,
    RequestKind,
    VenueAccount,
    VenueOrder,
)
from actors.poloniex.answers import Answer
from actors.poloniex.rate_budget import Limit
from actors.poloniex.request import Request
from actors.venue.poloniex.readings import pages
from actors.venue.poloniex.reports import margin_ratio_e8
from actors.venue.poloniex.rows import BalanceRow
from tests.unit.venue.poloniex.far_side import (
    BTC,
    MS,
    SECOND,
    FarSide,
    Silence,
    VenueBench,
    fill_row,
    ok,
    order_row,
    refusal,
)

HOUR_MS = 3_600_000


def position(**changes: Any) -> dict[str, Any]:
    row = {
        "symbol": BTC,
        "side": "SELL",
        "qty": "3",
        "openAvgPx": "60000.013333333333333333",
        "lever": "20",
        "mgnMode": "CROSS",
        "posSide": "BOTH",
    }
    return row | changes


def ask(bench: VenueBench, name: str = "o-1") -> VenueOrder:
    bench.query(name)
    bench.run(5 * SECOND)
    (found,) = bench.take(VenueOrder)
    return found


def test_an_open_order_is_found_with_its_fills() -> None:
    bench = VenueBench()
    bench.far.opens = [order_row("o-1", state="PARTIALLY_FILLED", execQty="4", ordId="5")]
    bench.far.fills = [fill_row("o-1", "2", 4)]
    found = ask(bench)
    assert (found.state, found.contracts, found.filled_contracts) == (OrderState.PARTIALLY_FILLED, 10, 4)
    assert (found.limit_ticks, found.venue_order_id) == (6_000_000, "5")
    assert [fill.trade_id for fill in found.fills] == ["2"]


def test_an_order_in_the_history_is_found() -> None:
    bench = VenueBench()
    bench.far.history = [order_row("o-1", state="PARTIALLY_CANCELED", execQty="4")]
    bench.far.fills = [fill_row("o-1", "2", 4)]
    found = ask(bench)
    assert (found.found, found.state, found.filled_contracts) == (True, OrderState.CANCELED, 4)


def test_an_order_that_only_details_show_is_found() -> None:
    bench = VenueBench(FarSide(details=ok(order_row("o-1"))))
    assert ask(bench).state is OrderState.OPEN


def test_absence_is_told_only_after_every_list_was_read_twice() -> None:
    bench = VenueBench()
    found = ask(bench)
    assert (found.found, found.state) == (False, OrderState.ABSENT)
    for path in ("order/opens", "order/history", "order/details", "order/trades"):
        assert bench.far.paths.count(f"GET /v3/trade/{path}") == 2


def test_an_order_that_shows_up_late_is_not_declared_absent() -> None:
    bench = VenueBench()
    bench.query()
    bench.run(500 * MS)
    bench.far.opens = [order_row("o-1")]
    bench.run(3 * SECOND)
    assert [found.found for found in bench.take(VenueOrder)] == [True]


def test_a_list_that_cannot_be_read_proves_nothing() -> None:
    bench = VenueBench()
    bench.far.overrides["GET /v3/trade/order/history"] = Silence()
    bench.query()
    bench.run(40 * SECOND)
    assert bench.take(VenueOrder) == []
    assert bench.take(OutcomeUnknown)[0].request is RequestKind.QUERY


def test_a_refusal_of_a_list_proves_nothing_either() -> None:
    bench = VenueBench()
    bench.far.overrides["GET /v3/trade/order/opens"] = refusal(400, "Param error")
    bench.query()
    bench.run(5 * SECOND)
    assert bench.take(VenueOrder) == []
    assert len(bench.take(OutcomeUnknown)) == 1


def test_fills_without_an_order_are_told_and_prove_no_absence() -> None:
    bench = VenueBench()
    bench.far.fills = [fill_row("o-1", "2", 4)]
    bench.query()
    bench.run(5 * SECOND)
    assert bench.take(VenueOrder) == []
    assert [fill.trade_id for fill in bench.take(OrderFilled)] == ["2"]


def test_lists_that_ignore_the_filter_do_not_mix_orders_up() -> None:
    bench = VenueBench()
    rows = ok([order_row("other")])
    bench.far.overrides["GET /v3/trade/order/opens"] = rows
    bench.far.overrides["GET /v3/trade/order/trades"] = ok([fill_row("other", "1")])
    assert ask(bench).found is False


def test_a_request_on_its_way_is_never_declared_absent() -> None:
    bench = VenueBench(order_ttl=20 * SECOND)
    bench.far.place = refusal(24201)
    bench.place()
    bench.query()
    bench.run(6 * SECOND)
    assert bench.take(VenueOrder) == []


def test_what_is_found_is_dated_by_when_its_reading_began() -> None:
    bench = VenueBench()
    bench.far.opens = [order_row("o-1")]
    bench.latency_ns = 700 * MS
    asked_ns = bench.now_ns
    found = ask(bench)
    assert abs(found.at_ns - asked_ns) <= 50 * MS


@pytest.mark.parametrize(
    ("rows_count", "requests_count"), [(9, 1), (10, 2), (11, 1), (99, 1), (100, 2), (250, 3)]
)
def test_another_page_is_asked_for_only_when_the_last_one_was_full(
    rows_count: int, requests_count: int
) -> None:
    asked, rows = turned([str(number) for number in range(rows_count)], 100)
    assert (len(asked), rows) == (requests_count, [str(number) for number in range(rows_count)])


def test_a_venue_that_overlooks_the_size_is_read_to_the_end_all_the_same() -> None:
    asked, rows = turned([str(number) for number in range(35)], 10)
    assert (len(asked), len(rows)) == (4, 35)


def turned(rows: list[str], size: int) -> tuple[list[str], list[str]]:
    """Turn the pages of a venue that gives `size` rows each; return the requests made and the rows found."""
    asked: list[str] = []

    def make(after: str) -> Request:
        asked.append(after)
        return Request("GET", "/rows", Limit.READ)

    def read(answer: Answer) -> list[str]:
        start = rows.index(asked[-1]) + 1 if asked[-1] else 0
        return rows[start : start + size]

    steps = pages(make, read, str)
    next(steps)
    while True:
        try:
            steps.send(Answer("200", "", b"", 200))
        except StopIteration as end:
            return asked, end.value


def test_pages_are_turned_until_one_brings_nothing_new() -> None:
    bench = VenueBench()
    rows = [fill_row("o-1", str(number), 1) for number in range(150, 0, -1)]

    def page(query: dict[str, str]) -> Any:
        start = 0
        if "from" in query:
            start = next(i for i, row in enumerate(rows) if row["id"] == query["from"]) + 1
        return ok(rows[start : start + 100])

    def answer(method: str, path: str, query: dict[str, str], body: Any, now_ns: int) -> Any:
        if path == "/v3/trade/order/trades":
            bench.far.paths.append(path)
            return page(query)
        return FarSide.answer(bench.far, method, path, query, body, now_ns)

    bench.far.history = [order_row("o-1", sz="150", execQty="150", state="FILLED")]
    bench.far.answer = answer  # type: ignore[method-assign]
    found = ask(bench)
    assert len(found.fills) == 150


# -- the account


def test_the_account_is_stated_in_our_units() -> None:
    bench = VenueBench(FarSide(cash="7203.956664999999859"))
    at_ms = bench.now_ns // MS - HOUR_MS
    bench.far.positions = [position()]
    bench.far.opens = [order_row("o-1"), order_row("polo9", clOrdId="polo9")]
    bench.far.fills = [fill_row("o-0", "3", uTime=str(at_ms))]
    bench.ask_account("q1", (at_ms - 1) * MS)
    bench.run(2 * SECOND)
    (account,) = bench.take(VenueAccount)
    assert account.request_id == "q1"
    assert account.cash_usdt == 720_395_666_500
    (held,) = account.positions
    assert (held.net_contracts, held.cost_ticks, held.leverage) == (-3, -18_000_004, 20)
    assert [order.client_order_id for order in account.open_orders] == ["o-1", "polo9"]
    assert [fill.trade_id for fill in account.fills] == ["3"]
    assert account.at_ns <= bench.now_ns


@pytest.mark.parametrize(
    ("mm", "eq", "ratio_e8"),
    [
        ("0", "100", 0),
        ("58.2", "1000", 5_820_000),
        ("100", "100", 100_000_000),
        ("1", "0", 100_000_000),
        ("1", "-5", 100_000_000),
    ],
)
def test_the_margin_ratio_is_maintenance_over_equity(mm: str, eq: str, ratio_e8: int) -> None:
    assert margin_ratio_e8(BalanceRow(eq=eq, mm=mm)) == ratio_e8


def test_an_account_that_trades_while_it_is_read_is_read_again() -> None:
    bench = VenueBench()
    bench.latency_ns = 100 * MS
    bench.ask_account()
    bench.run(250 * MS)
    from tests.unit.venue.poloniex.far_side import stream_fill

    bench.trades(stream_fill("o-1", "5", uTime=bench.now_ns // MS))
    bench.run(5 * SECOND)
    assert len(bench.take(VenueAccount)) == 1
    assert bench.far.paths.count("GET /v3/account/balance") == 2


def test_a_position_outside_the_catalog_shows_in_the_statement() -> None:
    bench = VenueBench()
    bench.far.positions = [position(symbol="XMR_USDT_PERP")]
    bench.ask_account()
    bench.run(2 * SECOND)
    (account,) = bench.take(VenueAccount)
    assert [(held.symbol, held.net_contracts) for held in account.positions] == [("XMR_USDT_PERP", -3)]


def test_an_account_that_cannot_be_read_is_not_stated() -> None:
    bench = VenueBench()
    bench.far.overrides["GET /v3/trade/position/opens"] = ok([{"symbol": BTC}])
    bench.ask_account()
    bench.run(60 * SECOND)
    assert bench.take(VenueAccount) == []
    bench.far.overrides.clear()
    bench.ask_account("q2")
    bench.run(2 * SECOND)
    assert len(bench.take(VenueAccount)) == 1


# -- funding


def test_funding_is_told_after_the_full_hour_and_once() -> None:
    bench = VenueBench()
    hour_ms = HOUR_MS - bench.now_ns // MS % HOUR_MS
    bench.run(hour_ms * MS, SECOND)
    settled_ms = bench.now_ns // MS // HOUR_MS * HOUR_MS
    bill = {
        "id": "8",
        "actType": "TRADING",
        "type": "FUNDING_FEE",
        "ccy": "USDT",
        "symbol": BTC,
        "mgnMode": "CROSS",
        "sz": "-0.012345678",
        "cTime": str(settled_ms + 1_234),
    }
    bench.far.bills = [bill]
    bench.run(120 * SECOND, 500 * MS)
    (paid,) = bench.take(FundingPaid)
    assert paid.funding_id == f"{BTC}/{settled_ms * MS}"
    assert (paid.payment_usdt, paid.settled_at_ns) == (1_234_568, settled_ms * MS)
