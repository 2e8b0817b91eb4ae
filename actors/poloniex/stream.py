"""One WebSocket session without a socket: what comes in becomes what must be done.

    connect -> (log in ->) subscribe, each channel acknowledged -> up -> lost -> pause -> connect ...

The owner carries actions to a socket pump and tells what the pump says. The venue drops a client that has
sent nothing for 30 s, and never pings by itself: so we ping. Source: docs/poloniex.md, WebSocket.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

__all__ = ["Channel", "Open", "Phase", "Send", "Shut", "StreamLimits", "StreamSession", "StreamStats"]

SECOND = 1_000_000_000
JITTER_PARTS = 2  # a pause is shortened by up to half, so that many clients do not come back at once
RESUBSCRIBE_PAUSE_NS = 2 * SECOND  # the venue bounds requests per connection; a broken channel could loop


class Phase(enum.Enum):
    """Where a session stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LOGGING_IN = "logging in"
    SUBSCRIBING = "subscribing"
    UP = "up"
    LEAVING = "leaving"
    PAUSING = "pausing"


class Channel(NamedTuple):
    """One channel to subscribe to."""

    name: str
    symbols: tuple[str, ...]
    silent_after_ns: int = 0  # a channel with an expected rate is broken after so long without data; 0: never
    depth: int = 0  # of the order book, where the channel knows it


class Open(NamedTuple):
    """Open a socket under this name."""

    socket_id: str


class Send(NamedTuple):
    """Send a frame."""

    socket_id: str
    text: str


class Shut(NamedTuple):
    """Close a socket."""

    socket_id: str


