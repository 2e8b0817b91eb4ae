"""What an operator may write about every strategy; each kind adds its own beside it."""

from __future__ import annotations

from typing import Annotated

from actors.domain.bars import check_interval
from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = ["StrategySettings"]

UNIT = 100_000_000  # 1 in 1e-8
SECOND = 1_000_000_000
MS = 1_000_000


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

    def __post_init__(self) -> None:
        check_interval(self.bar)
