"""Is a subscription worth anything right now? Silent, late and frozen are told apart, from three instants.

Pure: whoever owns the subscription says what was heard and what time it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.messages.market import FeedState

__all__ = ["Liveness"]


@dataclass(slots=True)
class Liveness:
    """The state of one subscription. Instants and durations are nanoseconds; 0 turns a test off.

    The state is None until the first message came, or `silent_after_ns` passed without one.
    """

    started_ns: int
    silent_after_ns: int
    late_after_ns: int
    frozen_after_ns: int
    state: FeedState | None = None
    since_ns: int = 0
    heard_ns: int = 0  # when the newest message arrived; 0 before the first
    source_ns: int = 0  # its own time
    price: int = 0  # any number that differs when the price does
    moved_ns: int = 0  # when a message with another price arrived
    stuck_after_ns: int = 0  # mark and index may stand still for so long, while both are told
    references: tuple[int, int] = (0, 0)  # mark and index, as told last
    references_ns: int = 0  # when they were told last; 0 before the first time
    references_moved_ns: int = 0  # when one of them was told with another value

    def heard(self, received_ns: int, source_ns: int, price: int) -> None:
        """A message with this time of its own and this price arrived."""
        self.heard_ns = received_ns
        self.source_ns = source_ns
        if price != self.price:
            self.price = price
            self.moved_ns = received_ns

    def heard_references(self, received_ns: int, mark: int, index: int) -> None:
        """A mark price arrived, beside the index price that was told last."""
        self.references_ns = received_ns
        if (mark, index) != self.references:
            self.references = mark, index
            self.references_moved_ns = received_ns

    @property
    def is_stuck(self) -> bool:
        """The venue goes on telling mark and index, and neither moves: margin is computed from old prices."""
        after_ns = self.stuck_after_ns
        return 0 < after_ns <= self.references_ns - self.references_moved_ns

    def check(self, now_ns: int) -> bool:
        """Judge anew and return whether the state changed."""
        state = self._judge(now_ns)
        if state is self.state:
            return False
        self.state = state
        self.since_ns = now_ns
        return True

    def reason(self, now_ns: int) -> str:
        """Return why the state is what it is, for an operator."""
        if self.state is FeedState.SILENT:
            return f"nothing heard for {_seconds(now_ns - (self.heard_ns or self.started_ns))}"
        if self.state is FeedState.LATE:
            return f"messages are {_seconds(self.heard_ns - self.source_ns)} behind"
        if self.state is FeedState.FROZEN and self.is_stuck:
            stood = _seconds(self.references_ns - self.references_moved_ns)
            return f"mark and index price have not moved for {stood}, although they are told"
        if self.state is FeedState.FROZEN:
            return f"prices have not moved for {_seconds(self.heard_ns - self.moved_ns)}"
        return "messages come in time"

    def _judge(self, now_ns: int) -> FeedState | None:
        """Return the worst that is true: silence hides lateness, and lateness hides frozen prices."""
        silent_after_ns = self.silent_after_ns
        if silent_after_ns and now_ns - (self.heard_ns or self.started_ns) >= silent_after_ns:
            return FeedState.SILENT
        if not self.heard_ns:
            return self.state
        # Late until the gap has halved, so that a feed at the limit does not flap.
        late_after_ns = self.late_after_ns >> (self.state is FeedState.LATE)
        if late_after_ns and self.heard_ns - self.source_ns >= late_after_ns:
            return FeedState.LATE
        if self.frozen_after_ns and self.heard_ns - self.moved_ns >= self.frozen_after_ns:
            return FeedState.FROZEN
        if self.is_stuck:
            return FeedState.FROZEN
        return FeedState.LIVE


def _seconds(duration_ns: int) -> str:
    tenths = duration_ns // 100_000_000
    return f"{tenths // 10}.{tenths % 10} s"
