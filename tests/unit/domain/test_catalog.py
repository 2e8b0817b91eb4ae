"""The markets file is complete, and a wrong one is refused with every fault by row and field."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.domain.catalog import FIELDS, CatalogError, load_catalog

FILE = Path(__file__).parents[3] / "config" / "markets" / "poloniex-futures.json"

SYMBOLS = (
    "BTC ETH BNB SOL AVAX LINK LTC BCH SUI APT UNI FIL XRP ADA TRX DOGE 1000SHIB 1000PEPE".split()  # noqa: SIM905
)


def row(**changes: Any) -> dict[str, Any]:
    """Return a row without faults, but for the changes; None takes a field away."""
    whole: dict[str, Any] = {
        "symbol": "A",
        "base": "A",
        "source": "assumed",
        "tick": "0.01",
        "contract": "0.001",
        "contracts_min": 1,
        "contracts_max_limit": 10,
        "contracts_max_market": 10,
        "leverage_max": 20,
        "leverage_default": 10,
        "price_band": "0.05",
        "maker_fee": "0.0002",
        "taker_fee": "0.0006",
        "funding_interval_hours": 8,
        "reference_price": "100",
        "assumed": ["maker_fee"],
        "tiers": [
            {"contracts_max": 5, "leverage_max": 20, "maintenance": "0.01"},
            {"contracts_max": 10, "leverage_max": 5, "maintenance": "0.1"},
        ],
    }
    whole |= changes
    return {field: value for field, value in whole.items() if value is not None}


def faults(*rows: Any) -> tuple[str, ...]:
    with pytest.raises(CatalogError) as caught:
        load_catalog({"markets": list(rows)})
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


def tiers(change: Callable[[list[dict[str, Any]]], Any]) -> list[dict[str, Any]]:
    changed: list[dict[str, Any]] = copy.deepcopy(row()["tiers"])
    change(changed)
    return changed


def test_the_file_holds_the_eighteen_contracts() -> None:
    catalog = load_catalog(FILE.read_text("utf-8"))
    assert list(catalog) == [f"{base}_USDT_PERP" for base in SYMBOLS]
    assert all(instrument.symbol == symbol for symbol, instrument in catalog.items())
    assert all(instrument.reference_ticks > 0 for instrument in catalog.values())
    assert all(instrument.funding_interval_ns == 8 * 3_600 * 10**9 for instrument in catalog.values())


def test_what_nobody_confirmed_is_marked_and_careful() -> None:
    catalog = load_catalog(FILE.read_text("utf-8"))
    for instrument in catalog.values():
        assert {"maker_fee_e8", "taker_fee_e8"} <= instrument.assumed
        assert instrument.assumed <= set(instrument.__dataclass_fields__)
        if "leverage_max" in instrument.assumed:
            assert instrument.leverage_max <= 10
            assert instrument.tiers[0].maintenance_e8 >= 2_000_000
    assert "tick_e8" in catalog["ADA_USDT_PERP"].assumed


def test_numbers_of_the_file_become_integers() -> None:
    bitcoin = load_catalog(FILE.read_text("utf-8"))["BTC_USDT_PERP"]
    assert (bitcoin.tick_e8, bitcoin.contract_e8, bitcoin.tick_value) == (1_000_000, 100_000, 1_000)
    assert (bitcoin.maker_fee_e8, bitcoin.taker_fee_e8, bitcoin.price_band_e8) == (20_000, 60_000, 5_000_000)
    assert bitcoin.price_text(bitcoin.reference_ticks) == "86655"
    assert (bitcoin.tiers[0].contracts_max, bitcoin.tiers[0].maintenance_e8) == (100, 600_000)


def test_text_and_its_parsed_form_give_the_same() -> None:
    text = FILE.read_text("utf-8")
    assert load_catalog(text) == load_catalog(json.loads(text))


def test_a_row_without_faults_is_taken() -> None:
    assert list(load_catalog({"markets": [row()]})) == ["A"]


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_named(field: str) -> None:
    name = "row 0" if field == "symbol" else "A"
    assert faults(row(**{field: None})) == (f"{name}.{field}: is missing",)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"symbol": 7}, "row 0.symbol: must be text, not 7"),
        ({"base": ""}, "A.base: must be text, not ''"),
        (
            {"source": "rumour"},
            "A.source: must be one of wire, documentation, announcement, assumed, not 'rumour'",
        ),
        ({"tick": 0.01}, "A.tick: must be a decimal number as text, not 0.01"),
        ({"tick": "cheap"}, "A.tick: 'cheap' is not a decimal number"),
        ({"tick": "-0.01"}, "A.tick: must be above 0, not -0.01"),
        ({"tick": "0.00000001"}, "A.tick: times contract 0.001 must be a whole number of 1e-8 USDT"),
        ({"tick": "0.03"}, "A.reference_price: must be a multiple of the tick, which is 0.03"),
        ({"contract": "0"}, "A.contract: must be above 0, not 0"),
        ({"contracts_min": 0}, "A.contracts_min: must be a whole number above 0, not 0"),
        ({"contracts_min": "1"}, "A.contracts_min: must be a whole number above 0, not '1'"),
        ({"leverage_max": True}, "A.leverage_max: must be a whole number above 0, not True"),
        (
            {"contracts_min": 11, "contracts_max_limit": 20},
            "A.contracts_max_market: must be at least contracts_min, which is 11",
        ),
        ({"leverage_default": 21}, "A.leverage_default: must be at most leverage_max, which is 20"),
        ({"price_band": "1"}, "A.price_band: must lie between 0 and 1, not 1"),
        ({"maker_fee": "0.02", "taker_fee": "0.009"}, "A.maker_fee: must be below 1 % of notional, not 0.02"),
        ({"taker_fee": "0.0001"}, "A.taker_fee: must be at least the maker fee, and no rebate"),
        ({"funding_interval_hours": 7}, "A.funding_interval_hours: must divide a day"),
        ({"reference_price": "0"}, "A.reference_price: must be above 0, not 0"),
        ({"reference_price": "100.001"}, "A.reference_price: must be a multiple of the tick, which is 0.01"),
        ({"assumed": "fees"}, "A.assumed: must be a list of field names, not 'fees'"),
        ({"assumed": ["fee"]}, "A.assumed: 'fee' is not a field that can be assumed"),
        ({"assumed": ["symbol"]}, "A.assumed: 'symbol' is not a field that can be assumed"),
        ({"tiers": []}, "A.tiers: must be a list of at least one tier"),
        ({"tiers": [3]}, "A.tiers[0]: must be an object"),
        (
            {"tiers": tiers(lambda t: t[1].pop("maintenance"))},
            "A.tiers[1].maintenance: is missing",
        ),
        (
            {"tiers": tiers(lambda t: t[1].update(maxLever=5))},
            "A.tiers[1].maxLever: is not a field; the fields are contracts_max, leverage_max, maintenance",
        ),
        (
            {"tiers": tiers(lambda t: t[0].update(leverage_max=25))},
            "A.tiers[0].leverage_max: must be leverage_max, which is 20",
        ),
        (
            {"tiers": tiers(lambda t: t[1].update(contracts_max=5))},
            "A.tiers[1].contracts_max: must ascend, but follows 5",
        ),
        (
            {"tiers": tiers(lambda t: t[1].update(leverage_max=21, maintenance="0.04"))},
            "A.tiers[1].leverage_max: must not rise, but follows 20",
        ),
        (
            {"tiers": tiers(lambda t: t[1].update(maintenance="0.01"))},
            "A.tiers[1].maintenance: must ascend, but follows 0.01",
        ),
        (
            {"tiers": tiers(lambda t: t[1].update(maintenance="0.21"))},
            "A.tiers[1].maintenance: must be above 0 and at most 1/5",
        ),
        (
            {"tiers": tiers(lambda t: t[0].update(maintenance="0"))},
            "A.tiers[0].maintenance: must be above 0 and at most 1/20",
        ),
    ],
)
def test_each_fault_is_told_by_row_and_field(changes: dict[str, Any], fault: str) -> None:
    assert fault in faults(row(**changes))


def test_a_word_that_is_no_field_is_told_with_the_fields_there_are() -> None:
    told = faults(row() | {"tickSize": "0.01"})
    assert told == (f"A.tickSize: is not a field; the fields are {', '.join(FIELDS)}",)


def test_all_faults_of_all_rows_are_told_at_once() -> None:
    told = faults(row(tick=None, base=None), row(symbol="B", taker_fee="x"), "C")
    assert told == (
        "A.base: is missing",
        "A.tick: is missing",
        "B.taker_fee: 'x' is not a decimal number",
        "row 2: must be an object",
    )


def test_a_symbol_may_appear_once() -> None:
    assert faults(row(), row()) == ("A.symbol: appears twice, the second time in row 1",)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{", "line 1 column 2: Expecting property name enclosed in double quotes"),
        ('{"a": 1, "a": 2}', "a: appears twice in one object"),
        ("[]", "markets: must be a list of at least one row"),
        ('{"markets": []}', "markets: must be a list of at least one row"),
        ('{"markets": {}}', "markets: must be a list of at least one row"),
    ],
)
def test_a_file_without_rows_is_refused(source: str, fault: str) -> None:
    with pytest.raises(CatalogError) as caught:
        load_catalog(source)
    assert caught.value.faults == (fault,)


def test_a_fault_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^markets: "):
        load_catalog({})
