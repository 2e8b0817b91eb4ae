"""What a rule is: settings in, a check out; the check reads an intent and the picture, and may say no."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.settings import RiskSettings

__all__ = ["Check", "Denial", "Rule"]


class Denial(NamedTuple):
    """Why not: a sentence for people, and the numbers behind it in the rule's unit."""

    text: str
    measured: int
    limit: int


# Pure: reads, never changes. None when the rule has nothing against the intent.
Check = Callable[[OrderIntent, Picture], Denial | None]


class Rule(NamedTuple):
    """One rule, as its file offers it to the table in rules/__init__.py."""

    name: str  # in denials, events and metrics
    make: Callable[[RiskSettings], Check | None]  # None when the settings turn the rule off
    binds_reducing: bool = False  # whether it also speaks about orders that only reduce a position
