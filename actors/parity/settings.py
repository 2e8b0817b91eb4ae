"""What an operator may write about the measurement of the gap between a node and its model."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from actors.domain.money import E8 as ONE
from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = ["ParitySettings"]

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class ParitySettings(Settings, frozen=True, kw_only=True):
    """When the gap is measured, what the model believes of the venue, and how large the gap may be."""

    every: Annotated[
        Duration,
        setting(
            "How long the spans are that are measured, one after the other from 00:00 UTC; a part of a day.",
            minimum=10 * SECOND_NS,
            maximum=DAY_NS,
            examples=("4h",),
        ),
    ] = DAY_NS
    at: Annotated[
        Duration,
        setting("How long after its end a span is measured.", minimum=0, maximum=DAY_NS - 1),
    ] = 600 * SECOND_NS
    gap_usdt_max: Annotated[
        E8, setting("A larger gap in a span, either way, is a drift.", minimum=0, risk="raise")
    ] = 10 * ONE
    code_usdt_max: Annotated[
        E8,
        setting(
            "The same for what the code itself does otherwise; none is expected.", minimum=0, risk="raise"
        ),
    ] = 0
    timeout: Annotated[
        Duration, setting("A measurement that takes longer is given up.", minimum=SECOND_NS)
    ] = 1_800 * SECOND_NS
    latency: Annotated[
        Duration, setting("What the model believes each message to the venue takes, each way.", minimum=0)
    ] = 0
    fees: Annotated[
        dict[str, E8],
        setting(
            "Fees of the model as a fraction of notional, `maker` and `taker`; one not named is the "
            "contract's.",
            examples=({"maker": "0.0002", "taker": "0.0006"},),
        ),
    ] = msgspec.field(default_factory=dict)
    slippage: Annotated[
        E8,
        setting("What a taker of the model pays beyond the shown price.", minimum=0, maximum=ONE // 10),
    ] = 0
    queue: Annotated[
        Literal["through", "touch", "shown"],
        setting("Where resting orders of the model stand in the queue, as an exchange's `queue`."),
    ] = "through"

    def __post_init__(self) -> None:
        if DAY_NS % self.every:
            raise ValueError("every: a day is not so many whole spans; 1h, 4h or 6h are a part of it")
        for name, fee in self.fees.items():
            if name not in ("maker", "taker"):
                raise ValueError(f"fees.{name}: is neither `maker` nor `taker`")
            if abs(fee) >= ONE // 100:
                raise ValueError(f"fees.{name}: must be below 0.01 of notional")
