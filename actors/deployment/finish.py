"""Ends a run over recorded data when the last feed has reached the end of its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from actors.messages.market import ReplayFinished
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.messages import Message

__all__ = ["Finish"]

SETTLE_NS = 10_000_000_000  # of virtual time, for what is still on its way


class AllSettled(Message, frozen=True):
    """Nothing that the data caused is on its way any more."""


class Finish(Behaviour):
    """Counts feeds that have finished, waits for the dust to settle, then asks for the stop."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (ReplayFinished, AllSettled)
    PHASE = Phase.SOURCE

    def __init__(self, feeds_count: int, stop: Callable[[], None]) -> None:
        self._unfinished = feeds_count
        self._stop = stop

    def on_replay_finished(self, message: ReplayFinished, context: Context) -> None:
        """One feed less to wait for."""
        self._unfinished -= 1
        context.log("replay finished", symbol=message.symbol, rows=message.rows_count)
        if self._unfinished <= 0:
            context.schedule(SETTLE_NS, AllSettled(), key="settle")

    def on_all_settled(self, message: AllSettled, context: Context) -> None:
        """Have the node stop in order."""
        self._stop()
