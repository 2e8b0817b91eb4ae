"""Closing positions: all of it, no more than it, and honest about what is in flight."""

from dataclasses import replace
from pathlib import Path

import pytest

from actors.domain.catalog import load_catalog
from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side
from actors.messages.trading import OrderUpdate
from actors.messages.venue import CancelOrder, PlaceOrder, RequestKind
from actors.oms.events import FlattenEnded
from actors.oms.flatten import closing_orders
from tests.unit.oms.oms_bench import BTC, ETH, RISK, SECOND, OmsBench

S = OrderState


def _position(bench: OmsBench, contracts: int = 10, side: Side = Side.BUY, symbol: str = BTC) -> None:
    name = bench.opened(contracts=contracts, side=side, symbol=symbol)
    bench.fill(name, contracts, side=side, symbol=symbol)
    bench.published.clear()
    bench.sent.clear()


def _ended(bench: OmsBench) -> list[str]:
    return [event.symbol for event in bench.events if isinstance(event, FlattenEnded)]


def test_a_long_position_is_sold_at_market_reduce_only(bench: OmsBench) -> None:
    _position(bench)
    bench.flatten()
    (order,) = bench.placed()
    assert (order.symbol, order.side, order.contracts) == (BTC, Side.SELL, 10)
    assert (order.order_type, order.reduce_only) == (OrderType.MARKET, True)
    bench.fill(order.client_order_id, 10, side=Side.SELL)
    assert bench.oms.state.net_contracts == {BTC: 0}
    assert _ended(bench) == [BTC]


def test_a_short_position_is_bought_back(bench: OmsBench) -> None:
    _position(bench, side=Side.SELL)
    bench.flatten(BTC)
    (order,) = bench.placed()
    assert (order.side, order.contracts) == (Side.BUY, 10)


def test_the_oms_tells_risk_about_orders_of_its_own(bench: OmsBench) -> None:
    _position(bench)
    bench.restart()
    bench.flatten()
    bench.accept(bench.placed()[0].client_order_id)
    bench.fill(bench.placed()[0].client_order_id, 4, side=Side.SELL)
    told = [(to, m.strategy, m.filled_contracts) for to, m in bench.sent if isinstance(m, OrderUpdate)]
    assert told == [(RISK, "oms/main", 0), (RISK, "oms/main", 4)]


def test_all_symbols_are_flattened_unless_one_is_named(bench: OmsBench) -> None:
    _position(bench)
    _position(bench, symbol=ETH)
    bench.flatten(ETH)
    assert [order.symbol for order in bench.placed()] == [ETH]
    bench.flatten()
    assert sorted(order.symbol for order in bench.placed()) == [BTC, ETH]


def test_a_flat_symbol_without_orders_needs_nothing(bench: OmsBench) -> None:
    bench.flatten()
    assert bench.events == []
    bench.flatten(BTC)
    assert bench.placed() == []
    assert _ended(bench) == [BTC]


def test_resting_orders_are_canceled_first(bench: OmsBench) -> None:
    _position(bench)
    resting = bench.opened()
    bench.published.clear()
    bench.flatten()
    assert [type(m) for m in bench.published] == [CancelOrder, PlaceOrder]
    assert bench.order(resting).state is S.CANCELING


def test_a_fill_that_was_in_flight_is_closed_too(bench: OmsBench) -> None:
    _position(bench)
    resting = bench.opened()
    bench.published.clear()
    bench.flatten()
    (first,) = bench.placed()
    bench.fill(first.client_order_id, 10, side=Side.SELL)
    assert _ended(bench) == []  # the canceled order may still have filled
    bench.fill(resting, 3)
    second = bench.placed()[-1]
    assert (second.side, second.contracts) == (Side.SELL, 3)
    bench.canceled(resting, 3)
    bench.fill(second.client_order_id, 3, side=Side.SELL)
    assert _ended(bench) == [BTC]


