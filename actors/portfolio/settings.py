"""What an operator may write about the portfolio."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = ["PortfolioSettings"]

UNIT = 100_000_000
SECOND = 1_000_000_000


class PortfolioSettings(Settings, frozen=True, kw_only=True):
    """Which accounts count together, and how their symbols' moves are compared."""

    accounts: Annotated[
        Annotated[tuple[str, ...], Meta(min_length=1)],
        setting("The accounts; while one of them is silent the figures are not complete."),
    ]
    tell_every: Annotated[
        Duration, setting("How often the figures are told.", minimum=SECOND // 10, examples=("1s",))
    ] = SECOND
    age_max: Annotated[
        Duration,
        setting("How old an account's word, or the price of an open position, may be.", minimum=SECOND),
    ] = 30 * SECOND
    sample: Annotated[
        Duration, setting("How often prices are taken for returns.", minimum=SECOND, examples=("1m", "5m"))
    ] = 60 * SECOND
    window: Annotated[
        int, setting("Samples that correlations are computed from.", minimum=3, maximum=10_000)
    ] = 240
    samples_min: Annotated[
        int, setting("Returns without which a symbol's correlations are not known.", minimum=2)
    ] = 60
    shrinkage: Annotated[
        E8,
        setting(
            "How far correlated exposure is taken towards gross exposure: 0 trusts the sample, 1 nothing.",
            minimum=0,
            maximum=UNIT,
            risk="lower",
            optional=True,
        ),
    ] = UNIT // 5
    reserve: Annotated[
        E8,
        setting(
            "Part of each limit on all accounts that none is granted: room for prices to move.",
            minimum=0,
            maximum=UNIT // 2,
            risk="lower",
            optional=True,
        ),
    ] = UNIT // 50

    def __post_init__(self) -> None:
        if self.samples_min >= self.window:
            raise ValueError(f"samples_min is {self.samples_min} and window {self.window}: it must be less")
