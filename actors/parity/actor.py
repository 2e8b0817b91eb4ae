"""Has the gap between the node and its model measured once a day, and says when it drifts."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from actors.domain.money import E8, format_e8
from actors.domain.place import Place
from actors.messages.parity import PARITY_PORT, MeasureParity, ParityFailed, ParityMeasured
from actors.parity.settings import DAY_NS, SECOND_NS, ParitySettings
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message, Severity

__all__ = ["ParityActor", "ParityDue", "ParityState"]

DRIFT, FAILED = "ParityDrift", "ParityNotMeasured"
GRACE_NS = 10 * SECOND_NS  # for the answer, beyond the measurement's own limit
PARTS = ("data", "latency", "queue", "slippage", "fees", "funding", "code")


class ParityDue(Message, frozen=True):
    """It is time to measure a day, or a measurement is overdue."""


class ParityState(msgspec.Struct):
    """What a restart must neither forget nor repeat."""

    day: int = -1  # that was measured last, days since 1970-01-01 UTC; -1 for none
    newest: ParityMeasured | None = None
    measured_count: int = 0
    failed_count: int = 0
    last_failure: str = ""


class ParityActor(Behaviour):
    """Asks the pump for yesterday; compares the answer with the limits."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (ParityDue, ParityMeasured, ParityFailed)
    STATE = ParityState
    PERSISTENCE: ClassVar = Persistence.SAVED
    PHASE: ClassVar = Phase.DECIDE

    state: ParityState

    def __init__(self, settings: ParitySettings, place: Place) -> None:
        self.settings = settings
        self._asked = ""  # the request that is under way
        self._asked_day = -1
        self._give_up_ns = 0
        self._first_day = -1  # a node that never ran has no day before

    def started(self, context: Context) -> None:
        """Measure a day that was missed, else wait for the next."""
        if self.state.day < 0:
            self._first_day = _day(context.now_ns)
        context.schedule(self._wait_ns(context.now_ns), ParityDue(), key="due")

    def on_parity_due(self, message: ParityDue, context: Context) -> None:
        """Ask for yesterday, once; give up what takes too long."""
        now_ns = context.now_ns
        if self._asked and now_ns >= self._give_up_ns:
            self._fail("no answer in time", context)
        yesterday = _day(now_ns - self.settings.at) - 1
        if not self._asked and yesterday > self.state.day and yesterday >= self._first_day:
            self._ask(yesterday, context)
        wait_ns = self._give_up_ns - now_ns if self._asked else self._wait_ns(now_ns)
        context.schedule(max(wait_ns, SECOND_NS), ParityDue(), key="due")

    def on_parity_measured(self, message: ParityMeasured, context: Context) -> None:
        """Keep the result and hold it against the limits."""
        if message.request_id != self._asked:
            return
        self._asked = ""
        state, settings = self.state, self.settings
        state.day, state.newest = self._asked_day, message
        state.measured_count += 1
        context.save()
        context.resolve(FAILED)
        context.log("parity measured", gap_usdt=message.gap_usdt, **_parts(message))
        gap, code = abs(message.gap_usdt), abs(message.code_usdt)
        if gap > settings.gap_usdt_max or code > settings.code_usdt_max:
            said = ", ".join(f"{name} {format_e8(usdt)}" for name, usdt in _parts(message).items() if usdt)
            text = f"The day ended {format_e8(message.gap_usdt)} USDT from its model: {said}"
            context.alert(
                DRIFT, Severity.TICKET, text, gap_usdt=message.gap_usdt, code_usdt=message.code_usdt
            )
        else:
            context.resolve(DRIFT)

    def on_parity_failed(self, message: ParityFailed, context: Context) -> None:
        """Say so; the day is not tried again, the next one is."""
        if message.request_id == self._asked:
            self._fail(message.reason, context)

    # -- inside --------------------------------------------------------------------------------------------

    def _ask(self, day: int, context: Context) -> None:
        settings = self.settings
        self._asked, self._asked_day = f"{context.epoch}.{day}", day
        self._give_up_ns = context.now_ns + settings.timeout + GRACE_NS
        request = MeasureParity(
            request_id=self._asked,
            from_ns=day * DAY_NS,
            to_ns=(day + 1) * DAY_NS,
            latency_ns=settings.latency,
            taker_fee_e8=settings.fees.get("taker", -1),
            maker_fee_e8=settings.fees.get("maker", -1),
            slippage_e8=settings.slippage,
            queue=settings.queue,
            timeout_ns=settings.timeout,
        )
        context.effect(PARITY_PORT, request)

    def _fail(self, reason: str, context: Context) -> None:
        self._asked = ""
        state = self.state
        state.day, state.last_failure = self._asked_day, reason
        state.failed_count += 1
        context.save()
        context.alert(FAILED, Severity.TICKET, f"The gap to the model was not measured: {reason}")

    def _wait_ns(self, now_ns: int) -> int:
        """Return how long until the next day can be measured; little when one is overdue."""
        since_ns = (now_ns - self.settings.at) % DAY_NS
        is_overdue = 0 <= self.state.day < _day(now_ns - self.settings.at) - 1
        return SECOND_NS if is_overdue else DAY_NS - since_ns

    def describe(self) -> dict[str, Any]:
        """Return the newest measurement."""
        state = self.state
        newest = state.newest
        return {
            "is_measuring": bool(self._asked),
            "measured": state.measured_count,
            "failed": state.failed_count,
            "last_failure": state.last_failure,
            "newest": msgspec.structs.asdict(newest) if newest is not None else {},
        }

    def gauges(self) -> dict[str, int | float]:
        """Return the newest gap and its parts."""
        state, newest = self.state, self.state.newest
        counts = {"parity_measurements": state.measured_count, "parity_failures": state.failed_count}
        if newest is None:
            return counts
        parts = {f"parity_part_usdt{{part={name}}}": usdt / E8 for name, usdt in _parts(newest).items()}
        return {**counts, "parity_gap_usdt": newest.gap_usdt / E8, **parts}


def _parts(measured: ParityMeasured) -> dict[str, int]:
    return {name: getattr(measured, f"{name}_usdt") for name in PARTS}


def _day(at_ns: int) -> int:
    return at_ns // DAY_NS