def test_a_closing_order_without_an_answer_is_not_doubled(bench: OmsBench) -> None:
    _position(bench)
    bench.flatten()
    (order,) = bench.placed()
    bench.lose(order.client_order_id, RequestKind.PLACE)
    bench.flatten()
    bench.advance(600 * SECOND)
    assert len(bench.placed()) == 1
    bench.show(order.client_order_id, S.ABSENT)  # asked late enough: it never arrived, so another may be sent
    bench.advance(2 * SECOND)
    assert len(bench.placed()) == 2


def test_a_closing_order_that_fills_in_part_is_followed_by_the_rest(bench: OmsBench) -> None:
    _position(bench)
    bench.flatten()
    (order,) = bench.placed()
    bench.fill(order.client_order_id, 6, side=Side.SELL)
    assert len(bench.placed()) == 1
    bench.canceled(order.client_order_id, 6)
    bench.advance(SECOND)
    assert bench.placed()[-1].contracts == 4


def test_a_position_that_cannot_be_closed_pages_somebody(bench: OmsBench) -> None:
    _position(bench)
    bench.flatten()
    for _ in range(4):
        bench.reject(bench.placed()[-1].client_order_id)
        bench.advance(SECOND)
    assert [a.name for a in bench.alerts] == ["FlattenStuck", "FlattenStuck"]
    bench.fill(bench.placed()[-1].client_order_id, 10, side=Side.SELL)
    assert [r.name for r in bench.resolved] == ["FlattenStuck"]


def test_a_stuck_close_that_is_done_after_a_restart_is_told_to_be_over(bench: OmsBench) -> None:
    _position(bench)
    bench.flatten()
    for _ in range(4):
        bench.reject(bench.placed()[-1].client_order_id)
        bench.advance(SECOND)
    bench.restart()
    bench.advance(2 * SECOND)
    bench.fill(bench.placed()[-1].client_order_id, 10, side=Side.SELL)
    assert [r.name for r in bench.resolved] == ["FlattenStuck"]


def test_flattening_goes_on_after_a_restart(bench: OmsBench) -> None:
    _position(bench)
    bench.flatten()
    (order,) = bench.placed()
    bench.restart()
    assert len(bench.placed()) == 1  # in doubt, so not doubled
    bench.show(order.client_order_id, S.CANCELED, side=Side.SELL)
    bench.advance(SECOND)
    assert bench.placed()[-1].contracts == 10


def test_a_liquidation_ends_a_flattening(bench: OmsBench) -> None:
    _position(bench)
    bench.flatten()
    (order,) = bench.placed()
    bench.fill("", 10, side=Side.SELL, liquidation=True)
    bench.canceled(order.client_order_id)
    assert _ended(bench) == [BTC]


def test_a_large_position_is_cut_into_orders_the_venue_takes() -> None:
    markets = Path(__file__).parents[3] / "config" / "markets" / "poloniex-futures.json"
    instrument = replace(load_catalog(markets.read_text("utf-8"))[BTC], contracts_max_market=4)
    bench = OmsBench(instruments={BTC: instrument})
    _position(bench)
    bench.flatten()
    assert [order.contracts for order in bench.placed()] == [4, 4, 2]


@pytest.mark.parametrize(
    ("net", "working", "bound", "expected"),
    [
        (10, 0, 0, (Side.SELL, [10])),
        (-10, 0, 0, (Side.BUY, [10])),
        (10, 4, 0, (Side.SELL, [6])),
        (10, 10, 0, (Side.SELL, [])),
        (10, 12, 0, (Side.SELL, [])),
        (10, 0, 10, (Side.SELL, [10])),
        (11, 0, 10, (Side.SELL, [10, 1])),
        (1_000, 0, 10, (Side.SELL, [10] * 10)),
    ],
)
def test_closing_orders_never_exceed_what_is_open(
    net: int, working: int, bound: int, expected: tuple[Side, list[int]]
) -> None:
    assert closing_orders(net, working, bound) == expected
