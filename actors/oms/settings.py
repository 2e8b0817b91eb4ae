"""What an operator may write about an OMS."""

from __future__ import annotations

from typing import Annotated

from actors.runtime.settings import Duration, Settings, setting

__all__ = ["OmsSettings"]

MS = 1_000_000
SECOND = 1_000 * MS


class OmsSettings(Settings, frozen=True, kw_only=True):
    """Patience and memory of one account's order management."""

    answer_timeout: Annotated[
        Duration,
        setting("How long an order or a cancel may go unanswered before it counts as lost.", minimum=10 * MS),
    ] = 5 * SECOND
    query_backoff_min: Annotated[
        Duration,
        setting("First pause before the venue is asked about an order in doubt.", minimum=MS),
    ] = 500 * MS
    query_backoff_max: Annotated[
        Duration,
        setting("Longest pause between two questions about the same order.", minimum=10 * MS),
    ] = 30 * SECOND
    query_burst_max: Annotated[
        int,
        setting("Orders asked about in one sweep; sweeps are at least 50ms apart.", minimum=1, maximum=1_000),
    ] = 10
    absent_after: Annotated[
        Duration,
        setting(
            "How old a request must be when the question is asked, before the venue's 'never had it' is "
            "believed: until then its bytes may still be on their way.",
            minimum=0,
            risk="lower",
        ),
    ] = 5 * SECOND
    unknown_alert_after: Annotated[
        Duration,
        setting("How long an order may stay UNKNOWN before somebody is paged.", minimum=0),
    ] = 30 * SECOND
    cancel_by_scope: Annotated[
        bool,
        setting(
            "A halt of account or symbol has the venue cancel all that rests there with one request, "
            "orders of other hands included. Off: only ours, one by one.",
        ),
    ] = True
    account_shared: Annotated[
        bool,
        setting("Other nodes are meant to trade on this account: no VenueShared when one does."),
    ] = False
    shared_calm: Annotated[
        Duration,
        setting("No order of another node for so long, and VenueShared is over.", minimum=SECOND),
    ] = 600 * SECOND
    flatten_retry: Annotated[
        Duration,
        setting("Pause before the next try when an order that flattens did not fill.", minimum=10 * MS),
    ] = 1 * SECOND
    trigger_price_age_max: Annotated[
        Duration,
        setting("Triggers of parent orders ignore a price older than this.", minimum=MS, risk="raise"),
    ] = 5 * SECOND
    blind_alert_after: Annotated[
        Duration,
        setting("How long a stop may wait for its first price before somebody is paged.", minimum=0),
    ] = 10 * SECOND
    closed_orders_kept: Annotated[
        int,
        setting(
            "Closed orders remembered at least; at most twice as many. Late reports about older ones are "
            "counted and set aside.",
            minimum=10,
            maximum=1_000_000,
        ),
    ] = 1_000
    fills_kept: Annotated[
        int,
        setting(
            "Fills remembered at least, so that none counts twice; at most twice as many. A fill dated "
            "before the oldest of them is never booked by itself.",
            minimum=100,
            maximum=1_000_000,
        ),
    ] = 4_096
