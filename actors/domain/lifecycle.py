"""The life of one order as our side knows it: one table, from which the documentation is drawn."""

from __future__ import annotations

import enum

__all__ = ["LIVE", "TERMINAL", "TRANSITIONS", "OrderEvent", "OrderState", "next_state"]


class OrderState(enum.Enum):
    """Where an order stands."""

    SUBMITTING = "submitting"  # durable here, its bytes may have left, no answer yet
    OPEN = "open"  # the venue has it, nothing filled
    PARTIALLY_FILLED = "partially_filled"
    CANCELING = "canceling"  # we asked for a cancel, no answer yet
    UNKNOWN = "unknown"  # a request got no answer; only evidence ends this state
    FILLED = "filled"
    CANCELED = "canceled"  # by us or by the venue; part of it may have been filled
    REJECTED = "rejected"  # the venue refused it
    ABSENT = "absent"  # the venue proved that it never had it


class OrderEvent(enum.Enum):
    """What can happen to an order."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FILLED_PARTLY = "filled_partly"
    FILLED_WHOLLY = "filled_wholly"
    CANCEL_REQUESTED = "cancel_requested"
    CANCEL_REJECTED = "cancel_rejected"  # the venue refused the cancel; the order stands as it was
    CANCELED = "canceled"
    ANSWER_LOST = "answer_lost"  # a request timed out or its connection broke
    PROVEN_OPEN = "proven_open"  # evidence: the venue shows it resting, nothing filled
    PROVEN_PARTLY_FILLED = "proven_partly_filled"  # evidence: resting, part of it filled
    PROVEN_ABSENT = "proven_absent"  # evidence: neither open, nor in history, nor in fills


S, E = OrderState, OrderEvent

# (state, event) -> next state. A pair that is not here is never guessed: it goes to the reconciler.
TRANSITIONS: dict[tuple[OrderState, OrderEvent], OrderState] = {
    (S.SUBMITTING, E.ACCEPTED): S.OPEN,
    (S.SUBMITTING, E.REJECTED): S.REJECTED,
    (S.SUBMITTING, E.FILLED_PARTLY): S.PARTIALLY_FILLED,  # a fill may overtake the acceptance
    (S.SUBMITTING, E.FILLED_WHOLLY): S.FILLED,
    (S.SUBMITTING, E.CANCELED): S.CANCELED,
    (S.SUBMITTING, E.ANSWER_LOST): S.UNKNOWN,
    (S.OPEN, E.FILLED_PARTLY): S.PARTIALLY_FILLED,
    (S.OPEN, E.FILLED_WHOLLY): S.FILLED,
    (S.OPEN, E.CANCEL_REQUESTED): S.CANCELING,
    (S.OPEN, E.CANCELED): S.CANCELED,
    (S.PARTIALLY_FILLED, E.ACCEPTED): S.PARTIALLY_FILLED,  # the late acceptance of an overtaken order
    (S.PARTIALLY_FILLED, E.FILLED_PARTLY): S.PARTIALLY_FILLED,
    (S.PARTIALLY_FILLED, E.FILLED_WHOLLY): S.FILLED,
    (S.PARTIALLY_FILLED, E.CANCEL_REQUESTED): S.CANCELING,
    (S.PARTIALLY_FILLED, E.CANCELED): S.CANCELED,
    (S.CANCELING, E.ACCEPTED): S.CANCELING,
    (S.CANCELING, E.CANCELED): S.CANCELED,
    (S.CANCELING, E.FILLED_PARTLY): S.CANCELING,
    (S.CANCELING, E.FILLED_WHOLLY): S.FILLED,
    (S.CANCELING, E.CANCEL_REJECTED): S.UNKNOWN,  # most often it has just ended: only evidence tells how
    (S.CANCELING, E.ANSWER_LOST): S.UNKNOWN,
    (S.UNKNOWN, E.ACCEPTED): S.OPEN,
    (S.UNKNOWN, E.REJECTED): S.REJECTED,
    (S.UNKNOWN, E.FILLED_PARTLY): S.PARTIALLY_FILLED,
    (S.UNKNOWN, E.FILLED_WHOLLY): S.FILLED,
    (S.UNKNOWN, E.CANCELED): S.CANCELED,
    (
        S.UNKNOWN,
        E.CANCEL_REJECTED,
    ): S.UNKNOWN,  # the cancel's late answer; it does not say how the order stands
    (S.UNKNOWN, E.PROVEN_OPEN): S.OPEN,
    (S.UNKNOWN, E.PROVEN_PARTLY_FILLED): S.PARTIALLY_FILLED,
    (S.UNKNOWN, E.PROVEN_ABSENT): S.ABSENT,
    # Terminal states still take fills: a fill after a cancel moves the position, the state stays.
    (S.CANCELED, E.FILLED_PARTLY): S.CANCELED,
    (S.CANCELED, E.FILLED_WHOLLY): S.FILLED,
    (S.FILLED, E.ACCEPTED): S.FILLED,
    (S.FILLED, E.CANCEL_REJECTED): S.FILLED,  # the cancel came too late
    (S.FILLED, E.CANCELED): S.FILLED,
    (S.CANCELED, E.ACCEPTED): S.CANCELED,
    (S.CANCELED, E.CANCEL_REJECTED): S.CANCELED,
    (S.CANCELED, E.CANCELED): S.CANCELED,
}

TERMINAL = frozenset({S.FILLED, S.CANCELED, S.REJECTED, S.ABSENT})
LIVE = frozenset(OrderState) - TERMINAL


def next_state(state: OrderState, event: OrderEvent) -> OrderState | None:
    """Return the state after the event, or None when the table has no such pair."""
    return TRANSITIONS.get((state, event))
