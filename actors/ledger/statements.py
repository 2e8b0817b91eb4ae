"""What the ledger says and when: marks, days, peaks, and the statements made from them."""

from __future__ import annotations

from actors.domain.place import Place
from actors.ledger.books import LedgerBooks
from actors.ledger.events import DayStarted, EquityPeakRaised
from actors.ledger.settings import LedgerSettings
from actors.ledger.valuation import Valuation, Valued
from actors.messages.account import AccountState, PositionState
from actors.messages.market import MarkPrice
from actors.runtime.behaviour import Context
from actors.runtime.messages import Message, Severity

__all__ = [
    "DAY_NS",
    "MARK_MISSING",
    "LedgerHeartbeat",
    "LedgerMarkWaitOver",
    "LedgerMidnight",
    "LedgerStatements",
    "LedgerTick",
]

MARK_MISSING = "MarkMissing"
DAY_NS = 86_400_000_000_000
WEEK_NS = 7 * DAY_NS
FIRST_MONDAY_NS = 4 * DAY_NS  # 1970-01-05


class LedgerTick(Message, frozen=True):
    """Marks moved a while ago: tell the readers."""


class LedgerHeartbeat(Message, frozen=True):
    """Nothing may have moved; readers that restarted still have to learn where we stand."""


class LedgerMidnight(Message, frozen=True):
    """A day begins."""


class LedgerMarkWaitOver(Message, frozen=True):
    """After a start, every open position should have had a mark price by now."""


