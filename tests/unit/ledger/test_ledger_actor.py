"""The ledger books each fill, payment and correction once, and says what the account is worth."""

import itertools

import msgspec
import pytest

from actors.domain.orders import Side
from actors.ledger.events import CashAdjusted, DayStarted, EquityPeakRaised, FillBooked, FillSetAside
from actors.ledger.settings import LedgerSettings
from actors.ledger.state import LedgerState
from actors.messages.account import (
    AccountState,
    AdjustCash,
    LedgerPosition,
    LedgerSnapshot,
    LedgerSnapshotRequest,
    PositionState,
)
from actors.messages.control import Acknowledged, Rejected
from actors.messages.market import MarkPrice
from actors.messages.trading import Fill
from actors.messages.venue import FundingPaid
from actors.runtime.errors import InvariantError
from actors.runtime.messages import Severity
from actors.runtime.testing import Bench
from tests.unit.ledger.conftest import CATALOG, bench_of

E8 = 100_000_000
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"  # a tick of one contract: 1000 and 10000 units
PRICE = 10_000_000  # 100,000 USDT; one BTC contract is then worth 100 USDT

_ids = itertools.count(1)


def fill(
    signed: int,
    price: int = PRICE,
    *,
    symbol: str = BTC,
    fee: int = 0,
    trade_id: str = "",
    account: str = "main",
    liquidation: bool = False,
) -> Fill:
    return Fill(
        account=account,
        symbol=symbol,
        client_order_id="c1",
        venue_order_id="v1",
        trade_id=trade_id or f"t{next(_ids)}",
        strategy="trend/BTC",
        side=Side.BUY if signed > 0 else Side.SELL,
        contracts=abs(signed),
        price_ticks=price,
        fee_usdt=fee,
        maker=False,
        liquidation=liquidation,
        at_ns=1,
    )


def mark(price: int, symbol: str = BTC) -> MarkPrice:
    return MarkPrice(symbol, 1, price, price)


def funding(payment: int, funding_id: str = "BTC/1", symbol: str = BTC) -> FundingPaid:
    return FundingPaid("main", symbol, funding_id, 1, PRICE, 10_000, payment, 1)


def correction(amount: int, **changes: object) -> AdjustCash:
    return msgspec.structs.replace(AdjustCash("main", amount, "missing fee", "bill 7", "operator"), **changes)


def account(bench: Bench) -> AccountState:
    return bench.take(AccountState)[-1]


def ledger_state(bench: Bench) -> LedgerState:
    state: LedgerState = bench.behaviour.state
    return state


def test_an_account_begins_with_its_deposit() -> None:
    bench = bench_of(LedgerSettings(initial_usdt=500 * E8))
    told = account(bench)
    assert (told.cash_usdt, told.equity_usdt, told.day_start_equity_usdt) == (500 * E8,) * 3
    assert told.margin_usdt_used == told.unrealised_usdt == 0


def test_a_fill_moves_position_cash_and_margin(bench: Bench) -> None:
    bench.tell(mark(PRICE))
    bench.tell(fill(+2, fee=12_000_000))
    position = bench.take(PositionState)[-1]
    assert (position.net_contracts, position.cost_ticks, position.mark_ticks) == (2, 2 * PRICE, PRICE)
    told = account(bench)
    assert told.cash_usdt == told.equity_usdt == 10_000 * E8 - 12_000_000
    assert told.fees_usdt == 12_000_000
    assert told.margin_usdt_used == 10 * E8  # 200 USDT at the default leverage of 20
    assert told.margin_usdt_maintenance == 120_000_000  # 0.6 % in the first tier


def test_closing_realises_profit_and_frees_margin(bench: Bench) -> None:
    bench.tell(fill(+2))
    bench.tell(fill(-2, PRICE + 500))
    told = account(bench)
    assert told.cash_usdt == told.equity_usdt == 10_000 * E8 + 2 * 500 * 1_000
    assert told.margin_usdt_used == told.margin_usdt_maintenance == told.unrealised_usdt == 0
    assert bench.take(PositionState)[-1].realised_usdt == 1_000_000


def test_a_bigger_position_falls_into_a_tier_with_less_leverage(bench: Bench) -> None:
    bench.tell(fill(+1_500))
    told = account(bench)
    value = 1_500 * PRICE * 1_000
    assert told.margin_usdt_used == value // 10
    assert told.margin_usdt_maintenance == value // 20


def test_a_fill_is_booked_once_per_trade(bench: Bench) -> None:
    first = fill(+1, fee=7)
    for _ in range(3):
        bench.tell(first)
    assert ledger_state(bench).fills_count == 1
    assert ledger_state(bench).holdings[BTC].net_contracts == 1
    assert bench.behaviour.gauges()["fills_duplicate_count"] == 2


