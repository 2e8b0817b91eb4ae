"""How far a long command has come, on stderr: a line that moves on a terminal, now and then one elsewhere."""

from __future__ import annotations

import math
import sys

import click

from actors.cli.output import note
from actors.runtime.clock import monotonic_ns

__all__ = ["Pace", "Progress"]

SECOND_NS = 1_000_000_000
MEMORY_S = 20.0  # what happened longer ago hardly counts for what is still to come
KNOWN_AFTER_S = 2.0  # before that nobody can say how long it will take


class Pace:
    """How fast something goes: a mean that forgets, so that one slow second is no hour."""

    def __init__(self) -> None:
        self._began_ns = self._last_ns = 0
        self._part = 0.0
        self._done = self._weight = 0.0  # of the part that was done, and of seconds, both fading

    def seen(self, part: float, now_ns: int) -> None:
        """Take how much of the whole is done. The time before the first call does not count."""
        if not self._began_ns:
            self._began_ns, self._last_ns, self._part = now_ns, now_ns, part
            return
        seconds = (now_ns - self._last_ns) / SECOND_NS
        if seconds <= 0:
            return
        fade = math.exp(-seconds / MEMORY_S)
        self._done = self._done * fade + (part - self._part)
        self._weight = self._weight * fade + seconds
        self._last_ns, self._part = now_ns, part

    def left_s(self) -> float:
        """Return how many seconds are left; nan while nobody can tell."""
        too_early = (self._last_ns - self._began_ns) / SECOND_NS < KNOWN_AFTER_S
        if too_early or self._done <= 0:
            return math.nan
        return max(0.0, 1 - self._part) * self._weight / self._done


class Progress:
    """Tells how far something has come, as long as it takes long enough."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._every_ns = SECOND_NS // 2 if self._is_terminal else 5 * SECOND_NS
        self._quiet = quiet
        self._pace = Pace()
        self._began_ns = self._told_ns = monotonic_ns()

    def __call__(self, part: float, text: str) -> None:
        """Take the part that is done, from 0 to 1, and what it has come to."""
        now_ns = monotonic_ns()
        self._pace.seen(part, now_ns)
        is_over = part >= 1 and self._told_ns > self._began_ns and self._is_terminal
        if self._quiet or (now_ns - self._told_ns < self._every_ns and not is_over):
            return
        self._told_ns = now_ns
        line = f"{part:4.0%}  {text}{left_text(self._pace.left_s() if part < 1 else math.nan)}"
        if self._is_terminal:
            click.echo("\r" + line.ljust(72) + ("\n" if part >= 1 else ""), err=True, nl=False)
        else:
            note(line)


def left_text(seconds: float) -> str:
    """Return how long it still takes, no more exact than anybody can know."""
    if math.isnan(seconds):
        return ""
    if seconds < 90:
        return (
            f"  about {max(1, round(seconds))} s to go"
            if seconds < 20
            else f"  about {round(seconds, -1):.0f} s to go"
        )
    minutes = seconds / 60
    return f"  about {minutes:.0f} min to go" if minutes < 90 else f"  about {minutes / 60:.1f} h to go"
