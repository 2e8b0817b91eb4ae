"""What an operator may write about the watch over the markets files."""

from __future__ import annotations

from typing import Annotated

from actors.domain.money import E8 as ONE
from actors.runtime.settings import E8, Duration, Reload, Settings, setting

__all__ = ["CatalogSettings"]

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
HOST = r"^(https|http)://[^\s/]+(/[^\s]*[^\s/])?$"


class CatalogSettings(Settings, frozen=True, kw_only=True):
    """How often the venue is asked what it lists, and what follows."""

    rest_url: Annotated[str, setting("Where REST requests go.", pattern=HOST, reload=Reload.FIXED)] = (
        "https://api.poloniex.com"
    )
    symbols: Annotated[
        tuple[str, ...], setting("What is watched; empty for all that the markets files have.")
    ] = ()
    check_every: Annotated[
        Duration, setting("How often the venue is asked.", minimum=SECOND, maximum=24 * HOUR, risk="raise")
    ] = 5 * MINUTE
    stale_after: Annotated[
        Duration,
        setting("The markets count as stale when the venue has not told them for so long.", minimum=MINUTE),
    ] = 24 * HOUR
    halt_symbols: Annotated[
        bool,
        setting(
            "Halt a symbol that is not open, not listed, or counted in other units, to reductions.",
            risk="lower",
        ),
    ] = True
    limits_fraction: Annotated[
        E8,
        setting("Of the venue's limits per address, what the watch may use.", minimum=1_000_000, maximum=ONE),
    ] = 1_000_000
    request_timeout: Annotated[
        Duration, setting("A request without an answer for so long has none.", minimum=SECOND // 10)
    ] = 5 * SECOND
