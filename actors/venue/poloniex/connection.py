"""Being connected: the clock is good, the private stream is up, and what was missed has been read.

Only then is the venue up. Any of the three gone takes it down, and nobody opens risk on an account of which
the reports do not come.
"""

from __future__ import annotations

from typing import ClassVar

from actors.domain.place import Place
from actors.messages.venue import VenueConnection
from actors.poloniex.answers import OK, Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.line import Call, NotAnswered
from actors.poloniex.market_rows import read_server_time_ms
from actors.poloniex.rate_budget import Priority
from actors.poloniex.request import server_time
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity
from actors.runtime.pumps.messages import HttpFailure, HttpResponse
from actors.venue.errors import VenueError
from actors.venue.poloniex import requests
from actors.venue.poloniex.clock_guard import ClockJudgement
from actors.venue.poloniex.core import MAY_SIGN, MS, SECOND, SURPRISE, Reading
from actors.venue.poloniex.credentials import Credentials
from actors.venue.poloniex.readings import Steps, SyncFinding, read_since
from actors.venue.poloniex.rows import read_mode
from actors.venue.poloniex.settings import PoloniexAccountSettings
from actors.venue.poloniex.state import VenuePulse
from actors.venue.poloniex.streaming import VenueStreaming

__all__ = ["VenueConnecting"]

PULSE_NS = 250 * MS
FIRST_LOOKS = 5  # at the venue's clock, in quick succession, before anything is signed
FIRST_LOOK_EVERY_NS, FIRST_LOOK_EVERY_NS_MAX = 200 * MS, 5 * SECOND
SYNC_RETRY_NS = 2 * SECOND
ACCESS_RETRY_NS = 30 * SECOND  # a refused key is not tried again and again: that gets addresses banned
CURSOR_BEHIND_MS = 600_000

UNREACHABLE, KEY_REFUSED = "VenueUnreachable", "VenueKeyRefused"
CLOCK_DRIFT, CLOCK_SKEW = "ClockDrift", "ClockSkew"
WRONG_MODE = "hedge_mode"


