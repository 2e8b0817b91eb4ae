"""The machine under the venue actor: signed requests on their way, and questions that need several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from actors.domain.money import E8
from actors.domain.place import Place
from actors.messages.secrets import SecretsOffered
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.line import Call, Headers, Line, NotAnswered, RateLimited
from actors.poloniex.rate_budget import Priority, RateBudget, limits_of
from actors.poloniex.request import Request
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Severity
from actors.venue.errors import RefusedError, UnavailableError, VenueError
from actors.venue.poloniex.clock_guard import ClockGuard, ClockJudgement
from actors.venue.poloniex.credentials import Credentials, credentials_of
from actors.venue.poloniex.failures import ACCESS_CODES, MAINTENANCE_CODES, classify_outcome
from actors.venue.poloniex.readings import Pause, Steps
from actors.venue.poloniex.reports import Reporter
from actors.venue.poloniex.requests import balance
from actors.venue.poloniex.rotation import KeyTrial
from actors.venue.poloniex.settings import PoloniexAccountSettings
from actors.venue.poloniex.signing import auth_headers, sign
from actors.venue.poloniex.state import PoloniexVenueState, ReadingDue

__all__ = ["Reading", "VenueCore"]

MS = 1_000_000
SECOND = 1_000 * MS
RETRY_MIN_NS, RETRY_MAX_NS = 200 * MS, 4 * SECOND
RATE_LIMITED = "VenueRateLimited"
SURPRISE = "VenueSurprise"
RATE_CALM_NS = 300 * SECOND  # without a 429, and it is over
SURPRISE_CALM_NS = 86_400 * SECOND  # without another surprise, and it is over
MAY_SIGN = (ClockJudgement.GOOD, ClockJudgement.WORRYING)


@dataclass(slots=True)
class Reading:
    """One question or command under way, and who wants to know how it ends."""

    number: int
    steps: Steps[Any]
    done: Callable[[Any, Reading, Context], None]
    failed: Callable[[VenueError, Reading, Context], None]
    priority: Priority
    deadline_ns: int
    began_ns: int  # by the venue's clock: what it finds may be as old as this
    request: Request | None = None  # the one under way, or to be sent again
    attempts: int = 0  # of that request, before this one
    call: Call | None = None  # the one that carries it now


class VenueCore(Behaviour):
    """Sends what the rest of the venue actor wants sent."""

    STATE = PoloniexVenueState
    PERSISTENCE: ClassVar = Persistence.SAVED
    PHASE: ClassVar = Phase.SOURCE
    PROBE: ClassVar[Request] = balance()  # what a new key is tried with

    state: PoloniexVenueState
    line: Line

    def __init__(self, settings: PoloniexAccountSettings, place: Place) -> None:
        self.settings = settings
        self.account = place.account
        self.credentials = credentials_of(settings.key, settings.secret, place)
        self.trial = KeyTrial(settings.key, settings.secret, place, self.PROBE, self.key_readable)
        self.reporter = self.reporter_of(settings, place)
        self.guard = ClockGuard(settings.clock_worry, settings.clock_limit, 10 * settings.clock_every)
        self.surprises_count = 0
        self._receive_window = str(settings.receive_window // MS)
        self._now_ns = 0
        self._readings: dict[int, Reading] = {}
        self._readings_count = 0

    def open_line(self, context: Context) -> None:
        """Make the line, with the paces that were in force before a restart."""
        settings = self.settings
        kept = settings.limits_fraction * settings.direct_fraction // E8  # for whoever stops us from outside
        limits = limits_of(settings.vip_level, settings.limits_fraction - kept)
        self._now_ns = context.now_ns
        self.line = Line(
            settings.rest_url,
            settings.request_timeout,
            RateBudget(limits, self.state.paces, settings.reserve_percent),
            self.seal,
            f"{context.epoch}.{context.now_ns}.",
            logs_all=True,
            account=self.account,
        )

    def seal(self, request: Request, now_ns: int) -> Headers | None:
        """Return the headers of a request that leaves now; None when nothing may be signed."""
        if not request.signed:
            return ()
        credentials = self.trial.credentials_for(request, self.credentials)
        if credentials is None or self.guard.judge(now_ns) not in MAY_SIGN:
            return None
        at_ms = self.guard.venue_ns(now_ns) // MS
        query = dict(request.query) if request.query else None
        signature = sign(credentials.secret, request.method, request.path, at_ms, query, request.body)
        headers = auth_headers(credentials.key, signature, at_ms)
        if self.settings.receive_window:
            headers += (("recvWindow", self._receive_window),)
        return headers if request.body is None else (*headers, ("Content-Type", "application/json"))

    def on_rate_limited(self, message: RateLimited, context: Context) -> None:
        """Somebody who shares a limit with us got a 429; it has raised the alert."""
        if self.line.heard(message, context):
            context.save()

    def on_secrets_offered(self, message: SecretsOffered, context: Context) -> None:
        """A newer key may be at hand: try it while the one in use goes on."""
        call = self.trial.call(message, context.now_ns + self.settings.request_timeout)
        if call is not None:
            self.line.put(call, context)

    # -- questions and commands ----------------------------------------------------------------------

    def begin(
        self,
        steps: Steps[Any],
        done: Callable[[Any, Reading, Context], None],
        failed: Callable[[VenueError, Reading, Context], None],
        context: Context,
        *,
        priority: Priority = Priority.NORMAL,
        timeout_ns: int = 0,
    ) -> Reading:
        """Drive a generator of requests to its end, and tell it or its failure once."""
        self._readings_count += 1
        self._now_ns = context.now_ns
        deadline_ns = context.now_ns + (timeout_ns or self.settings.reading_timeout)
        began_ns = self.venue_now_ns()
        reading = Reading(self._readings_count, steps, done, failed, priority, deadline_ns, began_ns)
        self._readings[reading.number] = reading
        self._go_on(reading, partial(next, steps), context)
        return reading

    def on_reading_due(self, message: ReadingDue, context: Context) -> None:
        """A pause is over: send again, or go on."""
        reading = self._readings.get(message.number)
        if reading is None:
            return
        if reading.request is not None:
            self._send(reading, reading.request, context)
        else:
            self._go_on(reading, partial(next, reading.steps), context)

    def _go_on(self, reading: Reading, resume: Callable[[], Request | Pause], context: Context) -> None:
        """Have the generator take its next step."""
        self._now_ns = context.now_ns
        try:
            step = resume()
        except StopIteration as end:
            del self._readings[reading.number]
            finding = end.value
        except Malformed as error:
            self.surprise(str(error), context)
            self._fail(reading, UnavailableError("malformed", str(error)), context)
            return
        except VenueError as error:
            self._fail(reading, error, context)
            return
        else:
            self._take_step(reading, step, context)
            return
        reading.done(finding, reading, context)

    def _take_step(self, reading: Reading, step: Request | Pause, context: Context) -> None:
        if isinstance(step, Pause):
            reading.request = None
            context.schedule(step.duration_ns, ReadingDue(reading.number))
            return
        reading.request, reading.attempts = step, 0
        self._send(reading, step, context)

    def _send(self, reading: Reading, request: Request, context: Context) -> None:
        outcome = partial(self._answered, reading)
        call = Call(request, reading.priority, reading.deadline_ns, outcome, reading.attempts + 1)
        reading.call = call
        self.line.put(call, context)

    def _answered(
        self, reading: Reading, call: Call, outcome: Answer | NotAnswered, context: Context
    ) -> None:
        """Go on with an answer, send again while nothing has happened, or fail."""
        error = classify_outcome(outcome, changes=call.request.changes)
        if error is None and isinstance(outcome, Answer):
            self._go_on(reading, partial(reading.steps.send, outcome), context)
            return
        if error is None:
            return
        self._notice(error, context)
        if isinstance(error, UnavailableError) and self._try_again(reading, context):
            return
        if isinstance(error, RefusedError):
            self._go_on(reading, partial(reading.steps.throw, error), context)
        else:
            self._fail(reading, error, context)

    def _try_again(self, reading: Reading, context: Context) -> bool:
        """Send the same request after a pause, if there is time for it."""
        pause_ns = min(RETRY_MAX_NS, RETRY_MIN_NS << min(reading.attempts, 10))
        pause_ns -= context.random.randrange(pause_ns // 4 + 1)
        if context.now_ns + pause_ns >= reading.deadline_ns:
            return False
        reading.attempts += 1
        context.schedule(pause_ns, ReadingDue(reading.number))
        return True

    def _fail(self, reading: Reading, error: VenueError, context: Context) -> None:
        self._readings.pop(reading.number, None)
        reading.steps.close()
        reading.failed(error, reading, context)

    def _notice(self, error: VenueError, context: Context) -> None:
        """See what a failure says beyond its own request."""
        if error.code == "429":
            text = f"The venue limits our requests: {self.line.budget.refused_count()} refused in all"
            context.alert(RATE_LIMITED, Severity.TICKET, text, key=self.account, ends_after_ns=RATE_CALM_NS)
            context.save()
        elif error.code in ACCESS_CODES:
            self.access_refused(error, context)
        elif error.code in MAINTENANCE_CODES:
            self.go_down(f"the venue is in maintenance: {error}", context)

    def surprise(self, text: str, context: Context) -> None:
        """The venue said something that nobody documented: set aside, counted, told once."""
        self.surprises_count += 1
        context.log("venue surprise", text=text)
        said = f"The venue said what we cannot read: {text}"
        context.alert(SURPRISE, Severity.TICKET, said, key=self.account, ends_after_ns=SURPRISE_CALM_NS)

    def venue_now_ns(self) -> int:
        """Return the venue's time in this turn."""
        return self.guard.venue_ns(self._now_ns)

    def reporter_of(self, settings: Any, place: Place) -> Reporter:
        """Return who translates between the venue's words and ours."""
        return Reporter(place.account, place.instruments, settings.margin_mode, settings.self_trade)

    # -- for streaming.py and connection.py to fill in ---------------------------------------------------

    def access_refused(self, error: VenueError, context: Context) -> None:
        """The key is not, or no longer, welcome."""
        raise NotImplementedError

    def go_down(self, reason: str, context: Context) -> None:
        """The venue cannot be traded at."""
        raise NotImplementedError

    def key_readable(self, context: Context) -> None:
        """The key on trial may read."""
        raise NotImplementedError

    def key_adopted(self, credentials: Credentials, context: Context) -> None:
        """A newer key is in use from now on."""
        raise NotImplementedError
