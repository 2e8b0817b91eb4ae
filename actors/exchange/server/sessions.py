"""WebSocket sessions: who is connected where, who hears what, and who has been silent for too long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from actors.exchange.protocol.errors import GatewayError
from actors.exchange.protocol.frames import (
    PONG,
    BadFrame,
    ClientFrame,
    acknowledged,
    authenticated,
    data_frame,
    decode_frame,
    failure,
    subscriptions_listed,
)
from actors.exchange.server.messages import StreamClose, StreamSend

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["ALL", "Hub", "Session", "StreamKind"]

ALL = "all"
NOTHING: set[str] = set()
FRAMES_PER_SECOND_MAX = 500
SECOND_NS = 1_000_000_000


class Session:
    """One connection."""

    __slots__ = ("account", "counted", "heard_at_ns", "key", "kind", "second", "socket_id", "subscriptions")

    def __init__(self, socket_id: int, kind: StreamKind, now_ns: int) -> None:
        self.socket_id = socket_id
        self.kind = kind
        self.heard_at_ns = now_ns
        self.account = self.key = ""
        self.second = 0
        self.counted = 0  # frames within that second
        self.subscriptions: dict[tuple[str, str], None] = {}  # (topic, symbol), in the order they were made


class StreamKind(Protocol):
    """What one of the four endpoints offers."""

    path: str
    is_private: bool

    def topics(self, frame: ClientFrame, channel: str) -> list[str] | None:
        """Return the topics behind a channel; None when there is no such channel. Errors: BadFrame."""
        ...

    def symbols(self, channel: str, wanted: list[str]) -> list[str]:
        """Return the symbols that are known among those asked for. Errors: BadFrame."""
        ...

    def greet(self, session: Session, channel: str, symbols: list[str], now_ns: int) -> None:
        """Send what a new subscriber gets at once."""
        ...

    def command(self, session: Session, frame: ClientFrame, now_ns: int) -> bool:
        """Do what is neither a ping nor about subscriptions; return False when it is nothing at all."""
        ...


class Hub:
    """All sessions of all endpoints."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core
        self._kinds: dict[str, StreamKind] = {}
        self.sessions: dict[int, Session] = {}
        self._listeners: dict[tuple[str, str, str], dict[int, None]] = {}  # (path, topic, symbol) -> sockets
        self._topics: dict[str, set[str]] = {}  # by path: what anybody wants
        self.out: list[StreamSend | StreamClose] = []

    def add(self, kind: StreamKind) -> None:
        """Offer one more endpoint."""
        self._kinds[kind.path] = kind

    # -- connections --------------------------------------------------------------------------------

    def open(self, socket_id: int, path: str, now_ns: int) -> None:
        """Begin a session; a path that is not there is closed."""
        kind = self._kinds.get(path)
        if kind is None:
            self.out.append(StreamClose(socket_id, False))
        else:
            self.sessions[socket_id] = Session(socket_id, kind, now_ns)

    def close(self, socket_id: int) -> None:
        """Forget a session."""
        session = self.sessions.pop(socket_id, None)
        if session is not None:
            self._leave(session, list(session.subscriptions))

    def cut(self, session: Session) -> None:
        """End a session from our side, as the venue does: without a word."""
        self.out.append(StreamClose(session.socket_id, True))
        self.close(session.socket_id)

    def cut_revoked(self) -> None:
        """End the private sessions whose key has been taken away."""
        is_revoked = self._core.faults.is_revoked
        for session in [s for s in self.sessions.values() if s.account and is_revoked(s.key, s.account)]:
            self.cut(session)

    def cut_silent(self, now_ns: int) -> None:
        """End the sessions whose client has said nothing for too long, however much we have sent."""
        longest = self._core.settings.silence_max
        for session in [s for s in self.sessions.values() if now_ns - s.heard_at_ns > longest]:
            self.cut(session)

    # -- what clients say ---------------------------------------------------------------------------

    def frame(self, socket_id: int, text: str, now_ns: int) -> None:
        """Handle one frame of a client."""
        session = self.sessions.get(socket_id)
        if session is None:
            return
        session.heard_at_ns = now_ns
        second = now_ns // SECOND_NS
        session.counted = session.counted + 1 if session.second == second else 1
        session.second = second
        if session.counted > FRAMES_PER_SECOND_MAX:
            self.cut(session)
            return
        try:
            self._handle(session, decode_frame(text), now_ns)
        except BadFrame as error:
            self.say(session, failure(str(error)))

    def _handle(self, session: Session, frame: ClientFrame, now_ns: int) -> None:
        event = frame.event
        if event == "ping":
            self.say(session, PONG)
        elif event == "subscribe" and frame.channels == ["auth"]:
            self._log_in(session, frame, now_ns)
        elif event in ("subscribe", "unsubscribe"):
            self._subscribe(session, frame, now_ns)
        elif event == "unsubscribe_all":
            self._leave(session, list(session.subscriptions))
            self.say(session, '{"event":"unsubscribe_all"}')
        elif event == "list_subscriptions":
            channels = dict.fromkeys(topic.partition("@")[0] for topic, _ in session.subscriptions)
            self.say(session, subscriptions_listed(list(channels)))
        elif not session.kind.command(session, frame, now_ns):
            raise BadFrame(f"Invalid event {event}"[:200])

    def _log_in(self, session: Session, frame: ClientFrame, now_ns: int) -> None:
        given = frame.auth()
        stamp = str(given.signTimestamp)
        try:
            if not session.kind.is_private:
                raise GatewayError(401, 401, "not a private endpoint")
            account = self._core.keyring.check_socket(given.key, stamp, given.signature, now_ns)
            if self._core.faults.is_revoked(given.key, account):
                raise GatewayError(401, 401, "Invalid api key")
            session.account, session.key = account, given.key
        except GatewayError:
            self.say(session, authenticated(False, now_ns // 1_000_000))
        else:
            self.say(session, authenticated(True, now_ns // 1_000_000))

    def _subscribe(self, session: Session, frame: ClientFrame, now_ns: int) -> None:
        kind = session.kind
        if kind.is_private and not session.account:
            raise BadFrame("Please authenticate first")
        for channel in frame.channels:
            topics = kind.topics(frame, channel)
            if topics is None:
                raise BadFrame(f'Invalid channel values ["{channel[:100]}"]')
            symbols = kind.symbols(channel, frame.wanted)
            pairs = [(topic, symbol) for topic in topics for symbol in symbols]
            if frame.event == "subscribe":
                self._join(session, pairs)
            else:
                self._leave(session, pairs)
            self.say(session, acknowledged(frame.event, channel, frame.wanted))
            if frame.event == "subscribe":
                kind.greet(session, channel, symbols, now_ns)

    def _join(self, session: Session, pairs: Iterable[tuple[str, str]]) -> None:
        for topic, symbol in pairs:
            session.subscriptions[topic, symbol] = None
            listeners = self._listeners.setdefault((session.kind.path, topic, symbol), {})
            listeners[session.socket_id] = None
        self._count_topics()

    def _leave(self, session: Session, pairs: Iterable[tuple[str, str]]) -> None:
        for topic, symbol in pairs:
            session.subscriptions.pop((topic, symbol), None)
            key = (session.kind.path, topic, symbol)
            listeners = self._listeners.get(key)
            if listeners is not None:
                listeners.pop(session.socket_id, None)
                if not listeners:
                    del self._listeners[key]
        self._count_topics()

    # -- what we say --------------------------------------------------------------------------------

    def hears(self, path: str, topic: str, symbol: str) -> tuple[int, ...]:
        """Return the sockets that want a topic of a symbol."""
        listeners, all_listeners = self._listeners, None
        found = listeners.get((path, topic, symbol))
        all_listeners = listeners.get((path, topic, ALL))
        if found is None and all_listeners is None:
            return ()
        return tuple({**(found or {}), **(all_listeners or {})})

    def topics(self, path: str) -> set[str]:
        """Return the topics of an endpoint that anybody wants, of whatever symbol."""
        return self._topics.get(path, NOTHING)

    def _count_topics(self) -> None:
        self._topics = {}
        for path, topic, _ in self._listeners:
            self._topics.setdefault(path, set()).add(topic)

    def publish(self, path: str, topic: str, symbol: str, data: Any, action: str = "") -> None:
        """Send data to whoever wants it."""
        sockets = self.hears(path, topic, symbol)
        if sockets:
            channel = topic.partition("@")[0]
            self.emit(sockets, channel, symbol, data_frame(channel, data, action))

    def emit(self, sockets: tuple[int, ...], channel: str, symbol: str, text: str, account: str = "") -> None:
        """Send one frame of a channel; faults may have their way with it."""
        faults = self._core.faults
        if faults.on_streams:
            self.out += faults.bend_frame(sockets, channel, symbol, account, text)
        else:
            self.out.append(StreamSend(sockets, text))

    def say(self, session: Session, text: str) -> None:
        """Send one frame to one client."""
        self.out.append(StreamSend((session.socket_id,), text))
