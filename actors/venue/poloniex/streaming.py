"""The private stream of an account, and how a newer key gets one of its own before the stream in use ends.

During a rotation there are two for a moment. The one that comes says nothing until it is up; from then on
both are heard: fills, acceptances and ends of orders are told once, whoever says them. The one that goes has
unsubscribed and ends when the venue has acknowledged that: behind it nothing follows.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.place import Place
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import AuthFrame, Control, OrdersFrame, StreamFillsFrame, read_private
from actors.poloniex.stream import Action, Channel, Open, Phase, Send, Shut, StreamLimits, StreamSession
from actors.runtime.behaviour import Context
from actors.runtime.pumps.messages import (
    SocketClose,
    SocketClosed,
    SocketFrame,
    SocketOpen,
    SocketOpened,
    SocketSend,
)
from actors.venue.errors import RefusedError
from actors.venue.poloniex.core import MAY_SIGN, MS, SECOND
from actors.venue.poloniex.credentials import Credentials
from actors.venue.poloniex.questions import VenueQuestions
from actors.venue.poloniex.settings import PoloniexAccountSettings
from actors.venue.poloniex.signing import login_text

__all__ = ["VenueStreaming"]

CHANNELS = (Channel("orders", ("all",)), Channel("trade", ("all",)))
QUIET = ("positions", "account")  # channels nobody subscribed to; heard without surprise
FOREIGN_MAX = 16
RESYNC_PAUSE_NS = SECOND  # after a frame that could not be read: it may have been a fill


class VenueStreaming(VenueQuestions):
    """Keeps the private stream."""

    CHANNELS: ClassVar[tuple[Channel, ...]] = CHANNELS
    QUIET: ClassVar[tuple[str, ...]] = QUIET

    session: StreamSession  # the one in use

    def __init__(self, settings: PoloniexAccountSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._stream_was_up = False
        self._coming: StreamSession | None = None  # logs in with the key on trial
        self._going: StreamSession | None = None  # was opened with the key before
        self._switched_ns = 0  # when the key on trial came into use; 0 once that has been told
        self._sync_due_ns = 0  # when the lists are to be read; 0: not, or it is being done
        self._foreign_sockets: set[str] = set()

    def open_stream(self, context: Context) -> None:
        """Make the session; it connects when the clock is known."""
        self.session = self._new_session(context)

    def close_streams(self, context: Context) -> None:
        """The node stops: that they close now is no news to anybody."""
        self._stream_was_up = False
        for session in self._sessions():
            if session.socket_id:
                context.effect("socket", SocketClose(session.socket_id))

    def tick_streams(self, context: Context) -> None:
        """Look at everything of the streams that has a deadline."""
        now_ns = context.now_ns
        for session in self._sessions():
            if session.phase is not Phase.IDLE:
                self._act(session.tick(now_ns), context)
            elif session is self.session and self.credentials and self.guard.judge(now_ns) in MAY_SIGN:
                self._act(session.start(now_ns), context)
        self._tell_switched(context)

    def _new_session(self, context: Context) -> StreamSession:
        settings = self.settings
        limits = StreamLimits(backoff_min=settings.backoff_min, backoff_max=settings.backoff_max)
        name = f"{context.name}@{context.now_ns}"
        return StreamSession(name, self.CHANNELS, limits, context.random, self._login)

    def _login(self, now_ns: int) -> str:
        return self._login_with(self.credentials, now_ns)

    def _login_on_trial(self, now_ns: int) -> str:
        return self._login_with(self.trial.candidate, now_ns)

    def _login_with(self, credentials: Credentials | None, now_ns: int) -> str:
        """Return the text of a login; "" when nothing may be signed."""
        if credentials is None or self.guard.judge(now_ns) not in MAY_SIGN:
            return ""
        return login_text(credentials.key, credentials.secret, self.guard.venue_ns(now_ns) // MS)

    def _sessions(self) -> list[StreamSession]:
        return [one for one in (self.session, self._coming, self._going) if one is not None]

    def _session_of(self, socket_id: str) -> StreamSession | None:
        return next((one for one in self._sessions() if one.socket_id == socket_id), None)

    # -- a newer key -----------------------------------------------------------------------------------

    def key_readable(self, context: Context) -> None:
        """The key on trial may read: see whether it gets a stream, where there is one that must not break."""
        if not self.session.is_up:
            self._switch(context)
            return
        self._coming = self._new_session(context)
        self._coming.login = self._login_on_trial
        self._act(self._coming.start(context.now_ns), context)

    def _switch(self, context: Context) -> None:
        """Sign with the newer key from now on."""
        credentials = self.trial.take()
        if credentials is not None:
            self._switched_ns = context.now_ns
            self.key_adopted(credentials, context)
            self._tell_switched(context)

    def _tell_switched(self, context: Context) -> None:
        """Tell that the key before is out of use, once nothing of it is under way any more."""
        if self._switched_ns and self._going is None and not self.line.owes_since(self._switched_ns):
            self._switched_ns = 0
            self.trial.adopted(context)

    def _look_at_coming(self, coming: StreamSession, context: Context) -> None:
        """Have it take the place of the one in use as soon as it is up; whoever failed is forgotten."""
        if coming.is_up:
            self._coming, before, self.session = None, self.session, coming
            coming.login = self._login
            coming.stats.follow(before.stats)
            coming.reason = before.reason
            self._going = before if before.is_up else None
            self._switch(context)
            if self._going is not None:
                self._act(before.leave(context.now_ns), context)
            else:
                self._act(before.lose("a newer key has a stream", context.now_ns), context)
        elif coming.phase is Phase.PAUSING:
            self._coming = None
            if self.session.is_up:
                context.log("key not adopted: its stream did not come up", reason=coming.reason)
                self.trial.drop()
            else:
                self._switch(context)

    def _look_at_going(self, going: StreamSession, context: Context) -> None:
        """Let it go when it is over; what it may have kept to itself, the lists say."""
        if going.phase is Phase.LEAVING:
            return
        self._going = None
        if going.phase is Phase.PAUSING:
            context.log("the stream before ended without a farewell", reason=going.reason)
            self._sync_due_ns = self._sync_due_ns or context.now_ns
        self._tell_switched(context)

    def _refused_coming(self, text: str, context: Context) -> None:
        self._coming = None
        self.trial.refuse(f"the private stream answered: {text}", context)

    # -- the socket pump -------------------------------------------------------------------------------

    def on_socket_opened(self, message: SocketOpened, context: Context) -> None:
        """The pump has a connection."""
        session = self._session_of(message.socket_id)
        if session is not None:
            self._act(session.opened(message.socket_id, context.now_ns), context)

    def on_socket_closed(self, message: SocketClosed, context: Context) -> None:
        """It has none any more."""
        self._foreign_sockets.discard(message.socket_id)
        session = self._session_of(message.socket_id)
        if session is not None:
            reason = f"socket closed ({message.code}): {message.reason}"
            self._act(session.closed(message.socket_id, reason, context.now_ns), context)

    def on_socket_frame(self, message: SocketFrame, context: Context) -> None:
        """One frame of a private stream."""
        session = self._session_of(message.socket_id)
        if session is None:
            self._shut_foreign(message.socket_id, context)
            return
        try:
            frame = self.read_frame(message.data)
        except Malformed as error:
            self.surprise(f"private frame: {error}", context)
            self._sync_due_ns = self._sync_due_ns or context.now_ns + RESYNC_PAUSE_NS
            return
        self._now_ns = now_ns = context.now_ns
        if isinstance(frame, Control):
            quiet = frame.channel in self.QUIET and not frame.event
            event = "pong" if quiet else frame.event
            self._act(session.control(event, frame.channel, frame.message, now_ns), context)
            return
        channel = str(frame.__struct_config__.tag)
        if frame.event:
            self._act(session.control(frame.event, channel, "", now_ns), context)
        elif isinstance(frame, AuthFrame):
            self._logged_in(session, frame, context)
        else:
            session.data(channel, now_ns)
            if session is not self._coming:  # until it is up, the one in use says the same
                self.data_frame(frame, context)

    def read_frame(self, raw: bytes) -> Any:
        """Return a frame of the private stream. Errors: Malformed."""
        return read_private(raw)

    def data_frame(self, frame: Any, context: Context) -> None:
        """Take in what a channel says."""
        if isinstance(frame, OrdersFrame):
            for order in frame.data:
                self.order_row(order, context)
        elif isinstance(frame, StreamFillsFrame):
            for fill in frame.data:
                self.fill_row(fill, context)

    def _logged_in(self, session: StreamSession, frame: AuthFrame, context: Context) -> None:
        result = frame.data
        success, text = (result.success, result.message) if result else (False, "no result")
        if not success and session is self._coming:
            self._refused_coming(text, context)
        self._act(session.logged_in(success, text, context.now_ns), context)
        if not success and session is self.session:
            self.access_refused(RefusedError("401", f"login: {text}"), context)

    def _act(self, actions: list[Action], context: Context) -> None:
        """Carry out what a session wants, and see whether anything came up or went down."""
        for action in actions:
            if isinstance(action, Open):
                url, timeout_ns = self.settings.stream_url, self.session.limits.answer_timeout
                context.effect("socket", SocketOpen(action.socket_id, url, (), timeout_ns))
            elif isinstance(action, Send):
                context.effect("socket", SocketSend(action.socket_id, action.text))
            elif isinstance(action, Shut):
                context.effect("socket", SocketClose(action.socket_id))
        if self._coming is not None:
            self._look_at_coming(self._coming, context)
        if self._going is not None:
            self._look_at_going(self._going, context)
        if self.session.is_up and not self._stream_was_up:
            self._stream_was_up = True
            self.stream_came_up(context)
        elif self._stream_was_up and not self.session.is_up:
            self._stream_was_up = False
            self.go_down(f"stream: {self.session.reason}", context)

    def _shut_foreign(self, socket_id: str, context: Context) -> None:
        """A connection from before this behaviour was rebuilt still lives in the pump."""
        if socket_id not in self._foreign_sockets and len(self._foreign_sockets) < FOREIGN_MAX:
            self._foreign_sockets.add(socket_id)
            context.effect("socket", SocketClose(socket_id))

    # -- for connection.py to fill in ------------------------------------------------------------------

    def stream_came_up(self, context: Context) -> None:
        """The stream in use is up: what was said before is to be read."""
        raise NotImplementedError
