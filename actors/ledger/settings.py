"""What an operator may write about a ledger."""

from __future__ import annotations

from typing import Annotated

from actors.runtime.settings import E8, Duration, Reload, Settings, setting

__all__ = ["LedgerSettings"]


class LedgerSettings(Settings, frozen=True, kw_only=True):
    """One account's books."""

    initial_usdt: Annotated[
        E8,
        setting(
            "Cash the account begins with; in paper the same as the exchange's deposit.",
            minimum=0,
            reload=Reload.FIXED,
            examples=("10000",),
        ),
    ] = 10_000 * 100_000_000
    day_start: Annotated[
        Duration,
        setting(
            "How long after 00:00 UTC a day begins; a week begins with Monday's day.",
            minimum=0,
            maximum=86_399_000_000_000,
            reload=Reload.RESTART,
            examples=("8h",),
        ),
    ] = 0
    mark_interval: Annotated[
        Duration,
        setting(
            "How often moved mark prices are told to readers; a fill is told at once.",
            minimum=1_000_000,
            reload=Reload.LIVE,
            examples=("1s", "250ms"),
        ),
    ] = 1_000_000_000
    heartbeat: Annotated[
        Duration,
        setting(
            "How often account and open positions are told even when nothing moved.",
            minimum=100_000_000,
            reload=Reload.LIVE,
            examples=("10s",),
        ),
    ] = 10_000_000_000
    mark_wait: Annotated[
        Duration,
        setting(
            "How long after a start an open position may lack a mark price before somebody is woken.",
            minimum=1_000_000,
            reload=Reload.LIVE,
            examples=("30s",),
        ),
    ] = 30_000_000_000
