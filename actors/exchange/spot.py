"""The spot exchange as an actor: the engine settling at once, behind the messages of the futures one."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.place import Place
from actors.exchange.actor import ExchangeActor
from actors.exchange.answers import account_statement, describe_orders
from actors.exchange.events import OrderBooked, OrderUnbooked, RestingOrderExecuted, WalletOpened
from actors.exchange.server.spot_engine import QUOTE, SpotEngine
from actors.exchange.server.spot_state import CoinsMoved, SpotState
from actors.exchange.settings import SpotExchangeSettings
from actors.messages.market import BookDepth, MarkPrice, Quote, Trade
from actors.messages.scopes import CancelAll
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    VenueAccount,
    VenueOrder,
    VenuePosition,
)
from actors.runtime.behaviour import Context
from actors.runtime.errors import require

__all__ = ["SpotExchangeActor"]


class SpotExchangeActor(ExchangeActor):
    """The far side of a spot venue, in one process with ours."""

    ACCEPTS: ClassVar = (
        *(PlaceOrder, CancelOrder, CancelAll, QueryOrder, QueryAccount),
        *(Quote, BookDepth, Trade, MarkPrice),
    )
    REPLIES: ClassVar = (
        *(OrderAccepted, OrderRejected, OrderFilled, OrderCanceled, CancelRejected),
        *(VenueOrder, VenueAccount),
    )
    EVENTS: ClassVar = (WalletOpened, CoinsMoved, OrderBooked, RestingOrderExecuted, OrderUnbooked)
    STATE: ClassVar = SpotState

    exchange: SpotEngine

    def __init__(self, settings: SpotExchangeSettings, place: Place) -> None:
        self.settings = settings
        self.instruments = {symbol: one for symbol, one in place.instruments.items() if one.is_spot}
        if not self.instruments:
            raise ValueError("catalog: has no spot market; name a markets file with one beside the other")
        self.addresses = {account: f"{settings.venue}/{account}" for account in settings.accounts}
        self.exchange = SpotEngine(self.instruments, settings.rules())

    @property
    def state(self) -> SpotState:  # type: ignore[override]
        """The engine's state with its coins; setting it builds the engine's indexes anew."""
        return self.exchange.spot

    @state.setter
    def state(self, state: SpotState) -> None:
        self.exchange = SpotEngine(self.instruments, self.settings.rules(), state)
        for account in state.engine.wallets:
            self.addresses.setdefault(account, f"{self.settings.venue}/{account}")

    def started(self, context: Context) -> None:
        exchange = self.exchange
        exchange.record = context.record
        require(exchange.books_balance(), "the exchange's books do not balance", **exchange.coins_balance())
        for account, deposit in self.settings.accounts.items():
            if account not in exchange.members:
                exchange.open_account(account, 0, context.now_ns)
                context.record(CoinsMoved(account, QUOTE, deposit, "DEPOSIT", "SPOT", context.now_ns))

    def on_query_account(self, message: QueryAccount, context: Context) -> None:
        exchange, account = self.exchange, message.account
        member = exchange.members.get(account)
        if member is None:
            context.log("unknown account", account=account)
            return
        coins = exchange.purse(account).coins
        held = []
        for symbol, one in self.instruments.items():
            amount = coins.get(one.base, 0)
            if amount:
                contracts, dust_e8 = divmod(amount, one.contract_e8)
                held.append(VenuePosition(symbol, contracts, 0, 1, False, dust_e8))
        money = coins.get(QUOTE, 0)
        context.reply(account_statement(exchange, member, message, money, tuple(held), context.now_ns))

    def apply_coins_moved(self, event: CoinsMoved) -> None:
        self.exchange.apply_coins_moved(event)

    def describe(self) -> Any:
        """Return coins, open orders and totals; coins in 1e-8."""
        exchange = self.exchange
        return {
            "accounts": {
                name: {
                    "coins": dict(exchange.purse(name).coins),
                    "open_orders": describe_orders(exchange, member),
                }
                for name, member in exchange.members.items()
            },
            "fees": dict(exchange.spot.fees),
            "orders_count": exchange.state.orders_count,
            "trades_count": exchange.state.trades_count,
            "books_balance": exchange.books_balance(),
        }

    def gauges(self) -> dict[str, int | float]:
        state = self.exchange.state
        return {
            "open_orders": len(state.open_orders),
            "orders_count": state.orders_count,
            "trades_count": state.trades_count,
        }
