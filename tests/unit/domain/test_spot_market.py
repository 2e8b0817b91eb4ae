"""A spot market: what a fee in coins does to contracts, and which rows of a markets file are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.catalog import CatalogError, load_catalog
from actors.domain.instrument import MarketKind

MARKETS = Path(__file__).parents[3] / "config" / "markets"
SPOT = load_catalog((MARKETS / "poloniex-spot.json").read_text(encoding="utf-8"))
BTC = SPOT["BTC_USDT"]


def faults(**changes: Any) -> tuple[str, ...]:
    row = json.loads((MARKETS / "poloniex-spot.json").read_text(encoding="utf-8"))["markets"][0] | changes
    with pytest.raises(CatalogError) as caught:
        load_catalog({"markets": [{field: value for field, value in row.items() if value is not None}]})
    return caught.value.faults


def test_every_shipped_market_is_spot_without_leverage_or_maintenance() -> None:
    assert len(SPOT) >= 16
    for one in SPOT.values():
        assert one.market is MarketKind.SPOT
        assert one.initial_margin(100, 7, 1) == one.notional(100, 7)
        assert one.maintenance_margin(100, 7) == 0


@given(fee_e8=st.integers(0, 10**15), contract_e8=st.sampled_from([1, 100, 10_000, 12_345]))
def test_a_fee_in_coins_is_whole_contracts_less_dust(fee_e8: int, contract_e8: int) -> None:
    contracts, dust = replace(BTC, tick_e8=100_000_000, contract_e8=contract_e8).coin_fee(fee_e8)
    assert contracts * contract_e8 - dust == fee_e8
    assert 0 <= dust < contract_e8


def test_a_step_whose_tick_is_no_whole_unit_of_money_is_refused() -> None:
    assert faults(contract="0.0000015") == (
        "BTC_USDT.tick: times contract 0.0000015 must be a whole number of 1e-8 USDT",
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"market": "margin"}, "BTC_USDT.market: must be spot, or be left out for a perpetual, not 'margin'"),
        ({"symbol": "BTC_USDC"}, "must be BTC_USDT: only markets against USDT can be counted"),
        ({"maker_fee": "-0.001"}, "BTC_USDT.maker_fee: must not be a rebate at a spot market"),
        ({"leverage_max": 5}, "BTC_USDT.leverage_max: is not a field"),
        ({"contract": None}, "BTC_USDT.contract: is missing"),
    ],
)
def test_a_row_that_is_no_spot_market_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert any(fault in found for found in faults(**changes)), faults(**changes)


@given(fees=st.lists(st.integers(0, 10**6), max_size=40), contract_e8=st.sampled_from([1, 100, 12_345]))
def test_dust_becomes_a_contract_as_soon_as_it_is_one(fees: list[int], contract_e8: int) -> None:
    one = replace(BTC, tick_e8=100_000_000, contract_e8=contract_e8)
    held = taken = 0
    for fee in fees:
        contracts, dust = one.carry_dust(held, *one.coin_fee(fee))
        assert contracts >= 0
        taken, held = taken + contracts, held + dust
        assert 0 <= held < contract_e8
    assert taken * contract_e8 - held == sum(fees)
