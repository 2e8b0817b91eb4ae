"""Spot rows in the words of the futures side: coins as contracts, fees in coins, balances as positions.

Everything above rows is then the same for both markets. What cannot be counted in whole contracts is
Malformed, never rounded. Source: docs/poloniex.md, Spot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.money import format_e8
from actors.domain.orders import OrderType, Side
from actors.messages.venue import OrderFilled, PlaceOrder, VenuePosition
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import OrderRow, StreamFillRow
from actors.poloniex.numbers import parse_e8
from actors.poloniex.spot_frames import SpotOrderEvent
from actors.venue.poloniex.reports import MS, VENUE_SIDE, VENUE_TIME, VENUE_TYPE, Reporter, side_of
from actors.venue.poloniex.rows import FillRow
from actors.venue.poloniex.spot_requests import SpotOrderBody
from actors.venue.poloniex.spot_rows import SpotBalanceRow, SpotFillRow, SpotOrderRow

__all__ = ["QUOTE", "SpotReporter"]

QUOTE = "USDT"


class SpotReporter(Reporter):
    """Translates for one spot account."""

    def __init__(self, account: str, instruments: Mapping[str, Instrument], self_trade: str) -> None:
        spot = {symbol: one for symbol, one in instruments.items() if one.is_spot}
        super().__init__(account, spot, "CROSS", "EXPIRE_TAKER")
        self._by_base = {one.base: one for one in spot.values()}
        self._stp_mode = self_trade

    def spot_body(self, order: PlaceOrder, cap_ticks: int) -> SpotOrderBody:
        """Return our order in the venue's words.

        A market order to buy says what it spends there, not what it buys: ours leaves as a limit order at
        `cap_ticks` that takes at once. Errors: KeyError for an unknown symbol.
        """
        one, kind, limit = self._instruments[order.symbol], order.order_type, order.limit_ticks
        time_in_force = VENUE_TIME[order.time_in_force] if kind is OrderType.LIMIT else ""
        if kind is OrderType.MARKET and order.side is Side.BUY:
            kind, limit, time_in_force = OrderType.LIMIT, cap_ticks, "IOC"
        return SpotOrderBody(
            order.symbol,
            VENUE_SIDE[order.side],
            VENUE_TYPE[kind],
            format_e8(order.contracts * one.contract_e8),
            "",
            "" if kind is OrderType.MARKET else one.price_text(limit),
            time_in_force,
            order.client_order_id,
            "" if self._stp_mode == "EXPIRE_TAKER" else self._stp_mode,
        )

    # -- rows ----------------------------------------------------------------------------------------

    def order_row(self, row: SpotOrderRow) -> OrderRow:
        """Return an order as futures lists show it. Errors: Malformed."""
        return self._order(row, row.id, row.updateTime or row.createTime)

    def event_order(self, event: SpotOrderEvent) -> OrderRow:
        """Return the order of an event. Errors: Malformed."""
        return self._order(event, event.orderId, event.ts)

    def _order(self, row: SpotOrderRow | SpotOrderEvent, venue_order_id: str, at_ms: int) -> OrderRow:
        one = self._known(row.symbol)
        return OrderRow(
            symbol=row.symbol,
            side=row.side,
            type=row.type,
            ordId=venue_order_id,
            sz=_contracts(one, row.quantity),
            state=row.state,
            clOrdId=row.clientOrderId,
            px=row.price,
            execQty=_contracts(one, row.filledQuantity),
            uTime=at_ms,
            cTime=row.createTime,
        )

    def fill_row(self, row: SpotFillRow) -> FillRow:
        """Return a fill as futures lists show it; its fee stays in its own currency. Errors: Malformed."""
        contracts = _contracts(self._known(row.symbol), row.quantity)
        return FillRow(
            row.pageId or row.id,
            row.symbol,
            row.side,
            row.orderId,
            row.id,
            row.price,
            contracts,
            row.clientOrderId,
            row.matchRole,
            row.feeAmount or "0",
            row.feeCurrency,
            cTime=row.createTime,
            uTime=row.createTime,
        )

    def event_fill(self, event: SpotOrderEvent) -> FillRow:
        """Return the fill of a trade event. Errors: Malformed."""
        contracts = _contracts(self._known(event.symbol), event.tradeQty)
        return FillRow(
            event.tradeId,
            event.symbol,
            event.side,
            event.orderId,
            event.tradeId,
            event.tradePrice,
            contracts,
            event.clientOrderId,
            event.matchRole,
            event.tradeFee or "0",
            event.feeCurrency,
            cTime=event.tradeTime,
            uTime=event.tradeTime,
        )

    def fill(self, row: FillRow | StreamFillRow) -> OrderFilled:
        """Return one fill. Errors: Malformed, also for a fee in a third currency such as TRX."""
        one = self._known(row.symbol)
        if not isinstance(row, FillRow) or row.qty <= 0:
            raise Malformed("fill", "no contracts")
        side, price = side_of(row.side), self._reader(row.symbol).on_grid(row.px)
        fee, in_coins = parse_e8(row.feeAmt), side is Side.BUY
        if fee < 0 or (fee and row.feeCcy != (one.base if in_coins else QUOTE)):
            raise Malformed("fill", f"a fee of {row.feeAmt[:20]} {row.feeCcy[:20]!r}")
        fee_contracts, dust_e8 = one.coin_fee(fee) if in_coins else (0, 0)
        return OrderFilled(
            self._account,
            row.clOrdId,
            row.ordId,
            row.symbol,
            row.trdId,
            side,
            row.qty,
            price,
            one.notional(fee_contracts, price) if in_coins else fee,
            row.role == "MAKER",
            False,
            (row.uTime or row.cTime) * MS,
            fee_contracts,
            dust_e8,
        )

    # -- balances ------------------------------------------------------------------------------------

    def positions(self, rows: Iterable[Any]) -> tuple[VenuePosition, ...]:
        """Return coins as positions; a coin without a market in the catalog is not counted."""
        found = []
        for row in rows:
            one = self._by_base.get(row.currency)
            amount = total_of(row)
            if one is not None and amount:
                contracts, dust_e8 = divmod(amount, one.contract_e8)
                found.append(VenuePosition(one.symbol, contracts, 0, 1, False, dust_e8))
        return tuple(found)

    def _known(self, symbol: str) -> Instrument:
        one = self._instruments.get(symbol)
        if one is None:
            raise Malformed("symbol", f"{symbol[:40]!r} is not in the catalog")
        return one


def total_of(row: SpotBalanceRow) -> int:
    """Return what there is of a currency, in 1e-8: free, and held by resting orders."""
    return parse_e8(row.available) + parse_e8(row.hold)


def _contracts(one: Instrument, quantity: str) -> int:
    contracts, rest = divmod(parse_e8(quantity), one.contract_e8)
    if rest or contracts < 0:
        step = format_e8(one.contract_e8)
        raise Malformed("quantity", f"{quantity[:40]} {one.base} is no multiple of the contract, {step}")
    return contracts
