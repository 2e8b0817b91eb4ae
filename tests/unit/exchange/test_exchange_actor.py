"""The actor around the engine: what it sends to whom, and what survives its death."""

import msgspec
import pytest

from actors.domain.money import E8
from actors.domain.place import Place
from actors.exchange.actor import ExchangeActor, ExchangeFundingDue
from actors.exchange.events import Execution, OrderBooked, WalletOpened
from actors.exchange.settings import ExchangeSettings
from actors.exchange.state import ExchangeState
from actors.messages.market import BookDepth, FundingRate, FundingSettled, MarkPrice, Quote, Trade
from actors.messages.venue import (
    CancelOrder,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    VenueAccount,
    VenueOrder,
)
from actors.runtime.errors import InvariantError
from actors.runtime.testing import Bench
from tests.unit.exchange.exchange_world import (
    BUY,
    GTC,
    HOUR_NS,
    INSTRUMENTS,
    IOC,
    LIMIT,
    MARKET,
    SELL,
    START_NS,
    plain,
)

TWO_ACCOUNTS = ExchangeSettings(accounts={"main": 1_000 * E8, "other": 1_000 * E8})


def make_bench(settings=TWO_ACCOUNTS) -> Bench:
    place = Place("test", "exchange/main", "paper", instruments=INSTRUMENTS)
    return Bench(lambda: ExchangeActor(settings, place), name="exchange/main", now_ns=START_NS)


def feed(bench, price=10_000) -> None:
    bench.tell(MarkPrice("ALPHA", 1, price, price))
    bench.tell(Quote("ALPHA", 1, price - 1, 50, price + 1, 50))


def order(name, side=BUY, contracts=5, limit=0, account="main"):
    kind, tif = (LIMIT, GTC) if limit else (MARKET, IOC)
    return PlaceOrder(account, name, "ALPHA", side, contracts, kind, limit, tif, False)


def test_accounts_are_opened_once_with_their_deposit() -> None:
    bench = make_bench()
    assert [(e.account, e.deposit_usdt) for e in bench.events] == [
        ("main", 1_000 * E8),
        ("other", 1_000 * E8),
    ]
    bench.restart()
    assert len([e for e in bench.events if type(e) is WalletOpened]) == 2


def test_an_account_added_later_is_opened_at_the_next_start() -> None:
    bench = make_bench()
    place = Place("test", "exchange/main", "paper", instruments=INSTRUMENTS)
    more = ExchangeSettings(accounts={"main": 5 * E8, "third": 7 * E8})
    bench._make = lambda: ExchangeActor(more, place)
    bench.restart()
    wallets = bench.behaviour.state.wallets
    assert {name: wallet.deposits_usdt for name, wallet in wallets.items()} == {
        "main": 1_000 * E8,
        "other": 1_000 * E8,
        "third": 7 * E8,
    }


def test_a_market_order_costs_one_event_and_is_answered_to_the_venue_of_its_account() -> None:
    bench = make_bench()
    feed(bench)
    events_count = len(bench.events)

    bench.tell(order("a"), sender="venue/main")

    (event,) = bench.events[events_count:]
    execution = Execution(1, 10_001, 5, 10_001 * 5 * 600, 0, 0)
    assert event == OrderBooked(1, order("a"), (execution,), "", START_NS)
    assert [(to, type(m)) for to, m in bench.sent] == [
        ("venue/main", OrderAccepted),
        ("venue/main", OrderFilled),
    ]


def test_a_maker_of_another_account_is_told_through_its_own_venue() -> None:
    bench = make_bench()
    feed(bench)
    bench.tell(order("rest", SELL, 3, 10_000, account="other"), sender="venue/other")
    bench.sent.clear()
    bench.tell(order("take", BUY, 3, 10_000), sender="venue/main")
    assert [(to, m.client_order_id, type(m)) for to, m in bench.sent] == [
        ("venue/main", "take", OrderAccepted),
        ("venue/main", "take", OrderFilled),
        ("venue/other", "rest", OrderFilled),
    ]


