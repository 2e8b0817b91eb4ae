"""What an operator may write about every strategy; each kind adds its own beside it."""

from __future__ import annotations

from typing import Annotated

from actors.domain.bars import check_interval
from actors.domain.parent_states import PriceSource
from actors.runtime.settings import E8, Duration, Settings, setting
from actors.strategy.size_rule import SizeSettings

__all__ = ["Protection", "StrategySettings"]

UNIT = 100_000_000  # 1 in 1e-8
SECOND = 1_000_000_000
MS = 1_000_000


class Protection(Settings, frozen=True, kw_only=True):
    """Exits that the OMS runs for each entry, as parts of the price it was decided at; 0 leaves one out."""

    stop: Annotated[
        E8, setting("Distance of a stop.", minimum=0, maximum=UNIT - 1, risk="raise", examples=("0.02",))
    ] = 0
    trail: Annotated[
        E8,
        setting(
            "Distance of a stop that follows the best price, as a part of that price.",
            minimum=0,
            maximum=UNIT - 1,
            risk="raise",
            examples=("0.03",),
        ),
    ] = 0
    trail_from: Annotated[
        E8, setting("Gain at which the trailing stop begins; 0: at once.", minimum=0, maximum=UNIT - 1)
    ] = 0
    target: Annotated[
        E8, setting("Gain at which the profit is taken.", minimum=0, maximum=UNIT - 1, examples=("0.05",))
    ] = 0
    target_rests: Annotated[
        bool, setting("Whether the target rests at the venue instead of being watched here.")
    ] = False
    hold: Annotated[
        Duration, setting("Longest time that a position is held; 0: as long as it likes.", minimum=0)
    ] = 0
    source: Annotated[PriceSource, setting("The price that stop and target look at.")] = PriceSource.MARK

    def __post_init__(self) -> None:
        if (self.target or self.hold or self.trail_from) and not self.is_on:
            raise ValueError("protect needs a stop or a trail beside target, trail_from or hold")
        if self.trail_from and not self.trail:
            raise ValueError("protect has trail_from and no trail: give the distance too")

    @property
    def is_on(self) -> bool:
        """Whether entries are protected."""
        return bool(self.stop or self.trail)


class StrategySettings(Settings, frozen=True, kw_only=True):
    """Shared by all kinds `strategy.*`."""

    account: Annotated[
        str, setting("Account whose risk and OMS take its orders.", pattern="^[a-z0-9_-]+$")
    ] = "main"
    bar: Annotated[
        Duration,
        setting(
            "Length of a bar: whole seconds that divide a day.",
            minimum=SECOND,
            examples=("1m", "15m", "4h"),
        ),
    ] = 60 * SECOND
    risk_fraction: Annotated[
        E8,
        setting(
            "Part of equity that is lost when a position meets its stop.",
            minimum=0,
            maximum=UNIT,
            risk="raise",
            examples=("0.01",),
        ),
    ] = UNIT // 100
    notional_fraction: Annotated[
        E8,
        setting(
            "Largest value of a position as a multiple of equity.",
            minimum=0,
            risk="raise",
            examples=("1", "0.5"),
        ),
    ] = UNIT
    equity_usdt: Annotated[
        E8,
        setting(
            "Equity that sizes are computed from. 0 takes the account's own: the actor must then read the "
            "ledger, and stands still until it has heard from it.",
            minimum=0,
            risk="raise",
            examples=("10000", "0"),
        ),
    ] = 10_000 * UNIT
    contracts_max: Annotated[
        int,
        setting("Largest position in contracts; 0 leaves it to the catalog.", minimum=0, risk="raise"),
    ] = 0
    bar_grace: Annotated[
        Duration,
        setting("How long after its end a bar waits for trades that travel, when nobody trades.", minimum=0),
    ] = 250 * MS
    retry_after: Annotated[
        Duration,
        setting(
            "Pause after an order was denied or refused before the next is tried; it doubles with each "
            "refusal in a row, up to 256 times.",
            minimum=0,
        ),
    ] = 1 * SECOND
    heartbeat: Annotated[
        Duration,
        setting("How often it gives risk a sign of life; 0 never.", minimum=0, examples=("5s",)),
    ] = 0
    order_alert_after: Annotated[
        Duration,
        setting("How long an own order may stay unresolved before somebody is told.", minimum=SECOND),
    ] = 60 * SECOND

    protect: Annotated[
        Protection,
        setting("Exits that the OMS runs for each entry; it must read the feed. Off without stop and trail."),
    ] = Protection()

    size: Annotated[SizeSettings, setting("Who decides how large a position is.")] = SizeSettings()

    def __post_init__(self) -> None:
        check_interval(self.bar)
