"""Turns what the actors journal into the record of a run, while it is running.

Reads events only, and asks the market two questions through `Probe`: where is the touch, where is the mark?
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from actors.backtest.attribution import Attribution
from actors.backtest.record import (
    ClosedTrade,
    DeniedOrder,
    EquityPoint,
    FillPoint,
    FundingPoint,
    HaltPoint,
    ReasonShown,
)
from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderEvent
from actors.domain.money import divide_half_even
from actors.ledger.events import CashAdjusted, FillBooked, FundingBooked
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.risk.events import HaltLatched, HaltReleased, IntentDenied
from actors.runtime.codec import decoder_for
from actors.runtime.journal import TurnRecord
from actors.runtime.messages import ActorFailed, Message
from actors.runtime.store_passing import Recorded
from actors.strategy.events import SignalDecided

__all__ = ["Probe", "Recorder"]

K = TypeVar("K")
V = TypeVar("V")

DECODE = decoder_for(
    (
        *(OrderSubmitted, OrderStateChanged, OrderFillApplied),
        *(FillBooked, FundingBooked, CashAdjusted, ActorFailed),
        *(IntentDenied, HaltLatched, HaltReleased, SignalDecided),
    )
).decode
# Orders and decisions remembered for fills that are still to come.
REMEMBERED_MAX = 20_000
ARRAY_16 = 0xDC  # MessagePack: an array of more than 15 items


class Probe(Protocol):
    """What the market looks like now, from outside."""

    def touch(self, symbol: str) -> tuple[int, int]:
        """Return the best bid and ask shown, in ticks; 0 for a side that shows nothing."""
        ...

    def mark(self, symbol: str) -> int:
        """Return the mark price in ticks; 0 while there is none."""
        ...


class Recorder:
    """Everything that happened to the accounts of one run, in order."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        symbols: tuple[str, ...],
        strategies: tuple[str, ...],
        accounts: Mapping[str, str],
        initial_usdt: int,
        probe: Probe,
    ) -> None:
        """`accounts` tells whose money a cell keeps: {"ledger/main": "main", "oms/main": "main"}."""
        self.fills: list[FillPoint] = []
        self.funding: list[FundingPoint] = []
        self.denials: list[DeniedOrder] = []
        self.halts: list[HaltPoint] = []
        self.trades: list[ClosedTrade] = []
        self.equity: list[EquityPoint] = []
        self.failures: list[str] = []
        self.orders_count = 0
        self.initial_usdt = initial_usdt
        self._symbols, self._strategies = symbols, strategies
        self._instruments, self._accounts, self._probe = instruments, accounts, probe
        self._books = {
            account: Attribution(instruments, self.trades.append)
            for account in sorted(set(accounts.values()))
        }
        self._cash_usdt = initial_usdt
        self._orders: dict[str, tuple[OrderSubmitted, int]] = {}  # with the middle it met
        self._reasons: dict[str, tuple[ReasonShown, ...]] = {}  # by intent
        self._applied: dict[tuple[str, str, str], OrderFillApplied] = {}  # waiting for the ledger
        self._handlers: dict[type[Message], Callable[[str, Any, int], None]] = dict(self._table())
        self._names = frozenset(kind.__name__.encode() for kind in self._handlers)

    def _table(self) -> tuple[tuple[type[Message], Callable[[str, Any, int], None]], ...]:
        return (
            (OrderSubmitted, self._submitted),
            (OrderStateChanged, self._changed),
            (OrderFillApplied, self._applied_fill),
            (FillBooked, self._booked),
            (FundingBooked, self._paid),
            (CashAdjusted, self._adjusted),
            (ActorFailed, self._failed),
            (IntentDenied, self._denied),
            (HaltLatched, self._halted),
            (HaltReleased, self._released),
            (SignalDecided, self._decided),
        )

    def read(self, turn: TurnRecord) -> None:
        """Take in the events of one turn as they are written."""
        for entry in turn.entries:
            raw = bytes(entry.event)
            if _name(raw) in self._names:
                event = DECODE(raw)
                self._handlers[type(event)](entry.cell, event, turn.at_ns)

    def hear(self, at_ns: int, records: list[Recorded]) -> None:
        """Take in the events of one turn that are not written."""
        handlers = self._handlers
        for cell, _, _, event in records:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(cell, event, at_ns)

    # -- the account ---------------------------------------------------------------------------------

    def sample(self, at_ns: int) -> None:
        """Value everything now; a second time at one instant replaces the first."""
        marks = {symbol: self._probe.mark(symbol) for symbol in self._symbols}
        by_symbol, by_strategy = dict.fromkeys(self._symbols, 0), dict.fromkeys(self._strategies, 0)
        margin = exposure = 0
        for books in self._books.values():
            nets: dict[str, int] = {}
            for book in books.books.values():
                pnl = book.pnl_usdt(marks[book.symbol])
                nets[book.symbol] = nets.get(book.symbol, 0) + book.net_contracts
                by_symbol[book.symbol] += pnl
                if book.strategy in by_strategy:
                    by_strategy[book.strategy] += pnl
            for symbol, net in nets.items():
                value, tied = _tied(self._instruments[symbol], net, marks[symbol])
                exposure, margin = exposure + value, margin + tied
        equity, cash = self.initial_usdt + sum(by_symbol.values()), self._cash_usdt
        shares = tuple(by_symbol.values()), tuple(by_strategy.values())
        point = EquityPoint(at_ns, equity, cash, equity - cash, margin, exposure, *shares)
        if self.equity and self.equity[-1].at_ns == at_ns:
            self.equity.pop()
        self.equity.append(point)

    # -- orders and fills ----------------------------------------------------------------------------

    def _submitted(self, cell: str, event: OrderSubmitted, at_ns: int) -> None:
        self.orders_count += 1
        bid, ask = self._probe.touch(event.symbol)
        arrival = (bid + ask) // 2 if bid and ask else 0
        _remember(self._orders, event.client_order_id, (event, arrival))

    def _applied_fill(self, cell: str, event: OrderFillApplied, at_ns: int) -> None:
        _remember(self._applied, (self._accounts.get(cell, ""), event.symbol, event.trade_id), event)

    def _booked(self, cell: str, event: FillBooked, at_ns: int) -> None:
        account = self._accounts.get(cell, "")
        applied = self._applied.pop((account, event.symbol, event.trade_id), None)
        order, arrival = self._orders.get(event.client_order_id, (None, 0))
        decision = order.decision_ticks if order is not None else 0
        signed, price = event.signed_contracts, event.price_ticks
        tick_value = self._instruments[event.symbol].tick_value
        strategy = order.strategy if order is not None and order.strategy in self._strategies else ""
        self.fills.append(
            FillPoint(
                at_ns=event.at_ns,
                account=account,
                symbol=event.symbol,
                strategy=strategy,
                client_order_id=event.client_order_id,
                trade_id=event.trade_id,
                order_type=order.order_type.value if order is not None else "",
                signed_contracts=signed,
                price_ticks=price,
                decision_ticks=decision,
                arrival_ticks=arrival,
                decided_at_ns=order.at_ns if order is not None else 0,
                slippage_usdt=(price - decision) * signed * tick_value if decision else 0,
                fee_usdt=event.fee_usdt,
                realised_usdt=event.realised_usdt,
                maker=applied is not None and applied.maker,
                liquidation=event.liquidation,
                reduce_only=order is not None and order.reduce_only,
                reasons=self._reasons.get(order.intent_id, ()) if order is not None else (),
            )
        )
        self._cash_usdt += event.realised_usdt - event.fee_usdt
        books = self._books[account]
        books.fill(event.symbol, strategy, event.at_ns, signed, price, event.fee_usdt, event.liquidation)

    def _paid(self, cell: str, event: FundingBooked, at_ns: int) -> None:
        account = self._accounts.get(cell, "")
        mark = self._probe.mark(event.symbol)
        self.funding.append(
            FundingPoint(
                event.at_ns,
                account,
                event.symbol,
                event.net_contracts,
                event.rate_e8,
                mark,
                event.payment_usdt,
            )
        )
        self._cash_usdt -= event.payment_usdt
        self._books[account].funding(event.symbol, event.payment_usdt)

    def _adjusted(self, cell: str, event: CashAdjusted, at_ns: int) -> None:
        """Cash that came or went without a trade is no profit: the run began with it."""
        self.initial_usdt += event.amount_usdt
        self._cash_usdt += event.amount_usdt

    # -- what did not trade --------------------------------------------------------------------------

    def _changed(self, cell: str, event: OrderStateChanged, at_ns: int) -> None:
        if event.event is not OrderEvent.REJECTED:
            return
        order, _ = self._orders.get(event.client_order_id, (None, 0))
        code, _, text = event.reason.partition(": ")
        symbol, strategy = (order.symbol, order.strategy) if order is not None else ("", "")
        account = self._accounts.get(cell, "")
        self.denials.append(
            DeniedOrder(event.at_ns, account, symbol, strategy, "venue", code, text or event.reason, 0, 0)
        )

    def _denied(self, cell: str, event: IntentDenied, at_ns: int) -> None:
        account, text = self._accounts.get(cell, ""), f"{event.measured} against {event.limit}"
        self.denials.append(
            DeniedOrder(
                event.at_ns,
                account,
                event.symbol,
                event.strategy,
                "risk",
                event.rule,
                text,
                event.measured,
                event.limit,
            )
        )

    def _failed(self, cell: str, event: ActorFailed, at_ns: int) -> None:
        self.failures.append(f"{event.actor}: {event.error}")

    def _halted(self, cell: str, event: HaltLatched, at_ns: int) -> None:
        self.halts.append(HaltPoint(event.at_ns, event.scope, event.level.name.lower(), event.reason))

    def _released(self, cell: str, event: HaltReleased, at_ns: int) -> None:
        self.halts.append(HaltPoint(event.at_ns, event.scope, "", event.reason))

    def _decided(self, cell: str, event: SignalDecided, at_ns: int) -> None:
        if event.intent_id:
            found = (ReasonShown(reason.name, reason.value) for reason in event.reasons)
            _remember(self._reasons, event.intent_id, (ReasonShown("why", event.why), *found))


def _name(raw: bytes) -> bytes:
    """Return the type's name of an event: the first item of a MessagePack array, a short string."""
    start = 3 if raw[0] == ARRAY_16 else 1
    return raw[start + 1 : start + 1 + (raw[start] & 0x1F)]


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > REMEMBERED_MAX:
        del kept[next(iter(kept))]


def _tied(instrument: Instrument, net: int, mark_ticks: int) -> tuple[int, int]:
    """Return the value of a position and the initial margin it ties up, as the ledger counts it."""
    if not net:
        return 0, 0
    value = abs(net * mark_ticks * instrument.tick_value)
    leverage = min(instrument.leverage_default, instrument.tier(net).leverage_max)
    return value, divide_half_even(value, leverage)