def test_market_data_reaches_resting_orders() -> None:
    bench = make_bench()
    feed(bench)
    for name in "abc":
        bench.tell(order(name, BUY, 2, 9_990), sender="venue/main")
    bench.sent.clear()
    bench.tell(Trade("ALPHA", 1, 9_980, 2, SELL, "t"))
    bench.tell(Quote("ALPHA", 1, 9_980, 1, 9_985, 2))
    bench.tell(BookDepth("ALPHA", 1, ((9_980, 1),), ((9_985, 2),)))
    assert [(to, m.client_order_id) for to, m in bench.sent] == [("venue/main", name) for name in "abc"]


def test_an_account_that_left_the_settings_is_still_served() -> None:
    bench = make_bench()
    fewer = ExchangeSettings(accounts={"main": E8})
    place = Place("test", "exchange/main", "paper", instruments=INSTRUMENTS)
    bench._make = lambda: ExchangeActor(fewer, place)
    bench.restart()
    feed(bench)
    bench.tell(order("a", account="other"), sender="venue/other")
    assert {to for to, _ in bench.sent} == {"venue/other"}
    bench.behaviour.state = msgspec.msgpack.decode(
        msgspec.msgpack.encode(bench.behaviour.state), type=ExchangeState
    )
    assert bench.behaviour.addresses["other"] == "venue/other"


def test_the_venues_may_have_another_name() -> None:
    bench = make_bench(ExchangeSettings(accounts={"main": 1_000 * E8}, venue="gate"))
    feed(bench)
    bench.tell(order("a"), sender="gate/main")
    assert {to for to, _ in bench.sent} == {"gate/main"}


def test_funding_by_the_feed_needs_no_timer() -> None:
    assert make_bench()._timers == []


def test_questions_are_answered_to_whoever_asked() -> None:
    bench = make_bench()
    feed(bench)
    bench.tell(order("a"), sender="venue/main")
    bench.tell(QueryOrder("main", "a", "ALPHA"), sender="venue/main")
    bench.tell(QueryAccount("main", "q1", 0), sender="venue/main")
    first, second = bench.replies
    assert type(first) is VenueOrder
    assert first.found
    assert type(second) is VenueAccount
    assert second.request_id == "q1"
    bench.tell(QueryAccount("zoe", "q2", 0), sender="venue/zoe")
    assert len(bench.replies) == 2
    assert [name for name, _ in bench.logs] == ["unknown account"]


def test_a_stranger_is_told_so() -> None:
    bench = make_bench()
    feed(bench)
    bench.tell(order("a", account="zoe"), sender="venue/zoe")
    (rejected,) = bench.replies
    assert type(rejected) is OrderRejected
    assert bench.sent == []


def test_everything_survives_a_restart_but_the_prices() -> None:
    bench = make_bench()
    feed(bench)
    bench.tell(order("filled"))
    bench.tell(order("rests", BUY, 2, 9_990))
    bench.tell(order("gone", BUY, 2, 9_980))
    bench.tell(CancelOrder("main", "gone", "ALPHA"))
    before = plain(bench.behaviour.exchange)

    bench.restart()

    assert plain(bench.behaviour.exchange) == before
    bench.sent.clear()
    bench.tell(order("early"))
    assert bench.take(OrderRejected)[0].code == "NO_MARKET"
    bench.tell(order("filled"))
    assert [type(m) for _, m in bench.sent] == [OrderAccepted, OrderFilled]
    bench.sent.clear()
    feed(bench)
    bench.tell(CancelOrder("main", "rests", "ALPHA"))
    assert [type(m) for _, m in bench.sent] == [OrderCanceled]


def test_books_that_do_not_balance_stop_the_actor_at_its_start() -> None:
    bench = make_bench()
    bench.behaviour.state.wallets["main"].cash_usdt += 1
    with pytest.raises(InvariantError, match="do not balance"):
        bench.behaviour.started(bench)