def test_the_same_trade_id_on_another_symbol_is_another_fill(bench: Bench) -> None:
    bench.tell(fill(+1, trade_id="7"))
    bench.tell(fill(+1, 250_000, symbol=ETH, trade_id="7"))
    assert ledger_state(bench).fills_count == 2


def test_a_duplicate_after_a_restart_is_still_a_duplicate(bench: Bench) -> None:
    first = fill(+1)
    bench.tell(first)
    bench.restart()
    bench.tell(first)
    assert ledger_state(bench).fills_count == 1


def test_one_event_per_fill_carries_the_result(bench: Bench) -> None:
    bench.events.clear()
    bench.tell(fill(-3, fee=5, trade_id="t"))
    assert bench.events == [
        FillBooked(BTC, "t", "c1", -3, PRICE, 5, 0, -3, -3 * PRICE, 10_000 * E8 - 5, False, 1)
    ]


def test_a_fill_of_an_unknown_symbol_is_set_aside_and_somebody_is_woken(bench: Bench) -> None:
    bench.events.clear()
    bench.tell(fill(+1, symbol="XMR_USDT_PERP", trade_id="9"))
    [event] = bench.events
    assert isinstance(event, FillSetAside)
    assert (event.symbol, event.trade_id, event.signed_contracts) == ("XMR_USDT_PERP", "9", 1)
    assert [(a.name, a.key, a.severity) for a in bench.alerts] == [
        ("UnknownInstrument", "XMR_USDT_PERP", Severity.PAGE)
    ]
    assert ledger_state(bench).cash_usdt == 10_000 * E8
    assert ledger_state(bench).set_aside_count == 1


def test_an_unknown_symbol_is_told_again_after_a_restart(bench: Bench) -> None:
    bench.tell(fill(+1, symbol="XMR_USDT_PERP"))
    bench.alerts.clear()
    bench.restart()
    assert [(alert.name, alert.ends_after_ns) for alert in bench.alerts] == [("UnknownInstrument", 0)]


def test_a_market_that_left_the_file_with_a_position_in_it_is_told_until_it_is_back() -> None:
    instruments = dict(CATALOG)
    bench = bench_of(instruments=instruments)
    bench.tell(fill(+1, 250_000, symbol=ETH))
    eth = instruments.pop(ETH)
    bench.restart()
    assert [(alert.name, alert.key, alert.ends_after_ns) for alert in bench.alerts] == [
        ("UnknownInstrument", ETH, 0)
    ]
    instruments[ETH] = eth
    bench.restart()
    assert ("UnknownInstrument", ETH) in [(one.name, one.key) for one in bench.resolved]


def test_a_position_that_the_venue_closes_by_force_is_a_page(bench: Bench) -> None:
    bench.tell(fill(+2))
    assert bench.alerts == []
    bench.tell(fill(-2, liquidation=True))
    assert [(one.name, one.key, one.severity, one.ends_after_ns) for one in bench.alerts] == [
        ("AccountLiquidated", "main", Severity.PAGE, DAY)
    ]
    assert ledger_state(bench).fills_count == 2


def test_a_fill_of_another_account_is_set_aside(bench: Bench) -> None:
    bench.tell(fill(+1, account="other"))
    assert ledger_state(bench).fills_count == 0
    assert [(alert.name, alert.ends_after_ns) for alert in bench.alerts] == [("ForeignFill", DAY)]


@pytest.mark.parametrize(("signed", "price"), [(0, PRICE), (1, 0)])
def test_a_fill_without_size_or_price_is_our_bug(bench: Bench, signed: int, price: int) -> None:
    with pytest.raises(InvariantError, match="a fill has a size and a price"):
        bench.tell(fill(signed, price))


def test_funding_moves_cash_once_per_settlement(bench: Bench) -> None:
    bench.tell(funding(+300))
    bench.tell(funding(+300))
    bench.tell(funding(-100, "BTC/2"))
    told = account(bench)
    assert (told.funding_usdt, told.cash_usdt) == (200, 10_000 * E8 - 200)


def test_a_funding_id_never_hides_a_trade_id(bench: Bench) -> None:
    bench.tell(funding(1, "1"))
    bench.tell(fill(+1, trade_id="1"))
    assert ledger_state(bench).fills_count == 1


def test_funding_of_an_unknown_symbol_still_moved_the_cash(bench: Bench) -> None:
    bench.tell(funding(+300, symbol="XMR_USDT_PERP"))
    assert ledger_state(bench).cash_usdt == 10_000 * E8 - 300
    assert [(alert.name, alert.ends_after_ns) for alert in bench.alerts] == [("UnknownInstrument", DAY)]
    assert bench.behaviour.books_balance()  # type: ignore[attr-defined]


