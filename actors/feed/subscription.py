"""A subscription's liveness, told to readers and to operators."""

from __future__ import annotations

from actors.feed.liveness import Liveness
from actors.feed.settings import FeedSettings
from actors.messages.market import FeedState, FeedStatus
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["Subscription"]

ALERT = "FeedStale"


class Subscription:
    """One symbol's stream: publishes FeedStatus when its state changes, raises and resolves `FeedStale`."""

    def __init__(self, symbol: str, settings: FeedSettings, started_ns: int, *, gap_ns: int) -> None:
        """Watch from now on. gap_ns: the usual time between messages; three of them are never silence."""
        silent_after_ns = max(settings.silent_after, 3 * gap_ns)
        self.symbol = symbol
        self.liveness = Liveness(started_ns, silent_after_ns, settings.late_after, settings.frozen_after)
        self.heard = self.liveness.heard
        self._ended = ""

    def check(self, context: Context) -> None:
        """Judge anew; on a change tell readers and operators."""
        if self._ended or not self.liveness.check(context.now_ns):
            return
        status = self.status(context.now_ns)
        context.publish(status)
        if status.state is FeedState.LIVE:
            # Also the first time: the feed before a restart may have left its alert behind.
            context.resolve(ALERT, key=self.symbol)
        else:
            text = f"{self.symbol} is {status.state.value}: {status.reason}"
            context.alert(ALERT, Severity.PAGE, text, key=self.symbol, state=status.state.value)

    def end(self, context: Context, reason: str) -> None:
        """Nothing more comes, and that is no fault: readers hear of silence, operators of nothing."""
        self._ended = reason
        self.liveness.state = FeedState.SILENT
        self.liveness.since_ns = context.now_ns
        context.publish(self.status(context.now_ns))
        context.resolve(ALERT, key=self.symbol)

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric, for the feed whose subscription it is."""
        liveness = self.liveness
        return {
            "live": int(liveness.state is FeedState.LIVE),
            "heard_at_ns": liveness.heard_ns,
            "source_at_ns": liveness.source_ns,
            "moved_at_ns": liveness.moved_ns,
        }

    def status(self, now_ns: int) -> FeedStatus:
        """Return the state as a message; a feed that never spoke is silent."""
        liveness = self.liveness
        state = liveness.state or FeedState.SILENT
        reason = liveness.reason(now_ns) if liveness.state else "nothing heard yet"
        reason = self._ended or reason
        return FeedStatus(self.symbol, now_ns, state, liveness.since_ns or liveness.started_ns, reason)
