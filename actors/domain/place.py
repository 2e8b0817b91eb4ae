"""Where an actor stands: what the deployment tells every behaviour when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.domain.instrument import Instrument

__all__ = ["Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """One actor's address, the variables of its `for_each`, and the instruments of the deployment."""

    deployment: str
    address: str  # `trend/BTC_USDT_PERP`
    mode: str  # backtest | simulation | paper | shadow | live
    seed: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)  # {"symbol": "BTC_USDT_PERP"}
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    directory: str = "."  # paths in settings are relative to the deployment file's folder
    # Values behind the secret references in this actor's own settings; never shown, never recorded.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def symbol(self) -> str:
        """The symbol this actor was made for. Errors: KeyError when it is not made per symbol."""
        return self.variables["symbol"]

    @property
    def account(self) -> str:
        """The account this actor was made for. Errors: KeyError when it is not made per account."""
        return self.variables["account"]

    @property
    def instrument(self) -> Instrument:
        """The specification of this actor's symbol. Errors: KeyError when it is not made per symbol."""
        return self.instruments[self.variables["symbol"]]
