"""The limits that every account has, in files for live trading written down one by one."""

from __future__ import annotations

from typing import Annotated

from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = ["CoreLimits"]

USDT = 100_000_000  # 1 in 1e-8
SECOND = 1_000_000_000


class CoreLimits(Settings, frozen=True, kw_only=True):
    """Limits of one account. 0 turns a limit off where its help says so; the catalog's own always hold.

    An order that only reduces a position passes every limit but the size of one order, the price band and
    the check that it is no repetition.
    """

    max_order_contracts: Annotated[
        int,
        setting(
            "Largest order in contracts; 0 leaves it to the catalog.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 0
    max_order_notional_usdt: Annotated[
        E8,
        setting(
            "Largest value of one order; 0 turns it off.",
            minimum=0,
            risk="raise",
            examples=("25000",),
            off_at_zero=True,
        ),
    ] = 25_000 * USDT
    price_band: Annotated[
        E8,
        setting(
            "How far a limit price may lie from the mark, as a fraction; 0 leaves it to the catalog, which "
            "always holds too.",
            minimum=0,
            maximum=USDT,
            risk="raise",
            off_at_zero=True,
            examples=("0.02",),
        ),
    ] = 0
    max_open_orders: Annotated[
        int,
        setting("Orders that may live at once; 0 turns it off.", minimum=0, risk="raise", off_at_zero=True),
    ] = 50
    max_position_contracts: Annotated[
        int,
        setting(
            "Largest position of one symbol with its live orders; 0 leaves it to the catalog.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 0
    max_position_notional_usdt: Annotated[
        E8,
        setting(
            "Largest value of one symbol's position with its live orders; 0 turns it off.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 100_000 * USDT
    max_leverage: Annotated[
        E8,
        setting(
            "Value of all positions and live orders over equity; 0 turns it off. The tiers hold too.",
            minimum=0,
            risk="raise",
            examples=("3", "1.5"),
            off_at_zero=True,
        ),
    ] = 3 * USDT
    max_open_trades: Annotated[
        int,
        setting(
            "Symbols that may have a position or an order that opens one; 0 turns it off.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 10
    daily_loss_usdt: Annotated[
        E8,
        setting(
            "Loss since 00:00 UTC, open positions included, that ends new risk until a person resumes; "
            "0 turns it off.",
            minimum=0,
            risk="raise",
            examples=("500",),
            off_at_zero=True,
        ),
    ] = 500 * USDT
    quote_age_max: Annotated[
        Duration,
        setting(
            "How old quote and mark price may be; 0 turns it off.", minimum=0, risk="raise", off_at_zero=True
        ),
    ] = 30 * SECOND
    max_orders_per_second: Annotated[
        int,
        setting(
            "Orders a second in the long run; 0 turns it off.",
            minimum=0,
            maximum=10**9,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 50
    order_burst: Annotated[
        int, setting("Orders that may come at once after a quiet time.", minimum=1, risk="raise")
    ] = 100
    begins_halted: Annotated[
        bool,
        setting(
            "Trading begins halted: until a person resumes, with a reason, only reductions pass. It counts "
            "for the first start with a journal; whatever halts later is latched anyway.",
            risk="lower",
            optional=True,
        ),
    ] = False
    position_settle: Annotated[
        Duration,
        setting("How long ledger and orders may disagree about a position before the ledger is believed."),
    ] = 2 * SECOND
