"""The kinds of actors there are, in one table. Code is imported when a deployment names its kind, not before.

A behaviour is made as `Class(settings, place)`. What it accepts and sends is said by its class; what it must
have to be of use, and where it may run, is said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

from actors.runtime.behaviour import Behaviour
from actors.runtime.errors import require
from actors.runtime.settings import Settings

__all__ = ["KINDS", "MODES", "Kind"]

MODES = ("backtest", "simulation", "paper", "shadow", "live")
REAL_TIME = ("simulation", "paper", "shadow", "live")
NOT_REAL = ("backtest", "simulation", "paper", "shadow")  # a market or an exchange that is made up


@dataclass(frozen=True)
class Kind:
    """One kind of actor."""

    name: str
    behaviour: str  # "module:Class"
    settings: str  # "module:Class"
    summary: str
    variables: tuple[str, ...] = ()  # `for_each` must name them
    stability: str = "beta"  # alpha | beta | stable
    modes: tuple[str, ...] = MODES
    hears: tuple[str, ...] = ()  # messages without which it is of no use; `A|B` when one of them is enough
    tells: tuple[str, ...] = ()  # messages that somebody must take, or it is of no use
    owns: str = ""  # the variable of which there may be one actor of this kind only
    vets_orders: bool = False  # an order must pass an actor of such a kind
    trades_at: tuple[str, ...] = ()  # settings with the places where orders go
    shares: str = ""  # setting that names whose limits it uses a `limits_fraction` of
    market: str = ""  # perpetual or spot, where it knows one kind of market only
    stands_alone: bool = False  # is of use although it reads nobody and nobody reads it
    listens: bool = False  # hears what the node itself tells everybody, whoever it reads

    @cached_property
    def behaviour_class(self) -> type[Behaviour]:
        """The class, imported now if it was not yet."""
        found = _load(self.behaviour)
        require(issubclass(found, Behaviour), "a kind's behaviour is a Behaviour", kind=self.name)
        return found  # type: ignore[no-any-return]

    @cached_property
    def settings_class(self) -> type[Settings]:
        """The class, imported now if it was not yet."""
        found = _load(self.settings)
        require(issubclass(found, Settings), "a kind's settings are Settings", kind=self.name)
        return found  # type: ignore[no-any-return]

    @cached_property
    def accepts(self) -> dict[str, type]:
        """Message types it takes, by name."""
        return {message.__name__: message for message in self.behaviour_class.ACCEPTS}

    @cached_property
    def sends(self) -> dict[str, type]:
        """Message types it publishes or answers with, by name."""
        found = self.behaviour_class
        return {message.__name__: message for message in (*found.EMITS, *found.REPLIES)}


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def _strategy(name: str, settings: str, summary: str, modes: tuple[str, ...] = MODES) -> Kind:
    return Kind(
        name=f"strategy.{name}",
        behaviour="actors.strategy.actor:StrategyActor",
        settings=settings,
        summary=summary,
        variables=("symbol",),
        modes=modes,
        hears=("OrderUpdate",),
        tells=("OrderIntent",),
    )


_TABLE = (
    Kind(
        name="feed.synthetic",
        behaviour="actors.feed.synthetic:SyntheticFeed",
        settings="actors.feed.settings:SyntheticSettings",
        summary="A seeded market that moves: regimes, jumps, spread, depth, funding.",
        variables=("symbol",),
        modes=NOT_REAL,
        owns="symbol",
    ),
    Kind(
        name="feed.replay",
        behaviour="actors.feed.replay:ReplayFeed",
        settings="actors.feed.settings:ReplaySettings",
        summary="Recorded trades or candles from CSV or Parquet files, at any speed.",
        variables=("symbol",),
        modes=NOT_REAL,
        owns="symbol",
    ),
    Kind(
        name="feed.poloniex",
        behaviour="actors.feed.poloniex.actor:PoloniexFeed",
        settings="actors.feed.poloniex.settings:PoloniexFeedSettings",
        summary="One symbol's market at Poloniex futures, live, with REST as a second witness.",
        variables=("symbol",),
        modes=REAL_TIME,
        owns="symbol",
        shares="rest_url",
        market="perpetual",
    ),
    Kind(
        name="feed.poloniex_spot",
        behaviour="actors.feed.poloniex.spot:PoloniexSpotFeed",
        settings="actors.feed.poloniex.settings:PoloniexSpotFeedSettings",
        summary="One symbol's market at Poloniex spot, live, with REST as a second witness.",
        variables=("symbol",),
        modes=REAL_TIME,
        owns="symbol",
        market="spot",
    ),
    _strategy(
        "trend_follow",
        "actors.strategy.library.trend_follow:TrendFollowSettings",
        "Goes with the trend: two moving averages that cross, sized by volatility.",
    ),
    _strategy(
        "mean_reversion",
        "actors.strategy.library.mean_reversion:MeanReversionSettings",
        "Goes against excursions: buys far below the mean, sells far above it.",
    ),
    _strategy(
        "parade",
        "actors.strategy.library.parade:ParadeSettings",
        "Starts parent orders of every type in turn; for drills and simulations, not for profit.",
        NOT_REAL,
    ),
    _strategy(
        "pulse",
        "actors.strategy.library.pulse:PulseSettings",
        "Trades at a fixed rhythm; for benchmarks and drills, not for profit.",
        NOT_REAL,
    ),
    Kind(
        name="risk",
        behaviour="actors.risk.actor:RiskActor",
        settings="actors.risk.settings:RiskSettings",
        summary="Allows or denies every order of one account, by its limits.",
        variables=("account",),
        hears=("OrderIntent", "OrderUpdate", "AccountState", "ReconcileFinished"),
        tells=("SubmitOrder",),
        owns="account",
        vets_orders=True,
    ),
    Kind(
        name="portfolio",
        behaviour="actors.portfolio.actor:PortfolioActor",
        settings="actors.portfolio.settings:PortfolioSettings",
        summary="Adds up all accounts, and how their symbols move together; risk limits it.",
        hears=("AccountState", "PositionState", "MarkPrice", "PortfolioUse"),
        tells=("PortfolioState", "PortfolioGrant"),
    ),
    Kind(
        name="oms",
        behaviour="actors.oms.actor:OmsActor",
        settings="actors.oms.settings:OmsSettings",
        summary="Owns one account's orders, from submission to their end.",
        variables=("account",),
        hears=("SubmitOrder", "OrderAccepted", "OrderFilled"),
        tells=("PlaceOrder", "Fill", "OrderUpdate"),
        owns="account",
    ),
    Kind(
        name="ledger",
        behaviour="actors.ledger.actor:LedgerActor",
        settings="actors.ledger.settings:LedgerSettings",
        summary="Owns one account's money: positions, margin, fees, funding, profit and loss.",
        variables=("account",),
        hears=("Fill", "MarkPrice"),
        tells=("AccountState",),
        owns="account",
    ),
    Kind(
        name="venue.simulated",
        behaviour="actors.venue.simulated:SimulatedVenue",
        settings="actors.venue.simulated:SimulatedVenueSettings",
        summary="Our side of the built-in exchange.",
        variables=("account",),
        modes=NOT_REAL,
        hears=("PlaceOrder", "OrderAccepted|OrderFilled"),
        tells=("PlaceOrder", "OrderAccepted|OrderFilled"),
        owns="account",
    ),
    Kind(
        name="venue.poloniex",
        behaviour="actors.venue.poloniex.actor:PoloniexVenue",
        settings="actors.venue.poloniex.settings:PoloniexVenueSettings",
        summary="Our side of one account at Poloniex futures: REST, private stream, signatures.",
        variables=("account",),
        modes=REAL_TIME,
        hears=("PlaceOrder",),
        tells=("OrderAccepted|OrderFilled",),
        owns="account",
        trades_at=("rest_url", "stream_url"),
        shares="key",
        market="perpetual",
    ),
    Kind(
        name="venue.poloniex_spot",
        behaviour="actors.venue.poloniex.spot:PoloniexSpotVenue",
        settings="actors.venue.poloniex.settings:PoloniexSpotVenueSettings",
        summary="Our side of one account at Poloniex spot: REST, private stream, signatures.",
        variables=("account",),
        modes=REAL_TIME,
        hears=("PlaceOrder", "Quote"),
        tells=("OrderAccepted|OrderFilled",),
        owns="account",
        trades_at=("rest_url", "stream_url"),
        market="spot",
    ),
    Kind(
        name="exchange",
        behaviour="actors.exchange.actor:ExchangeActor",
        settings="actors.exchange.settings:ExchangeSettings",
        summary="The far side: matches orders against the market's book and trades.",
        modes=NOT_REAL,
        hears=("PlaceOrder", "BookDepth|Quote|Trade"),
        tells=("OrderAccepted|OrderFilled",),
        market="perpetual",
    ),
    Kind(
        name="exchange.spot",
        behaviour="actors.exchange.spot:SpotExchangeActor",
        settings="actors.exchange.settings:SpotExchangeSettings",
        summary="The far side of a spot account: coins against money at once, fees in what is received.",
        modes=NOT_REAL,
        hears=("PlaceOrder", "BookDepth|Quote|Trade"),
        tells=("OrderAccepted|OrderFilled",),
        market="spot",
    ),
    Kind(
        name="reconciler",
        behaviour="actors.reconciler.actor:ReconcilerActor",
        settings="actors.reconciler.settings:ReconcilerSettings",
        summary="Compares one account's books with the venue's, at start and then periodically.",
        variables=("account",),
        hears=("VenueAccount", "OrdersSnapshot", "LedgerSnapshot"),
        tells=("ReconcileFinished",),
        owns="account",
    ),
    Kind(
        name="catalog",
        behaviour="actors.catalog.actor:CatalogActor",
        settings="actors.catalog.settings:CatalogSettings",
        summary="Asks the venue what it lists; halts symbols that are not as the markets file has them.",
        modes=REAL_TIME,
        tells=("Halt",),
        shares="rest_url",
    ),
    Kind(
        name="secrets",
        behaviour="actors.secrets.actor:SecretsWatch",
        settings="actors.secrets.settings:SecretsWatchSettings",
        summary="Asks the store of secrets what has changed; halts to reductions when it says no or nothing.",
        modes=REAL_TIME,
        tells=("Halt",),
    ),
    Kind(
        name="parity",
        behaviour="actors.parity.actor:ParityActor",
        settings="actors.parity.settings:ParitySettings",
        summary="Measures each day's gap between what happened and what the model says, from the tape.",
        modes=("paper", "shadow", "live"),
        stands_alone=True,
    ),
    Kind(
        name="alerter",
        behaviour="actors.alerter.actor:AlerterActor",
        settings="actors.alerter.settings:AlerterSettings",
        summary="Groups, quiets and delivers the alerts of the whole deployment.",
        listens=True,
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}
