"""What an operator may write about an exchange."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from actors.domain.money import E8 as ONE
from actors.exchange.fee_schedules import SCHEDULES
from actors.exchange.rules import Rules
from actors.runtime.settings import E8, Duration, Reload, Settings, setting

__all__ = ["ExchangeSettings", "HouseSettings", "SpotExchangeSettings"]


def _one_account() -> dict[str, int]:
    return {"main": 10_000 * ONE}


class HouseSettings(Settings, frozen=True, kw_only=True):
    """Accounts and rules that every simulated exchange has."""

    accounts: Annotated[
        dict[str, E8],
        setting(
            "Accounts and their first deposit in USDT. A deposit counts once, when the account is new.",
            reload=Reload.FIXED,
            examples=({"main": "10000"},),
        ),
    ] = msgspec.field(default_factory=_one_account)
    queue: Annotated[
        Literal["through", "touch", "shown"],
        setting(
            "Where our resting orders stand in the market's queue: `through` is the back (a trade must go "
            "through their price), `touch` the front (a trade at their price fills them), `shown` behind "
            "what the book displayed at their price when they came."
        ),
    ] = "through"
    fees: Annotated[
        dict[str, E8],
        setting(
            "Fees as a fraction of notional, `maker` and `taker`; one not named is the contract's. "
            "A negative one is a rebate.",
            examples=({"maker": "0.0002", "taker": "0.0006"},),
        ),
    ] = msgspec.field(default_factory=dict)
    slippage: Annotated[
        E8,
        setting(
            "What a taker pays beyond the shown price, as a fraction of it.",
            minimum=0,
            maximum=ONE // 10,
            risk="lower",
            examples=("0.0001",),
        ),
    ] = 0
    impact: Annotated[
        E8,
        setting(
            "The same for an order as large as all that the market traded within `impact_window`; it goes "
            "with the square root of the size.",
            minimum=0,
            maximum=ONE,
            risk="lower",
            examples=("0.01",),
        ),
    ] = 0
    impact_window: Annotated[
        Duration, setting("Whose volume the impact is measured by.", minimum=1_000_000_000)
    ] = 3_600_000_000_000
    open_orders_max: Annotated[int, setting("Resting orders one account may have.", minimum=1)] = 20_000
    closed_orders_kept_max: Annotated[
        int,
        setting("Ended orders per account that are remembered, for questions and for duplicates.", minimum=1),
    ] = 5_000
    venue: Annotated[
        str, setting("The venue actor of an account is `<venue>/<account>`.", pattern=r"^[a-z][a-z0-9_-]*$")
    ] = "venue"

    def __post_init__(self) -> None:
        if not self.accounts:
            raise ValueError("accounts: an exchange without an account serves nobody")
        for name, deposit in self.accounts.items():
            if deposit < 0:
                raise ValueError(f"accounts.{name}: a deposit cannot be negative")
        for name, fee in self.fees.items():
            if name not in ("maker", "taker"):
                raise ValueError(f"fees.{name}: is neither `maker` nor `taker`")
            if abs(fee) >= ONE // 100:
                raise ValueError(f"fees.{name}: must be below 0.01 of notional")

    def _house_rules(self) -> dict[str, Any]:
        return {
            "queue_front": self.queue == "touch",
            "queue_shown": self.queue == "shown",
            "slippage_e8": self.slippage,
            "impact_e8": self.impact,
            "impact_window_ns": self.impact_window,
            "open_orders_max": self.open_orders_max,
            "closed_orders_kept_max": self.closed_orders_kept_max,
        }


class ExchangeSettings(HouseSettings, frozen=True, kw_only=True):
    """Accounts and house rules of a simulated futures exchange."""

    leverage: Annotated[
        dict[str, int],
        setting("Leverage by symbol; a symbol not named has its contract's default.", risk="raise"),
    ] = msgspec.field(default_factory=dict)
    fee_schedule: Annotated[
        Literal["contract", "published", "ranks"],
        setting(
            "Where fees come from: the markets file, which has those of VIP 0 as published, or one of the "
            "venue's two tables by VIP level. `fees` goes before."
        ),
    ] = "contract"
    vip: Annotated[int, setting("VIP level in the fee schedule.", minimum=0, maximum=9, risk="raise")] = 0
    insurance_usdt: Annotated[
        E8,
        setting(
            "What the insurance fund may lose before positions of the other side are deleveraged; a "
            "negative number means that it pays whatever is needed."
        ),
    ] = -ONE
    funding: Annotated[
        Literal["feed", "clock"],
        setting(
            "When funding is settled: `feed` when the feed says so, `clock` at the contract's interval "
            "(00, 08, 16 UTC for 8 hours) with the last rate and mark price."
        ),
    ] = "feed"
    funding_kept_max: Annotated[
        int, setting("Funding payments per account that are remembered.", minimum=1)
    ] = 1_000

    def __post_init__(self) -> None:
        super().__post_init__()
        for symbol, leverage in self.leverage.items():
            if leverage < 1:
                raise ValueError(f"leverage.{symbol}: must be at least 1")
        if self.vip and self.fee_schedule == "contract":
            raise ValueError("vip: the markets file knows no levels; set fee_schedule")

    def rules(self) -> Rules:
        """Return the engine's rules."""
        return Rules(
            **self._house_rules(),
            leverage=self.leverage,
            fees_e8=self._fees(),
            funding_by_clock=self.funding == "clock",
            insurance_loss_usdt_max=self.insurance_usdt,
            funding_kept_max=self.funding_kept_max,
        )

    def _fees(self) -> dict[str, int]:
        if self.fee_schedule == "contract":
            return self.fees
        maker, taker = SCHEDULES[self.fee_schedule][self.vip]
        return {"maker": maker, "taker": taker} | self.fees


class SpotExchangeSettings(HouseSettings, frozen=True, kw_only=True):
    """Accounts and house rules of a simulated spot exchange."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fees.get("maker", 0) < 0:
            raise ValueError("fees.maker: a spot market pays no rebate")

    def rules(self) -> Rules:
        """Return the engine's rules."""
        return Rules(**self._house_rules(), fees_e8=self.fees)
