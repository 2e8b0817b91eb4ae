"""The timers of an OMS."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["ParentSweep", "SightCheck", "Sweep"]


class Sweep(Message, frozen=True):
    """Look at the deadlines: requests without an answer, questions to ask again, closings to retry."""


class ParentSweep(Message, frozen=True):
    """Look at the parent orders whose instant has come: slices, retries, children without an answer."""


class SightCheck(Message, frozen=True):
    """See whether the stops that protect positions see prices."""
