"""Positions, margin, modes, funding and liquidation as the wire tells them."""

import pytest

from tests.unit.exchange.server.served_world import BTC, ServedWorld

HOUR_S = 3_600


@pytest.fixture
def world():
    return ServedWorld()


def leverage(world, lever, mode="CROSS", side="", key="ann"):
    body = {"symbol": BTC, "lever": lever, "mgnMode": mode} | ({"posSide": side} if side else {})
    return world.data("POST", "/v3/position/leverage", body=body, key=key)


def test_a_position_has_the_numbers_of_the_live_sample() -> None:
    """Entry 94,193.42, mark 94,095.59, one contract at 20x: margins and profit as the venue showed them."""
    world = ServedWorld()
    world.price(94_193)
    world.trade(1, "94193.42")
    world.paths[BTC].ticks = 9_409_559
    world.core.views[BTC].last_ticks = 9_409_559
    world.advance(1.1)
    (row,) = world.positions()
    assert (row["markPx"], row["openAvgPx"]) == ("94095.59", "94193.42")
    assert (row["im"], row["mm"]) == ("4.7047795", "0.56457354")
    assert (row["upl"], row["uplRatio"]) == ("-0.09783", "-0.0207")
    assert (row["side"], row["qty"], row["lever"]) == ("BUY", "1", "20")


def test_balance_identities_of_the_live_samples_hold(world) -> None:
    world.trade(100)
    world.place("BUY", 50, 79_000)
    world.price(80_500)
    row = world.balance()
    detail = row["details"][0]
    assert float(row["eq"]) == pytest.approx(float(detail["avail"]) + float(row["upl"]))
    assert float(row["availMgn"]) == pytest.approx(float(row["eq"]) - float(row["im"]))
    assert float(row["mmr"]) == pytest.approx(float(row["mm"]) / float(row["eq"]))
    assert float(row["upl"]) == pytest.approx(50)
    assert float(detail["trdHold"]) == pytest.approx(float(row["im"]) - 100 * 80.5 / 20)


def test_closing_a_position_leaves_history_and_bills(world) -> None:
    world.trade(10)
    world.trade(10, 80_100, buyer="bob", seller="ann")
    assert world.positions() == []
    (row,) = world.get("/v3/trade/position/history")
    assert (row["openAvgPx"], row["closeAvgPx"], row["closedQty"]) == ("80000", "80100", "-10")
    assert (row["pnl"], row["state"]) == ("1", "NORMAL")
    kinds = [bill["type"] for bill in world.get("/v3/account/bills")]
    assert kinds == ["PNL", "FEE", "FEE"]
    moved = sum(float(bill["sz"]) for bill in world.get("/v3/account/bills"))
    assert float(world.balance()["eq"]) == pytest.approx(10_000 + moved)
    assert [b["type"] for b in world.get("/v3/account/bills", "type=PNL")] == ["PNL"]
    assert [b["sz"] for b in world.get("/v3/account/bills", "type=PNL", key="bob")] == ["-1"]


def test_the_liquidation_price_is_the_venues_formula(world) -> None:
    """(entry value - wallet) / (quantity x (1 - maintenance)), a long; the other signs for a short."""
    for key in ("ann", "bob"):
        body = {"currency": "USDT", "amount": "9500", "fromAccount": "FUTURES", "toAccount": "SPOT"}
        world.data("POST", "/accounts/transfer", body=body, key=key)
    world.trade(100)
    long, short = float(world.positions()[0]["liqPx"]), float(world.positions("bob")[0]["liqPx"])
    wallet = {key: float(world.balance(key)["details"][0]["avail"]) for key in ("ann", "bob")}
    assert long == pytest.approx((8_000 - wallet["ann"]) / (0.1 * (1 - 0.006)))
    assert short == pytest.approx((8_000 + wallet["bob"]) / (0.1 * (1 + 0.006)))


def test_a_position_is_closed_by_one_call_and_all_by_another(world) -> None:
    world.trade(10)
    world.place("BUY", 20, 79_990, key="bob")
    body = {"symbol": BTC, "mgnMode": "CROSS"}
    world.data("POST", "/v3/trade/position", body=body)
    assert world.positions() == []
    assert world.code("POST", "/v3/trade/position", body=body) == 10018
    world.trade(3)
    assert [row["code"] for row in world.data("POST", "/v3/trade/positionAll")] == [200]
    assert world.positions() == []
    assert world.data("POST", "/v3/trade/positionAll", body={}) == []


