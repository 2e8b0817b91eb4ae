"""The life of one amendment of a live order: one table, from which the documentation is drawn.

No venue we speak has an order that changes in place. An amendment cancels the order and, on the evidence
that it has ended, places another one for the rest. So there are never two live orders, and never none unsaid.
"""

from __future__ import annotations

import enum

__all__ = ["AMEND_ENDED", "AMEND_TRANSITIONS", "AmendEvent", "AmendState"]


class AmendState(enum.Enum):
    """Where an amendment stands."""

    WAITING = "waiting"  # the order is not known to rest yet; nothing has been asked of the venue
    CANCELING = "canceling"  # its cancel was asked for; no evidence of its end yet
    JUDGING = "judging"  # it has ended; risk looks once more at what is left
    PLACING = "placing"  # the order for the rest is on its way, or nobody knows what became of it
    AMENDED = "amended"  # over: the venue has the order for the rest
    FILLED = "filled"  # over: the order filled first, and nothing was left to place
    KEPT = "kept"  # over: refused before anything was done; the order stands as it was
    GONE = "gone"  # over: no order is left; the reason says why


class AmendEvent(enum.Enum):
    """What can happen to an amendment."""

    CANCEL_SENT = "cancel_sent"  # the order is known to rest
    ENDED = "ended"  # evidence: the order has ended, and some of the wish is left
    ENDED_FILLED = "ended_filled"  # evidence: it has ended, and as much as was wished has filled
    NEVER_WAS = "never_was"  # evidence: the venue refused the order, or never had it
    ALLOWED = "allowed"  # risk lets the rest pass
    DENIED = "denied"  # risk does not
    TAKEN = "taken"  # the venue has the order for the rest
    REFUSED = "refused"  # the venue refused it, or never had it
    WITHDRAWN = "withdrawn"  # somebody wants the order gone


S, E = AmendState, AmendEvent

# (state, event) -> next state.
AMEND_TRANSITIONS: dict[tuple[AmendState, AmendEvent], AmendState] = {
    (S.WAITING, E.CANCEL_SENT): S.CANCELING,
    (S.WAITING, E.ENDED): S.JUDGING,  # the venue took it back by itself
    (S.WAITING, E.ENDED_FILLED): S.FILLED,
    (S.WAITING, E.NEVER_WAS): S.GONE,
    (S.WAITING, E.WITHDRAWN): S.GONE,
    (S.CANCELING, E.ENDED): S.JUDGING,
    (S.CANCELING, E.ENDED_FILLED): S.FILLED,
    (S.CANCELING, E.NEVER_WAS): S.GONE,
    (S.CANCELING, E.WITHDRAWN): S.GONE,
    (S.JUDGING, E.ALLOWED): S.PLACING,
    (S.JUDGING, E.DENIED): S.GONE,
    (S.JUDGING, E.ENDED_FILLED): S.FILLED,  # a fill came after the end
    (S.JUDGING, E.WITHDRAWN): S.GONE,
    (S.PLACING, E.TAKEN): S.AMENDED,
    (S.PLACING, E.REFUSED): S.GONE,
}

AMEND_ENDED = frozenset({S.AMENDED, S.FILLED, S.KEPT, S.GONE})
