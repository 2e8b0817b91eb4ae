"""Any history of fills, payments and corrections: books balance, order does not matter, replay agrees."""

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.catalog import load_catalog
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.ledger.state import LedgerState
from actors.messages.account import AccountState, AdjustCash
from actors.messages.market import MarkPrice
from actors.messages.trading import Fill
from actors.messages.venue import FundingPaid
from actors.runtime.messages import Message
from actors.runtime.testing import Bench

MARKETS = Path(__file__).parents[2] / "config" / "markets" / "poloniex-futures.json"
CATALOG = load_catalog(MARKETS.read_text("utf-8"))
PLACE = Place("paper", "ledger/main", "paper", 7, {"account": "main"}, CATALOG)
INITIAL = 10_000 * 100_000_000
SYMBOL = st.sampled_from(["BTC_USDT_PERP", "ETH_USDT_PERP", "DOGE_USDT_PERP"])
AMOUNT = st.integers(-(10**9), 10**9)


def _fill(symbol: str, signed: int, price: int, fee: int, trade_id: int) -> Fill:
    side = Side.BUY if signed > 0 else Side.SELL
    return Fill(
        "main", symbol, "c", "v", f"t{trade_id}", "s", side, abs(signed), price, fee, False, False, trade_id
    )


# Few trade ids, so that many histories hold the same fill twice; an id always means the same fill.
FILL = st.builds(
    lambda symbol, number: _fill(
        symbol, (number * 7) % 41 - 20 or 3, 1 + (number * 7919) % 5_000, (number * 31) % 97 - 9, number
    ),
    SYMBOL,
    st.integers(0, 60),
)
FUNDING = st.builds(
    lambda symbol, number: FundingPaid(
        "main", symbol, f"{symbol}/{number}", 1, 1, 1, (number * 37) % 71 - 35, 1
    ),
    SYMBOL,
    st.integers(0, 9),
)
CORRECTION = st.builds(
    lambda amount, transfer: AdjustCash("main", amount, "because", "bill", "operator", transfer),
    AMOUNT,
    st.booleans(),
)
MARK = st.builds(lambda symbol, ticks: MarkPrice(symbol, 1, ticks, ticks), SYMBOL, st.integers(1, 5_000))
HISTORY = st.lists(FILL | FUNDING | CORRECTION | MARK, max_size=50)


def run(history: list[Message]) -> Bench:
    bench = Bench(lambda: LedgerActor(LedgerSettings(initial_usdt=INITIAL), PLACE), name="ledger/main")
    for message in history:
        bench.tell(message)
    return bench


def books(bench: Bench) -> LedgerState:
    state: LedgerState = bench.behaviour.state
    return state


@given(HISTORY)
def test_books_balance_and_equal_what_was_paid_and_received(history: list[Message]) -> None:
    bench = run(history)
    state = books(bench)
    assert bench.behaviour.books_balance()  # type: ignore[attr-defined]
    fills = {(m.symbol, m.trade_id): m for m in history if isinstance(m, Fill)}.values()
    paid_funding = {m.funding_id: m.payment_usdt for m in history if isinstance(m, FundingPaid)}
    corrections = sum(m.amount_usdt for m in history if isinstance(m, AdjustCash))
    bought = sum(f.contracts * f.side * f.price_ticks * CATALOG[f.symbol].tick_value for f in fills)
    held = sum(h.cost_ticks * CATALOG[symbol].tick_value for symbol, h in state.holdings.items())
    fees = sum(f.fee_usdt for f in fills)
    assert state.cash_usdt + bought - held == INITIAL + corrections - fees - sum(paid_funding.values())
    for symbol, holding in state.holdings.items():
        assert holding.net_contracts == sum(f.contracts * f.side for f in fills if f.symbol == symbol)


@given(st.lists(FILL, max_size=30), st.randoms())
def test_once_everything_is_closed_the_order_of_fills_leaves_no_trace(
    fills: list[Fill], shuffle: object
) -> None:
    unique = list({(f.symbol, f.trade_id): f for f in fills}.values())
    for index, symbol in enumerate(sorted({f.symbol for f in unique})):
        net = sum(f.contracts * f.side for f in unique if f.symbol == symbol)
        if net:
            unique.append(_fill(symbol, -net, 2_500, 0, 1_000 + index))
    shuffled = list(unique)
    shuffle.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = books(run(list(unique))), books(run(list(shuffled)))
    assert (one.cash_usdt, one.fees_usdt) == (other.cash_usdt, other.fees_usdt)
    assert all(h.net_contracts == h.cost_ticks == 0 for h in other.holdings.values())


@given(HISTORY)
def test_the_journal_rebuilds_the_same_state(history: list[Message]) -> None:
    bench = run(history)
    before = msgspec.msgpack.encode(bench.behaviour.state)
    bench.restart(start=False)
    assert msgspec.msgpack.encode(bench.behaviour.state) == before


@given(HISTORY)
def test_running_sums_equal_a_valuation_from_scratch(history: list[Message]) -> None:
    bench = run(history)
    bench.advance(1_000_000_000)
    told = bench.take(AccountState)[-1]
    unrealised = initial = maintenance = 0
    for shown in bench.behaviour.describe()["positions"]:
        instrument, net, mark = CATALOG[shown["symbol"]], shown["net_contracts"], shown["mark_ticks"]
        if net:
            unrealised += instrument.notional(net, mark) - shown["cost_ticks"] * instrument.tick_value
            leverage = min(instrument.leverage_default, instrument.tier(net).leverage_max)
            initial += instrument.initial_margin(net, mark, leverage)
            maintenance += instrument.maintenance_margin(net, mark)
    assert told.unrealised_usdt == unrealised
    assert (told.margin_usdt_used, told.margin_usdt_maintenance) == (initial, maintenance)
    assert told.equity_usdt == told.cash_usdt + unrealised
    assert told.equity_peak_usdt >= told.equity_usdt
