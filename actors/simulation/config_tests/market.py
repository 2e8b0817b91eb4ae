"""Markets whose price a test says: the deployment's own feeds and exchange, another price path below them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from actors.deployment.topology import ActorPlan, Topology
from actors.domain.place import Place
from actors.exchange.server.price_path import PricePath
from actors.feed.settings import SyntheticSettings
from actors.feed.synthetic import SyntheticFeed
from actors.feed.synthetic_market import Moment, SyntheticMarket
from actors.runtime.behaviour import Behaviour

__all__ = ["Prices", "ServedPath", "scripted"]

SECOND_NS = 1_000_000_000
NO_SECRETS: Mapping[str, str] = {}


class Prices:
    """The prices that hold now, in ticks, by symbol."""

    def __init__(self, ticks: Mapping[str, int]) -> None:
        self.ticks = dict(ticks)


class ServedPath(PricePath):
    """The price of one symbol at an exchange beyond the line."""

    def __init__(self, symbol: str, prices: Prices) -> None:
        super().__init__(0, symbol, prices.ticks[symbol])
        self._symbol, self._prices = symbol, prices

    def ticks_at(self, at_ns: int) -> int:
        """Return the price, whatever the instant."""
        return self._prices.ticks[self._symbol]


class _Market(SyntheticMarket):
    """A synthetic market with the test's price; its quotes breathe a tick, for rest is frozen."""

    def __init__(self, place: Place, settings: SyntheticSettings, prices: Prices) -> None:
        super().__init__(settings, place.symbol, place.instrument)
        self._prices = prices

    def _price(self) -> int:
        return self._prices.ticks[self._symbol]

    def moment(self, step: int) -> Moment:
        at_ns = step * self.tick_ns
        price = float(self._price() + at_ns // SECOND_NS % 2)
        return Moment(step, at_ns, price, 0.0, 1.0, self._flow.touch(step, price, 1.0))

    def mark_and_index(self, at_ns: int) -> tuple[int, int]:
        return self._price(), self._price()

    def _minute_levels(self, start_ns: int, end_ns: int) -> list[float]:
        return [math.log(self._price())]

    def _second_levels(self, start_ns: int, end_ns: int) -> list[float]:
        return [math.log(self._price())]


class _Feed(SyntheticFeed):
    def __init__(self, settings: SyntheticSettings, place: Place, prices: Prices) -> None:
        super().__init__(settings, place)
        self._market = _Market(place, settings, prices)


@dataclass(frozen=True, slots=True)
class _FeedPlan(ActorPlan):
    """A feed of a synthetic market, as it is planned, but for its prices."""

    prices: Prices = field(default_factory=lambda: Prices({}))

    def make(self, secrets: Mapping[str, str] = NO_SECRETS) -> Behaviour:
        assert isinstance(self.settings, SyntheticSettings)
        return _Feed(self.settings, self.place, self.prices)


def scripted(topology: Topology, prices: Prices) -> tuple[Topology, dict[str, PricePath]]:
    """Return the deployment with the test's prices in its synthetic feeds, and those for an exchange outside.

    Errors: ValueError when a symbol has another kind of market.
    """

    def plan_of(plan: ActorPlan) -> ActorPlan:
        symbol = plan.place.variables.get("symbol", "")
        if not plan.kind.startswith("feed.") or symbol not in prices.ticks:
            return plan
        if isinstance(plan.settings, SyntheticSettings):
            values = {one.name: getattr(plan, one.name) for one in fields(plan)}
            return _FeedPlan(**values, prices=prices)
        if plan.kind.startswith("feed.replay"):
            raise ValueError(f"{plan.address} plays a record: 'market' cannot say its prices")
        return plan

    paths: dict[str, PricePath] = {symbol: ServedPath(symbol, prices) for symbol in prices.ticks}
    return replace(topology, actors=tuple(map(plan_of, topology.actors))), paths
