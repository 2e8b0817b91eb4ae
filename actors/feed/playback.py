"""A file that was found good, on its way to the readers: what is due is published, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import merge
from itertools import chain
from operator import itemgetter
from typing import Any

from actors.domain.instrument import Instrument
from actors.feed.book_steps import BookStep, book_steps, level_steps
from actors.feed.liveness import Liveness
from actors.feed.recent_bars import RecentBars
from actors.feed.replay_clock import ReplayClock
from actors.feed.replay_file import ReplayFile
from actors.feed.replay_steps import (
    BarStep,
    FundingStep,
    MarkStep,
    PrintStep,
    Step,
    candle_steps,
    funding_steps,
    mark_steps,
    trade_steps,
)
from actors.feed.rows import Candle, FundingRow
from actors.feed.settings import ReplaySettings
from actors.feed.subscription import Subscription
from actors.messages.market import (
    Bar,
    BookDepth,
    CandleAhead,
    FundingRate,
    FundingSettled,
    MarkPrice,
    Quote,
    Trade,
)
from actors.runtime.behaviour import Context
from actors.runtime.foretold import Instant
from actors.runtime.messages import Message

__all__ = ["Playback", "Start"]

# Steps in one turn: bounded, so that an unpaced replay or a burst of equal times lets the others work.
BATCH_STEPS = 500
FOREVER_NS = 1 << 62
MILLISECOND_NS = 1_000_000
SKIPPED_STEPS = 10_000  # in one turn, on the way to where a restart goes on

Publish = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Start:
    """Where a playback begins: which instant of the file plays when, and what was played before."""

    origin_ns: int  # the loop's instant at which `first_ns` plays
    first_ns: int  # of the file; what lies before it is history
    skip_until_ns: int  # what was due by then is left out
    skip_rows: int = 0  # of an unpaced replay


class _Candles:
    """Remembers the candle that was read last: the one whose first prints are played."""

    def __init__(self) -> None:
        self.newest: Candle | None = None

    def of(self, candles: Iterable[Candle]) -> Iterator[Candle]:
        """Yield the candles."""
        for candle in candles:
            self.newest = candle
            yield candle


class Playback:
    """Plays one checked file. `rows_done` counts rows that are out completely, or left out."""

    def __init__(
        self,
        settings: ReplaySettings,
        symbol: str,
        instrument: Instrument,
        file: ReplayFile,
        funding: list[FundingRow],
        clock: ReplayClock,
        start: Start,
        marks: ReplayFile | None = None,
        trades: ReplayFile | None = None,
    ) -> None:
        self.symbol = symbol
        self.rows_done = 0
        self.price_ticks = 0  # after the last step that is out
        self._price_ticks = 0  # after the last one that is foretold
        self._ahead: deque[tuple[Step | BookStep, int]] = deque()  # foretold, each with the price it leads to
        self._settings = settings
        self._tick_value = instrument.tick_value
        self._clock = clock
        self._start = start
        self._interval_ns = clock.interval_ns(file.interval_ns)
        self.recent = RecentBars(symbol, self._interval_ns)
        starts_ns = max(start.skip_until_ns, self._due_ns(start.first_ns))
        self.subscription = Subscription(symbol, settings, starts_ns, gap_ns=self._interval_ns)
        self._mark_due_ns = self._quote_due_ns = 0
        # A quote that still stands is said again, or a quiet market would look like a silent one.
        self._quote_every_ns = self._interval_ns // 3 or settings.mark_every
        self._marks = marks
        self._trades = trades
        self._mark_ticks = 0
        self._touch = (0, 0)
        self._candle_ns = file.interval_ns  # in the file's time
        self._is_quotes = file.content == "quotes"
        # The steps that tell how many rows are out.
        rows = BookStep if file.content in ("quotes", "book", "depth") else PrintStep
        self._row_step: type[Step | BookStep] = BarStep if file.is_candles else rows
        self._peeked: deque[Step | BookStep] = deque()  # read, then put back
        self._candles = _Candles()
        self._steps = self._merge(file, funding)
        self._next = next(self._steps, None)

    @property
    def is_warm(self) -> bool:
        """Whether everything that is not played again has been read."""
        return self._next is None or not self._is_skipped(self._next)

    @property
    def is_over(self) -> bool:
        """Whether everything is out."""
        return self._next is None

    def stamp_ns(self, data_ns: int) -> int:
        """Return the time that messages about an instant of the file carry."""
        return self._clock.stamp_ns(data_ns, self._due_ns(data_ns))

    def play(self, context: Context) -> None:
        """Publish what is due, a bounded number of steps."""
        now_ns = context.now_ns
        self.catch_up(now_ns)
        shown, skipped = BATCH_STEPS, SKIPPED_STEPS
        while (step := self._next) is not None and shown and skipped:
            at_ns, price = self.stamp_ns(step.at_ns), self._price_at(step)
            if self._is_skipped(step):
                skipped -= 1
                self._price_ticks = price
            else:
                if self._due_ns(step.at_ns) > now_ns:
                    return
                shown -= 1
                self._show(step, at_ns, price, context.publish)
                if type(step) is not MarkStep:
                    self.subscription.heard(now_ns, at_ns, price)
            self._next = self._following()
            self._remember(step, at_ns, price)

    def foresee(self, now_ns: int, row_max: int) -> list[Instant]:
        """Return what will be published when: a bounded number of steps, none of which changes the liveness.

        What leads to row `row_max` or to the end is not among them. Only where the file's time is the loop's,
        and after `play`.
        """
        instants: list[Instant] = []
        step = self._next
        if not self._clock.lockstep or step is None or self._is_skipped(step) or step.at_ns <= now_ns:
            return instants
        foreseen, ahead, at_ns = replace(self.subscription.liveness), self._ahead, now_ns
        silent_after_ns = foreseen.silent_after_ns or FOREVER_NS
        while len(ahead) < BATCH_STEPS and step.at_ns - at_ns <= silent_after_ns:
            at_ns, steps, following = step.at_ns, [step], self._following()
            while following is not None and following.at_ns == at_ns:
                steps.append(following)
                following = self._following()
            if following is None or not self._is_foreseeable(steps, row_max, foreseen):
                self._peeked.extendleft(reversed([*steps[1:], *([following] if following else [])]))
                break
            told: list[Message] = []
            for one in steps:
                price = self._price_at(one)
                self._show(one, at_ns, price, told.append)
                ahead.append((one, price))
            instants.append((at_ns, told))
            step = following
        self._next = step
        return instants

    def _is_foreseeable(self, steps: list[Step | BookStep], row_max: int, foreseen: Liveness) -> bool:
        """Tell whether an instant leaves the liveness as it is; `foreseen` hears of it."""
        price = self._price_ticks
        for step in steps:
            kind = type(step)
            if kind is self._row_step and step.row >= row_max:  # type: ignore[union-attr]
                return False
            if kind is not MarkStep:
                price = self._price_at(step) if kind is BookStep or kind is PrintStep else price
                foreseen.heard(step.at_ns, step.at_ns, price)
        return not foreseen.check(steps[0].at_ns)

    def _following(self) -> Step | BookStep | None:
        """Return the step after the last one that was read."""
        return self._peeked.popleft() if self._peeked else next(self._steps, None)

    def catch_up(self, now_ns: int) -> None:
        """Remember what was foretold and has come."""
        ahead, heard = self._ahead, self.subscription.heard
        while ahead and ahead[0][0].at_ns <= now_ns:
            step, price = ahead.popleft()
            if type(step) is not MarkStep:
                heard(step.at_ns, step.at_ns, price)
            self._remember(step, step.at_ns, price)

    def waits_ns(self, now_ns: int) -> tuple[int, int]:
        """Return how long until the next step that is not foretold, and when the last one before it comes."""
        if self._next is None:
            return 0, 0
        last_ns = self._ahead[-1][0].at_ns - now_ns if self._ahead else 0
        return max(0, self._due_ns(self._next.at_ns) - now_ns), last_ns

    def _is_skipped(self, step: Step | BookStep) -> bool:
        start = self._start
        if step.at_ns < start.first_ns:
            return True
        if self._clock.speed:
            return self._due_ns(step.at_ns) <= start.skip_until_ns
        return self.rows_done < start.skip_rows

    def _due_ns(self, data_ns: int) -> int:
        return self._clock.due_ns(data_ns, self._start.first_ns, self._start.origin_ns)

    def _merge(self, file: ReplayFile, funding: list[FundingRow]) -> Iterator[Any]:
        """Return everything of the file in the order of its time; funding goes before a print."""
        spread_e8 = self._settings.spread
        rows: Any = chain.from_iterable(file.chunks())
        if file.is_candles:
            steps = candle_steps(self._candles.of(rows), file.interval_ns, spread_e8)
        elif file.content == "trades":
            steps = trade_steps(rows, spread_e8)
        elif file.content == "depth":
            steps = level_steps(rows, file.start, self._settings.book_levels)
        else:
            steps = book_steps(rows, self._settings.book_levels)
        beside: list[Iterator[Any]] = []
        if self._trades is not None:
            trades: Any = chain.from_iterable(self._trades.chunks())
            beside.append(trade_steps(trades, spread_e8))
        if funding:
            beside.append(funding_steps(funding, file.first_ns, file.last_ns))
        if self._marks is not None:
            candles: Any = chain.from_iterable(self._marks.chunks())
            beside.append(mark_steps(candles, self._marks.interval_ns))
        return merge(*beside, steps, key=itemgetter(0)) if beside else steps

    def _price_at(self, step: Step | BookStep) -> int:
        """Return where the market stands after a step."""
        if type(step) is PrintStep:
            return step.price_ticks
        if type(step) is BookStep:
            return (step.bids[0][0] + step.asks[0][0]) // 2
        return self._price_ticks

    def _show(self, step: Step | BookStep, at_ns: int, price: int, publish: Publish) -> None:
        self._price_ticks = price
        if type(step) is PrintStep:
            self._show_print(step, at_ns, publish)
        elif type(step) is BookStep:
            self._show_book(step, at_ns, publish)
        elif type(step) is BarStep:
            publish(self._bar(step, at_ns))
        elif type(step) is MarkStep:
            self._mark_ticks = step.price_ticks
            publish(MarkPrice(self.symbol, at_ns, step.price_ticks, step.price_ticks))
        elif type(step) is FundingStep:
            self._show_funding(step, at_ns, publish)

    def _show_print(self, step: PrintStep, at_ns: int, publish: Publish) -> None:
        _, row, number, price, contracts, side, bid, ask = step
        symbol, candle = self.symbol, self._candles.newest
        if candle is not None and not number and candle.at_ns == step.at_ns:
            until_ns = self.stamp_ns(candle.at_ns + self._interval_ns)
            publish(CandleAhead(symbol, at_ns, candle.low_ticks, candle.high_ticks, until_ns))
        if self._trades is None and ((bid, ask) != self._touch or at_ns >= self._quote_due_ns):
            self._touch, self._quote_due_ns = (bid, ask), at_ns + self._quote_every_ns
            size = self._settings.depth_usdt // (price * self._tick_value) or 1
            publish(Quote(symbol, at_ns, bid, size, ask, size))
        if contracts:
            late_ns = self._seen_ns(step.at_ns) if number == 1 and self._interval_ns else 0
            publish(Trade(symbol, at_ns, price, contracts, side, f"{row}-{number}", late_ns))
        if self._trades is None:
            self._show_mark(at_ns, publish)

    def _seen_ns(self, data_ns: int) -> int:
        """Return when the other extreme of a candle has been seen too; `data_ns` is in its first half."""
        end_ns = data_ns - data_ns % self._candle_ns + self._candle_ns
        return self.stamp_ns(end_ns - MILLISECOND_NS)

    def _show_book(self, step: BookStep, at_ns: int, publish: Publish) -> None:
        _, _, bids, asks = step
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        publish(Quote(self.symbol, at_ns, bid, bid_size, ask, ask_size))
        if not self._is_quotes:
            publish(BookDepth(self.symbol, at_ns, bids, asks))
        self._show_mark(at_ns, publish)

    def _show_mark(self, at_ns: int, publish: Publish) -> None:
        # A candle has four prices, and liquidation looks at each; trades and books come by the thousand.
        if self._marks is None and (self._interval_ns or at_ns >= self._mark_due_ns):
            self._mark_due_ns = at_ns + self._settings.mark_every
            publish(MarkPrice(self.symbol, at_ns, self._price_ticks, self._price_ticks))

    def _show_funding(self, step: FundingStep, at_ns: int, publish: Publish) -> None:
        publish(FundingSettled(self.symbol, at_ns, step.rate_e8, self._mark_ticks or self._price_ticks))
        if step.next_ns:
            # The next rate is not known yet: what was paid last is the honest guess.
            publish(FundingRate(self.symbol, at_ns, step.rate_e8, self.stamp_ns(step.next_ns)))

    def _bar(self, step: BarStep, at_ns: int) -> Bar:
        _, opened, high, low, close, _ = step.candle
        interval_ns, symbol = self._interval_ns, self.symbol
        return Bar(symbol, at_ns, interval_ns, opened, high, low, close, step.contracts, step.trades_count)

    def _remember(self, step: Step | BookStep, at_ns: int, price: int) -> None:
        """Keep what later steps and requests need, also of steps that a restart leaves out."""
        self.price_ticks = price
        if type(step) is self._row_step:
            self.rows_done = step.row
        if type(step) is PrintStep and not self._interval_ns:
            self.recent.add_trade(at_ns, price, step.contracts)
        elif type(step) is BarStep:
            self.recent.add_bar(self._bar(step, at_ns))
