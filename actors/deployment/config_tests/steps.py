"""What a test does and asks, once everything in it is understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.deployment.config_tests.form import Expect, Given
from actors.deployment.config_tests.where import Where
from actors.deployment.places import Span
from actors.deployment.topology import Topology
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.runtime.messages import Message

__all__ = [
    "Advance",
    "ConfigTest",
    "Expectation",
    "Restart",
    "SendMessage",
    "SetMarket",
    "Step",
    "Strike",
    "WishOrder",
]


@dataclass(frozen=True)
class Advance:
    """Let time pass."""

    duration_ns: int


@dataclass(frozen=True)
class SendMessage:
    """Bring a message to an actor, or to all that read another one. Its instants may be FromNow."""

    message: Message
    to: str
    by: str


@dataclass(frozen=True)
class WishOrder:
    """Have a strategy wish an order."""

    risk: str
    strategy: str
    account: str
    symbol: str
    side: Side
    contracts: int  # 0: as many as are worth `usdt`
    usdt: int
    order_type: OrderType
    limit_ticks: int
    time_in_force: TimeInForce
    reduce_only: bool
    intent_id: str


@dataclass(frozen=True)
class SetMarket:
    """Move prices, in ticks."""

    prices: Mapping[str, int]


@dataclass(frozen=True)
class Strike:
    """Let a fault begin. The share is in millionths."""

    kind: str
    lasts_ns: int
    target: str
    value: int
    share_ppm: int


@dataclass(frozen=True)
class Restart:
    """Rebuild an actor from the journal."""

    address: str


@dataclass(frozen=True)
class Expectation:
    """Something must come or hold within a time, or must not."""

    subject: str  # message, event, order, alert, ...
    name: str
    form: Expect
    where: Where
    is_absence: bool

    def __str__(self) -> str:
        words = [f"{self.subject} {self.name}"]
        words += [f"by {self.form.by}"] if self.form.by else []
        words += [f"to {self.form.to}"] if self.form.to else []
        words += [f"where {self.where}"] if self.where.conditions else []
        words += [f"exactly {self.form.times} times"] if self.form.times else []
        return " ".join(words)


Deed = Advance | SendMessage | WishOrder | SetMarket | Strike | Restart | Expectation


@dataclass(frozen=True)
class Step:
    """One step, with its place."""

    word: str
    span: Span
    deed: Deed


@dataclass
class ConfigTest:
    """One test of a deployment. `steps` and `topology` are there when nothing is wrong with it."""

    name: str
    span: Span
    file: str
    given: Given
    topology: Topology
    market: Mapping[str, int] = field(default_factory=dict)  # prices in ticks at the start
    steps: tuple[Step, ...] = ()
