"""From the venue's error codes and statuses to what a failure means.

A code that nobody documented is never taken for "it did not happen": on a request that changes something it
is an unknown outcome, on a mere question the venue was unavailable.
Source: docs/poloniex.md, Futures error codes and HTTP behaviour.
"""

from __future__ import annotations

from actors.poloniex.answers import OK, Answer
from actors.poloniex.line import NotAnswered
from actors.venue.errors import OutcomeUnknownError, RefusedError, UnavailableError, VenueError

__all__ = [
    "ACCESS_CODES",
    "DUPLICATE_CLIENT_ID",
    "DUPLICATE_CODES",
    "MAINTENANCE_CODES",
    "NOTHING_TO_CANCEL",
    "classify_code",
    "classify_lost",
    "classify_outcome",
    "classify_status",
]

DUPLICATE_CLIENT_ID = "250"  # an earlier send of the same order did arrive
DUPLICATE_CODES = frozenset({DUPLICATE_CLIENT_ID, "21312"})  # futures, spot
NOTHING_TO_CANCEL = frozenset({"11004", "11008"})  # it has ended: how, only history tells
ACCESS_CODES = frozenset({"401", "403", "1000", "1003"})  # the key, its address or its owner is not welcome
MAINTENANCE_CODES = frozenset({"503", "1002"})

# Codes after which the request has certainly not been carried out, and waiting may help.
UNAVAILABLE = frozenset(
    {
        "408",  # outside recvWindow: the request was too old when it arrived
        "429",  # rate limit
        "503",  # degraded
        "1002",  # maintenance
        "10000",  # symbol not in trading status
        "10003",  # no bid
        "10004",  # no ask
        "10005",  # symbol paused
        "21340",  # spot: maintenance of a symbol, or only post-only orders and cancels
        "21341",
        "21342",
        "21343",
        "24201",  # try again
    }
)

# Codes by which the venue says no for good.
REFUSED = frozenset(
    {
        *("250", "400", "401", "403", "404"),
        *("1000", "1001", "1003"),
        *("10001", "10002", "10006", "10007", "10008", "10009", "10010", "10011", "10012", "10013", "10014"),
        *("10015", "10016", "10017", "10018", "10019"),
        *("11003", "11004", "11008", "11011", "12004"),
        *("21001", "21002", "21010", "21721"),
        # spot
        *("601", "602", "603", "21301", "21304", "21305", "21309", "21310", "21311", "21312", "21314"),
        *("21317", "21319", "21320", "21321", "21322", "21328", "21330", "21335", "21336", "21337"),
        *("21348", "21350", "21351", "21352", "21353", "21354", "21355", "21356", "21359", "21360", "21709"),
        *("24101", "24102", "24103", "24104", "24105", "24106"),
    }
)


def classify_outcome(outcome: Answer | NotAnswered, *, changes: bool) -> VenueError | None:
    """Return what a request's outcome means; None for success."""
    if isinstance(outcome, NotAnswered):
        return classify_lost(outcome.reason, bytes_left=outcome.bytes_left, changes=changes)
    if outcome.code == OK:
        return None
    if outcome.code:
        return classify_code(outcome.code, outcome.text, changes=changes)
    return classify_status(outcome.status, outcome.text, changes=changes)


def classify_code(code: str, text: str, *, changes: bool) -> VenueError:
    """Return what an answer with an error code means. `changes`: the request places, cancels or sets."""
    if code in UNAVAILABLE:
        return UnavailableError(code, text)
    if code in REFUSED:
        return RefusedError(code, text)
    return OutcomeUnknownError(code, text) if changes else UnavailableError(code, text)


def classify_status(status: int, text: str, *, changes: bool) -> VenueError:
    """Return what an answer means whose body says nothing; 5xx may come after the work was done."""
    if status in (401, 403, 404):
        return RefusedError(str(status), text)
    if status == 429:
        return UnavailableError("429", text)
    return OutcomeUnknownError(str(status), text) if changes else UnavailableError(str(status), text)


def classify_lost(reason: str, *, bytes_left: bool, changes: bool) -> VenueError:
    """Return what a missing answer means. `bytes_left`: the request may have reached the venue."""
    if bytes_left and changes:
        return OutcomeUnknownError("no_answer", reason)
    return UnavailableError("unreachable", reason)
