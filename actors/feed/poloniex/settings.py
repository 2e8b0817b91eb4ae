"""What an operator may write about a live feed."""

from __future__ import annotations

from typing import Annotated

from actors.domain.money import E8 as ONE
from actors.feed.settings import FeedSettings
from actors.runtime.settings import E8, Duration, Reload, setting

__all__ = ["PoloniexFeedSettings", "PoloniexMarketSettings", "PoloniexSpotFeedSettings"]

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOST = r"^(https|http|wss|ws)://[^\s/]+(/[^\s]*[^\s/])?$"


class PoloniexMarketSettings(FeedSettings, frozen=True, kw_only=True):
    """Market data of one symbol, by a socket of its own."""

    rest_url: Annotated[str, setting("Where REST requests go.", pattern=HOST, reload=Reload.FIXED)] = (
        "https://api.poloniex.com"
    )
    stream_url: Annotated[str, setting("The public WebSocket.", pattern=HOST, reload=Reload.FIXED)] = (
        "wss://ws.poloniex.com/ws/v3/public"
    )
    book_levels: Annotated[int, setting("Levels of each side that readers get.", minimum=1, maximum=20)] = 20
    book_every: Annotated[
        Duration, setting("Shortest time between two books; quotes come as they change.", minimum=0)
    ] = 100 * MS
    snapshot_timeout: Annotated[
        Duration, setting("A book without a snapshot for so long costs the connection.", minimum=SECOND)
    ] = 5 * SECOND
    cross_check_every: Annotated[
        Duration,
        setting("How often stream and REST are held against each other.", minimum=SECOND, risk="raise"),
    ] = 30 * SECOND
    cross_check_tolerance: Annotated[
        E8,
        setting(
            "How far they may lie apart, as a fraction of the price.",
            minimum=0,
            maximum=10_000_000,
            risk="raise",
            examples=("0.002",),
        ),
    ] = 200_000
    cross_check_strikes: Annotated[
        int, setting("Contradictions in a row before the feed counts as lying.", minimum=1, maximum=100)
    ] = 3
    limits_fraction: Annotated[
        E8,
        setting(
            "Of the venue's limits per address, what this feed may use: all feeds of an address share them.",
            minimum=1_000_000,
            maximum=ONE,
        ),
    ] = 5_000_000
    request_timeout: Annotated[
        Duration, setting("A request without an answer for so long has none.", minimum=100 * MS)
    ] = 5 * SECOND
    backoff_min: Annotated[
        Duration, setting("First pause before the stream is opened again.", minimum=10 * MS)
    ] = 500 * MS
    backoff_max: Annotated[
        Duration, setting("Longest pause before the stream is opened again.", minimum=100 * MS)
    ] = 30 * SECOND

    # The best prices of a contract that few trade rest for minutes without anything being wrong.
    frozen_after: Annotated[
        Duration, setting("As for every feed; 0 turns it off.", minimum=0, risk="raise", off_at_zero=True)
    ] = 10 * MINUTE

    def __post_init__(self) -> None:
        if self.backoff_min > self.backoff_max:
            raise ValueError("backoff_min must not exceed backoff_max")


class PoloniexFeedSettings(PoloniexMarketSettings, frozen=True, kw_only=True):
    """Market data of one perpetual."""

    references_frozen_after: Annotated[
        Duration,
        setting(
            "Frozen too: mark and index price come, but neither moved for so long. 0 turns it off.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 5 * MINUTE


class PoloniexSpotFeedSettings(PoloniexMarketSettings, frozen=True, kw_only=True):
    """Market data of one spot market."""

    stream_url: Annotated[str, setting("The public WebSocket.", pattern=HOST, reload=Reload.FIXED)] = (
        "wss://ws.poloniex.com/ws/public"
    )
