"""A futures and a spot account on one node against a real exchange; both ends are killed, no coin is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from actors.domain.money import parse_e8
from tests.process.live_path import HERE, PAGE, LivePath, check, live_path
from tests.process.node import Books, wait_for

CONFIG = ("config/examples/local-with-spot.yaml", str(HERE / "fast.yaml"), str(HERE / "fast_spot.yaml"))


def spot_rows(path: LivePath, list_path: str, cursor: str) -> list[dict[str, str]]:
    """Return all rows of one of the spot lists, which have no envelope."""
    found: list[dict[str, str]] = []
    while True:
        query = {"limit": str(PAGE)} | ({"from": found[-1][cursor]} if found else {})
        status, page = path.client.send("GET", list_path, query)
        assert status == 200, page
        found += page
        if len(page) < PAGE:
            return found


def check_spot(path: LivePath, books: Books) -> None:
    """The spot ledger holds what the venue says, money and coins; every fill and order counted once."""
    ours, submitted = Counter[str](), Counter[str]()
    for cell, raw in books.entries:
        name, *fields = msgspec.msgpack.decode(raw)
        if (cell, name) == ("oms/coins", "OrderFillApplied"):
            ours[f"{fields[2]}/{fields[3]}"] += 1
        if (cell, name) == ("oms/coins", "OrderSubmitted"):
            submitted[fields[0]] += 1
    theirs = Counter(f"{row['symbol']}/{row['id']}" for row in spot_rows(path, "/trades", "pageId"))
    assert ours == theirs
    assert set(ours.values()) == {1}
    orders = spot_rows(path, "/orders/history", "id") + spot_rows(path, "/orders", "id")
    names = Counter(row["clientOrderId"] for row in orders)
    assert set(names.values()) == {1}, "an order arrived twice"
    assert set(names) <= set(submitted)
    _, (account,) = path.client.send("GET", "/accounts/balances")
    held = {
        row["currency"]: parse_e8(row["available"]) + parse_e8(row["hold"]) for row in account["balances"]
    }
    ledger = books.behaviour("ledger_spot/coins")
    assert ledger.describe()["cash_usdt"] == held.pop("USDT")
    counted = {
        symbol.removesuffix("_USDT"): holding.net_contracts * instrument.contract_e8 + holding.dust_e8
        for symbol, holding in ledger.state.holdings.items()
        if (instrument := path.topology().instruments[symbol])
    }
    assert {base: amount for base, amount in counted.items() if amount} == {
        base: amount for base, amount in held.items() if amount
    }
    assert any(holding.dust_e8 for holding in ledger.state.holdings.values())


def coin_fills(path: LivePath) -> int:
    accounts = [one for one in path.view()["accounts"] if one["account"] == "coins"]
    return int(accounts[0]["fills_count"]) if accounts else 0


def flatten_coins(path: LivePath) -> None:
    """Sell all coins by a halt of their account; the futures account goes on."""
    assert path.halt("account/coins", "flatten") == ["risk/coins"]
    wait_for(lambda: not [one for one in path.view()["positions"] if one["account"] == "coins"], 30.0)


def test_no_coin_is_lost_when_node_and_exchange_are_killed(tmp_path: Path) -> None:
    with live_path(tmp_path, config=CONFIG) as path:
        path.start_exchange()
        path.start_node()
        wait_for(lambda: coin_fills(path) >= 4, 30.0)
        path.kill_node()
        path.await_trading()
        path.kill_exchange()
        path.start_exchange()
        fills = coin_fills(path)
        wait_for(lambda: coin_fills(path) >= fills + 4, 30.0)
        wait_for(lambda: path.view()["totals"]["ledger_agrees"], 30.0)
        flatten_coins(path)
        path.fall_quiet(takers=("risk/main", "risk/coins"))
        report = path.stop_node()
        books = check(path, report)
        check_spot(path, books)
        assert report["node_restarts"] == 1
        assert not [symbol for symbol in report["positions"] if not symbol.endswith("_PERP")]
