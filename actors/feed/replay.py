"""The actor behind `feed.replay`: one symbol's past, played again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from actors.domain.bars import BarLike
from actors.domain.place import Place
from actors.feed.playback import Playback, Start
from actors.feed.replay_clock import ReplayClock
from actors.feed.replay_file import ReplayFile, mark_file, read_funding, trades_file
from actors.feed.settings import ReplaySettings
from actors.feed.subscription import Subscription
from actors.feed.timers import Check, Tick
from actors.messages.market import (
    Bar,
    BookDepth,
    CandleAhead,
    FeedStatus,
    FundingRate,
    FundingSettled,
    History,
    HistoryRequest,
    MarkPrice,
    Quote,
    ReplayFinished,
    Trade,
)
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message

__all__ = ["ReplayFeed", "ReplayState"]

TICK = Tick()
CHECK = Check()


class ReplayState(msgspec.Struct):
    """Where the replay began and whether it is over."""

    origin_ns: int = 0  # the loop's instant of the first row; 0 before it
    rows_done: int = 0  # of an unpaced replay, and of a finished one
    finished_ns: int = 0  # time of the last row, as told; 0 while there is more


class ReplayFeed(Behaviour):
    """Looks the whole file through, then publishes it at its pace; nothing leaves before the look is over."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Tick, Check, HistoryRequest)
    EMITS: ClassVar[tuple[type[Message], ...]] = (
        Quote,
        BookDepth,
        Trade,
        Bar,
        CandleAhead,
        MarkPrice,
        FundingRate,
        FundingSettled,
        FeedStatus,
        ReplayFinished,
    )
    REPLIES: ClassVar[tuple[type[Message], ...]] = (History, FeedStatus)
    STATE = ReplayState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.SOURCE
    EXPLICIT_READY = True

    def __init__(self, settings: ReplaySettings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self._symbol = place.symbol
        self._clock = ReplayClock.of(settings, place.mode)
        self._check: Iterator[int] | None = None
        self._playback: Playback | None = None
        self._rows_total = 0
        self._tenths_told = 0
        self._was_warm = False

    def started(self, context: Context) -> None:
        """Open the file and begin to look it through. Errors: DataError."""
        if self.state.finished_ns:
            context.ready()
            self._tell_finished(Subscription(self._symbol, self._settings, context.now_ns, gap_ns=0), context)
            return
        place = self._place
        self._file = ReplayFile(self._settings, place.directory, place.instrument)
        self._funding = read_funding(self._settings, place.directory, place.instrument)
        is_book = self._file.content in ("quotes", "book", "depth")
        self._trades = trades_file(self._settings, place.directory, place.instrument) if is_book else None
        self._marks = mark_file(self._settings, place.directory, place.instrument)
        self._clock.interval_ns(self._file.interval_ns)
        self._check = self._file.check()
        context.schedule(0, TICK, key="tick")

    def stopping(self, context: Context) -> None:
        """Let go of the file: duckdb complains at the end of the process about readers left open."""
        self._playback = self._check = None
        context.foretell(())

    def on_tick(self, message: Tick, context: Context) -> None:
        """Look through the next chunk, or play what is due."""
        if self._playback is not None:
            self._play(self._playback, context)
        elif self._check is not None:
            if not next(self._check, 0):
                self._playback = self._begin(context)
            context.schedule(0, TICK, key="tick")

    def on_check(self, message: Check, context: Context) -> None:
        """The next row is far away: readers shall know when it has been quiet for too long."""
        if self._playback is not None:
            self._playback.catch_up(context.now_ns)
            self._playback.subscription.check(context)

    def on_history_request(self, message: HistoryRequest, context: Context) -> None:
        """Answer with the bars played so far, those before a restart included."""
        playback = self._playback
        if message.symbol != self._symbol:
            return
        bars: tuple[Bar, ...] = ()
        if playback is not None:
            playback.catch_up(context.now_ns)
            try:
                bars = playback.recent.history(message.interval_ns, message.bars_count)
            except ValueError as error:
                context.log("history_refused", reader=context.sender, reason=str(error))
        history = History(self._symbol, message.interval_ns, bars)
        if not context.sender:
            context.reply(history)
            return
        context.send(context.sender, history)
        if playback is not None:
            context.send(context.sender, playback.subscription.status(context.now_ns))

    def newest_bars(self, after_ns: int, now_ns: int) -> list[BarLike]:
        """Return bars of the file's interval that closed after an instant; for whoever draws a chart."""
        if self._playback is None:
            return []
        self._playback.catch_up(now_ns)
        return self._playback.recent.newest(after_ns)

    def describe(self) -> dict[str, Any]:
        """Return file, progress and state for an operator."""
        described: dict[str, Any] = msgspec.to_builtins(self.state)
        playback = self._playback
        done, price = (playback.rows_done, playback.price_ticks) if playback else (0, 0)
        percent = 100 * done // self._rows_total if self._rows_total else 0
        described |= {"file": self._settings.path, "rows_total": self._rows_total, "rows_played": done}
        return described | {"progress_percent": percent, "price_ticks": price}

    def gauges(self) -> dict[str, int | float]:
        """Return the progress as metrics."""
        playback = self._playback
        done = playback.rows_done if playback else 0
        heard = playback.subscription.gauges() if playback else {}
        return {"replay_rows": done, "replay_progress_ratio": done / (self._rows_total or 1), **heard}

    def _begin(self, context: Context) -> Playback:
        """The file is good: settle when it plays, and what a restart leaves out."""
        file, state, place, now_ns = self._file, self.state, self._place, context.now_ns
        self._rows_total = file.rows_count
        first_ns = file.first_ns + self._settings.warmup
        if state.origin_ns:
            start = Start(state.origin_ns, first_ns, now_ns, state.rows_done)
        else:
            state.origin_ns = self._clock.origin_ns(now_ns, file.interval_ns)
            # A virtual clock may start in the middle of the file.
            start = Start(state.origin_ns, first_ns, now_ns - 1)
            context.save()
        context.log("replay_checked", file=file.file, rows=file.rows_count, first_at_ns=file.first_ns)
        return Playback(
            self._settings,
            self._symbol,
            place.instrument,
            file,
            self._funding,
            self._clock,
            start,
            self._marks,
            self._trades,
        )

    def _play(self, playback: Playback, context: Context) -> None:
        """Play what is due, and come again for the rest."""
        playback.play(context)
        if playback.is_warm and not self._was_warm:
            self._was_warm = True
            context.ready()
        playback.subscription.check(context)
        self._log_progress(playback, context)
        if not self._clock.speed:
            self.state.rows_done = playback.rows_done
            context.save()
        if playback.is_over:
            self._finish(playback, context)
            return
        next_tenth = -(-(self._tenths_told + 1) * self._rows_total // 10)
        if instants := playback.foresee(context.now_ns, next_tenth):
            context.foretell(instants)
        delay_ns, last_ns = playback.waits_ns(context.now_ns)
        context.schedule(delay_ns, TICK, key="tick")
        silent_after_ns = playback.subscription.liveness.silent_after_ns
        if delay_ns - last_ns > silent_after_ns:
            context.schedule(last_ns + silent_after_ns, CHECK, key="check")

    def _finish(self, playback: Playback, context: Context) -> None:
        self.state.finished_ns = playback.stamp_ns(self._file.last_ns)
        self.state.rows_done = self._rows_total
        context.save()
        self._tell_finished(playback.subscription, context)

    def _tell_finished(self, subscription: Subscription, context: Context) -> None:
        state = self.state
        subscription.end(context, "the file is at its end")
        context.publish(ReplayFinished(self._symbol, state.finished_ns, state.rows_done))
        context.log("replay_finished", rows=state.rows_done)

    def _log_progress(self, playback: Playback, context: Context) -> None:
        tenths = 10 * playback.rows_done // self._rows_total
        if tenths > self._tenths_told:
            self._tenths_told = tenths
            context.log("replay_progress", percent=10 * tenths, rows=playback.rows_done)