def hedge(world, key="ann"):
    world.data("POST", "/v3/position/mode", body={"posMode": "HEDGE"}, key=key)


def test_hedge_mode_holds_long_and_short_side_by_side(world) -> None:
    hedge(world)
    long_side = {"mgnMode": "CROSS", "posSide": "LONG"}
    short_side = {"mgnMode": "CROSS", "posSide": "SHORT"}
    world.trade(5, **long_side)
    world.place("BUY", 3, 80_000, key="bob")
    world.place("SELL", 3, 80_000, **short_side)
    assert [(r["posSide"], r["side"], r["qty"]) for r in world.positions()] == [
        ("LONG", "BUY", "5"),
        ("SHORT", "SELL", "3"),
    ]
    assert world.refused("SELL", 6, 80_010, **long_side) == 21002
    world.place("SELL", 4, 80_010, **long_side)
    assert world.positions()[0]["availQty"] == "1"
    assert world.refused("SELL", 2, 80_010, **long_side) == 21002
    assert world.refused("BUY", 1, 79_000) == 11011
    assert world.refused("SELL", 1, 80_010, reduceOnly=True, **long_side) == 400


def test_the_mode_cannot_change_while_anything_is_open(world) -> None:
    world.place("BUY", 1, 79_000)
    assert world.code("POST", "/v3/position/mode", body={"posMode": "HEDGE"}) == 400
    world.data("DELETE", "/v3/trade/allOrders")
    hedge(world)
    assert world.get("/v3/position/mode") == {"posMode": "HEDGE"}


def test_leverages_are_listed_by_mode(world) -> None:
    assert leverage(world, 10) == {"symbol": BTC, "lever": 10, "mgnMode": "CROSS", "posSide": ""}
    assert world.get("/v3/position/leverages", f"symbol={BTC}&mgnMode=CROSS") == [
        {"symbol": BTC, "lever": "10", "mgnMode": "CROSS", "posSide": "BOTH"}
    ]
    assert (
        world.code("POST", "/v3/position/leverage", body={"symbol": BTC, "lever": 76, "mgnMode": "CROSS"})
        == 400
    )
    hedge(world)
    assert len(world.get("/v3/position/leverages", f"symbol={BTC}")) == 4
    body = {"symbol": BTC, "lever": 5, "mgnMode": "CROSS"}
    assert world.code("POST", "/v3/position/leverage", body=body) == 11011
    assert leverage(world, 5, side="LONG")["posSide"] == "LONG"


def test_margin_moves_only_into_isolated_positions(world) -> None:
    add = {"symbol": BTC, "amt": "10", "type": "ADD", "posMode": "BOTH"}
    assert world.code("POST", "/v3/trade/position/margin", body=add) == 21001
    world.trade(10, mgnMode="ISOLATED", posSide="BOTH")
    before = float(world.positions()[0]["mgn"])
    assert world.data("POST", "/v3/trade/position/margin", body=add)["amt"] == "10"
    assert float(world.positions()[0]["mgn"]) == pytest.approx(before + 10)
    assert (
        world.code("POST", "/v3/trade/position/margin", body={**add, "type": "REDUCE", "amt": "11"}) == 21721
    )
    assert world.get("/v3/account/bills")[0]["type"] == "MANUAL_MARGIN"


