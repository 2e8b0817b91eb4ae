"""Has the gap between the node and its model measured, a day at a time, and says when it drifts."""

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
    """It is time to measure a span, or a measurement is overdue."""


class ParityState(msgspec.Struct):
    """What a restart must neither forget nor repeat."""

    measured_to_ns: int = 0  # end of the span that was measured last; 0 for none
    newest: ParityMeasured | None = None
    measured_count: int = 0
    failed_count: int = 0
    last_failure: str = ""


class ParityActor(Behaviour):
    """Asks the pump for the span that ended last; compares the answer with the limits."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (ParityDue, ParityMeasured, ParityFailed)
    STATE = ParityState
    STATE_VERSION = 2
    PERSISTENCE: ClassVar = Persistence.SAVED
    PHASE: ClassVar = Phase.DECIDE

    state: ParityState

    def __init__(self, settings: ParitySettings, place: Place) -> None:
        self.settings = settings
        self._asked = ""  # the request that is under way
        self._asked_to_ns = 0
        self._give_up_ns = 0
        self._began_ns = 0  # start of the first span there is: a node that never ran has none before

    def upgrade(self, state: Any, version: int) -> Any:
        """Version 1 knew days only, by their number."""
        day = state.pop("day", -1)
        return {**state, "measured_to_ns": (day + 1) * DAY_NS}

    def started(self, context: Context) -> None:
        """Measure a span that was missed, else wait for the next."""
        if not self.state.measured_to_ns:
            self._began_ns = context.now_ns // self.settings.every * self.settings.every
        self._wait(context)

    def on_parity_due(self, message: ParityDue, context: Context) -> None:
        """Ask for the span that ended last, once; give up what takes too long."""
        now_ns = context.now_ns
        if self._asked and now_ns >= self._give_up_ns:
            self._fail("no answer in time", context)
        to_ns = self._newest_end_ns(now_ns)
        if not self._asked and to_ns > max(self.state.measured_to_ns, self._began_ns):
            self._ask(to_ns, context)
        wait_ns = self._give_up_ns - now_ns if self._asked else self._wait_ns(now_ns)
        context.schedule(max(wait_ns, SECOND_NS), ParityDue(), key="due")

    def on_parity_measured(self, message: ParityMeasured, context: Context) -> None:
        """Keep the result and hold it against the limits."""
        if message.request_id != self._asked:
            return
        self._asked = ""
        state, settings = self.state, self.settings
        state.measured_to_ns, state.newest = self._asked_to_ns, message
        state.measured_count += 1
        context.save()
        context.resolve(FAILED)
        context.log("parity measured", gap_usdt=message.gap_usdt, **_parts(message))
        gap, code = abs(message.gap_usdt), abs(message.code_usdt)
        if gap > settings.gap_usdt_max or code > settings.code_usdt_max:
            said = ", ".join(f"{name} {format_e8(usdt)}" for name, usdt in _parts(message).items() if usdt)
            text = f"The {self._span} ended {format_e8(message.gap_usdt)} USDT from its model: {said}"
            context.alert(
                DRIFT, Severity.TICKET, text, gap_usdt=message.gap_usdt, code_usdt=message.code_usdt
            )
        else:
            context.resolve(DRIFT)
        self._wait(context)

    def on_parity_failed(self, message: ParityFailed, context: Context) -> None:
        """Say so; the span is not tried again, the next one is."""
        if message.request_id == self._asked:
            self._fail(message.reason, context)
            self._wait(context)

    # -- inside --------------------------------------------------------------------------------------------

    def _ask(self, to_ns: int, context: Context) -> None:
        settings = self.settings
        self._asked, self._asked_to_ns = f"{context.epoch}.{to_ns}", to_ns
        self._give_up_ns = context.now_ns + settings.timeout + GRACE_NS
        request = MeasureParity(
            request_id=self._asked,
            from_ns=to_ns - settings.every,
            to_ns=to_ns,
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
        state.measured_to_ns, state.last_failure = self._asked_to_ns, reason
        state.failed_count += 1
        context.save()
        context.alert(FAILED, Severity.TICKET, f"The gap to the model was not measured: {reason}")

    def _wait(self, context: Context) -> None:
        """Wake up when there is something to measure again."""
        context.schedule(max(self._wait_ns(context.now_ns), SECOND_NS), ParityDue(), key="due")

    def _wait_ns(self, now_ns: int) -> int:
        """Return how long until the next span can be measured; little when one is overdue."""
        to_ns = self._newest_end_ns(now_ns)
        is_overdue = 0 < self.state.measured_to_ns < to_ns
        return SECOND_NS if is_overdue else to_ns + self.settings.every + self.settings.at - now_ns

    def _newest_end_ns(self, now_ns: int) -> int:
        """Return the end of the newest span that may be measured by now."""
        every = self.settings.every
        return (now_ns - self.settings.at) // every * every

    @property
    def _span(self) -> str:
        return "day" if self.settings.every == DAY_NS else f"span of {self.settings.every // SECOND_NS} s"

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
