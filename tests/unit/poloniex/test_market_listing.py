"""What the venue lists, read from answers: of the exchange that speaks its API, and of made-up bad ones."""

import json
from typing import Any

import pytest

from actors.domain.listing import facts
from actors.poloniex.answers import Answer, read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.market_listing import Reading, read_perpetuals, read_spot_markets
from actors.poloniex.request import Request, query_text
from tests.unit.exchange.server.served_world import BTC, ETH, ServedWorld

CONTRACT = {
    "symbol": BTC,
    "tSz": "0.01",
    "ctVal": "0.001",
    "bCcy": "BTC",
    "qCcy": "USDT",
    "sCcy": "USDT",
    "minQty": "1",
    "minSz": 1,
    "lotSz": 1,
    "limitMaxQty": "100",
    "marketMaxQty": "50",
    "maxLever": "75",
    "lever": "20",
    "ordPxRange": "0.05",
    "status": "OPEN",
}
TIERS = [
    {"symbol": BTC, "mgnMode": "ISOLATED", "tier": "1", "maxLever": "10", "mMRatio": "0.05", "maxSize": "9"},
    {"symbol": BTC, "mgnMode": "CROSS", "tier": "2", "maxLever": "50", "mMRatio": "0.01", "maxSize": "40"},
    {"symbol": BTC, "mgnMode": "CROSS", "tier": "1", "maxLever": "75", "mMRatio": "0.006", "maxSize": "20"},
]
FUNDING = {"s": BTC, "fR": "0.0001", "fT": "1000", "nFR": "0", "nFT": "28801000"}
PRICES = [{"s": BTC, "mPx": "100"}]
MARKET = {
    "symbol": "BTC_USDT",
    "baseCurrencyName": "BTC",
    "quoteCurrencyName": "USDT",
    "state": "NORMAL",
    "symbolTradeLimit": {
        "priceScale": 2,
        "quantityScale": 6,
        "amountScale": 2,
        "minQuantity": "0.000001",
        "minAmount": "1",
        "maxQuantity": "20",
    },
}


def carried(reading: Reading, answers: Any) -> Any:
    """Carry a reading through; `answers` maps a path to JSON, or a request to an Answer."""
    request = next(reading)
    while True:
        try:
            request = reading.send(answers(request))
        except StopIteration as end:
            return end.value


def from_world(world: ServedWorld) -> Any:
    def answer(request: Request) -> Answer:
        _, _, reply = world.raw("GET", request.path, query_text(request.query))
        return read_answer(reply.status, reply.body, spot=request.spot)

    return answer


def from_table(**data: Any) -> Any:
    table = {
        "allInstruments": [CONTRACT],
        "tickers": PRICES,
        "riskLimit": TIERS,
        "fundingRate": FUNDING,
    } | data

    def answer(request: Request) -> Answer:
        found = table[request.path.rpartition("/")[2]]
        if isinstance(found, Answer):
            return found
        body = found if request.spot else {"code": 200, "msg": "Success", "data": found}
        return read_answer(200, json.dumps(body).encode(), spot=request.spot)

    return answer


def contract(**changes: Any) -> Any:
    return carried(read_perpetuals(), from_table(allInstruments=[CONTRACT | changes]))[0]


def spot(**changes: Any) -> Any:
    limits = MARKET["symbolTradeLimit"] | changes
    row = MARKET | {"symbolTradeLimit": limits}
    return carried(read_spot_markets({"BTC_USDT": "100000"}), from_table(markets=[row]))[0]


def test_the_listing_of_the_exchange_says_what_its_instruments_are() -> None:
    world = ServedWorld()
    found = carried(read_perpetuals(), from_world(world))
    assert [one.symbol for one in found] == [BTC, ETH]
    for one in found:
        told = facts(world.core.views[one.symbol].instrument)
        assert one.fault == ""
        assert dict(one.values) == {name: told[name] for name in one.values}
        assert set(told) - set(one.values) == {"status", "maker_fee", "taker_fee"}
        assert set(one.origins) == set(one.values)
    assert found[0].price == "80000"


def test_the_spot_listing_of_the_exchange_says_what_its_instruments_are() -> None:
    world = ServedWorld()
    found = carried(read_spot_markets({}), from_world(world))
    assert [one.symbol for one in found] == ["BTC_USDT", "ETH_USDT"]
    for one in found:
        told = facts(world.core.spot.views[one.symbol].instrument)
        assert {name: one.values[name] for name in ("tick", "contract")} == {
            name: told[name] for name in ("tick", "contract")
        }


def test_only_some_symbols_are_asked_about_when_wanted() -> None:
    asked = []
    answer = from_world(ServedWorld())

    def noted(request: Request) -> Answer:
        asked.append((request.path, request.query))
        return answer(request)

    found = carried(read_perpetuals(frozenset({ETH})), noted)
    assert [one.symbol for one in found] == [ETH]
    assert all(query in ((), (("symbol", ETH),)) for _, query in asked)