def test_a_snapshot_of_the_state_is_enough() -> None:
    bench = make_bench()
    feed(bench)
    bench.tell(order("filled"))
    bench.tell(order("rests", BUY, 2, 9_990))
    raw = msgspec.msgpack.encode(bench.behaviour.state)

    bench.behaviour.state = msgspec.msgpack.decode(raw, type=ExchangeState)
    bench.behaviour.started(bench)

    bench.sent.clear()
    feed(bench)
    bench.tell(Trade("ALPHA", 1, 9_980, 2, SELL, "t"))
    assert [m.client_order_id for m in bench.take(OrderFilled)] == ["rests"]
    assert msgspec.msgpack.encode(bench.behaviour.state) != raw


def test_funding_told_by_the_feed_is_passed_on_to_each_account() -> None:
    bench = make_bench()
    feed(bench)
    bench.tell(order("a"))
    bench.tell(order("b", SELL, account="other"))
    bench.sent.clear()
    bench.tell(FundingSettled("ALPHA", START_NS + HOUR_NS, E8 // 1_000, 10_000))
    assert [(to, m.payment_usdt > 0) for to, m in bench.sent] == [
        ("venue/main", True),
        ("venue/other", False),
    ]


def test_funding_by_the_clock_comes_at_its_instants() -> None:
    bench = make_bench(ExchangeSettings(accounts={"main": 1_000 * E8}, funding="clock"))
    feed(bench)
    bench.tell(FundingRate("ALPHA", 1, E8 // 1_000, 0))
    bench.tell(order("a"))
    bench.advance(7 * HOUR_NS - 1)
    assert bench.take(FundingPaid) == []
    bench.advance(1)
    (paid,) = bench.take(FundingPaid)
    assert paid.settled_at_ns == START_NS + 7 * HOUR_NS
    bench.advance(8 * HOUR_NS)
    assert len(bench.take(FundingPaid)) == 1
    assert any(type(message) is ExchangeFundingDue for _, _, _, message, _ in bench._timers)


def test_a_liquidation_is_told_as_a_fill_by_force() -> None:
    bench = make_bench(ExchangeSettings(accounts={"main": 100 * E8}))
    feed(bench)
    bench.tell(order("a", contracts=8))
    bench.tell(order("b", contracts=1, limit=9_990))
    bench.tell(MarkPrice("ALPHA", 2, 8_000, 8_000))
    assert bench.take(OrderFilled)[-1].liquidation


def test_the_description_and_the_gauges_are_plain() -> None:
    bench = make_bench()
    feed(bench)
    bench.tell(order("a"))
    described = bench.behaviour.describe()
    assert msgspec.json.decode(msgspec.json.encode(described)) == described
    assert described["books_balance"] is True
    assert bench.behaviour.gauges()["trades_count"] == 1


def test_leverage_for_a_symbol_that_is_not_traded_is_refused() -> None:
    with pytest.raises(ValueError, match=r"leverage\.GAMMA"):
        make_bench(ExchangeSettings(leverage={"GAMMA": 5}))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"accounts": {}}, "accounts"),
        ({"accounts": {"main": -1}}, "accounts.main"),
        ({"leverage": {"ALPHA": 0}}, "leverage.ALPHA"),
        ({"fees": {"takr": 1}}, "fees.takr"),
        ({"fees": {"taker": E8}}, "fees.taker"),
        ({"queue": "middle"}, "queue"),
        ({"open_orders_max": 0}, "open_orders_max"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, text) -> None:
    with pytest.raises(msgspec.ValidationError, match=text):
        msgspec.convert(given, ExchangeSettings)


def test_settings_have_working_defaults() -> None:
    settings = msgspec.convert({}, ExchangeSettings)
    assert settings.accounts == {"main": 10_000 * E8}
    assert settings.rules().queue_front is False
