"""What a canary may do before it is rolled back: the section `canary` of a deployment."""

from __future__ import annotations

from typing import Annotated

from actors.deployment.sections import at_start
from actors.runtime.settings import E8, Duration, Settings

__all__ = ["CanarySection"]

MILLISECOND_NS = 1_000_000


class CanarySection(Settings, frozen=True, kw_only=True):
    """When `apply --canary` rolls back by itself. Everything is counted from the start of the canary."""

    refusals_max: Annotated[
        E8,
        at_start(
            "Part of the canary's orders that risk may deny or the venue reject. 1 turns it off.",
            minimum=0,
            maximum=100_000_000,
            examples=("0.1",),
        ),
    ] = 20_000_000
    orders_min: Annotated[
        int, at_start("So many orders there must be before their part, or their latency, counts.", minimum=1)
    ] = 10
    latency_factor: Annotated[
        E8,
        at_start(
            "The 99th percentile of the time to the venue's first word may be so many times that of the "
            "orders beside the canary. 0 turns it off.",
            minimum=0,
            examples=("2",),
        ),
    ] = 300_000_000
    latency_floor: Annotated[
        Duration, at_start("A percentile below this is fast enough, whatever the others' is.", minimum=0)
    ] = 50 * MILLISECOND_NS
    drawdown_usdt: Annotated[
        E8,
        at_start(
            "Profit of the symbol or account may fall so far below its highest since then. 0 turns it off.",
            minimum=0,
            examples=("20",),
        ),
    ] = 5_000_000_000
    restarts_max: Annotated[
        int, at_start("Restarts that the changed actors may have, together.", minimum=0, maximum=1_000)
    ] = 0
    pages: Annotated[bool, at_start("Whether an alert that pages ends the canary.")] = True
    halts: Annotated[bool, at_start("Whether a halt ends the canary, whatever its scope.")] = True
