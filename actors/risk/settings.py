"""What an operator may write about an account's risk: limits, and what follows when one is met."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

from msgspec import Meta, field

from actors.risk.core_limits import CoreLimits
from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = ["Action", "RiskSettings", "StrategyLimits", "SymbolLimits"]

UNIT = 100_000_000  # 1 in 1e-8
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class Action(enum.Enum):
    """What follows when a rule says no."""

    DENY = "deny"  # the order does not leave
    SHRINK = "shrink"  # as much of it leaves as the limits allow
    REDUCE_ONLY = "reduce_only"  # and a halt is latched on what the rule is about: only reductions pass
    CANCEL = "cancel"  # and its live orders are canceled
    FLATTEN = "flatten"  # and its positions are closed
    HALT = "halt"  # and the whole account stops taking risk


def _limit(help: str, *, maximum: int | None = None, examples: tuple[str, ...] = ()) -> Meta:
    options = {"risk": "raise", "optional": True, "off_at_zero": True}
    return setting(help, minimum=0, maximum=maximum, examples=examples, **options)


AtLeast0 = Annotated[int, Meta(ge=0)]
E8AtLeast0 = Annotated[E8, Meta(ge=0)]
OWN = setting("As of the account.", risk="raise", optional=True, off_at_zero=True)


class SymbolLimits(Settings, frozen=True, kw_only=True):
    """One symbol's own limits: each that is written stands in place of the account's."""

    max_order_contracts: Annotated[AtLeast0 | None, OWN] = None
    max_order_notional_usdt: Annotated[E8AtLeast0 | None, OWN] = None
    price_band: Annotated[E8AtLeast0 | None, OWN] = None
    collar: Annotated[E8AtLeast0 | None, OWN] = None
    max_symbol_orders: Annotated[AtLeast0 | None, OWN] = None
    max_position_contracts: Annotated[AtLeast0 | None, OWN] = None
    max_position_notional_usdt: Annotated[E8AtLeast0 | None, OWN] = None
    quote_age_max: Annotated[Duration | None, OWN] = None
    max_divergence: Annotated[E8AtLeast0 | None, OWN] = None
    max_funding_fraction: Annotated[E8AtLeast0 | None, OWN] = None
    stop_loss: Annotated[E8AtLeast0 | None, OWN] = None
    take_profit: Annotated[E8AtLeast0 | None, OWN] = None
    max_holding: Annotated[Duration | None, OWN] = None


class StrategyLimits(Settings, frozen=True, kw_only=True):
    """Limits of one strategy actor. 0 turns a limit off."""

    max_notional_usdt: Annotated[
        E8, _limit("Largest value of what its own fills and live orders can add up to.")
    ] = 0
    max_open_orders: Annotated[int, _limit("Orders of it that may live at once.")] = 0
    daily_loss_usdt: Annotated[
        E8, _limit("What its own fills may lose in a day, at the mark, before fees and funding.")
    ] = 0


class RiskSettings(CoreLimits, frozen=True, kw_only=True):
    """Limits of one account. 0 turns a limit off where its help says so; the catalog's own always hold.

    An order that only reduces a position passes every limit but the size of one order, the price band and
    the check that it is no repetition.
    """

    # -- orders and their prices
    collar: Annotated[
        E8,
        _limit(
            "How far from the mark the price that a market order meets may lie; 0 turns it off.",
            maximum=UNIT,
            examples=("0.01",),
        ),
    ] = 0
    max_decision_drift: Annotated[
        E8,
        _limit(
            "How far the price may have moved since the strategy decided; 0 turns it off.",
            maximum=UNIT,
            examples=("0.005",),
        ),
    ] = 0
    max_symbol_orders: Annotated[
        int, _limit("Orders of one symbol that may live at once; 0 turns it off.")
    ] = 0
    max_cancels_per_second: Annotated[
        int,
        _limit(
            "Cancels a second in the long run; beyond it no order opens anything. A cancel always passes. "
            "0 turns it off.",
            maximum=10**9,
        ),
    ] = 0
    cancel_burst: Annotated[
        int,
        setting("Cancels that may come at once after a quiet time.", minimum=1, risk="raise", optional=True),
    ] = 100
    # -- positions
    stop_loss: Annotated[
        E8,
        _limit(
            "Loss of a position, as a fraction of what it cost, at which it is closed; 0 turns it off.",
            examples=("0.05",),
        ),
    ] = 0
    take_profit: Annotated[
        E8,
        _limit(
            "Profit of a position, as a fraction of what it cost, at which it is closed; 0 turns it off.",
            examples=("0.1",),
        ),
    ] = 0
    max_holding: Annotated[
        Duration,
        _limit("How long a position may live before it is closed; 0 turns it off.", examples=("8h",)),
    ] = 0
    exit_pause: Annotated[
        Duration,
        setting(
            "How long after such a close nothing opens in the symbol.", minimum=0, risk="lower", optional=True
        ),
    ] = 5 * MINUTE
    # -- the account
    max_gross_usdt: Annotated[E8, _limit("Value of all positions and live orders; 0 turns it off.")] = 0
    max_net_usdt: Annotated[
        E8, _limit("Value by which long and short may differ, live orders included; 0 turns it off.")
    ] = 0
    max_margin_use: Annotated[
        E8,
        _limit(
            "Part of equity that initial margin may take, live orders included; 0 turns it off.",
            maximum=UNIT,
            examples=("0.5",),
        ),
    ] = 0
    weekly_loss_usdt: Annotated[
        E8, _limit("Loss since Monday's day start, open positions included; 0 turns it off.")
    ] = 0
    max_drawdown: Annotated[
        E8,
        _limit(
            "Part of the highest equity that may be lost again; a resume of the account measures anew. "
            "0 turns it off.",
            maximum=UNIT,
            examples=("0.2",),
        ),
    ] = 0
    max_loss_streak: Annotated[
        int, _limit("Trades in a row that may lose before a pause; 0 turns it off.", examples=("5",))
    ] = 0
    loss_streak_pause: Annotated[
        Duration,
        setting("How long nothing opens after such a streak.", minimum=SECOND, risk="lower", optional=True),
    ] = HOUR
    max_rejects_in_row: Annotated[
        int, _limit("Orders in a row that the venue may refuse; 0 turns it off.", examples=("5",))
    ] = 0
    # -- data and models
    max_divergence: Annotated[
        E8,
        _limit(
            "How far the middle of the quote and the index may lie from the mark; a crossed quote is too "
            "far. 0 turns it off.",
            maximum=UNIT,
            examples=("0.02",),
        ),
    ] = 0
    clock_ahead_max: Annotated[
        Duration, _limit("How far ahead of our clock prices may be dated; 0 turns it off.", examples=("1s",))
    ] = 0
    max_funding_fraction: Annotated[
        E8,
        _limit(
            "What the symbol's position may have to pay at the next funding, as a part of equity; 0 turns "
            "it off.",
            maximum=UNIT,
            examples=("0.001",),
        ),
    ] = 0
    max_slippage: Annotated[
        E8,
        _limit(
            "How far fills may lie behind a strategy's decision prices, as a moving average of its fills; "
            "0 turns it off.",
            maximum=UNIT,
            examples=("0.003",),
        ),
    ] = 0
    max_denials_in_row: Annotated[
        int, _limit("Orders of one strategy in a row that may be denied; 0 turns it off.")
    ] = 0
    refuse_not_finite: Annotated[
        bool,
        setting("Deny an order with a reason that is no number: nan or inf.", risk="lower", optional=True),
    ] = False
    strategy_silence_max: Annotated[
        Duration,
        _limit(
            "How long a strategy may give no sign of life; it must send heartbeats. 0 turns it off.",
            examples=("30s",),
        ),
    ] = 0
    # -- the portfolio: all accounts of the deployment
    portfolio_gross_usdt: Annotated[E8, _limit("Value of the positions of all accounts; 0 turns it off.")] = 0
    portfolio_net_usdt: Annotated[
        E8, _limit("Value by which long and short of all accounts may differ; 0 turns it off.")
    ] = 0
    portfolio_loss_usdt: Annotated[E8, _limit("Loss of all accounts in their day; 0 turns it off.")] = 0
    portfolio_correlated_usdt: Annotated[
        E8, _limit("Exposure of all accounts with correlation counted in; 0 turns it off.")
    ] = 0
    portfolio_age_max: Annotated[
        Duration,
        setting(
            "How old the portfolio's figures may be where one of its limits is on.",
            minimum=SECOND,
            risk="raise",
            optional=True,
        ),
    ] = 30 * SECOND
    # -- per symbol, per strategy, and what follows
    symbols: Annotated[
        dict[str, SymbolLimits], setting("Limits of single symbols, in place of the account's.")
    ] = field(default_factory=dict)
    strategies: Annotated[
        dict[str, StrategyLimits], setting("Limits of single strategies, by the actor's address.")
    ] = field(default_factory=dict)
    actions: Annotated[
        dict[str, Action],
        setting(
            "What follows when a rule says no, by the rule's name; the rules' page has what each allows."
        ),
    ] = field(default_factory=dict)
    warn_at: Annotated[
        E8,
        setting(
            "Part of a limit at which a ticket is raised before the limit itself is met; 0 never.",
            minimum=0,
            maximum=UNIT - 1,
            examples=("0.8",),
        ),
    ] = 0
    margin_near: Annotated[
        E8,
        setting(
            "Part of equity that maintenance margin takes, by our figures or the venue's, from which on "
            "MarginNear pages; at 1 the venue liquidates. 0 never.",
            minimum=0,
            maximum=UNIT,
            examples=("0.5",),
        ),
    ] = UNIT // 2
    refusals_max: Annotated[
        int,
        setting(
            "So many orders denied here or rejected by the venue within refusals_window: RejectStorm. What "
            "a halt, a stale feed or a loss limit denies does not count. 0 never.",
            minimum=0,
            maximum=10_000,
        ),
    ] = 20
    refusals_window: Annotated[
        Duration,
        setting("The time in which they count, and without a storm for so long it is over.", minimum=SECOND),
    ] = MINUTE
    refusals_fraction: Annotated[
        E8,
        setting("Part of the orders of that time that must have been refused.", minimum=0, maximum=UNIT),
    ] = UNIT // 2
    venue_silence_max: Annotated[
        Duration,
        setting(
            "The venue cannot be reached for so long: its account is halted at `silence_level` till a person "
            "resumes. 0 turns it off. The account's venue actor must be among `reads`.",
            minimum=0,
            risk="raise",
            optional=True,
            off_at_zero=True,
        ),
    ] = 0
    feed_silence_max: Annotated[Duration, _limit("The same of a symbol and its feed. 0 turns it off.")] = 0
    silence_level: Annotated[
        Literal["no_new_risk", "cancel_all", "flatten"],
        setting(
            "How far these two halts go.",
            risk="lower",
            optional=True,
            ascending=("no_new_risk", "cancel_all", "flatten"),
        ),
    ] = "no_new_risk"
    approval: Annotated[
        Literal["one_person", "two_persons"],
        setting(
            "Whether loosening a limit of a running node takes a second person's word.",
            risk="lower",
            optional=True,
            ascending=("one_person", "two_persons"),
        ),
    ] = "one_person"

    def __post_init__(self) -> None:
        from actors.risk.table import check_actions  # the rules know what may follow; they read this module

        check_actions(self.actions)