def test_an_account_that_falls_is_liquidated_at_its_bankruptcy_price(world) -> None:
    leverage(world, 75)
    world.data(
        "POST",
        "/accounts/transfer",
        body={"currency": "USDT", "amount": "9850", "fromAccount": "FUTURES", "toAccount": "SPOT"},
    )
    world.trade(99)
    world.place("BUY", 1, 79_900)
    expected = float(world.positions()[0]["liqPx"])
    assert 78_000 < expected < 80_000
    world.price(int(expected) - 30)
    assert world.positions() == []
    assert world.get("/v3/trade/order/opens") == []
    fill = world.get("/v3/trade/order/trades")[0]
    assert (fill["type"], fill["role"], fill["ordType"], fill["clOrdId"]) == ("LIQUID", "TAKER", "LIMIT", "")
    assert (fill["feeAmt"], fill["qty"]) == ("0", "99")
    canceled = [row for row in world.get("/v3/trade/order/history") if row["cancelReason"]]
    assert [row["cancelReason"] for row in canceled] == ["FL_CANCEL_ORDER_ACTION"]
    assert world.get("/v3/trade/position/history")[0]["state"] == "LIQ"
    assert world.get("/v3/market/liquidationOrder", f"symbol={BTC}")[0]["sz"] == "99"
    assert 0 <= float(world.balance()["eq"]) < 1


def test_isolated_positions_fall_alone(world) -> None:
    leverage(world, 50, "ISOLATED")
    world.trade(10, mgnMode="ISOLATED", posSide="BOTH")
    world.price(78_000)
    assert world.positions() == []
    assert float(world.balance()["eq"]) > 9_980
    assert len(world.positions("bob")) == 1


def test_funding_is_settled_at_eight_and_billed(world) -> None:
    world.trade(100)
    rate = world.get("/v3/market/fundingRate", f"symbol={BTC}")
    assert int(rate["nFT"]) - int(rate["fT"]) == 8 * HOUR_S * 1_000
    world.now_ns = int(rate["nFT"]) * 1_000_000 - 500_000_000
    world.advance(2)
    paid = [bill for bill in world.get("/v3/account/bills") if bill["type"] == "FUNDING_FEE"]
    assert [bill["sz"] for bill in paid] == ["-0.8"]
    assert [
        bill["sz"] for bill in world.get("/v3/account/bills", key="bob") if bill["type"] == "FUNDING_FEE"
    ] == ["0.8"]
    (settled,) = world.get("/v3/market/fundingRate/history", f"symbol={BTC}")
    assert (settled["fR"], settled["fT"]) == ("0.0001", rate["nFT"])
    old = "sT=1700000000"
    assert world.code("GET", "/v3/market/fundingRate/history", old) == 400


def test_fees_follow_the_vip_level() -> None:
    from actors.domain.money import E8
    from actors.exchange.server.settings import AccountSettings

    accounts = (
        AccountSettings(key="ann", secret="ann-secret", usdt=10_000 * E8, vip=9),
        AccountSettings(key="bob", secret="bob-secret", usdt=10_000 * E8),
    )
    world = ServedWorld(accounts=accounts)
    world.trade(1)
    assert world.get("/v3/trade/order/trades")[0]["feeRate"] == "0.00021"
    assert world.get("/v3/trade/order/trades", key="bob")[0]["feeRate"] == "0.0002"


def test_tiers_are_told_to_everybody_and_by_side(world) -> None:
    rows = world.get("/v3/market/riskLimit", f"symbol={BTC}&mgnMode=CROSS")
    assert (rows[0]["tier"], rows[0]["minSize"], rows[0]["maxSize"], rows[0]["maxLever"]) == (
        "1",
        "1",
        "100",
        "75",
    )
    assert rows[1]["minSize"] == "101"
    assert world.get("/v3/position/riskLimit", f"symbol={BTC}&mgnMode=CROSS")[0]["posSide"] == "BOTH"


def test_everything_survives_a_rebuild_from_the_events(world) -> None:
    hedge(world, "bob")
    leverage(world, 10)
    world.place("BUY", 10, 80_000, key="bob", mgnMode="ISOLATED", posSide="LONG")
    world.place("SELL", 4, 80_000)
    world.place("BUY", 1, 79_000)
    paths = (
        "/v3/account/balance",
        "/v3/account/bills",
        "/v3/trade/position/opens",
        "/v3/trade/order/opens",
        "/v3/trade/order/history",
        "/v3/trade/order/trades",
        "/v3/position/mode",
        "/accounts/balances",
    )
    before = [world.get(path, key=key) for path in paths for key in ("ann", "bob")]
    world.reopen()
    assert [world.get(path, key=key) for path in paths for key in ("ann", "bob")] == before
    assert world.core.engine.books_balance()
