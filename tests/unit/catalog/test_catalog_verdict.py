"""What the venue's word means for a symbol: alert, halt, or nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.catalog.verdict import Verdict, judge
from actors.domain.catalog import load_catalog
from actors.domain.listing import Listed, facts

FILE = Path(__file__).parents[3] / "config" / "markets" / "poloniex-futures.json"
BTC = load_catalog(FILE.read_text("utf-8"))["BTC_USDT_PERP"]


def listed(status: str = "OPEN", **values: Any) -> Listed:
    told = {
        name: value for name, value in facts(BTC).items() if name not in ("status", "maker_fee", "taker_fee")
    }
    return Listed(BTC.symbol, BTC.base, status, told | values)


def test_a_symbol_as_the_file_has_it_needs_no_word() -> None:
    assert judge(BTC, listed()) == Verdict("", "")


@pytest.mark.parametrize("status", ["PAUSED", "CANCEL_ONLY", "CANCEL_CLOSE_ONLY", "CLOSED", "POST_ONLY"])
def test_a_symbol_that_is_not_open_must_not_be_traded_even_if_the_file_says_so_too(status: str) -> None:
    for instrument in (BTC, replace(BTC, status=status)):
        assert judge(instrument, listed(status)).halt == f"it is {status} at the venue"


@pytest.mark.parametrize(("field", "value"), [("tick", "0.1"), ("contract", "0.01")])
def test_other_units_must_not_be_traded_on(field: str, value: str) -> None:
    verdict = judge(BTC, listed(**{field: value}))
    assert verdict.halt == f"{field} is {facts(BTC)[field]} on file and {value} at the venue"
    assert verdict.text == f"BTC_USDT_PERP: {verdict.halt}; run `polytrade markets diff`"


def test_other_differences_are_told_and_traded_on() -> None:
    verdict = judge(BTC, listed(contracts_max_market=7, tiers=facts(BTC)["tiers"][:3]))
    assert verdict.halt == ""
    assert "contracts_max_market is 100000 on file and 7 at the venue" in verdict.text
    assert "9 tiers on file, 3 at the venue" in verdict.text


def test_a_symbol_that_opened_again_is_told_and_may_be_traded() -> None:
    verdict = judge(replace(BTC, status="PAUSED"), listed())
    assert (verdict.halt, verdict.text.startswith("BTC_USDT_PERP: status is PAUSED on file and OPEN")) == (
        "",
        True,
    )


def test_a_symbol_that_is_gone_or_unreadable_must_not_be_traded() -> None:
    assert judge(BTC, None).halt == "not listed at the venue any more"
    assert "cannot be used: tick" in judge(BTC, replace(listed(), fault="tick")).halt
