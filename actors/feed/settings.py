"""What an operator may write about a feed: the shared part, then one class per kind."""

from __future__ import annotations

from typing import Annotated, Literal

from actors.domain.bars import check_interval
from actors.runtime.settings import E8, Duration, Reload, Settings, setting

__all__ = ["FeedSettings", "ReplaySettings", "SyntheticSettings"]

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
MINUTE = 60 * SECOND


class FeedSettings(Settings, frozen=True, kw_only=True):
    """When a subscription is called silent, late or frozen. Any of them makes readers stand still."""

    silent_after: Annotated[
        Duration,
        setting("Silent: nothing has come for so long.", minimum=10 * MILLISECOND, risk="raise"),
    ] = 10 * SECOND
    late_after: Annotated[
        Duration,
        setting(
            "Late: a message's own time lies so far behind its arrival. 0 turns it off.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 5 * SECOND
    frozen_after: Annotated[
        Duration,
        setting(
            "Frozen: messages come, but no price moved for so long. 0 turns it off.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 60 * SECOND


class SyntheticSettings(FeedSettings, frozen=True, kw_only=True):
    """A seeded market. Symbols with the same seed share their common factor, and are correlated."""

    seed: Annotated[
        int, setting("Which of all possible markets this is.", minimum=0, reload=Reload.FIXED)
    ] = 7
    tick: Annotated[
        Duration,
        setting(
            "Step of the market: divides 1s, or is whole seconds that divide 1m.",
            minimum=MILLISECOND,
            maximum=MINUTE,
            examples=("100ms", "1s"),
        ),
    ] = 100 * MILLISECOND
    volatility: Annotated[
        E8,
        setting(
            "Standard deviation of a day's return as a fraction.",
            minimum=10_000,
            maximum=100_000_000,
            reload=Reload.FIXED,
            examples=("0.06",),
        ),
    ] = 6_000_000
    correlation: Annotated[
        E8,
        setting(
            "How much of the movement the symbols share, from 0 to 1.",
            minimum=0,
            maximum=100_000_000,
            reload=Reload.FIXED,
        ),
    ] = 60_000_000
    start_price: Annotated[
        E8,
        setting(
            "First price in USDT; 0 takes the instrument's reference price.", minimum=0, reload=Reload.FIXED
        ),
    ] = 0
    depth_usdt: Annotated[
        E8, setting("Usual value at the best bid and ask in a quiet market.", minimum=100_000_000)
    ] = 25_000 * 100_000_000
    depth_levels: Annotated[int, setting("Levels of the book on each side.", minimum=1, maximum=25)] = 10
    book_every: Annotated[Duration, setting("Cadence of the book.", minimum=10 * MILLISECOND)] = (
        500 * MILLISECOND
    )
    mark_every: Annotated[Duration, setting("Cadence of the mark price.", minimum=10 * MILLISECOND)] = SECOND
    funding_every: Annotated[Duration, setting("Cadence of the funding rate.", minimum=SECOND)] = MINUTE

    def __post_init__(self) -> None:
        if SECOND % self.tick and (self.tick % SECOND or MINUTE % self.tick):
            raise ValueError(
                f"a tick of {self.tick / SECOND:g} s must divide 1s, or be whole seconds that divide 1m"
            )


class ReplaySettings(FeedSettings, frozen=True, kw_only=True):
    """A market from a file of candles, trades or books. See actors/feed/README.md."""

    path: Annotated[
        str,
        setting(
            "CSV or Parquet file; relative to the deployment file.",
            reload=Reload.FIXED,
            examples=("data/$symbol.parquet",),
        ),
    ]
    funding_path: Annotated[
        str, setting("File of funding settlements; empty for none.", reload=Reload.FIXED)
    ] = ""
    mark_path: Annotated[
        str,
        setting(
            "File of mark price candles; empty lets the market's own price stand in.", reload=Reload.FIXED
        ),
    ] = ""
    trades_path: Annotated[
        str, setting("File of trades beside one of books; empty for none.", reload=Reload.FIXED)
    ] = ""
    book_path: Annotated[
        str,
        setting(
            "JSON file of the book before the first change, for `content: depth`; empty begins with none.",
            reload=Reload.FIXED,
        ),
    ] = ""
    content: Annotated[
        Literal["auto", "candles", "trades", "quotes", "book", "depth"],
        setting("What the rows are; `auto` goes by the columns.", reload=Reload.FIXED),
    ] = "auto"
    interval: Annotated[
        Duration,
        setting(
            "Length of a candle; 0 takes the shortest step of the first rows.",
            minimum=0,
            reload=Reload.FIXED,
        ),
    ] = 0
    warmup: Annotated[
        Duration,
        setting(
            "How much of the file's beginning is not played, but is history for strategies that ask.",
            minimum=0,
            reload=Reload.FIXED,
            examples=("6h",),
        ),
    ] = 0
    ends_at_ms: Annotated[
        int,
        setting(
            "Rows from this instant on are left out, in UTC milliseconds since 1970; 0 plays all.",
            minimum=0,
            reload=Reload.FIXED,
        ),
    ] = 0
    speed: Annotated[
        str,
        setting(
            "How much faster than real time, or `max`. A virtual clock ignores it.",
            reload=Reload.FIXED,
            pattern=r"^(max|[1-9][0-9]{0,3})$",
            examples=("1", "60", "max"),
        ),
    ] = "1"
    clock: Annotated[
        Literal["auto", "data", "loop"],
        setting(
            "Whose time messages carry: the file's (`data`), or that of this node (`loop`), as if the market "
            "happened now. `auto` is `data` in backtest and simulation and at speed max, else `loop`.",
            reload=Reload.FIXED,
        ),
    ] = "auto"
    spread: Annotated[
        E8,
        setting(
            "Between bid and ask, as a fraction of the price; at least one tick.",
            minimum=0,
            maximum=5_000_000,
            risk="lower",
        ),
    ] = 20_000
    depth_usdt: Annotated[
        E8, setting("Value that rests at the best bid and ask.", minimum=100_000_000, risk="raise")
    ] = 25_000 * 100_000_000
    book_levels: Annotated[
        int, setting("Levels of a book that are shown on each side.", minimum=1, maximum=100)
    ] = 20
    mark_every: Annotated[
        Duration, setting("Cadence of the mark price in a file of trades or books.", minimum=MILLISECOND)
    ] = SECOND
    quantity: Annotated[
        Literal["base", "quote", "contracts"],
        setting("What volume and quantity count: units of the coin, USDT, or contracts."),
    ] = "base"
    time_unit: Annotated[Literal["s", "ms", "us", "ns"], setting("What times count, from 1970 UTC.")] = "ms"
    time_column: Annotated[str, setting("Column of times.")] = "ts_ms"
    open_column: Annotated[str, setting("Column of opens.")] = "open"
    high_column: Annotated[str, setting("Column of highs.")] = "high"
    low_column: Annotated[str, setting("Column of lows.")] = "low"
    close_column: Annotated[str, setting("Column of closes.")] = "close"
    volume_column: Annotated[str, setting("Column of volumes; empty when there is none.")] = "volume"
    price_column: Annotated[str, setting("Column of trade prices.")] = "price"
    quantity_column: Annotated[str, setting("Column of trade quantities.")] = "qty"
    side_column: Annotated[
        str, setting("Column of the taker's side, buy or sell; empty tells it from the price's move.")
    ] = "side"
    id_column: Annotated[str, setting("Column of trade ids, to find rows that are there twice.")] = "trade_id"
    rate_column: Annotated[str, setting("Column of funding rates, a fraction per interval.")] = "rate"

    # A file has pauses that no network caused, and its prices may rest for hours.
    silent_after: Annotated[
        Duration,
        setting(
            "Silent: no row for so long. Three candles are always waited for.",
            minimum=10 * MILLISECOND,
            risk="raise",
        ),
    ] = 2 * MINUTE
    late_after: Annotated[
        Duration, setting("As for every feed; 0 turns it off.", minimum=0, risk="raise", off_at_zero=True)
    ] = 0
    frozen_after: Annotated[
        Duration, setting("As for every feed; 0 turns it off.", minimum=0, risk="raise", off_at_zero=True)
    ] = 0

    def __post_init__(self) -> None:
        if self.speed == "max" and self.clock == "loop":
            raise ValueError("at speed max the node's clock says nothing: set clock to data, or a speed")
        if self.interval:
            try:
                check_interval(self.interval)
            except ValueError as error:
                raise ValueError(f"interval: {error}") from None
