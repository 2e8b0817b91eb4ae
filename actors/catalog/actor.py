"""Watches what the venue lists, and tells when it is not what the deployment trades on."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from actors.catalog.settings import CatalogSettings
from actors.catalog.verdict import judge
from actors.domain.listing import Listed
from actors.domain.place import Place
from actors.messages.control import Acknowledged, Halt, HaltLevel, Rejected
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.line import Call, Line, LineDue, NotAnswered, RateLimited
from actors.poloniex.market_listing import Reading, read_perpetuals, read_spot_markets
from actors.poloniex.rate_budget import Pace, Priority, RateBudget, limits_of
from actors.poloniex.request import Request
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message, Severity
from actors.runtime.pumps.messages import HttpFailure, HttpResponse

__all__ = ["CatalogActor", "CatalogPulse", "CatalogState"]

SECOND = 1_000_000_000
PULSE_NS = SECOND
RETRY_NS_MIN = 10 * SECOND  # after a reading that failed; each later pause is twice as long
PATIENCE_NS = 60 * SECOND  # a request's turn comes within this time, however few may leave
MISSING_READINGS = 2  # in a row, before a symbol counts as gone: an answer may be incomplete once
RATE_CALM_NS = 300 * SECOND  # without a 429, and it is over
CHANGED, STALE, RATE_LIMITED = "CatalogChanged", "CatalogStale", "VenueRateLimited"


class CatalogPulse(Message, frozen=True):
    """Look at deadlines."""


class CatalogState(msgspec.Struct):
    """What a restart must neither forget nor repeat."""

    told_at_ns: int = 0  # when the venue last told everything
    changed: dict[str, str] = {}  # symbol -> in what it is not as the file has it
    halted: dict[str, str] = {}  # symbol -> why this actor had it halted
    missing: dict[str, int] = {}  # symbol -> readings in a row without it
    paces: dict[str, Pace] = {}  # what 429 taught about the venue's limits


class CatalogActor(Behaviour):
    """Asks, compares, alerts; a symbol that must not be traded it has halted by risk."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        *(HttpResponse, HttpFailure, RateLimited, LineDue, CatalogPulse, Acknowledged, Rejected),
    )
    EMITS: ClassVar[tuple[type[Message], ...]] = (Halt, RateLimited)
    STATE = CatalogState
    PERSISTENCE: ClassVar = Persistence.SAVED
    PHASE: ClassVar = Phase.SOURCE

    state: CatalogState
    line: Line
    is_started = False

    def __init__(self, settings: CatalogSettings, place: Place) -> None:
        self.settings = settings
        wanted = settings.symbols or tuple(place.instruments)
        self.watched = {name: place.instruments[name] for name in wanted if name in place.instruments}
        self.unknown = tuple(name for name in wanted if name not in place.instruments)
        self.readings_count = 0
        self.failures_count = 0
        self.last_failure = ""
        self._failures_in_row = 0
        self._readings: list[Reading] = []  # under way, the current one first
        self._listed: list[Listed] = []
        self._due_ns = 0
        self._fresh_since_ns = 0

    def started(self, context: Context) -> None:
        """Ask at once: the node may have been down for long."""
        settings = self.settings
        budget = RateBudget(limits_of(0, settings.limits_fraction), self.state.paces)
        prefix = f"{context.epoch}.{context.now_ns}."
        self.line = Line(settings.rest_url, settings.request_timeout, budget, _unsigned, prefix)
        self.is_started = True
        self._fresh_since_ns = context.now_ns
        self._due_ns = context.now_ns
        for symbol in [symbol for symbol in self.state.changed if symbol not in self.watched]:
            del self.state.changed[symbol]  # it is not traded any more
            context.resolve(CHANGED, key=symbol)
        for symbol in self.unknown:
            context.log("symbol on no markets file", symbol=symbol)
        context.schedule(0, CatalogPulse(), key="pulse")

    def on_catalog_pulse(self, message: CatalogPulse, context: Context) -> None:
        """Begin a reading when it is time, and say so when there has been none for too long."""
        now_ns = context.now_ns
        self.line.check(context)
        if not self._readings and now_ns >= self._due_ns and self.watched:
            self._begin(context)
        since_ns = max(self._fresh_since_ns, self.state.told_at_ns)
        if now_ns - since_ns > self.settings.stale_after:
            hours = (now_ns - since_ns) // (3_600 * SECOND)
            text = f"The venue has not told its markets for {hours} h: {self.last_failure or 'no answer yet'}"
            context.alert(STALE, Severity.TICKET, text)
        context.schedule(PULSE_NS, CatalogPulse(), key="pulse")

    # -- reading -------------------------------------------------------------------------------------

    def _begin(self, context: Context) -> None:
        spot = {name: one for name, one in self.watched.items() if one.is_spot}
        perpetual = frozenset(self.watched.keys() - spot.keys())
        self._listed = []
        if perpetual:
            self._readings.append(read_perpetuals(perpetual))
        if spot:
            prices = {name: one.price_text(one.reference_ticks) for name, one in spot.items()}
            self._readings.append(read_spot_markets(prices, frozenset(spot)))
        self._ask(next(self._readings[0]), context)

    def _ask(self, request: Request, context: Context) -> None:
        deadline_ns = context.now_ns + PATIENCE_NS
        self.line.put(Call(request, Priority.IDLE, deadline_ns, self._answered), context)

    def _answered(self, call: Call, outcome: Answer | NotAnswered, context: Context) -> None:
        if isinstance(outcome, NotAnswered):
            self._fail(f"{call.request.path}: {outcome.reason}", context)
            return
        try:
            self._ask(self._readings[0].send(outcome), context)
        except Malformed as error:
            self._fail(str(error), context)
        except StopIteration as end:
            self._listed += end.value
            self._readings.pop(0)
            if self._readings:
                self._ask(next(self._readings[0]), context)
            else:
                self._finish(context)

    def _fail(self, reason: str, context: Context) -> None:
        """Begin anew after a pause; what is half known is not looked at."""
        self._readings.clear()
        self.failures_count += 1
        self._failures_in_row += 1
        self.last_failure = reason
        pause_ns = min(RETRY_NS_MIN << min(self._failures_in_row - 1, 10), self.settings.check_every)
        self._due_ns = context.now_ns + pause_ns
        context.log("markets not read", reason=reason, again_in_ms=pause_ns // 1_000_000)

    def _finish(self, context: Context) -> None:
        """Everything is told: compare it with what the deployment trades on."""
        self.readings_count += 1
        self._failures_in_row = 0
        self.last_failure = ""
        self._due_ns = context.now_ns + self.settings.check_every
        self.state.told_at_ns = context.now_ns
        context.resolve(STALE)
        found = {one.symbol: one for one in self._listed}
        for symbol in self.watched:
            self._compare(symbol, found.get(symbol), context)
        context.save()

    def _compare(self, symbol: str, listed: Listed | None, context: Context) -> None:
        state = self.state
        if listed is None:
            state.missing[symbol] = state.missing.get(symbol, 0) + 1
            if state.missing[symbol] < MISSING_READINGS:
                self._due_ns = min(self._due_ns, context.now_ns + RETRY_NS_MIN)
                return
        else:
            state.missing.pop(symbol, None)
        verdict = judge(self.watched[symbol], listed)
        if verdict.text:
            state.changed[symbol] = verdict.text
            severity = Severity.PAGE if verdict.halt else Severity.TICKET
            context.alert(CHANGED, severity, verdict.text, key=symbol)
        elif state.changed.pop(symbol, ""):
            context.resolve(CHANGED, key=symbol)
        self._halt(symbol, verdict.halt, context)

    def _halt(self, symbol: str, reason: str, context: Context) -> None:
        """Have risk let reductions through only; once for each reason, so that a person's resume holds."""
        halted = self.state.halted
        if not reason:
            if halted.pop(symbol, ""):
                context.log("symbol may be traded again; its halt waits for a person", symbol=symbol)
        elif halted.get(symbol) != reason:
            halted[symbol] = reason
            if self.settings.halt_symbols:
                context.publish(Halt(f"symbol/{symbol}", HaltLevel.NO_NEW_RISK, context.name, reason))

    # -- pumps and answers ---------------------------------------------------------------------------

    def on_http_response(self, message: HttpResponse, context: Context) -> None:
        """An answer came."""
        refused_count = self.line.budget.refused_count()
        self.line.answered(message, context)
        if self.line.budget.refused_count() != refused_count:
            context.save()
            text = "The venue limits the requests of the catalog: fewer leave for a while"
            context.alert(RATE_LIMITED, Severity.TICKET, text, key="catalog", ends_after_ns=RATE_CALM_NS)

    def on_http_failure(self, message: HttpFailure, context: Context) -> None:
        """No answer came."""
        self.line.failed(message, context)

    def on_rate_limited(self, message: RateLimited, context: Context) -> None:
        """Somebody who shares a limit with us got a 429; it has raised the alert."""
        if self.is_started and self.line.heard(message, context):
            context.save()

    def on_line_due(self, message: LineDue, context: Context) -> None:
        """A request's turn may have come."""
        self.line.pump(context)

    def on_acknowledged(self, message: Acknowledged, context: Context) -> None:
        """Risk has halted a symbol."""

    def on_rejected(self, message: Rejected, context: Context) -> None:
        """Risk did not; it alerts about its halts itself, so here it is written down."""
        context.log("halt refused", by=context.sender, text=message.text)

    # -- showing -------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """Return what is watched, and what is not as it should be."""
        state = self.state
        return {
            "watched": list(self.watched),
            "told_at_ns": state.told_at_ns,
            "changed": dict(state.changed),
            "halted_symbols": dict(state.halted),
            "missing": dict(state.missing),
            "readings": self.readings_count,
            "failures": self.failures_count,
            "last_failure": self.last_failure,
        }

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        if not self.is_started:
            return {}
        return {
            "catalog_readings": self.readings_count,
            "catalog_failures": self.failures_count,
            "catalog_changed_symbols": len(self.state.changed),
            **self.line.gauges(),
        }


def _unsigned(request: object, now_ns: int) -> tuple[tuple[str, str], ...]:
    return ()
