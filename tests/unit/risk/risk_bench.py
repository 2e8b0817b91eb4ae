"""A risk actor on the bench that would allow anything sensible, until a test says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from actors.domain.catalog import load_catalog
from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.messages.account import AccountState, PositionState
from actors.messages.control import ReconcileFinished
from actors.messages.market import FeedState, FeedStatus, MarkPrice, Quote
from actors.messages.trading import OrderDenied, OrderIntent, OrderUpdate, SubmitOrder
from actors.risk.actor import RiskActor
from actors.risk.settings import RiskSettings
from actors.runtime.testing import Bench

ROOT = Path(__file__).resolve().parents[3]
CATALOG = load_catalog((ROOT / "config/markets/poloniex-futures.json").read_text()) | load_catalog(
    (ROOT / "config/markets/poloniex-spot.json").read_text()
)
BTC, ETH, SOL = "BTC_USDT_PERP", "ETH_USDT_PERP", "SOL_USDT_PERP"
COIN = "BTC_USDT"  # a spot market
NAME, TREND = "risk/main", f"trend/{BTC}"
USDT = 100_000_000
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
MARKS = {BTC: 8_000_000, ETH: 250_000, SOL: 140_000, COIN: 8_000_000}  # worth 80, 25, 14 and 0.08 USDT

OFF: dict[str, int] = {
    "max_order_notional_usdt": 0,
    "max_open_orders": 0,
    "max_position_notional_usdt": 0,
    "max_leverage": 0,
    "max_open_trades": 0,
    "daily_loss_usdt": 0,
    "max_orders_per_second": 0,
}


def settings(**limits: int) -> RiskSettings:
    """Return settings with every limit off but those given."""
    return RiskSettings(**(OFF | limits))  # type: ignore[arg-type]


class RiskBench(Bench):
    """Has heard of everything risk wants to hear of before it allows."""

    def __init__(self, limits: RiskSettings, *, heard: bool = True) -> None:
        self.limits = limits
        self.count = 0
        place = Place("test", NAME, "paper", variables={"account": "main"}, instruments=CATALOG)
        super().__init__(lambda: RiskActor(self.limits, place), name=NAME)
        if heard:
            self.reconciled()
            self.hear()

    @property
    def actor(self) -> RiskActor:
        return self.behaviour  # type: ignore[return-value]

    def hear(self) -> None:
        """Tell money and prices, as after each restart."""
        self.money(10_000 * USDT)
        for symbol, mark in MARKS.items():
            self.mark(symbol, mark)
            self.quote(symbol, mark)

    def reconciled(self, agrees: bool = True) -> None:
        self.tell(ReconcileFinished("main", agrees, (), self.now_ns))

    def money(self, equity_usdt: int, *, day_start_usdt: int = 0, account: str = "main") -> None:
        start = day_start_usdt or equity_usdt
        self.tell(AccountState(account, equity_usdt, equity_usdt, 0, 0, 0, 0, 0, start, start, self.now_ns))

    def mark(self, symbol: str, ticks: int) -> None:
        self.tell(MarkPrice(symbol, self.now_ns, ticks, ticks))

    def quote(self, symbol: str, ticks: int) -> None:
        self.tell(Quote(symbol, self.now_ns, ticks - 1, 5, ticks + 1, 5))

    def feed(self, state: FeedState, symbol: str = BTC) -> None:
        self.tell(FeedStatus(symbol, self.now_ns, state, self.now_ns, "because"))

    def ledger(self, net_contracts: int, symbol: str = BTC, account: str = "main") -> None:
        self.tell(PositionState(account, symbol, net_contracts, 0, MARKS[symbol], 0, 0, self.now_ns))

    def intent(self, signed: int = 1, *, symbol: str = BTC, **changes: Any) -> OrderIntent:
        """Return an intent for so many contracts; a limit price makes it a limit order."""
        self.count += 1
        limit = changes.get("limit_ticks", 0)
        intent = OrderIntent(
            *(f"{TREND}#1.{self.count}", TREND, "main", symbol),
            *(Side.BUY if signed > 0 else Side.SELL, abs(signed)),
            *(OrderType.LIMIT if limit else OrderType.MARKET, limit, TimeInForce.IOC, False),
            *(MARKS.get(symbol, 1), self.now_ns),
        )
        return msgspec.structs.replace(intent, **changes)

    def ask(self, signed: int = 1, **changes: Any) -> OrderIntent | OrderDenied:
        """Send an intent; return it when it was allowed, else the denial."""
        intent = self.intent(signed, **changes)
        self.send_intent(intent)
        submitted = self.take(SubmitOrder)
        if submitted:
            assert [order.intent for order in submitted] == [intent]
            assert self.replies == []
            return intent
        (denial,) = self.replies
        self.replies.clear()
        assert isinstance(denial, OrderDenied)
        return denial

    def send_intent(self, intent: OrderIntent) -> None:
        self.tell(intent, sender=intent.strategy)

    def allowed(self, signed: int = 1, **changes: Any) -> OrderIntent:
        answer = self.ask(signed, **changes)
        assert isinstance(answer, OrderIntent), answer
        return answer

    def denied(self, signed: int = 1, **changes: Any) -> tuple[str, int, int]:
        """Return (rule, measured, limit) of the denial."""
        answer = self.ask(signed, **changes)
        assert isinstance(answer, OrderDenied), answer
        return answer.rule, answer.measured, answer.limit

    def update(self, intent: OrderIntent, state: OrderState, filled: int = 0, **changes: Any) -> None:
        update = OrderUpdate(
            *("c1", intent.intent_id, intent.strategy, intent.account, intent.symbol, intent.side),
            *(intent.contracts, filled, 0, state, "", self.now_ns),
        )
        self.tell(msgspec.structs.replace(update, **changes), sender="oms/main")

    def filled(self, signed: int, symbol: str = BTC) -> None:
        """Move the position: an order is allowed, and fills wholly."""
        intent = self.allowed(signed, symbol=symbol)
        self.update(intent, OrderState.FILLED, intent.contracts)

    def net(self, symbol: str = BTC) -> int:
        return self.actor.peek(symbol).net_contracts