class VenueConnecting(VenueStreaming):
    """Keeps the connection."""

    UNFIT: ClassVar[str] = "in hedge mode; only one-way mode can be traded"  # what sync_steps found

    def __init__(self, settings: PoloniexAccountSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._down_since_ns = 0
        self._down_told = False
        self._clock_due_ns = 0
        self._clock_told: ClockJudgement | None = None
        self._clock_failures = 0  # looks in a row that nobody answered
        self._clock_fault = ""  # why the last one was not
        self._sync_number = 0  # grows whenever we go down: a reading that began before is worth nothing
        self._key_refused = False

    def connect(self, context: Context) -> None:
        """Begin: look at the clock first."""
        self.open_stream(context)
        self._down_since_ns = context.now_ns
        context.publish(VenueConnection(self.account, False, self.down_reason, context.now_ns))
        self._pulse(context)

    # -- time ----------------------------------------------------------------------------------------

    def on_venue_pulse(self, message: VenuePulse, context: Context) -> None:
        """Look at everything that has a deadline."""
        self._pulse(context)

    def _pulse(self, context: Context) -> None:
        now_ns = self._now_ns = context.now_ns
        self.line.check(context)
        self._look_at_clock(context)
        self.tick_streams(context)
        if self._sync_due_ns and now_ns >= self._sync_due_ns and self.session.is_up:
            self._sync(context)
        self.look_for_lacking_fills(context)
        self.look_for_funding(context)
        self._move_cursor(context)
        self._tell_when_down_for_long(context)
        context.schedule(PULSE_NS, VenuePulse(), key="pulse")

    # -- the clock -----------------------------------------------------------------------------------

    def _look_at_clock(self, context: Context) -> None:
        if context.now_ns >= self._clock_due_ns:
            self._clock_due_ns = context.now_ns + self._clock_pause_ns(context.now_ns)
            deadline_ns = context.now_ns + self.settings.request_timeout
            self.line.put(Call(server_time(), Priority.NORMAL, deadline_ns, self._clock_seen), context)
        self._judge_clock(context)

    def _clock_seen(self, call: Call, outcome: Answer | NotAnswered, context: Context) -> None:
        if isinstance(outcome, NotAnswered) or outcome.code != OK:
            self._clock_failures += 1
            self._clock_fault = outcome.reason if isinstance(outcome, NotAnswered) else outcome.text
            return
        self._clock_failures, self._clock_fault = 0, ""
        try:
            venue_ms = read_server_time_ms(outcome)
        except Malformed as error:
            self.surprise(str(error), context)
            return
        self.guard.add(call.left_ns, context.now_ns, venue_ms)
        if self.guard.is_puzzled:
            self._clock_due_ns = min(self._clock_due_ns, context.now_ns + FIRST_LOOK_EVERY_NS)
        self._judge_clock(context)

    def _clock_pause_ns(self, now_ns: int) -> int:
        """Return when to look next: often at first and while nothing is signed, less so without answers."""
        if self.guard.looks_count >= FIRST_LOOKS:
            every_ns = self.settings.clock_every
            return (
                every_ns if self.guard.judge(now_ns) in MAY_SIGN else min(every_ns, FIRST_LOOK_EVERY_NS_MAX)
            )
        return min(FIRST_LOOK_EVERY_NS << min(self._clock_failures, 20), FIRST_LOOK_EVERY_NS_MAX)

    def _judge_clock(self, context: Context) -> None:
        judgement = self.guard.judge(context.now_ns)
        if judgement is self._clock_told or (self._clock_told is None and not self.guard.looks_count):
            return
        self._clock_told = judgement
        shown = f"{self.guard.offset_ns // MS} ms, known to {self.guard.doubt_ns // MS} ms"
        if judgement is ClockJudgement.WORRYING:
            text = f"Our clock is off the venue's by {shown}"
            context.alert(CLOCK_DRIFT, Severity.TICKET, text, key=self.account)
        else:
            context.resolve(CLOCK_DRIFT, key=self.account)
        if judgement in MAY_SIGN:
            context.resolve(CLOCK_SKEW, key=self.account)
            if not self.is_up and self.session.is_up:
                self._sync_due_ns = context.now_ns
            return
        text = f"Nothing is signed: our clock is off the venue's by {shown} ({judgement.value})"
        context.alert(CLOCK_SKEW, Severity.PAGE, text, key=self.account)
        self.go_down(f"clock: {judgement.value}", context)

    # -- catching up ---------------------------------------------------------------------------------

    def stream_came_up(self, context: Context) -> None:
        """Read what happened before it did."""
        self._sync(context)

    def _sync(self, context: Context) -> None:
        """Read what happened while nobody listened; frames that come meanwhile are told as they come."""
        self._sync_due_ns = 0
        now_ns = self.venue_now_ns()
        since_ns = (self.state.synced_ms * MS or now_ns - self.settings.resync_lookback) - (
            self.settings.resync_overlap
        )
        number = self._sync_number

        def done(finding: SyncFinding | None, reading: Reading, context: Context) -> None:
            if number == self._sync_number:
                self._synced(finding, context)

        def failed(error: VenueError, reading: Reading, context: Context) -> None:
            if number == self._sync_number and not self._sync_due_ns:
                self._sync_due_ns = context.now_ns + SYNC_RETRY_NS
                context.log("not synchronised", error=str(error))

        self.begin(self.sync_steps(since_ns // MS), done, failed, context, priority=Priority.URGENT)

    def sync_steps(self, since_ms: int) -> Steps[SyncFinding | None]:
        """Read what was missed; None when the account cannot be traded as it is set up."""
        mode = read_mode((yield requests.position_mode()))
        if mode != "ONE_WAY":
            return None
        return (yield from read_since(since_ms))

    def _synced(self, finding: SyncFinding | None, context: Context) -> None:
        if finding is None:
            text = f"Account {self.account} is {self.UNFIT}"
            context.alert(SURPRISE, Severity.PAGE, text, key=WRONG_MODE)
            self.go_down(f"the account is {self.UNFIT}", context)
            self._sync_due_ns = context.now_ns + ACCESS_RETRY_NS
            return
        for fill in finding.fills:
            self.fill_row(fill, context)
        for order in (*finding.open_orders, *finding.ended_orders):
            self.order_row(order, context)
        if not self.is_up:
            self._go_up(context)

    def _go_up(self, context: Context) -> None:
        self.is_up, self.down_reason = True, ""
        self._key_refused = self._down_told = False
        for name in (UNREACHABLE, KEY_REFUSED):
            context.resolve(name, key=self.account)
        context.resolve(SURPRISE, key=WRONG_MODE)
        context.publish(VenueConnection(self.account, True, "connected and caught up", context.now_ns))

    def go_down(self, reason: str, context: Context) -> None:
        """Tell that the venue cannot be traded at, and try to come back as soon as the stream is up."""
        self.down_reason = reason
        self._sync_number += 1
        self._sync_due_ns = context.now_ns + SYNC_RETRY_NS if self.session.is_up else 0
        if self.is_up:
            self.is_up = False
            self._down_since_ns = context.now_ns
            context.publish(VenueConnection(self.account, False, reason, context.now_ns))

    def access_refused(self, error: VenueError, context: Context) -> None:
        """Stop, page, and try again rarely."""
        self.go_down(f"the key is refused: {error}", context)
        self._sync_due_ns = context.now_ns + ACCESS_RETRY_NS
        if not self._key_refused:
            self._key_refused = True
            text = f"The venue refuses the key of account {self.account}: {error.text or error.code}"
            context.alert(KEY_REFUSED, Severity.PAGE, text, key=self.account)

    def key_adopted(self, credentials: Credentials, context: Context) -> None:
        """Sign with a newer key from now on; a venue that refused the old one is asked again at once."""
        self.credentials = credentials
        context.log("key adopted", key=credentials.shown)
        if self._key_refused:
            self._key_refused = False
            self._sync_due_ns = context.now_ns if self.session.is_up else 0

    def _move_cursor(self, context: Context) -> None:
        """While all is well, move the instant from which a later synchronisation would have to read.

        It stays well behind: should the stream lose reports without a word, the next reading finds them.
        """
        now_ms = self.venue_now_ns() // MS
        if self.is_up and now_ms - self.state.synced_ms > 2 * CURSOR_BEHIND_MS:
            self.state.synced_ms = now_ms - CURSOR_BEHIND_MS
            context.save()

    def _tell_when_down_for_long(self, context: Context) -> None:
        down_ns = context.now_ns - self._down_since_ns
        if self.is_up or self._down_told or down_ns < self.settings.down_alert_after:
            return
        self._down_told = True
        reason = self.down_reason if self.credentials else "its key is missing"
        if self.credentials and self._clock_fault:
            reason = f"{self.settings.rest_url} does not tell its time: {self._clock_fault}"
        text = f"Account {self.account} cannot be traded: {reason}"
        context.alert(UNREACHABLE, Severity.PAGE, text, key=self.account, stream=self.session.reason)

    # -- the HTTP pump -------------------------------------------------------------------------------

    def on_http_response(self, message: HttpResponse, context: Context) -> None:
        """An answer came."""
        self.line.answered(message, context)

    def on_http_failure(self, message: HttpFailure, context: Context) -> None:
        """No answer came."""
        self.line.failed(message, context)
