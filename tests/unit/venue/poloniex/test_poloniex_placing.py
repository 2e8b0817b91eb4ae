"""Orders out and what becomes of them."""

from __future__ import annotations

import pytest

from actors.domain.orders import OrderType, Side
from actors.messages.venue import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    RequestKind,
    VenueOrder,
)
from tests.unit.venue.poloniex.far_side import (
    BTC,
    MS,
    SECOND,
    Body,
    FarSide,
    Silence,
    VenueBench,
    fill_row,
    ok,
    order_row,
    refusal,
    stream_fill,
)


@pytest.fixture
def bench() -> VenueBench:
    return VenueBench()


def test_an_order_leaves_signed_with_our_name_and_is_accepted(bench: VenueBench) -> None:
    bench.place()
    bench.run(100 * MS)
    (accepted,) = bench.take(OrderAccepted)
    assert (accepted.client_order_id, accepted.venue_order_id) == ("o-1", "91")
    assert bench.far.placed == [
        {
            "symbol": BTC,
            "side": "BUY",
            "mgnMode": "CROSS",
            "posSide": "BOTH",
            "type": "LIMIT",
            "sz": "10",
            "px": "60000",
            "timeInForce": "GTC",
            "clOrdId": "o-1",
            "stpMode": "EXPIRE_TAKER",
        }
    ]


def test_a_market_order_has_neither_price_nor_time_in_force(bench: VenueBench) -> None:
    bench.place(order_type=OrderType.MARKET, limit_ticks=0, reduce_only=True, side=Side.SELL)
    bench.run(100 * MS)
    (body,) = bench.far.placed
    assert "px" not in body
    assert "timeInForce" not in body
    assert (body["type"], body["side"], body["reduceOnly"]) == ("MARKET", "SELL", True)


def test_a_refused_order_is_rejected_with_the_venues_code(bench: VenueBench) -> None:
    bench.far.place = refusal(10002, "price limit")
    bench.place()
    bench.run(100 * MS)
    (rejected,) = bench.take(OrderRejected)
    assert (rejected.code, rejected.text) == ("10002", "price limit")
    assert len(bench.far.placed) == 1


@pytest.mark.parametrize(
    "answer",
    [Silence(), Body(b"<html>", 502), Body(b"", 500), refusal(500), refusal(99_999), Body(b'{"code"')],
)
def test_an_order_without_a_clear_answer_is_unknown_and_never_sent_again(bench: VenueBench, answer) -> None:
    bench.far.place = answer
    bench.place()
    bench.run(10 * SECOND)
    (unknown,) = bench.take(OutcomeUnknown)
    assert (unknown.client_order_id, unknown.request) == ("o-1", RequestKind.PLACE)
    assert len(bench.far.placed) == 1
    assert bench.take(OrderRejected) == []


@pytest.mark.parametrize("answer", [Silence(bytes_left=False), refusal(429), Body(b"", 429), refusal(24201)])
def test_an_order_that_did_not_happen_is_sent_again_under_the_same_name(bench: VenueBench, answer) -> None:
    answers = [answer, None]
    bench.far.place = lambda body: answers.pop(0)
    bench.place()
    bench.run(4 * SECOND)
    assert [body["clOrdId"] for body in bench.far.placed] == ["o-1", "o-1"]
    assert len(bench.take(OrderAccepted)) == 1


def test_an_order_that_cannot_leave_in_time_is_rejected_and_never_leaves(bench: VenueBench) -> None:
    bench.far.place = refusal(24201, "try again")
    bench.place()
    bench.run(5 * SECOND)
    (rejected,) = bench.take(OrderRejected)
    assert rejected.code == "24201"
    sent = len(bench.far.placed)
    bench.run(10 * SECOND)
    assert len(bench.far.placed) == sent


def test_duplicate_on_a_resend_means_that_the_first_send_arrived(bench: VenueBench) -> None:
    answers = [Silence(bytes_left=False), refusal(250, "Client order id already exists")]
    bench.far.place = lambda body: answers.pop(0)
    bench.far.opens = [order_row("o-1", ordId="77")]
    bench.place()
    bench.run(3 * SECOND)
    (found,) = bench.take(VenueOrder)
    assert (found.found, found.venue_order_id) == (True, "77")
    assert bench.take(OrderRejected) == []
    assert bench.take(OutcomeUnknown) == []


def test_a_duplicate_that_the_lists_do_not_show_is_unknown(bench: VenueBench) -> None:
    bench.far.place = refusal(250)
    bench.place()
    bench.run(5 * SECOND)
    assert len(bench.take(OutcomeUnknown)) == 1
    assert bench.take(OrderRejected) == []


def test_the_same_order_asked_for_twice_leaves_once(bench: VenueBench) -> None:
    bench.place()
    bench.place()
    bench.run(SECOND)
    assert len(bench.far.placed) == 1


def test_a_symbol_outside_the_catalog_is_refused_by_us(bench: VenueBench) -> None:
    bench.place(symbol="XMR_USDT_PERP")
    bench.run(SECOND)
    assert bench.take(OrderRejected)[0].code == "unknown_symbol"
    assert bench.far.placed == []


