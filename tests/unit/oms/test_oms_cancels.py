"""Cancels: by intent, by scope, now or as soon as it can be done."""

import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.scopes import CancelAll
from actors.messages.trading import CancelIntent, OrderUpdate
from actors.messages.venue import CancelOrder
from actors.oms.settings import OmsSettings
from tests.unit.oms.oms_bench import BTC, ETH, RISK, TREND, OmsBench

S = OrderState
OTHER = f"mean/{ETH}"


@pytest.fixture
def names(bench: OmsBench) -> dict[str, str]:
    """Three resting orders."""
    return {
        "trend btc": bench.opened(),
        "trend eth": bench.opened(symbol=ETH),
        "other eth": bench.opened(symbol=ETH, strategy=OTHER),
    }


@pytest.mark.parametrize(
    ("scope", "hit"),
    [
        ({}, {"trend btc", "trend eth", "other eth"}),
        ({"account": ""}, {"trend btc", "trend eth", "other eth"}),
        ({"account": "hedge"}, set()),
        ({"symbol": ETH}, {"trend eth", "other eth"}),
        ({"strategy": TREND}, {"trend btc", "trend eth"}),
        ({"strategy": TREND, "symbol": ETH}, {"trend eth"}),
        ({"strategy": "nobody"}, set()),
    ],
)
def test_a_cancel_hits_its_scope_and_nothing_else(
    bench: OmsBench, names: dict[str, str], scope: dict[str, str], hit: set[str]
) -> None:
    bench.cancel(**scope)
    assert {m.client_order_id for m in bench.take(CancelOrder)} == {names[name] for name in hit}
    assert {name for name in names if bench.order(names[name]).state is S.CANCELING} == hit


@pytest.mark.parametrize("symbol", ["", ETH])
def test_a_halt_has_the_venue_cancel_a_scope_once_and_every_order_is_on_record(
    bench: OmsBench, names: dict[str, str], symbol: str
) -> None:
    hit = [name for name in names.values() if symbol in ("", bench.order(name).symbol)]
    bench.cancel(symbol=symbol, at_venue=True)
    symbols = tuple(bench.order(name).symbol for name in hit)
    assert bench.take(CancelAll) == [CancelAll("main", symbol, tuple(hit), symbols)]
    assert bench.take(CancelOrder) == []
    assert {name for name in names.values() if bench.order(name).state is S.CANCELING} == set(hit)


def test_an_order_in_flight_at_a_scope_cancel_is_canceled_by_name_when_it_rests(bench: OmsBench) -> None:
    on_its_way, in_doubt = bench.submit(), bench.submit()
    bench.advance(6_000_000_000)
    late = bench.submit()
    bench.cancel(at_venue=True)
    assert bench.take(CancelAll) == [CancelAll("main", "", (), ())]
    bench.accept(late)
    bench.show(on_its_way, S.OPEN)
    bench.canceled(in_doubt)
    assert {m.client_order_id for m in bench.take(CancelOrder)} == {late, on_its_way}
    assert bench.order(in_doubt).state is S.CANCELED


def test_an_order_that_the_scope_cancel_tells_nothing_about_is_in_doubt(bench: OmsBench) -> None:
    name = bench.opened()
    bench.cancel(at_venue=True)
    bench.advance(6_000_000_000)
    assert bench.order(name).state is S.UNKNOWN
    bench.show(name, S.OPEN)
    assert bench.take(CancelOrder) == [CancelOrder("main", name, BTC)]


def test_a_halt_of_a_strategy_or_without_scopes_goes_order_by_order() -> None:
    for settings, scope in ((OmsSettings(), {"strategy": TREND}), (OmsSettings(cancel_by_scope=False), {})):
        bench = OmsBench(settings)
        name = bench.opened()
        bench.cancel(**scope, at_venue=True)
        assert (bench.take(CancelAll), bench.take(CancelOrder)) == ([], [CancelOrder("main", name, BTC)])


def test_one_intents_order_can_be_canceled(bench: OmsBench, names: dict[str, str]) -> None:
    intent_id = bench.order(names["trend eth"]).intent_id
    bench.tell(CancelIntent(intent_id, TREND, "hedge"), sender=RISK)
    assert bench.take(CancelOrder) == []
    bench.tell(CancelIntent(intent_id, TREND, "main"), sender=RISK)
    assert bench.take(CancelOrder) == [CancelOrder("main", names["trend eth"], ETH)]


def test_cancel_orders_takes_an_intent_too(bench: OmsBench, names: dict[str, str]) -> None:
    bench.cancel(intent_id=bench.order(names["trend btc"]).intent_id)
    assert bench.take(CancelOrder) == [CancelOrder("main", names["trend btc"], BTC)]


def test_the_cancel_of_a_closed_order_is_moot(bench: OmsBench) -> None:
    name = bench.opened()
    intent_id = bench.order(name).intent_id
    bench.fill(name)
    bench.cancel(intent_id=intent_id)
    assert bench.take(CancelOrder) == []


def test_a_cancel_is_asked_for_once(bench: OmsBench) -> None:
    bench.opened()
    bench.cancel()
    bench.cancel()
    assert len(bench.take(CancelOrder)) == 1


def test_an_order_on_its_way_is_canceled_as_soon_as_it_is_accepted(bench: OmsBench) -> None:
    name = bench.submit()
    bench.cancel()
    bench.cancel()
    assert bench.take(CancelOrder) == []
    bench.accept(name)
    assert bench.take(CancelOrder) == [CancelOrder("main", name, BTC)]


def test_the_wish_to_cancel_survives_a_restart(bench: OmsBench) -> None:
    name = bench.submit()
    bench.cancel()
    bench.restart()
    bench.show(name, S.OPEN)
    assert bench.take(CancelOrder) == [CancelOrder("main", name, BTC)]


def test_a_canceled_order_tells_how_far_it_was_filled(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 4)
    bench.cancel()
    bench.canceled(name, 4)
    update = bench.take(OrderUpdate)[-1]
    assert (update.state, update.filled_contracts, update.reason) == (S.CANCELED, 4, "by request")


def test_a_venue_may_cancel_by_itself(bench: OmsBench) -> None:
    name = bench.opened()
    bench.canceled(name)
    assert bench.order(name).state is S.CANCELED
    assert bench.alerts == []


def test_a_fill_while_canceling_does_not_answer_the_cancel(bench: OmsBench) -> None:
    name = bench.opened()
    bench.cancel()
    bench.fill(name, 4)
    assert bench.order(name).state is S.CANCELING
    bench.advance(5_000_000_000)
    assert bench.order(name).state is S.UNKNOWN
