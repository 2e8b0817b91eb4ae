"""What an operator may write about a served exchange."""

from __future__ import annotations

from typing import Annotated

import msgspec

from actors.domain.money import E8 as ONE
from actors.exchange.fee_schedules import PUBLISHED
from actors.exchange.rules import Rules
from actors.exchange.server.keys import ApiKey
from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = ["VIP_FEES", "AccountSettings", "ServerSettings"]

MS_NS = 1_000_000

VIP_FEES = PUBLISHED  # the dearer of two tables


class AccountSettings(Settings, frozen=True, kw_only=True):
    """One account with its keys."""

    key: Annotated[str, setting("API key.")]
    secret: Annotated[str, setting("API secret.")]
    usdt: Annotated[E8, setting("First deposit of the futures account, in USDT.", minimum=0)] = 10_000 * ONE
    spot: Annotated[dict[str, E8], setting("First deposits of the spot account, by currency.")] = (
        msgspec.field(default_factory=lambda: {"USDT": 10_000 * ONE})
    )
    vip: Annotated[int, setting("VIP level, which decides the fees.", minimum=0, maximum=9)] = 0
    name: Annotated[str, setting("Whose key it is; keys of one name share an account. Empty: the key.")] = ""

    @property
    def account(self) -> str:
        """The account's name."""
        return self.name or self.key


def _local_account() -> tuple[AccountSettings, ...]:
    return (AccountSettings(key="local-key", secret="local-secret"),)


class ServerSettings(Settings, frozen=True, kw_only=True):
    """The exchange's house rules."""

    accounts: Annotated[tuple[AccountSettings, ...], setting("Accounts and their keys.")] = msgspec.field(
        default_factory=_local_account
    )
    symbols: Annotated[
        tuple[str, ...], setting("Futures symbols that are served; empty for all of the catalog.")
    ] = ()
    seed: Annotated[int, setting("Seed of the market: prices and participants follow from it.")] = 7
    speed: Annotated[
        int, setting("How many times faster than the clock the market moves.", minimum=1, maximum=10_000)
    ] = 1
    participants: Annotated[
        bool, setting("Whether made-up participants keep the books filled and trade.")
    ] = True
    participants_every: Annotated[
        Duration, setting("How often the participants of one symbol act.", minimum=10 * MS_NS)
    ] = 500 * MS_NS
    funding_interval: Annotated[
        Duration, setting("Time between settlements of funding; 0 is the contract's own.", minimum=0)
    ] = 0
    rate_limits: Annotated[
        int, setting("Factor on the venue's rate limits; 0 switches them off.", minimum=0)
    ] = 1
    timestamp_window: Annotated[
        Duration, setting("How far a request's timestamp may lie from the clock.", minimum=MS_NS)
    ] = 60_000 * MS_NS
    insurance_usdt: Annotated[
        E8, setting("What the insurance fund may lose before positions are deleveraged.", minimum=0)
    ] = 1_000_000 * ONE
    silence_max: Annotated[
        Duration, setting("After how long a silent WebSocket client is cut off.", minimum=MS_NS)
    ] = 30_000 * MS_NS
    faults: Annotated[bool, setting("Whether the fault port answers under /__faults__.")] = False
    open_orders_max: Annotated[int, setting("Resting orders one account may have.", minimum=1)] = 20_000
    closed_orders_kept_max: Annotated[
        int, setting("Ended orders per account that are remembered.", minimum=1)
    ] = 5_000

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for account in self.accounts:
            if not account.key or account.key in seen:
                raise ValueError(f"accounts: the key {account.key!r} is empty or there twice")
            if account.account.startswith("~"):
                raise ValueError("accounts: names that begin with ~ are the exchange's own")
            seen.add(account.key)

    def rules(self) -> Rules:
        """Return the engine's rules."""
        return Rules(
            funding_by_clock=True,
            open_orders_max=self.open_orders_max,
            closed_orders_kept_max=self.closed_orders_kept_max,
            insurance_loss_usdt_max=self.insurance_usdt,
        )

    def keys(self) -> list[ApiKey]:
        """Return all keys."""
        return [ApiKey(account.key, account.secret, account.account) for account in self.accounts]
