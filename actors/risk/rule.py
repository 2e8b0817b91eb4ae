"""What a rule is: settings in, a check out; the check reads an intent and the picture, and may say no."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import NamedTuple

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.settings import Action, RiskSettings

__all__ = [
    "EXITS",
    "LATCHED",
    "LATCHES",
    "SIZED_STOPS",
    "SIZES",
    "STOPS",
    "STOPS_FIRST",
    "Check",
    "Denial",
    "Rule",
    "Scope",
]


class Denial(NamedTuple):
    """Why not: a sentence for people, and the numbers behind it in the rule's unit."""

    text: str
    measured: int
    limit: int


class Scope(enum.Enum):
    """What a rule is about, and so what an action of it stops."""

    SYMBOL = "symbol"
    STRATEGY = "strategy"
    ACCOUNT = "account"


# Pure: reads, never changes. None when the rule has nothing against the intent.
Check = Callable[[OrderIntent, Picture], Denial | None]

DENY, SHRINK, FLATTEN = Action.DENY, Action.SHRINK, Action.FLATTEN
# What may follow a no, beside the no itself.
LATCHES = (DENY, Action.REDUCE_ONLY, Action.CANCEL, FLATTEN, Action.HALT)
SIZES = (DENY, SHRINK, Action.REDUCE_ONLY, Action.CANCEL, FLATTEN, Action.HALT)  # a smaller order may pass
# A strategy's positions are not told apart at the venue, so it cannot be flattened.
STOPS = (DENY, Action.REDUCE_ONLY, Action.CANCEL, Action.HALT)
STOPS_FIRST = (Action.REDUCE_ONLY, Action.CANCEL, Action.HALT, DENY)
SIZED_STOPS = (DENY, SHRINK, Action.REDUCE_ONLY, Action.CANCEL, Action.HALT)
LATCHED = (Action.REDUCE_ONLY, Action.CANCEL, FLATTEN, Action.HALT, DENY)
EXITS = (FLATTEN, Action.HALT)


class Rule(NamedTuple):
    """One rule, as its file offers it to the table in rules/table.py."""

    name: str  # in denials, events and metrics
    make: Callable[[RiskSettings], Check | None]  # None when the settings turn the rule off
    binds_reducing: bool = False  # whether it also speaks about orders that only reduce a position
    limits: tuple[str, ...] = ()  # settings that hold its limits
    scope: Scope = Scope.ACCOUNT
    actions: tuple[Action, ...] = (DENY,)  # what may follow; the first unless the settings say otherwise
    watched: bool = False  # the check reads the account alone: it is asked whenever the ledger speaks, too
    period: Callable[[Picture], int] | None = None  # of a watched rule: it latches once in each
    exits: bool = False  # the check is about the position in hand, and closes it
