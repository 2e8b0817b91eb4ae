"""From the venue's rows to the messages our side speaks, and from our orders to the venue's.

One `Reporter` per account knows the instruments; it never guesses: a word nobody documented is Malformed.
Source: docs/poloniex.md, Objects and Order states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.terms import CashTransferred, VenueTerms
from actors.messages.venue import (
    FundingPaid,
    OrderCanceled,
    OrderFilled,
    PlaceOrder,
    VenueOrder,
    VenuePosition,
)
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import OrderRow, StreamFillRow
from actors.poloniex.numbers import PriceReader, cost_ticks, parse_e8, parse_whole
from actors.venue.poloniex.requests import OrderBody
from actors.venue.poloniex.rows import BalanceRow, BillRow, FillRow, LeverageRow, PositionRow

__all__ = ["ENDED", "Reporter", "cash_usdt", "margin_ratio_e8", "side_of", "state_of"]

MS = 1_000_000
HOUR_MS = 3_600_000
SETTLEMENT_CURRENCY = "USDT"

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL, "buy": Side.BUY, "sell": Side.SELL}
VENUE_SIDE = {Side.BUY: "BUY", Side.SELL: "SELL"}
VENUE_TYPE = {OrderType.MARKET: "MARKET", OrderType.LIMIT: "LIMIT", OrderType.POST_ONLY: "LIMIT_MAKER"}
VENUE_TIME = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
OURS = frozenset({"TRADE"})  # every other type of fill is the venue's own doing: LIQUID, ADL, DELIVERY

STATES = {
    "NEW": OrderState.OPEN,
    "PENDING_NEW": OrderState.OPEN,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELED,
    "PARTIALLY_CANCELED": OrderState.CANCELED,
    "FAILED": OrderState.REJECTED,
    "REJECTED": OrderState.REJECTED,
}
ENDED = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED})


def side_of(text: str) -> Side:
    """Return a side. Errors: Malformed."""
    side = SIDES.get(text) or SIDES.get(text.upper())
    if side is None:
        raise Malformed("side", repr(text[:20]))
    return side


def state_of(row: OrderRow) -> OrderState:
    """Return how an order stands. Errors: Malformed for a state nobody documented."""
    if row.state == "PENDING_CANCEL":  # on its way out, but still resting as far as it is known
        return OrderState.PARTIALLY_FILLED if row.execQty else OrderState.OPEN
    state = STATES.get(row.state)
    if state is None:
        raise Malformed("order state", repr(row.state[:40]))
    return state


def cash_usdt(row: BalanceRow) -> int:
    """Return the wallet in 1e-8 USDT: equity without unrealised profit."""
    for money in row.details:
        if money.ccy == SETTLEMENT_CURRENCY:
            return parse_e8(money.eq) - parse_e8(money.upl)
    return parse_e8(row.eq) - parse_e8(row.upl)


def margin_ratio_e8(row: BalanceRow) -> int:
    """Return maintenance margin over equity, in 1e-8; at 1 the venue liquidates. 0 when it says nothing.

    Source: the margin ratio of crossed positions is account maintenance margin over account equity.
    """
    maintenance, equity = parse_e8(row.mm), parse_e8(row.eq)
    if maintenance <= 0:
        return 0
    return maintenance * E8 // equity if equity > 0 else E8


class Reporter:
    """Translates for one account."""

    def __init__(
        self, account: str, instruments: Mapping[str, Instrument], margin_mode: str, self_trade: str
    ) -> None:
        self._account = account
        self._instruments = instruments
        self._readers = {symbol: PriceReader(one.tick_e8) for symbol, one in instruments.items()}
        self.margin_mode = margin_mode
        self._self_trade = "" if self_trade == "NONE" else self_trade

    def knows(self, symbol: str) -> bool:
        """Tell whether the deployment's catalog has the symbol: others cannot be counted in ticks."""
        return symbol in self._instruments

    def order_body(self, order: PlaceOrder) -> OrderBody:
        """Return our order in the venue's words. Errors: KeyError for an unknown symbol."""
        kind, instrument = order.order_type, self._instruments[order.symbol]
        return OrderBody(
            order.symbol,
            VENUE_SIDE[order.side],
            self.margin_mode,
            "BOTH",
            VENUE_TYPE[kind],
            str(order.contracts),
            "" if kind is OrderType.MARKET else instrument.price_text(order.limit_ticks),
            VENUE_TIME[order.time_in_force] if kind is OrderType.LIMIT else "",
            order.client_order_id,
            order.reduce_only,
            self._self_trade,
        )

    def fill(self, row: FillRow | StreamFillRow) -> OrderFilled:
        """Return one fill. Errors: Malformed."""
        if isinstance(row, StreamFillRow):
            price, contracts, at_ms = row.fpx, row.fqty, row.uTime
        else:
            price, contracts, at_ms = row.px, row.qty, row.uTime or row.cTime
        if contracts <= 0:
            raise Malformed("fill", f"{contracts} contracts")
        return OrderFilled(
            self._account,
            row.clOrdId,
            row.ordId,
            row.symbol,
            row.trdId,
            side_of(row.side),
            contracts,
            self._reader(row.symbol).nearest(price),
            parse_e8(row.feeAmt) if row.feeCcy in (SETTLEMENT_CURRENCY, "") else 0,
            row.role == "MAKER",
            row.type not in OURS,
            at_ms * MS,
        )

    def canceled(self, row: OrderRow) -> OrderCanceled:
        """Return the end of an order that was not filled wholly."""
        reason = row.cancelReason or row.state
        return OrderCanceled(
            self._account, row.clOrdId, row.ordId, reason, row.execQty, (row.uTime or row.cTime) * MS
        )

    def order(
        self, row: OrderRow, fills: Iterable[FillRow | StreamFillRow], client_order_id: str, at_ns: int
    ) -> VenueOrder:
        """Return everything about an order that was found. Errors: Malformed."""
        return VenueOrder(
            self._account,
            client_order_id,
            row.symbol,
            True,
            row.ordId,
            state_of(row),
            side_of(row.side),
            row.sz,
            row.execQty,
            self._reader(row.symbol).nearest(row.px) if self.knows(row.symbol) else 0,
            row.reduceOnly,
            tuple(sorted((self.fill(one) for one in fills), key=_age)),
            at_ns,
        )

    def absent(self, symbol: str, client_order_id: str, at_ns: int) -> VenueOrder:
        """Return the proof that an order never was."""
        state, side = OrderState.ABSENT, Side.BUY
        return VenueOrder(
            self._account, client_order_id, symbol, False, "", state, side, 0, 0, 0, False, (), at_ns
        )

    def positions(self, rows: Iterable[PositionRow]) -> tuple[VenuePosition, ...]:
        """Return open positions, one-way. Errors: Malformed."""
        found = []
        for row in rows:
            net = abs(row.qty) * side_of(row.side)
            if row.posSide == "SHORT":
                net = -abs(row.qty)
            elif row.posSide == "LONG":
                net = abs(row.qty)
            if not net:
                continue
            # Without an instrument there is no tick: the size alone shows that something is there.
            tick_e8 = self._instruments[row.symbol].tick_e8 if self.knows(row.symbol) else 0
            cost = cost_ticks(row.openAvgPx, net, tick_e8) if tick_e8 else 0
            isolated = row.mgnMode == "ISOLATED"
            found.append(VenuePosition(row.symbol, net, cost, parse_whole(row.lever), isolated))
        return tuple(found)

    def funding(self, row: BillRow) -> FundingPaid:
        """Return one funding payment. The bill does not say what position paid, at what mark and rate: 0.

        Settlements lie on full hours, and the bill follows within seconds. Errors: Malformed.
        """
        settled_ns = (row.cTime - row.cTime % HOUR_MS) * MS
        funding_id = f"{row.symbol}/{settled_ns}"
        if row.mgnMode != "CROSS":  # both modes can hold a position in one symbol
            funding_id += f"/{row.mgnMode}"
        return FundingPaid(self._account, row.symbol, funding_id, 0, 0, 0, -parse_e8(row.sz), settled_ns)

    def terms(self, row: LeverageRow) -> VenueTerms:
        """Return the leverage of a symbol. Errors: Malformed."""
        return VenueTerms(row.symbol, parse_whole(row.lever))

    def transfer(self, row: BillRow) -> CashTransferred:
        """Return money that came or went. Errors: Malformed."""
        return CashTransferred(self._account, row.id, parse_e8(row.sz), row.cTime * MS)

    def _reader(self, symbol: str) -> PriceReader:
        reader = self._readers.get(symbol)
        if reader is None:
            raise Malformed("symbol", f"{symbol[:40]!r} is not in the catalog")
        return reader


def _age(fill: OrderFilled) -> tuple[int, int, str]:
    """Order fills as they happened: the venue's lists begin with the newest, its numbers grow."""
    return fill.at_ns, len(fill.trade_id), fill.trade_id
