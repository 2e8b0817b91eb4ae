"""Faults that a drill switches on in a feed that has none of its own: mute, freeze, delay."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Fault", "FaultSwitch"]


class Fault(enum.Enum):
    """What is wrong with the feed on purpose."""

    NONE = "none"
    MUTE = "mute"  # nothing is published
    FREEZE = "freeze"  # messages go on, prices stand still
    DELAY = "delay"  # messages go on, and fall behind


@dataclass(slots=True)
class FaultSwitch:
    """At most one fault, which ends by itself. Steps are ticks of the market's clock."""

    fault: Fault = Fault.NONE
    until_ns: int = 0
    step: int = 0  # FREEZE: the step that is shown; DELAY: the newest step shown
    lag_steps: int = 0  # DELAY: how far to fall behind

    def switch(self, fault: Fault, until_ns: int, step: int, lag_steps: int = 0) -> None:
        """Begin a fault in place of whatever was on."""
        self.fault, self.until_ns, self.step, self.lag_steps = fault, until_ns, step, lag_steps

    def source_step(self, step: int, now_ns: int) -> int:
        """Return the step of the market to show at this step of the clock; -1 for none.

        A delayed feed plays at half speed until it is as far behind as asked, so that it is never silent and
        never shows a step twice. When the fault ends the feed is back at the present.
        """
        if self.fault is Fault.NONE:
            return step
        if now_ns >= self.until_ns:
            self.fault = Fault.NONE
            return step
        if self.fault is Fault.MUTE:
            return -1
        if self.fault is Fault.FREEZE:
            return self.step
        newest = max(self.step, step - self.lag_steps)
        if newest == self.step and step & 1 == 0:
            newest += 1
        if newest == self.step:
            return -1
        self.step = newest
        return newest
