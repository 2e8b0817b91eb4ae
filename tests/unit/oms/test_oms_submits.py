"""From an allowed intent to the venue, once."""

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.trading import OrderUpdate
from actors.messages.venue import OrderFilled, PlaceOrder
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.oms.ids import client_order_id
from actors.oms.settings import OmsSettings
from tests.unit.oms.oms_bench import BTC, PRICE, RISK, SECOND, TREND, OmsBench


def test_an_allowed_intent_is_on_the_record_and_goes_to_the_venue(bench: OmsBench) -> None:
    name = bench.submit()
    assert name == client_order_id("paper", "main", "aaaaaaaaa", 1, 1)
    (event,) = bench.events
    assert isinstance(event, OrderSubmitted)
    assert (event.client_order_id, event.strategy, event.risk) == (name, TREND, RISK)
    assert bench.placed() == [
        PlaceOrder("main", name, BTC, Side.BUY, 10, OrderType.LIMIT, PRICE, TimeInForce.GTC, False)
    ]
    assert bench.order(name).state is OrderState.SUBMITTING


def test_a_life_from_submission_to_fill_takes_three_events(bench: OmsBench) -> None:
    bench.fill(bench.opened())
    assert [type(event) for event in bench.events] == [OrderSubmitted, OrderStateChanged, OrderFillApplied]


def test_strategy_is_told_of_every_change_and_risk_of_those_behind_the_acceptance(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 4)
    bench.fill(name, 6)
    told = [(to, m.state) for to, m in bench.sent if isinstance(m, OrderUpdate)]
    fills = [OrderState.PARTIALLY_FILLED, OrderState.FILLED]
    assert told == [(TREND, OrderState.OPEN), *((to, state) for state in fills for to in (TREND, RISK))]


def test_an_update_carries_the_fills_so_far(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 4, price_ticks=100)
    bench.fill(name, 5, price_ticks=200)
    update = bench.take(OrderUpdate)[-1]
    assert (update.filled_contracts, update.filled_ticks) == (9, 4 * 100 + 5 * 200)


def test_the_same_intent_never_makes_a_second_order(bench: OmsBench) -> None:
    intent = bench.intent()
    name = bench.submit(intent)
    bench.take(OrderUpdate)
    assert bench.submit(intent) == ""
    assert [m.client_order_id for m in bench.take(OrderUpdate)] == [name, name]
    assert len(bench.placed()) == 1


def test_the_same_intent_makes_no_second_order_after_a_restart(bench: OmsBench) -> None:
    intent = bench.intent()
    bench.submit(intent)
    bench.restart()
    assert bench.submit(intent) == ""


def test_the_intent_of_a_closed_order_makes_no_second_order(bench: OmsBench) -> None:
    intent = bench.intent()
    bench.fill(bench.submit(intent))
    bench.take(OrderUpdate)
    assert bench.submit(intent) == ""
    assert {m.state for m in bench.take(OrderUpdate)} == {OrderState.FILLED}


def test_the_intent_of_a_forgotten_order_makes_no_second_order() -> None:
    bench = OmsBench(OmsSettings(closed_orders_kept=10))
    first = bench.intent()
    bench.fill(bench.submit(first))
    for _ in range(30):
        bench.fill(bench.submit())
    bench.take(OrderUpdate)
    assert bench.submit(first) == ""
    update, copy = bench.take(OrderUpdate)
    assert update == copy
    assert (update.client_order_id, update.state) == ("", OrderState.REJECTED)


def test_an_older_intent_of_the_same_strategy_is_not_submitted(bench: OmsBench) -> None:
    older, newer = bench.intent(), bench.intent()
    assert bench.submit(newer)
    assert bench.submit(older) == ""


def test_a_newer_epoch_counts_from_one_again(bench: OmsBench) -> None:
    assert bench.submit(intent_id=f"{TREND}#1.900")
    assert bench.submit(intent_id=f"{TREND}#2.1")


def test_strategies_do_not_disturb_each_others_numbers(bench: OmsBench) -> None:
    assert bench.submit(intent_id="trend/A#1.900")
    assert bench.submit(intent_id="trend/B#1.1")


def test_an_intent_of_another_form_is_also_taken_only_once(bench: OmsBench) -> None:
    assert bench.submit(intent_id="by-hand")
    assert bench.submit(intent_id="by-hand") == ""


def test_another_accounts_intent_is_left_alone(bench: OmsBench) -> None:
    assert bench.submit(account="hedge") == ""
    assert bench.events == []


def test_order_numbers_go_on_after_a_restart(bench: OmsBench) -> None:
    first = bench.submit()
    bench.restart()
    assert bench.submit() != first
    assert bench.oms.state.sequence == 2


def test_a_new_epoch_is_part_of_the_name(bench: OmsBench) -> None:
    bench.submit()
    bench.epoch = 2
    bench.restart()
    assert bench.submit() == client_order_id("paper", "main", "aaaaaaaaa", 2, 2)


def test_a_strategy_that_left_the_deployment_does_not_stop_its_orders(bench: OmsBench) -> None:
    class Deserted(OmsBench):
        def send(self, address: str, message: object) -> None:
            from actors.runtime.errors import InvariantError

            if address == TREND:
                raise InvariantError("does not read it")
            super().send(address, message)  # type: ignore[arg-type]

    bench = Deserted()
    name = bench.opened()
    bench.fill(name)
    assert bench.order(name).state is OrderState.FILLED
    assert len(bench.logs) == 1
    assert {to for to, _ in bench.sent} == {RISK}


def test_one_timer_serves_all_orders(bench: OmsBench) -> None:
    for _ in range(100):
        bench.submit()
        bench.advance(SECOND // 1000)
    assert len(bench._timers) == 1


def test_a_report_about_an_order_nobody_knows_is_counted(bench: OmsBench) -> None:
    bench.accept("stranger")
    bench.reject("stranger")
    bench.canceled("stranger")
    bench.refuse_cancel("stranger")
    assert bench.oms.strangers_count == 4
    assert bench.events == []


def test_the_description_names_what_an_operator_looks_for(bench: OmsBench) -> None:
    opened, unknown = bench.opened(), bench.unknown()
    shown = bench.oms.describe()
    assert shown["orders_submitted"] == 2
    assert shown["orders_live"] == 2
    assert [order["client_order_id"] for order in shown["open_orders"]] == [opened]
    assert [order["client_order_id"] for order in shown["unknown_orders"]] == [unknown]
    assert shown["orders_live_by_state"] == {"open": 1, "unknown": 1}
    assert bench.oms.gauges()["orders_in_doubt"] == 1


def test_memory_of_closed_orders_and_fills_is_bounded() -> None:
    bench = OmsBench(OmsSettings(closed_orders_kept=10, fills_kept=100))
    for _ in range(500):
        bench.advance(1)
        bench.fill(bench.submit())
    state = bench.oms.state
    assert 10 <= len(state.closed) <= 20
    assert 100 <= len(state.fills) <= 200
    assert (state.live, state.fills_count) == ({}, 500)
    assert bench.oms._by_intent == {}
    assert bench.oms._awaiting == {}


def test_a_restart_gives_the_same_state(bench: OmsBench) -> None:
    done, half = bench.opened(), bench.opened()
    bench.fill(done)
    bench.fill(half, 3)
    bench.tell(OrderFilled("main", "", "", BTC, "m1", Side.SELL, 2, PRICE, 1, False, True, bench.now_ns))
    before = bench.oms.state
    bench.restart(start=False)
    assert bench.oms.state == before
