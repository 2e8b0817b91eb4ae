"""The spot half of the exchange: its engine, its markets, its streams, its waiting orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from actors.domain.instrument import Instrument
from actors.domain.money import E8, format_e8
from actors.exchange.rules import Rules
from actors.exchange.server.events import SpotHappened
from actors.exchange.server.market_view import MarketView, PublicTrade
from actors.exchange.server.participants import MAKER, TAKER, Participants
from actors.exchange.server.price_path import PricePath
from actors.exchange.server.settings import ServerSettings
from actors.exchange.server.spot_desk import SpotDesk
from actors.exchange.server.spot_engine import QUOTE, SpotEngine, spot_instruments
from actors.exchange.server.spot_reports import SpotReports
from actors.exchange.server.spot_smart import SmartOrders
from actors.exchange.server.spot_state import CoinsMoved, KillSwitchSet, SpotState
from actors.exchange.server.spot_streams import SpotPrivate, SpotPublic
from actors.messages.market import MarkPrice
from actors.messages.venue import OrderFilled
from actors.runtime.messages import Message

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["SpotSide"]

HOUSE_COINS = 10**7 * E8  # of each coin, for the participants
HOUSE_USDT = 10**9 * E8
FUTURES_SUFFIX = "_PERP"


class SpotSide:
    """Everything about spot."""

    def __init__(
        self,
        core: ExchangeCore,
        settings: ServerSettings,
        futures: Mapping[str, Instrument],
        state: SpotState,
        paths: Mapping[str, PricePath],
    ) -> None:
        self._core = core
        self._settings = settings
        rules = Rules(
            open_orders_max=settings.open_orders_max, closed_orders_kept_max=settings.closed_orders_kept_max
        )
        instruments = spot_instruments(futures)
        self.engine = SpotEngine(instruments, rules, state)
        self.engine.record = self.record
        # The same price as the futures contract: there is no basis between them but the participants'.
        self.views = {
            symbol: MarketView(self.engine.markets[symbol], paths[symbol + FUTURES_SUFFIX])
            for symbol in instruments
        }
        self.desk = SpotDesk(core)
        self.smart = SmartOrders(core)
        self.reports = SpotReports(core)
        self.public = SpotPublic(core)
        self.participants = Participants(self.engine, self.absorb, settings.seed + 1)
        core.hub.add(self.public)
        core.hub.add(SpotPrivate(core))

    def record(self, event: Message) -> None:
        """Have an event of the spot side recorded among all others."""
        self._core.record(SpotHappened(event))  # type: ignore[arg-type]

    def start(self, now_ns: int) -> None:
        """Open the accounts that are new, with their first coins."""
        engine = self.engine
        for one in self._settings.accounts:
            if one.account not in engine.members:
                engine.open_account(one.account, 0, now_ns)
                for currency, amount in one.spot.items():
                    self.record(CoinsMoved(one.account, currency, amount, "DEPOSIT", "SPOT", now_ns))
        if self._settings.participants:
            self._start_participants(now_ns)

    def _start_participants(self, now_ns: int) -> None:
        for name in (MAKER, TAKER):
            if name not in self.engine.members:
                self.engine.open_account(name, 0, now_ns)
                self.record(CoinsMoved(name, QUOTE, HOUSE_USDT, "DEPOSIT", "SPOT", now_ns))
            coins = self.engine.purse(name).coins
            for view in self.views.values():
                if view.instrument.base not in coins:
                    base = view.instrument.base
                    self.record(CoinsMoved(name, base, HOUSE_COINS, "DEPOSIT", "SPOT", now_ns))

    # -- by the clock -------------------------------------------------------------------------------

    def value(self, view: MarketView, now_ns: int) -> None:
        """Set a market's prices, which bound what limits are taken."""
        if view.mark_ticks and self._core.faults.is_frozen(view.symbol):
            return
        index = self._core.faults.jumped_ticks(view.symbol, view.path.ticks_at(now_ns))
        mark = view.value(now_ns, index, 0)
        self.engine.mark(MarkPrice(view.symbol, now_ns, mark, mark), now_ns)

    def pulse(self, now_ns: int) -> None:
        """Let waiting orders go, and cancel for those who have not been heard of."""
        self.smart.watch(now_ns)
        for account, purse in self.engine.spot.purses.items():
            if purse.kill_at_ns and now_ns >= purse.kill_at_ns:
                self.record(KillSwitchSet(account, 0, now_ns))
                self.desk.cancel_all(self.engine.members[account], [], now_ns)

    # -- what the engine did ------------------------------------------------------------------------

    def absorb(self, outcomes: list[Message], now_ns: int) -> None:
        """Tell everybody what has happened."""
        takers = {o.trade_id for o in outcomes if type(o) is OrderFilled and not o.maker}
        for outcome in outcomes:
            if type(outcome) is OrderFilled and (not outcome.maker or outcome.trade_id not in takers):
                view = self.views[outcome.symbol]
                side = outcome.side.opposite if outcome.maker else outcome.side
                trade = PublicTrade(
                    int(outcome.trade_id), outcome.price_ticks, outcome.contracts, side, outcome.at_ns
                )
                view.print(trade)
                self.public.tell_trade(view, trade, now_ns)
        self.reports.tell(outcomes, now_ns)

    def tell_balance(self, account: str, currency: str, event: str, now_ns: int) -> None:
        """Tell an account how a currency of it stands."""
        self.reports.tell_balance(account, currency, event, now_ns)

    def totals(self) -> dict[str, Any]:
        """Return what there is of each currency, for operators."""
        return {currency: format_e8(amount) for currency, amount in self.engine.coins_balance().items()}