Action = Open | Send | Shut


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Patience, in ns."""

    ping_every: int = 10 * SECOND
    answer_timeout: int = 10 * SECOND  # of a connection, a login, an acknowledgement, a pong
    backoff_min: int = SECOND // 2
    backoff_max: int = 30 * SECOND
    calm_after: int = 60 * SECOND  # a session that was up so long starts again with the shortest pause


@dataclass(slots=True)
class StreamStats:
    """Counters of a session."""

    connects: int = 0
    losses: int = 0
    resubscribes: int = 0
    unknown_frames: int = 0
    errors: int = 0
    last_error: str = ""

    def follow(self, before: StreamStats) -> None:
        """Count on from what the session before has counted."""
        self.connects += before.connects
        self.losses += before.losses
        self.resubscribes += before.resubscribes
        self.unknown_frames += before.unknown_frames
        self.errors += before.errors


@dataclass(slots=True)
class StreamSession:
    """The state machine. Every method returns what must be done, in order.

    `login` makes the text of a login for an instant; it returns "" when signing is refused now.
    """

    name: str
    channels: tuple[Channel, ...]
    limits: StreamLimits
    chance: random.Random
    login: Callable[[int], str] | None = None
    phase: Phase = Phase.IDLE
    socket_id: str = ""
    reason: str = "not started"  # of the last loss
    stats: StreamStats = field(default_factory=StreamStats)
    heard_ns: int = 0  # when any frame came last
    _heard: dict[str, int] = field(default_factory=dict)  # channel -> when its data came last
    _revived: dict[str, int] = field(default_factory=dict)  # channel -> when it was subscribed to again
    _pending: set[str] = field(default_factory=set)  # channels without acknowledgement
    _since_ns: int = 0  # when the phase began
    _ping_ns: int = 0  # when we sent something last
    _attempts: int = 0
    _resume_ns: int = 0  # when a pause ends

    # -- what the owner tells ------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Action]:
        """Connect."""
        self.stats.connects += 1
        self.socket_id = f"{self.name}-{self.stats.connects}"
        self._enter(Phase.CONNECTING, now_ns)
        return [Open(self.socket_id)]

    def opened(self, socket_id: str, now_ns: int) -> list[Action]:
        """The socket is open: log in, or subscribe."""
        if socket_id != self.socket_id or self.phase is not Phase.CONNECTING:
            return []
        self.heard_ns = self._ping_ns = now_ns
        if self.login is None:
            return self._subscribe_all(now_ns)
        text = self.login(now_ns)
        if not text:
            return self.lose("signing is refused", now_ns)
        self._enter(Phase.LOGGING_IN, now_ns)
        return [Send(self.socket_id, text)]

    def logged_in(self, success: bool, message: str, now_ns: int) -> list[Action]:
        """The login was answered."""
        self.heard_ns = now_ns
        if self.phase is not Phase.LOGGING_IN:
            return []
        if not success:
            self._note_error(message or "login failed")
            return self.lose(f"login refused: {message}", now_ns)
        return self._subscribe_all(now_ns)

    def control(self, event: str, channel: str, message: str, now_ns: int) -> list[Action]:
        """A frame without data came: an acknowledgement, a pong, an error, or something unknown."""
        self.heard_ns = now_ns
        if event == "subscribe":
            self._acknowledged(channel, now_ns)
        elif event == "unsubscribe":
            return self._left(channel, now_ns)
        elif event == "error":
            self._note_error(message)
        elif event not in ("pong", "unsubscribe_all"):
            self.stats.unknown_frames += 1
        return []

    def data(self, channel: str, now_ns: int) -> None:
        """Data of a channel came."""
        self.heard_ns = now_ns
        self._heard[channel] = now_ns

    def closed(self, socket_id: str, reason: str, now_ns: int) -> list[Action]:
        """The socket is closed, or could not be opened."""
        if socket_id != self.socket_id or self.phase in (Phase.IDLE, Phase.PAUSING):
            return []
        self._pause(reason, now_ns)
        return []

    def lose(self, reason: str, now_ns: int) -> list[Action]:
        """Give this connection up, and come back after a pause."""
        if self.phase in (Phase.IDLE, Phase.PAUSING):
            return []
        shut = Shut(self.socket_id)
        self._pause(reason, now_ns)
        return [shut]

    def leave(self, now_ns: int) -> list[Action]:
        """End a session that is up without losing a word: unsubscribe, hear the rest, close.

        A connection keeps the order: behind the acknowledgement of a channel's end nothing of it follows.
        """
        self._enter(Phase.LEAVING, now_ns)
        self._pending = {channel.name for channel in self.channels}
        return [Send(self.socket_id, _request("unsubscribe", channel)) for channel in self.channels]

    def resubscribe(self, name: str, now_ns: int) -> list[Action]:
        """Ask for a channel anew, as after a gap: that brings a snapshot."""
        if (
            self.phase is not Phase.UP
            or now_ns - self._revived.get(name, -RESUBSCRIBE_PAUSE_NS) < RESUBSCRIBE_PAUSE_NS
        ):
            return []
        channel = next(channel for channel in self.channels if channel.name == name)
        self.stats.resubscribes += 1
        self._revived[name] = now_ns
        self._ping_ns = now_ns
        texts = (_request("unsubscribe", channel), _request("subscribe", channel))
        return [Send(self.socket_id, text) for text in texts]

    def tick(self, now_ns: int) -> list[Action]:
        """Time has passed: ping, find out what is dead, come back after a pause. Call it once a second."""
        if self.phase is Phase.PAUSING:
            return self.start(now_ns) if now_ns >= self._resume_ns else []
        if self.phase is Phase.IDLE:
            return []
        if self.phase is not Phase.UP:
            late = now_ns - self._since_ns >= self.limits.answer_timeout
            return self.lose(self._what_is_late(), now_ns) if late else []
        return self._tick_up(now_ns)

    # -- for operators -------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Connected, logged in, and every channel acknowledged."""
        return self.phase is Phase.UP

    @property
    def up_since_ns(self) -> int:
        """When it came up; meaningless while it is not."""
        return self._since_ns

    # -- steps ---------------------------------------------------------------------------------------

    def _tick_up(self, now_ns: int) -> list[Action]:
        limits = self.limits
        if now_ns - self.heard_ns >= limits.ping_every + limits.answer_timeout:
            return self.lose("the far side does not answer pings", now_ns)
        actions: list[Action] = []
        if now_ns - self._ping_ns >= limits.ping_every:
            self._ping_ns = now_ns
            actions.append(Send(self.socket_id, '{"event":"ping"}'))
        for channel in self.channels:
            silent_ns = channel.silent_after_ns
            heard_ns = max(self._heard.get(channel.name, 0), self._since_ns)
            if not silent_ns or now_ns - heard_ns < silent_ns:
                continue
            revived_ns = self._revived.get(channel.name, -1)
            if heard_ns <= revived_ns <= now_ns - silent_ns:
                return self.lose(f"channel {channel.name} stays silent", now_ns)
            if revived_ns < heard_ns:
                actions += self.resubscribe(channel.name, now_ns)
        return actions

    def _what_is_late(self) -> str:
        pending = ", ".join(sorted(self._pending))
        detail = f" ({pending})" if pending else ""
        error = f"; the venue said: {self.stats.last_error}" if self.stats.last_error else ""
        return f"no answer in time while {self.phase.value}{detail}{error}"

    def _subscribe_all(self, now_ns: int) -> list[Action]:
        self._enter(Phase.SUBSCRIBING, now_ns)
        self._pending = {channel.name for channel in self.channels}
        self._ping_ns = now_ns
        return [Send(self.socket_id, _request("subscribe", channel)) for channel in self.channels]

    def _acknowledged(self, channel: str, now_ns: int) -> None:
        self._pending.discard(channel)
        if self.phase is Phase.SUBSCRIBING and not self._pending:
            self._enter(Phase.UP, now_ns)

    def _left(self, channel: str, now_ns: int) -> list[Action]:
        self._pending.discard(channel)
        if self.phase is not Phase.LEAVING or self._pending:
            return []
        self._enter(Phase.IDLE, now_ns)
        return [Shut(self.socket_id)]

    def _pause(self, reason: str, now_ns: int) -> None:
        if self.phase is Phase.UP and now_ns - self._since_ns >= self.limits.calm_after:
            self._attempts = 0
        pause_ns = min(self.limits.backoff_max, self.limits.backoff_min << min(self._attempts, 20))
        pause_ns -= self.chance.randrange(pause_ns // JITTER_PARTS + 1)
        self._attempts += 1
        self.stats.losses += 1
        self.reason = reason
        self._resume_ns = now_ns + pause_ns
        self._enter(Phase.PAUSING, now_ns)

    def _enter(self, phase: Phase, now_ns: int) -> None:
        self.phase = phase
        self._since_ns = now_ns
        if phase is not Phase.UP:
            self._heard.clear()
            self._revived.clear()
            self._pending.clear()

    def _note_error(self, message: str) -> None:
        self.stats.errors += 1
        self.stats.last_error = message[:200]


def _request(event: str, channel: Channel) -> str:
    """Return the text that subscribes to a channel, or ends that."""
    wanted: dict[str, object] = {"event": event, "channel": [channel.name], "symbols": list(channel.symbols)}
    if channel.depth and event == "subscribe":
        wanted["depth"] = channel.depth
    return msgspec.json.encode(wanted).decode()