class LedgerStatements(LedgerBooks):
    """The books at the mark.

    Mark prices are not state: after a restart an account with open positions stays silent until each of
    them has a mark again, because an equity made of old prices could trip a loss limit that stays tripped.
    """

    def __init__(self, settings: LedgerSettings, place: Place) -> None:
        self.settings = settings
        self._account = place.account
        self._mode = place.mode
        self._valuation = Valuation(place.instruments)
        self._spot = tuple(symbol for symbol, one in place.instruments.items() if one.is_spot)
        self._moved: set[str] = set()  # symbols whose mark moved since the last tick
        self._tick_waits = False
        self._filled: dict[str, Valued] = {}  # symbols that fills have moved and readers have not heard of
        self._is_told = True  # what the fills have made of the account
        self._day_end_ns = 0
        self._peak_usdt = 0  # the journaled peak, or a higher one seen since
        self._duplicates_count = 0

    # -- marks, days, peaks ---------------------------------------------------------------------------

    def on_mark_price(self, price: MarkPrice, context: Context) -> None:
        symbol, mark = price.symbol, price.mark_ticks
        valued = self._valuation.by_symbol.get(symbol)
        if valued is None or mark == valued.mark_ticks or mark <= 0:
            return
        valued.mark_ticks = mark
        holding = self.state.holdings.get(symbol)
        if holding is None or not (holding.net_contracts or holding.dust_e8):
            return
        self._valuation.revalue(valued, holding.net_contracts, holding.cost_ticks, holding.dust_e8)
        if symbol in self._valuation.unmarked:
            self._first_mark(symbol, valued, context)
            return
        self._moved.add(symbol)
        self._tick_later(context)

    def _first_mark(self, symbol: str, valued: Valued, context: Context) -> None:
        """Tell what was held back at once: until then nobody may trade on this account."""
        self._valuation.unmarked.discard(symbol)
        context.resolve(MARK_MISSING, key=symbol)
        self._start_day_if_due(context)
        self._publish_position(symbol, valued, context)
        self._publish_account(context)

    def _tick_later(self, context: Context) -> None:
        if not self._tick_waits:
            self._tick_waits = True
            context.schedule(self.settings.mark_interval, LedgerTick(), key="tick")

    def on_ledger_tick(self, _: LedgerTick, context: Context) -> None:
        self._start_day_if_due(context)
        for symbol in sorted(self._moved):
            self._publish_position(symbol, self._valuation.by_symbol[symbol], context)
        self._moved.clear()
        self._publish_account(context)
        self._tick_waits = False  # only now: a peak that this very tick journals needs no other
        if self._peak_usdt > self.state.equity_peak_usdt:
            context.record(EquityPeakRaised(self._peak_usdt, context.now_ns))

    def on_ledger_heartbeat(self, _: LedgerHeartbeat, context: Context) -> None:
        context.schedule(self.settings.heartbeat, LedgerHeartbeat(), key="heartbeat")
        self._start_day_if_due(context)
        if self._tick_waits:
            return  # what has moved is told soon, and before its time nothing else is
        self._publish_positions(context)
        self._publish_account(context)

    def on_ledger_midnight(self, _: LedgerMidnight, context: Context) -> None:
        now = context.now_ns
        context.schedule(self.day_of(now) + DAY_NS - now, LedgerMidnight(), key="midnight")
        self._start_day_if_due(context)
        self._publish_account(context)

    def on_ledger_mark_wait_over(self, _: LedgerMarkWaitOver, context: Context) -> None:
        for symbol in sorted(self._valuation.unmarked):
            summary = f"{symbol} is open on {self._account} and has no mark price: equity is unknown"
            context.alert(MARK_MISSING, Severity.PAGE, summary, key=symbol)

    def _start_day_if_due(self, context: Context) -> None:
        """Fix the day's first equity; after a night without us, as soon as every position has a mark."""
        now = context.now_ns
        if now < self._day_end_ns or self._valuation.unmarked:
            return
        context.record(DayStarted(self.day_of(now), self._equity_usdt(), now, self.week_of(now)))
        self._day_end_ns = self.state.day_start_ns + DAY_NS
        self._check_books()

    def day_of(self, at_ns: int) -> int:
        """Return when the day of an instant began."""
        return at_ns - (at_ns - self.settings.day_start) % DAY_NS

    def week_of(self, at_ns: int) -> int:
        """Return when the week of an instant began: with Monday's day."""
        return at_ns - (at_ns - self.settings.day_start - FIRST_MONDAY_NS) % WEEK_NS

    # -- what others see ------------------------------------------------------------------------------

    def _equity_usdt(self) -> int:
        return self.state.cash_usdt + self._valuation.unrealised_usdt

    def _money_usdt(self) -> int:
        """Return what is there in money: the books' cash less what the coins cost that it was spent on.

        The books count coins as positions, so their cash changes by profit, fees and transfers alone.
        """
        money, by_symbol = self.state.cash_usdt, self._valuation.by_symbol
        for symbol in self._spot:
            holding = self.state.holdings.get(symbol)
            if holding is not None:
                money -= holding.cost_ticks * by_symbol[symbol].tick_value
        return money

    def _publish_positions(self, context: Context) -> None:
        """State every position with a mark, the flat ones too: a reader may believe that one is open."""
        by_symbol, unmarked = self._valuation.by_symbol, self._valuation.unmarked
        for symbol in self.state.holdings:
            if symbol in by_symbol and symbol not in unmarked:
                self._publish_position(symbol, by_symbol[symbol], context)

    def _publish_position(self, symbol: str, valued: Valued, context: Context) -> None:
        holding = self.state.holdings[symbol]
        context.publish(
            PositionState(
                self._account,
                symbol,
                holding.net_contracts,
                holding.cost_ticks,
                valued.mark_ticks,
                valued.unrealised_usdt,
                holding.realised_usdt,
                context.now_ns,
            )
        )

    def _publish_account(self, context: Context) -> None:
        """Tell what the account is worth, unless a position without a mark makes that a guess."""
        state, valuation = self.state, self._valuation
        if valuation.unmarked:
            return
        unrealised = valuation.unrealised_usdt
        equity = state.cash_usdt + unrealised
        if equity > self._peak_usdt:
            self._peak_usdt = equity
            self._tick_later(context)  # journals it
        context.publish(
            AccountState(
                self._account,
                self._money_usdt() if self._spot else state.cash_usdt,
                equity,
                valuation.margin_usdt_initial,
                valuation.margin_usdt_maintenance,
                unrealised,
                state.fees_usdt,
                state.funding_usdt,
                state.day_start_equity_usdt,
                self._peak_usdt,
                context.now_ns,
                state.day_start_ns,
                state.week_start_equity_usdt,
                state.week_start_ns,
            )
        )
