"""A markets file after a sync: confirmed by the venue alone, never half, and nothing lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.domain.catalog import CatalogError
from actors.domain.listing import Listed, differences, facts, new_row, unconfirmed
from actors.domain.markets_file import MarketsFile, read_markets_file
from actors.domain.sync import confirmed, file_differences, plan_sync

FOLDER = Path(__file__).parents[3] / "config" / "markets"
URL, AT = "https://api.poloniex.com", "2026-11-28T06:54:09Z"
SOL, BTC = "SOL_USDT_PERP", "BTC_USDT_PERP"
FUTURES = read_markets_file((FOLDER / "poloniex-futures.json").read_text("utf-8"), "futures.json")
SPOT = read_markets_file((FOLDER / "poloniex-spot.json").read_text("utf-8"), "spot.json")
NOT_TOLD = ("status", "maker_fee", "taker_fee")


def venue(file: MarketsFile = FUTURES, **changes: dict[str, Any]) -> dict[str, Listed]:
    """Return a listing that says what a file says, but for changes by symbol."""
    found = {}
    for symbol, one in file.instruments.items():
        told = facts(one)
        spot_only = ("price_band", "contracts_max_limit", "contracts_max_market") if one.is_spot else ()
        values = {name: value for name, value in told.items() if name not in (*NOT_TOLD, *spot_only)}
        listed = Listed(symbol, one.base, "OPEN", values, dict.fromkeys(values, "/told"), spot=one.is_spot)
        change = changes.get(symbol, {})
        found[symbol] = (
            replace(listed, **change)
            if "values" not in change
            else replace(listed, **(change | {"values": values | change["values"]}))
        )
    return found


def plan(listed: dict[str, Listed], file: MarketsFile = FUTURES, url: str = URL, add: tuple[str, ...] = ()):
    return plan_sync(file, listed.values(), AT, url, add)


def test_what_the_venue_says_is_confirmed_and_what_it_does_not_say_is_not() -> None:
    found = plan(venue())
    assert found.changes == []
    for symbol, one in found.after.instruments.items():
        assert unconfirmed(one) == (), symbol
        assert {"maker_fee_e8", "taker_fee_e8"} <= one.assumed
    row = found.after.row(SOL)
    assert row["evidence"][0]["from"] == f"{URL}/told"
    assert (row["evidence"][0]["source"], row["evidence"][0]["at"], row["source"]) == ("wire", AT, "wire")
    assert (found.after.as_of, found.after.synced_from, found.after.is_of_venue) == (AT, URL, True)


def test_spot_markets_are_confirmed_as_far_as_the_venue_tells() -> None:
    found = plan(venue(SPOT), SPOT)
    assert all(unconfirmed(one) == () for one in found.after.instruments.values())
    assert all("price_band_e8" in one.assumed for one in found.after.instruments.values())


def test_an_exchange_on_this_machine_confirms_nothing() -> None:
    found = plan(venue(**{BTC: {"values": {"contracts_max_limit": 5_000}}}), url="http://127.0.0.1:9443")
    assert not found.after.is_of_venue
    assert unconfirmed(found.after.instruments[SOL]) == unconfirmed(FUTURES.instruments[SOL]) != ()
    assert "evidence" not in found.after.row(SOL)
    assert unconfirmed(found.after.instruments[BTC]) == ("contracts_max_limit",)
    assert found.after.row(BTC)["evidence"][0]["source"] == "local"


def test_changes_are_told_field_by_field() -> None:
    tiers = [{"contracts_max": 50, "leverage_max": 20, "maintenance": "0.02"}]
    change = {"status": "PAUSED", "values": {"tick": "0.1", "tiers": tiers, "leverage_max": 20}}
    found = plan(venue(**{BTC: change}))
    assert {(one.field, one.after) for one in found.changes if one.field != "tiers"} == {
        ("status", "PAUSED"),
        ("tick", "0.1"),
        ("leverage_max", 20),
    }
    assert [one.after for one in found.changes if one.field == "tiers"] == [tiers]
    assert not found.after.instruments[BTC].is_open


def test_a_reference_price_off_the_new_grid_moves_to_the_nearest_tick() -> None:
    found = plan(venue(**{SOL: {"values": {"tick": "0.4"}}}))
    assert found.after.row(SOL)["reference_price"] == "143.2"


def test_a_symbol_that_is_gone_keeps_its_row_and_is_marked() -> None:
    listed = venue()
    del listed[SOL]
    found = plan(listed)
    assert [(one.symbol, one.field, one.after) for one in found.changes] == [(SOL, "status", "DELISTED")]
    assert len(found.after.rows) == len(FUTURES.rows)
    again = plan(listed, found.after)
    assert again.changes == []
    back = plan(venue(), found.after)
    assert [(one.symbol, one.before, one.after) for one in back.changes] == [(SOL, "DELISTED", "OPEN")]


def test_a_local_exchange_delists_nothing() -> None:
    listed = {BTC: venue()[BTC]}
    found = plan(listed, url="http://localhost:9443")
    assert found.changes == []
    assert len(found.notes) == len(FUTURES.rows) - 1


def test_an_answer_without_most_symbols_is_not_believed() -> None:
    with pytest.raises(CatalogError, match="lists 1 of 18 symbols: too few to be believed"):
        plan({BTC: venue()[BTC]})
    with pytest.raises(CatalogError, match="lists 0 of 18"):
        plan({})


def test_new_perpetuals_are_taken_up_and_new_spot_markets_are_offered() -> None:
    new = replace(venue()[BTC], symbol="XAU_USDT_PERP", base="XAU", price="4000.123")
    found = plan(venue() | {"XAU_USDT_PERP": new})
    assert (found.added, found.not_added) == (["XAU_USDT_PERP"], [])
    row = found.after.row("XAU_USDT_PERP")
    assert (row["reference_price"], row["assumed"]) == (
        "4000.12",
        ["maker_fee", "taker_fee", "reference_price"],
    )
    coin = replace(venue(SPOT)["BTC_USDT"], symbol="XAU_USDT", base="XAU", price="4000.12")
    listed = venue(SPOT) | {"XAU_USDT": coin}
    assert plan(listed, SPOT).not_added == ["XAU_USDT"]
    taken = plan(listed, SPOT, add=("XAU_USDT",)).after
    assert taken.instruments["XAU_USDT"].is_spot
    assert unconfirmed(taken.instruments["XAU_USDT"]) == ()
    assert "contracts_max_limit" in taken.row("XAU_USDT")["assumed"]


def test_a_new_symbol_that_cannot_be_counted_is_left_out_with_a_note() -> None:
    new = Listed("ODD_USDT_PERP", "ODD", "OPEN", fault="instrument: tick 0.000000001 has too many decimals")
    found = plan(venue() | {new.symbol: new})
    assert found.not_added == [new.symbol]
    assert "too many decimals" in found.notes[0]
    with pytest.raises(CatalogError, match="too many decimals"):
        plan(venue() | {new.symbol: new}, add=(new.symbol,))


def test_a_symbol_on_file_that_cannot_be_counted_any_more_stops_the_sync() -> None:
    with pytest.raises(CatalogError, match=f"{SOL}: instrument: no grid"):
        plan(venue(**{SOL: {"fault": "instrument: no grid"}}))


def test_a_nonsense_value_stops_the_sync_with_its_row_and_field() -> None:
    with pytest.raises(
        CatalogError, match=r"SOL_USDT_PERP\.contracts_max_market: must be at least contracts_min"
    ):
        plan(venue(**{SOL: {"values": {"contracts_max_market": 1, "contracts_min": 2}}}))


def test_adding_what_the_venue_does_not_list_is_refused() -> None:
    with pytest.raises(CatalogError, match="NOT_USDT: the venue does not list it"):
        plan(venue(SPOT), SPOT, add=("NOT_USDT",))


def test_a_row_cannot_be_made_of_half_an_answer() -> None:
    with pytest.raises(ValueError, match="does not tell its tick, contract"):
        new_row(Listed("A_USDT_PERP", "A", "OPEN", price="1"))


def test_a_person_confirms_a_value_on_the_record() -> None:
    after, change = confirmed(FUTURES, BTC, "taker_fee", "0.0005", AT, "ann: fills of 2026-11-27")
    assert (change.before, change.after) == ("0.0006", "0.0005")
    assert "taker_fee_e8" not in after.instruments[BTC].assumed
    assert after.row(BTC)["evidence"] == [
        {"source": "person", "at": AT, "from": "ann: fills of 2026-11-27", "fields": ["taker_fee"]}
    ]
    with pytest.raises(CatalogError, match="must be at least the maker fee"):
        confirmed(FUTURES, BTC, "taker_fee", "0.0001", AT, "ann: a guess")
    with pytest.raises(CatalogError, match="is not a field of a spot market"):
        confirmed(SPOT, "BTC_USDT", "tiers", [], AT, "ann: a guess")


def test_a_confirmed_value_outlives_a_sync() -> None:
    after, _ = confirmed(FUTURES, BTC, "taker_fee", "0.0005", AT, "ann: fills")
    synced = plan(venue(), after).after
    assert synced.row(BTC)["taker_fee"] == "0.0005"
    assert {"maker_fee"} == set(synced.row(BTC)["assumed"])
    assert "person" in {group["source"] for group in synced.row(BTC)["evidence"]}


def test_two_files_are_compared_both_ways() -> None:
    smaller = read_markets_file({**FUTURES.content(), "markets": list(FUTURES.rows[1:])})
    assert [(one.symbol, one.after) for one in file_differences(FUTURES, smaller)] == [(BTC, False)]
    assert [(one.symbol, one.after) for one in file_differences(smaller, FUTURES)] == [(BTC, True)]
    assert differences(BTC, facts(FUTURES.instruments[BTC]), {"tick": "0.010"})[0].after == "0.010"
