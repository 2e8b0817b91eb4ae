"""What the view takes from descriptions: only keys count, never an actor's class or name."""

from typing import Any

import pytest

from actors.control.trading_view import trading_view
from tests.unit.control.house import BTC, E8, SYMBOL

KNOWN = {SYMBOL: BTC}


def seen(**said: Any) -> dict[str, Any]:
    return trading_view({name.replace("__", "/"): told for name, told in said.items()}, KNOWN)


def test_a_feed_may_leave_its_symbol_to_its_address() -> None:
    (market,) = seen(**{f"feed__{SYMBOL}": {"bid_ticks": 100, "ask_ticks": 102}})["markets"]
    assert (market["symbol"], market["bid"], market["state"]) == (SYMBOL, "1", "live")


def test_an_actor_that_speaks_of_no_symbol_is_no_market() -> None:
    assert seen(feed__other={"bid_ticks": 100})["markets"] == []


def test_who_speaks_first_of_a_market_is_believed_and_others_add_to_it() -> None:
    first = {"symbol": SYMBOL, "bid_ticks": 100}
    second = {"markets": {SYMBOL: {"bid_ticks": 7, "mark_ticks": 101}}}
    (market,) = seen(feed=first, exchange=second)["markets"]
    assert (market["bid"], market["mark"], market["source"]) == ("1", "1.01", "feed")


@pytest.mark.parametrize("told", [{"feeds_stale": {SYMBOL: "silent"}}, {"symbol": SYMBOL, "feed": "silent"}])
def test_a_stale_feed_is_shown_as_stale(told) -> None:
    (market,) = seen(feed={"symbol": SYMBOL, "bid_ticks": 100}, risk=told)["markets"]
    assert market["state"] == "stale"


def test_orders_in_doubt_come_first() -> None:
    doubt = {"client_order_id": "a", "symbol": SYMBOL, "state": "unknown"}
    fine = {"client_order_id": "b", "symbol": SYMBOL, "state": "open", "limit_ticks": 150}
    view = seen(oms={"orders_live": 2, "open_orders": [fine], "unknown_orders": [doubt]})
    assert [order["client_order_id"] for order in view["orders"]] == ["a", "b"]
    assert view["orders"][1]["limit"] == "1.5"
    assert view["orders_live"] == 2


def test_the_far_sides_books_are_not_ours() -> None:
    theirs = {"account": "main", "equity_usdt": 5, "cash_usdt": 5, "positions": []}
    assert seen(exchange=theirs)["accounts"] == []


def test_profit_leaves_out_what_was_paid_in() -> None:
    books = {"account": "main", "cash_usdt": 0, "equity_usdt": 130 * E8, "initial_usdt": 100 * E8}
    view = seen(ledger={**books, "adjusted_usdt": 20 * E8, "day_start_equity_usdt": 135 * E8})
    assert view["accounts"][0]["profit_usdt"] == 10 * E8
    assert view["accounts"][0]["profit_today_usdt"] == -5 * E8


def test_flat_positions_are_left_out() -> None:
    books = {"account": "main", "cash_usdt": 0, "equity_usdt": 0, "initial_usdt": 0}
    position = {"symbol": SYMBOL, "net_contracts": 0}
    assert seen(ledger={**books, "positions": [position]})["positions"] == []


@pytest.mark.parametrize(("verdicts", "agrees"), [([], False), ([True], True), ([True, False], False)])
def test_books_agree_only_when_somebody_says_so_and_nobody_denies_it(verdicts, agrees) -> None:
    said = {f"reconciler{number}": {"agrees": verdict} for number, verdict in enumerate(verdicts)}
    assert seen(**said)["totals"]["ledger_agrees"] is agrees


def test_descriptions_of_any_form_do_no_harm() -> None:
    for odd in (None, 7, "text", [1], {"markets": 3, "positions": "x", "halts": None, "active": {"a": 1}}):
        assert seen(odd=odd)["orders"] == []
