"""What an operator may write about an account at Poloniex."""

from __future__ import annotations

from typing import Annotated, Literal

from actors.domain.money import E8 as ONE
from actors.poloniex.rate_budget import VIP_MAX
from actors.runtime.settings import E8, Duration, Reload, Settings, setting

__all__ = ["PoloniexAccountSettings", "PoloniexSpotVenueSettings", "PoloniexVenueSettings"]

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOST = r"^(https|http|wss|ws)://[^\s/]+(/[^\s]*[^\s/])?$"


class PoloniexAccountSettings(Settings, frozen=True, kw_only=True):
    """Reach, patience and limits of one account's connection, whatever it trades."""

    key: Annotated[
        str,
        setting(
            "API key: a reference to a secret.", secret=True, examples=("secret://polytrade/poloniex#key",)
        ),
    ] = ""
    secret: Annotated[
        str,
        setting("Its secret: a reference.", secret=True, examples=("secret://polytrade/poloniex#secret",)),
    ] = ""
    rest_url: Annotated[str, setting("Where REST requests go.", pattern=HOST, reload=Reload.FIXED)] = (
        "https://api.poloniex.com"
    )
    stream_url: Annotated[str, setting("The private WebSocket.", pattern=HOST, reload=Reload.FIXED)] = (
        "wss://ws.poloniex.com/ws/v3/private"
    )
    order_ttl: Annotated[
        Duration,
        setting("An order that has not left by then is given up instead of leaving late.", minimum=10 * MS),
    ] = 2 * SECOND
    cancel_ttl: Annotated[Duration, setting("The same for cancels.", minimum=10 * MS)] = 4 * SECOND
    request_timeout: Annotated[
        Duration, setting("A request without an answer for so long has none.", minimum=100 * MS)
    ] = 4 * SECOND
    receive_window: Annotated[
        Duration,
        setting(
            "The venue shall refuse requests that arrive later than this after their signature. 0 asks for "
            "nothing.",
            minimum=0,
        ),
    ] = 5 * SECOND
    reading_timeout: Annotated[
        Duration, setting("How long a question may take that needs several requests.", minimum=SECOND)
    ] = 20 * SECOND
    resync_overlap: Annotated[
        Duration,
        setting("How far before the last known fill a re-synchronisation begins to read.", minimum=0),
    ] = MINUTE
    resync_lookback: Annotated[
        Duration, setting("How far back it reads when nothing is known yet.", minimum=0)
    ] = 60 * MINUTE
    clock_every: Annotated[Duration, setting("How often the venue's clock is looked at.", minimum=SECOND)] = (
        30 * SECOND
    )
    clock_worry: Annotated[
        Duration, setting("Clocks so far apart are worth a ticket.", minimum=MS, risk="raise")
    ] = 250 * MS
    clock_limit: Annotated[
        Duration,
        setting(
            "Nothing is signed when clocks may be so far apart. The venue's own limit is in doubt; 1s is the "
            "narrowest that was ever written.",
            minimum=MS,
            risk="raise",
        ),
    ] = 1 * SECOND
    vip_level: Annotated[int, setting("VIP level of the account.", minimum=0, maximum=VIP_MAX)] = 0
    limits_fraction: Annotated[
        E8, setting("Of the venue's rate limits, what this actor may use.", minimum=1_000_000, maximum=ONE)
    ] = ONE
    direct_fraction: Annotated[
        E8,
        setting(
            "Of these, what the node never uses: it is left for `polytrade halt --direct`, which runs beside "
            "it. At least one request a second of each kind.",
            minimum=1_000_000,
            maximum=ONE // 2,
        ),
    ] = ONE // 10
    reserve_percent: Annotated[
        int,
        setting("Of each burst, kept for cancels and orders that reduce risk.", minimum=0, maximum=90),
    ] = 20
    backoff_min: Annotated[
        Duration, setting("First pause before the stream is opened again.", minimum=10 * MS)
    ] = 500 * MS
    backoff_max: Annotated[
        Duration, setting("Longest pause before the stream is opened again.", minimum=100 * MS)
    ] = 30 * SECOND
    down_alert_after: Annotated[
        Duration, setting("Somebody is paged when the venue cannot be reached for so long.", minimum=0)
    ] = 30 * SECOND

    def __post_init__(self) -> None:
        if self.clock_worry > self.clock_limit:
            raise ValueError("clock_worry must not exceed clock_limit")
        if self.backoff_min > self.backoff_max:
            raise ValueError("backoff_min must not exceed backoff_max")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(rest_url={self.rest_url!r}, stream_url={self.stream_url!r}, ...)"


class PoloniexVenueSettings(PoloniexAccountSettings, frozen=True, kw_only=True):
    """Reach, patience and limits of one futures account's connection."""

    margin_mode: Annotated[
        Literal["CROSS", "ISOLATED"], setting("Margin mode of every order.", reload=Reload.FIXED)
    ] = "CROSS"
    self_trade: Annotated[
        Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
        setting("What the venue does when an order would meet another one of ours."),
    ] = "EXPIRE_TAKER"

    def __repr__(self) -> str:
        return super().__repr__()


class PoloniexSpotVenueSettings(PoloniexAccountSettings, frozen=True, kw_only=True):
    """Reach, patience and limits of one spot account's connection."""

    stream_url: Annotated[str, setting("The private WebSocket.", pattern=HOST, reload=Reload.FIXED)] = (
        "wss://ws.poloniex.com/ws/private"
    )
    self_trade: Annotated[
        Literal["NONE", "EXPIRE_TAKER"],
        setting("What the venue does when an order would meet another one of ours."),
    ] = "EXPIRE_TAKER"
    market_slippage: Annotated[
        E8,
        setting(
            "A market order to buy leaves as a limit order that takes at once, at most this fraction above "
            "the best ask: the venue's own says what it spends, not what it buys.",
            minimum=0,
            maximum=ONE // 10,
            risk="raise",
            examples=("0.005",),
        ),
    ] = ONE // 100
    quote_age_max: Annotated[
        Duration,
        setting(
            "A market order to buy is refused when the best ask is older.", minimum=100 * MS, risk="raise"
        ),
    ] = 10 * SECOND

    def __repr__(self) -> str:
        return super().__repr__()