def test_the_tiers_of_cross_margin_are_taken_in_the_order_of_size() -> None:
    one = contract()
    assert [tier["contracts_max"] for tier in one.values["tiers"]] == [20, 40]
    assert (one.values["leverage_max"], one.values["leverage_default"]) == (75, 20)
    only = carried(read_perpetuals(), from_table(riskLimit=TIERS[:1]))[0]
    assert (only.values["leverage_max"], only.values["leverage_default"]) == (10, 10)


def test_a_status_nobody_knows_is_no_permission() -> None:
    assert contract(status="SETTLING").status == "PAUSED"
    assert contract(status="CANCEL_ONLY").status == "CANCEL_ONLY"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tSz": "0.000000001"}, "more than 8 decimals"),
        ({"tSz": "-0.01", "ctVal": "-0.001"}, "is no whole number of 1e-8 USDT"),
        ({"tSz": "0"}, "is no whole number of 1e-8 USDT"),
        ({"ctVal": "0.0000001"}, "is no whole number of 1e-8 USDT"),
        ({"ctVal": "many"}, "is not a decimal number"),
        ({"limitMaxQty": "1.5"}, "is no count"),
    ],
)
def test_a_contract_that_cannot_be_counted_says_so_and_hurts_no_other(changes: Any, fault: str) -> None:
    rows = [CONTRACT | changes, CONTRACT]
    found = carried(read_perpetuals(), from_table(allInstruments=rows))
    assert fault in found[0].fault
    assert (found[0].values, found[1].fault) == ({}, "")


def test_contracts_that_are_not_linear_or_not_in_usdt_are_nobodys_business() -> None:
    rows = [CONTRACT | {"ctType": "INVERSE"}, CONTRACT | {"sCcy": "TRX"}]
    assert carried(read_perpetuals(), from_table(allInstruments=rows)) == ()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"allInstruments": []}, "instruments: the answer is empty"),
        ({"allInstruments": {"x": 1}}, "instruments: "),
        ({"riskLimit": []}, "risk tiers of BTC_USDT_PERP: the answer is empty"),
        ({"fundingRate": Answer("24101", "Invalid symbol!", b'""', 200)}, "24101 Invalid symbol!"),
        ({"tickers": Answer("", "bad gateway", b"", 502)}, "502 bad gateway"),
        ({"allInstruments": [CONTRACT] * 2_001}, "2001 rows are more than there can be"),
    ],
)
def test_an_answer_that_is_none_ends_the_reading(data: Any, text: str) -> None:
    with pytest.raises(Malformed, match=text):
        carried(read_perpetuals(), from_table(**data))


def test_funding_of_an_odd_interval_and_tiers_of_another_symbol_are_faults_of_the_contract() -> None:
    odd = carried(read_perpetuals(), from_table(fundingRate=FUNDING | {"nFT": "5000"}))[0]
    assert "settlements 4000 ms apart" in odd.fault
    other = carried(read_perpetuals(), from_table(riskLimit=[TIERS[0] | {"symbol": "X"}]))[0]
    assert "none is about BTC_USDT_PERP" in other.fault


def test_spot_scales_become_steps_and_the_smallest_order_becomes_contracts() -> None:
    one = spot()
    assert (one.values["tick"], one.values["contract"]) == ("0.01", "0.000001")
    assert one.values["contracts_min"] == 10  # 1 USDT at 100,000
    assert one.values["contracts_max_limit"] == one.values["contracts_max_market"] == 20_000_000
    assert spot(minQuantity="0.0001").values["contracts_min"] == 100


def test_a_step_too_fine_to_be_counted_becomes_a_multiple_of_it() -> None:
    one = spot(priceScale=4, quantityScale=6)
    assert (one.values["tick"], one.values["contract"]) == ("0.0001", "0.0001")


def test_an_untold_largest_order_stays_untold() -> None:
    assert "contracts_max_limit" not in spot(maxQuantity="0").values


def test_spot_scales_beyond_what_can_be_counted_are_a_fault() -> None:
    assert "scales 9 and 6" in spot(priceScale=9).fault


def test_spot_prices_are_asked_for_only_when_one_is_missing() -> None:
    asked = []
    answer = from_table(markets=[MARKET], price=[{"symbol": "BTC_USDT", "price": "50000"}])

    def noted(request: Request) -> Answer:
        asked.append(request.path)
        return answer(request)

    assert carried(read_spot_markets({"BTC_USDT": "100000"}), noted)[0].price == "100000"
    assert asked == ["/markets"]
    assert carried(read_spot_markets({}), noted)[0].values["contracts_min"] == 20