def test_marks_are_told_at_most_once_per_interval(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.tell(fill(+1, 250_000, symbol=ETH))
    bench.advance(SECOND)
    bench.published.clear()
    for move in range(1, 6):
        bench.tell(mark(PRICE + move))
    assert bench.published == []
    bench.advance(SECOND)
    assert [p.mark_ticks for p in bench.take(PositionState)] == [PRICE + 5]
    assert [a.unrealised_usdt for a in bench.take(AccountState)] == [5 * 1_000]
    bench.advance(2 * SECOND)
    assert bench.published == []


def test_a_mark_that_does_not_move_says_nothing(bench: Bench) -> None:
    bench.tell(mark(PRICE))
    bench.tell(fill(+1))
    bench.advance(SECOND)
    bench.published.clear()
    bench.tell(mark(PRICE))
    bench.advance(SECOND)
    assert bench.published == []


def test_a_reader_that_restarted_hears_where_we_stand_by_and_by(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.advance(SECOND)
    bench.published.clear()
    bench.advance(10 * SECOND)
    assert [type(message) for message in bench.published] == [PositionState, AccountState]


def test_equity_follows_the_mark_of_every_position(bench: Bench) -> None:
    bench.tell(fill(+3))
    bench.tell(fill(-2, 250_000, symbol=ETH))
    bench.tell(mark(PRICE - 10))
    bench.tell(mark(250_000 - 7, ETH))
    bench.advance(SECOND)
    told = account(bench)
    assert told.unrealised_usdt == -3 * 10 * 1_000 + 2 * 7 * 10_000
    assert told.equity_usdt == told.cash_usdt + told.unrealised_usdt


def test_a_recovered_account_is_silent_until_its_positions_have_marks(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.tell(fill(+1, 250_000, symbol=ETH))
    bench.published.clear()
    bench.restart()
    bench.tell(mark(PRICE - 100))
    assert bench.take(AccountState) == []
    bench.tell(mark(250_100, ETH))
    told = account(bench)
    assert told.unrealised_usdt == -100 * 1_000 + 100 * 10_000
    assert {position.symbol for position in bench.take(PositionState)} == {BTC, ETH}


def test_a_late_fill_is_no_mark_for_a_recovered_position(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.published.clear()
    bench.restart()
    bench.tell(fill(+1, PRICE // 2))
    assert bench.published == []
    bench.tell(mark(PRICE))
    assert account(bench).unrealised_usdt == PRICE // 2 * 1_000


def test_a_recovered_position_that_closes_needs_no_mark(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.published.clear()
    bench.restart()
    bench.tell(fill(-1, PRICE + 1))
    assert account(bench).equity_usdt == 10_000 * E8 + 1_000


def test_a_position_without_a_mark_wakes_somebody_and_lets_them_sleep_again(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.restart()
    bench.resolved.clear()
    bench.advance(29 * SECOND)
    assert bench.alerts == []
    bench.advance(2 * SECOND)
    assert [(alert.name, alert.key) for alert in bench.alerts] == [("MarkMissing", BTC)]
    bench.tell(mark(PRICE))
    assert [(over.name, over.key) for over in bench.resolved] == [("MarkMissing", BTC)]


def test_a_position_that_closes_without_a_mark_lets_whoever_was_woken_sleep_again(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.restart()
    bench.resolved.clear()
    bench.advance(31 * SECOND)
    assert [(alert.name, alert.key) for alert in bench.alerts] == [("MarkMissing", BTC)]
    bench.tell(fill(-1, PRICE + 1))
    assert [(over.name, over.key) for over in bench.resolved] == [("MarkMissing", BTC)]


def test_the_day_starts_at_midnight_with_the_equity_of_that_moment(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.tell(mark(PRICE + 50))
    bench.advance(DAY - bench.now_ns % DAY)
    started = [event for event in bench.events if isinstance(event, DayStarted)]
    assert [(e.day_start_ns, e.equity_usdt) for e in started] == [(bench.now_ns, 10_000 * E8 + 50_000)]
    assert account(bench).day_start_equity_usdt == 10_000 * E8 + 50_000


def test_a_fill_after_midnight_belongs_to_the_new_day_even_before_the_timer(bench: Bench) -> None:
    bench.now_ns += DAY
    bench.tell(fill(+1, fee=9))
    assert account(bench).day_start_equity_usdt == 10_000 * E8
    assert ledger_state(bench).day_start_ns == bench.now_ns - bench.now_ns % DAY


def test_days_missed_while_down_are_caught_up_once_the_marks_are_known(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.now_ns += 3 * DAY
    bench.events = [event for event in bench.events if not isinstance(event, DayStarted)]
    bench.restart()
    assert not [event for event in bench.events if isinstance(event, DayStarted)]
    bench.tell(mark(PRICE + 8))
    [event] = [event for event in bench.events if isinstance(event, DayStarted)]
    assert event.equity_usdt == 10_000 * E8 + 8_000
    assert event.day_start_ns == bench.now_ns - bench.now_ns % DAY


def test_the_equity_peak_is_kept_and_survives(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.tell(mark(PRICE + 70))
    bench.advance(SECOND)
    bench.tell(mark(PRICE - 70))
    bench.advance(SECOND)
    assert account(bench).equity_peak_usdt == 10_000 * E8 + 70_000
    assert len([event for event in bench.events if isinstance(event, EquityPeakRaised)]) == 1
    bench.restart()
    bench.tell(mark(PRICE))
    assert account(bench).equity_peak_usdt == 10_000 * E8 + 70_000


def test_a_peak_reached_by_a_fill_is_journaled_within_an_interval(bench: Bench) -> None:
    bench.tell(fill(+1))
    bench.tell(fill(-1, PRICE + 5))
    bench.advance(SECOND)
    assert ledger_state(bench).equity_peak_usdt == 10_000 * E8 + 5_000


def test_a_correction_moves_cash_and_counts_as_loss(bench: Bench) -> None:
    bench.tell(correction(-40))
    told = account(bench)
    assert (told.cash_usdt, told.day_start_equity_usdt) == (10_000 * E8 - 40, 10_000 * E8)
    assert isinstance(bench.events[-1], CashAdjusted)
    assert isinstance(bench.replies[-1], Acknowledged)


def test_a_withdrawal_is_no_loss(bench: Bench) -> None:
    bench.tell(correction(-1_000 * E8, transfer=True))
    told = account(bench)
    assert told.equity_usdt == told.day_start_equity_usdt == told.equity_peak_usdt == 9_000 * E8


@pytest.mark.parametrize("changes", [{"reason": ""}, {"evidence": ""}, {"actor": ""}, {"account": "other"}])
def test_a_correction_without_proof_is_refused(bench: Bench, changes: dict[str, str]) -> None:
    bench.tell(correction(5, **changes))
    assert ledger_state(bench).cash_usdt == 10_000 * E8
    assert [(alert.name, alert.ends_after_ns) for alert in bench.alerts] == [("CashAdjustmentRefused", DAY)]
    assert isinstance(bench.replies[-1], Rejected)


def test_a_correcting_actor_gets_no_reply_it_could_not_take(bench: Bench) -> None:
    bench.tell(correction(5), sender="reconciler/main")
    assert bench.replies == []


def test_a_snapshot_states_cash_open_positions_and_counts(bench: Bench) -> None:
    bench.tell(fill(+2, fee=3))
    bench.tell(fill(+1, 250_000, symbol=ETH))
    bench.tell(fill(-1, 250_000, symbol=ETH))
    bench.tell(funding(4))
    bench.tell(LedgerSnapshotRequest("main", "r1"))
    [snapshot] = bench.take(LedgerSnapshot)
    assert snapshot == LedgerSnapshot(
        "main", "r1", 10_000 * E8 - 7, (LedgerPosition(BTC, 2, 2 * PRICE),), 3, ("BTC/1",), bench.now_ns
    )


def test_only_the_newest_funding_ids_are_kept(bench: Bench) -> None:
    for number in range(70):
        bench.tell(funding(1, str(number)))
    assert ledger_state(bench).funding_ids == [str(number) for number in range(6, 70)]
    assert ledger_state(bench).funding_usdt == 70


def test_books_that_do_not_balance_stop_the_ledger(bench: Bench) -> None:
    ledger_state(bench).fees_usdt += 1
    with pytest.raises(InvariantError, match="the books do not balance"):
        bench.tell(LedgerSnapshotRequest("main", "r1"))


def test_describe_shows_the_account_as_plain_values(bench: Bench) -> None:
    bench.tell(fill(+2, fee=3))
    bench.tell(fill(+1, symbol="XMR_USDT_PERP"))
    shown = bench.behaviour.describe()
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown
    assert shown["account"] == "main"
    assert shown["cash_usdt"] == 10_000 * E8 - 3
    assert shown["books_faults"] == []
    assert [(p["symbol"], p["net_contracts"], p["fees_usdt"]) for p in shown["positions"]] == [(BTC, 2, 3)]


def test_state_does_not_grow_with_the_number_of_fills(bench: Bench) -> None:
    bench.tell(fill(+1))
    before = len(msgspec.msgpack.encode(bench.behaviour.state))
    for _ in range(200):
        bench.tell(fill(+1))
        bench.tell(fill(-1))
    assert len(msgspec.msgpack.encode(bench.behaviour.state)) <= before + 16