def test_an_answer_about_another_order_is_unknown(bench: VenueBench) -> None:
    bench.far.place = ok({"ordId": "5", "clOrdId": "someone-else"})
    bench.place()
    bench.run(SECOND)
    assert len(bench.take(OutcomeUnknown)) == 1
    assert bench.take(OrderAccepted) == []


def test_a_success_without_names_is_an_acceptance(bench: VenueBench) -> None:
    bench.far.place = {"code": "200", "data": []}
    bench.place()
    bench.run(SECOND)
    assert bench.take(OrderAccepted)[0].venue_order_id == ""


# -- cancels


def test_a_cancel_goes_by_our_name_and_ends_by_the_stream(bench: VenueBench) -> None:
    bench.cancel()
    bench.run(100 * MS)
    assert bench.far.canceled == [{"symbol": BTC, "clOrdId": "o-1"}]
    assert bench.take(OrderCanceled) == []
    bench.orders(order_row("o-1", state="PARTIALLY_CANCELED", execQty="3", cancelReason="USER"))
    (canceled,) = bench.take(OrderCanceled)
    assert (canceled.filled_contracts, canceled.reason) == (3, "USER")


def test_a_cancel_of_an_order_that_is_gone_is_rejected(bench: VenueBench) -> None:
    bench.far.cancel = refusal(11008, "The order does not exist")
    bench.cancel()
    bench.run(100 * MS)
    assert bench.take(CancelRejected)[0].code == "11008"


def test_a_cancel_without_an_answer_is_unknown(bench: VenueBench) -> None:
    bench.far.cancel = Silence()
    bench.cancel()
    bench.run(SECOND)
    assert bench.take(OutcomeUnknown)[0].request is RequestKind.CANCEL
    assert len(bench.far.canceled) == 1


# -- the stream


def test_a_fill_before_the_acknowledgement_is_told_at_once(bench: VenueBench) -> None:
    bench.place()
    bench.trades(stream_fill("o-1", "1"))
    (fill,) = bench.take(OrderFilled)
    assert (fill.contracts, fill.price_ticks, fill.fee_usdt, fill.maker) == (10, 6_000_000, 36_000_000, False)
    bench.run(SECOND)
    assert len(bench.take(OrderAccepted)) == 1


def test_a_fill_that_comes_twice_or_after_the_cancel_is_told_once(bench: VenueBench) -> None:
    bench.orders(order_row("o-1", state="CANCELED", execQty="10"))
    bench.trades(stream_fill("o-1", "1"), stream_fill("o-1", "1"))
    bench.trades(stream_fill("o-1", "1"))
    assert len(bench.take(OrderFilled)) == 1


def test_a_fill_that_the_stream_lost_is_read_from_the_list(bench: VenueBench) -> None:
    bench.far.fills = [fill_row("o-1", "1")]
    bench.orders(order_row("o-1", state="FILLED", execQty="10"))
    assert bench.take(OrderFilled) == []
    bench.run(4 * SECOND)
    assert [fill.trade_id for fill in bench.take(OrderFilled)] == ["1"]
    bench.run(60 * SECOND)
    assert bench.far.paths.count("GET /v3/trade/order/trades") == 1


def test_an_order_the_stream_tells_of_is_accepted_once(bench: VenueBench) -> None:
    bench.place()
    bench.orders(order_row("o-1", ordId="91"))
    bench.run(SECOND)
    assert len(bench.take(OrderAccepted)) == 1


def test_a_liquidation_is_a_fill_of_nobodys_order(bench: VenueBench) -> None:
    bench.trades(stream_fill("", "9", type="LIQUID", fpx="59999.123456789012345678", feeAmt="0"))
    (fill,) = bench.take(OrderFilled)
    assert (fill.client_order_id, fill.liquidation, fill.price_ticks) == ("", True, 5_999_912)


def test_an_unreadable_report_is_counted_and_what_it_may_have_said_is_read(bench: VenueBench) -> None:
    bench.far.fills = [fill_row("o-1", "1", uTime=str(bench.now_ns // MS), cTime=str(bench.now_ns // MS))]
    bench.frame(b'{"channel":"trade","data":[{"symbol":7}]}')
    assert bench.venue.surprises_count == 1
    bench.run(3 * SECOND)
    assert len(bench.take(OrderFilled)) == 1
    assert bench.venue.is_up


def test_a_state_nobody_documented_tells_nothing(bench: VenueBench) -> None:
    bench.published.clear()
    bench.orders(order_row("o-1", state="MAYBE"))
    assert bench.published == []
    assert bench.venue.surprises_count == 1


# -- restarts


def test_what_was_under_way_when_the_process_died_is_unknown_at_start() -> None:
    bench = VenueBench()
    bench.far.place = Silence()
    bench.place("o-7")
    bench.cancel("o-6")
    bench.effects.clear()
    bench._answers.clear()
    bench.restart()
    unknown = {(message.client_order_id, message.request) for message in bench.take(OutcomeUnknown)}
    assert unknown == {("o-7", RequestKind.PLACE), ("o-6", RequestKind.CANCEL)}
    bench.restart()
    assert bench.take(OutcomeUnknown) == []


def test_an_answer_from_before_the_restart_is_not_taken_for_one_of_now() -> None:
    bench = VenueBench(FarSide())
    bench.place("o-7")
    bench.carry()
    bench.restart()
    bench.published.clear()
    bench.run(100 * MS)
    assert bench.take(OrderAccepted) == []
