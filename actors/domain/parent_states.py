"""The words of parent orders: where one stands, what can happen to it, which price it looks at."""

from __future__ import annotations

import enum

__all__ = ["PARENT_ENDED", "ParentEvent", "ParentState", "PriceSource", "parent_id_of"]


class ParentState(enum.Enum):
    """Where a parent order stands. Which states a type uses, and what leads where, says the type's table."""

    WAITING = "waiting"  # for a price or an instant; it has nothing at the venue but a resting target
    TRAILING = "trailing"  # its trigger follows the price
    WORKING = "working"  # it brings its contracts to the venue, piece by piece
    ENTERING = "entering"  # its entry is at the venue, nothing has filled
    PROTECTING = "protecting"  # what has been entered is watched
    RESTING = "resting"  # triggered; its limit order rests
    FIRING = "firing"  # triggered; it sends orders until nothing is left to do
    CANCELING = "canceling"  # no longer wanted; its orders are on their way out
    FAILING = "failing"  # an order of it was denied or refused; the others are on their way out
    FINISHING = "finishing"  # its time is over; its orders are on their way out
    DONE = "done"
    CANCELED = "canceled"  # by us, before it was done; part of it may have been filled
    FAILED = "failed"  # an order of it was denied or refused; part of it may have been filled


class ParentEvent(enum.Enum):
    """What can happen to a parent order."""

    ACTIVATED = "activated"  # the price at which trailing begins was met
    TRIGGERED = "triggered"  # the stop was met
    TARGET_TOUCHED = "target_touched"  # the price to take the profit at was met
    DUE = "due"  # an instant of its own has come
    TIME_OVER = "time_over"
    ENTRY_FILLED = "entry_filled"  # contracts were entered, or more of them than are watched
    ENTRY_OVER = "entry_over"  # the entry ended, and nothing was entered
    FILLED = "filled"  # all that was wanted has traded
    POSITION_GONE = "position_gone"  # somebody else closed what it was to close
    REFUSED = "refused"  # an order that opens was denied by risk or refused by the venue
    LIMIT_REFUSED = "limit_refused"  # a limit order that closes was denied, refused or taken away
    TARGET_REFUSED = "target_refused"  # as before, of a resting target: it is watched from now on
    EXIT_REFUSED = "exit_refused"  # a market order that closes was: it is sent again
    CANCEL_WANTED = "cancel_wanted"  # by the one who asked for it
    HALTED = "halted"  # its scope was: only what protects goes on
    CHILDREN_GONE = "children_gone"  # the last of its orders has ended


class PriceSource(enum.Enum):
    """The price that a trigger looks at."""

    MARK = "mark"  # what margin and liquidation use; hardest to move by a single trade
    LAST = "last"  # each trade of the market
    MID = "mid"  # the middle of best bid and best ask


PARENT_ENDED = frozenset({ParentState.DONE, ParentState.CANCELED, ParentState.FAILED})


def parent_id_of(intent_id: str) -> str:
    """Return the parent in a child's intent id `<strategy>#<e>.<n>#<e>.<n>`; "" when it is no child."""
    parent_id = intent_id.rpartition("#")[0]
    return parent_id if "#" in parent_id else ""
