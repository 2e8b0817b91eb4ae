"""One seeded session at both venues, by messages and by bytes: everything is equal in the end."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.trading import Fill
from actors.messages.venue import (
    CancelOrder,
    FundingPaid,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    QueryAccount,
    VenueAccount,
)
from actors.runtime.testing import Bench
from tests.contract.venue.poloniex_driver import PoloniexDriver
from tests.contract.venue.venue_driver import SimulatedDriver, VenueDriver

BUY, SELL = Side.BUY, Side.SELL
FORMS = (
    (OrderType.MARKET, TimeInForce.IOC),
    (OrderType.LIMIT, TimeInForce.GTC),
    (OrderType.LIMIT, TimeInForce.GTC),
    (OrderType.LIMIT, TimeInForce.IOC),
    (OrderType.LIMIT, TimeInForce.FOK),
    (OrderType.POST_ONLY, TimeInForce.GTC),
)
STEPS = 120


class Session:
    """A seeded trader and market at a driver, with a ledger that books what the venue tells."""

    def __init__(self, driver: VenueDriver, seed: int) -> None:
        self.driver = driver
        self.chance = Random(seed)
        self.names: list[str] = []
        self.price = 10_000
        self.told: dict[str, list[Any]] = {}  # by order: what became of it
        self.ledger = self._ledger()
        self.market()

    def _ledger(self) -> Bench:
        symbol = self.driver.instrument.symbol
        place = Place(
            "test",
            "ledger/main",
            "paper",
            variables={"account": "main"},
            instruments={symbol: self.driver.instrument},
        )
        settings = LedgerSettings(initial_usdt=10_000 * E8)
        return Bench(lambda: LedgerActor(settings, place), name="ledger/main", now_ns=self.driver.now_ns())

    def run(self) -> dict[str, Any]:
        """Trade, settle a funding, trade on, and return all that may be compared."""
        for step in range(STEPS):
            self.step(step)
            if step == STEPS // 2:
                self.driver.settle_funding(E8 // 500, self.price)
            self.take()
        return self.result()

    def step(self, step: int) -> None:
        chance = self.chance
        doing = chance.random()
        if doing < 0.25:
            self.price += chance.randint(-15, 15)
            self.market()
        elif doing < 0.4:
            offset, contracts = chance.randint(-10, 10), chance.randint(1, 20)
            self.driver.trade(self.price + offset, contracts, chance.choice((BUY, SELL)))
        elif doing < 0.55 and self.names:
            self.driver.request(CancelOrder("main", chance.choice(self.names), self.driver.instrument.symbol))
        else:
            self.place(f"o-{step}")

    def place(self, name: str) -> None:
        chance = self.chance
        kind, tif = chance.choice(FORMS)
        side, contracts = chance.choice((BUY, SELL)), chance.randint(1, 60)
        limit = 0 if kind is OrderType.MARKET else self.price + chance.randint(-20, 20)
        reduce_only = chance.random() < 0.15
        self.names.append(name)
        symbol = self.driver.instrument.symbol
        self.driver.request(PlaceOrder("main", name, symbol, side, contracts, kind, limit, tif, reduce_only))

    def market(self) -> None:
        chance, price = self.chance, self.price
        bids = [(price - level, chance.randint(1, 40)) for level in range(1, 6)]
        asks = [(price + level, chance.randint(1, 40)) for level in range(1, 6)]
        self.driver.market(price, bids, asks)

    def take(self) -> None:
        fills = {}
        for message in self.driver.heard():
            if isinstance(message, OrderFilled):
                fills[message.trade_id] = message
            elif isinstance(message, OrderCanceled):
                note = ("canceled", message.filled_contracts)
                if note not in self.told.setdefault(message.client_order_id, []):
                    self.told[message.client_order_id].append(note)
            elif isinstance(message, OrderRejected):
                self.told.setdefault(message.client_order_id, []).append("rejected")
            elif isinstance(message, FundingPaid):
                self.ledger.tell(message)
        for fill in sorted(fills.values(), key=lambda one: int(one.trade_id)):
            self.book(fill)

    def book(self, fill: OrderFilled) -> None:
        terms = (fill.side, fill.contracts, fill.price_ticks, fill.fee_usdt, fill.maker)
        self.told.setdefault(fill.client_order_id, []).append(terms)
        self.ledger.tell(
            Fill(
                "main",
                fill.symbol,
                fill.client_order_id,
                fill.venue_order_id,
                fill.trade_id,
                "test",
                fill.side,
                fill.contracts,
                fill.price_ticks,
                fill.fee_usdt,
                fill.maker,
                fill.liquidation,
                fill.at_ns,
            )
        )

    def result(self) -> dict[str, Any]:
        self.driver.request(QueryAccount("main", "end", 0))
        statement = next(m for m in self.driver.heard() if isinstance(m, VenueAccount))
        books: Any = self.ledger.behaviour.state
        assert books.cash_usdt == statement.cash_usdt, "the ledger has other cash than its own venue"
        (held,) = books.holdings.values()
        return {
            "orders": {
                name: sorted(map(str, rows), key=lambda row: "canceled" in row)
                for name, rows in self.told.items()
            },
            "cash": statement.cash_usdt,
            "positions": [(one.symbol, one.net_contracts, one.cost_ticks) for one in statement.positions],
            "resting": sorted(one.client_order_id for one in statement.open_orders),
            "funding": [one.payment_usdt for one in statement.funding],
            "ledger": (held.realised_usdt, held.fees_usdt, held.funding_usdt, held.net_contracts),
        }


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 20))])
def test_fills_fees_funding_and_ledger_are_equal(seed: int) -> None:
    plain, wired = Session(SimulatedDriver(), seed).run(), Session(PoloniexDriver(), seed).run()
    assert sum(len(rows) for rows in plain["orders"].values()) > STEPS // 3
    assert plain["funding"]
    for name, found in plain.items():
        assert wired[name] == found, name
