"""The actor behind `venue.poloniex_spot`: the machine of the futures venue, speaking spot."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.money import E8
from actors.domain.orders import OrderType, Side
from actors.domain.place import Place
from actors.messages.market import Quote
from actors.messages.venue import CancelOrder, FundingPaid, PlaceOrder
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.request import Request
from actors.poloniex.spot_frames import SpotOrdersFrame, read_spot_private
from actors.poloniex.stream import Channel
from actors.runtime.behaviour import Context
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.core import SECOND
from actors.venue.poloniex.readings import AccountFinding, OrderFinding, Steps, SyncFinding
from actors.venue.poloniex.rows import FillRow
from actors.venue.poloniex.settings import PoloniexSpotVenueSettings
from actors.venue.poloniex.spot_readings import SpotReadings
from actors.venue.poloniex.spot_reports import QUOTE, SpotReporter, total_of
from actors.venue.poloniex.spot_requests import (
    spot_balances,
    spot_cancel_all,
    spot_cancel_many,
    spot_cancel_order,
    spot_place_order,
)
from actors.venue.poloniex.spot_rows import read_spot_canceled, read_spot_placed

__all__ = ["PoloniexSpotVenue"]


class PoloniexSpotVenue(PoloniexVenue):
    """Our side of one account at Poloniex spot."""

    ACCEPTS: ClassVar = (*PoloniexVenue.ACCEPTS, Quote)
    EMITS: ClassVar = tuple(kind for kind in PoloniexVenue.EMITS if kind is not FundingPaid)
    CHANNELS: ClassVar = (Channel("orders", ("all",)),)
    QUIET: ClassVar = ("balances",)
    PROBE: ClassVar = spot_balances()
    UNFIT: ClassVar = "set to pay fees in TRX; turn that off, or its coins cannot be counted"

    settings: PoloniexSpotVenueSettings
    reporter: SpotReporter

    def __init__(self, settings: PoloniexSpotVenueSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._readings_of = SpotReadings(self.reporter, self.venue_now_ns, lambda: self.fills_heard)
        self._quotes: dict[str, Quote] = {}  # newest by symbol

    def reporter_of(self, settings: PoloniexSpotVenueSettings, place: Place) -> SpotReporter:
        return SpotReporter(place.account, place.instruments, settings.self_trade)

    # -- orders --------------------------------------------------------------------------------------

    def on_quote(self, message: Quote, context: Context) -> None:
        """What a market order to buy is capped by."""
        self._quotes[message.symbol] = message

    def refusal(self, message: PlaceOrder) -> tuple[str, str]:
        code, text = super().refusal(message)
        if code:
            return code, text
        if message.side is Side.BUY:
            if message.reduce_only:
                return "reduce_only", "a purchase reduces nothing at a spot market"
            if message.order_type is OrderType.MARKET and not self._cap_ticks(message.symbol):
                age = self.settings.quote_age_max // SECOND
                return "no_price", f"no ask of {message.symbol} younger than {age} s to cap the price with"
        return "", ""

    def place_request(self, message: PlaceOrder) -> Request:
        return spot_place_order(self.reporter.spot_body(message, self._cap_ticks(message.symbol)))

    def _cap_ticks(self, symbol: str) -> int:
        """Return the highest price of a market order to buy; 0 when no price is known."""
        quote, settings = self._quotes.get(symbol), self.settings
        if quote is None or not quote.ask_ticks or self._now_ns - quote.at_ns > settings.quote_age_max:
            return 0
        return quote.ask_ticks + quote.ask_ticks * settings.market_slippage // E8

    def cancel_request(self, message: CancelOrder) -> Request:
        return spot_cancel_order(message.client_order_id)

    def cancel_all_request(self, symbol: str) -> Request:
        return spot_cancel_all((symbol,) if symbol else ())

    def cancel_many_request(self, symbol: str, names: tuple[str, ...]) -> Request:
        return spot_cancel_many(names)

    def batch_rows(self, answer: Answer) -> dict[str, tuple[int, str]]:
        return {row.clientOrderId: (row.code, row.message) for row in read_spot_canceled(answer)}

    def names_of(self, answer: Answer) -> tuple[str, str]:
        try:
            rows = read_spot_placed(answer)
        except Malformed:
            rows = []
        return (rows[0].id, rows[0].clientOrderId) if rows else ("", "")

    # -- readings ------------------------------------------------------------------------------------

    def sync_steps(self, since_ms: int) -> Steps[SyncFinding | None]:
        return self._readings_of.sync(since_ms)

    def account_steps(self, since_ms: int, terms_of: tuple[str, ...]) -> Steps[AccountFinding]:
        return self._readings_of.account(since_ms)

    def order_steps(self, symbol: str, client_order_id: str) -> Steps[OrderFinding]:
        return self._readings_of.order(symbol, client_order_id)

    def fills_steps(self, symbol: str, client_order_id: str) -> Steps[list[FillRow]]:
        return self._readings_of.order_fills(symbol, client_order_id)

    def cash_of(self, finding: AccountFinding) -> int:
        """Return the money: free, and held by resting orders."""
        rows: list[Any] = finding.positions
        return sum(total_of(row) for row in rows if row.currency == QUOTE)

    def look_for_funding(self, context: Context) -> None:
        """There is none."""

    # -- the stream ----------------------------------------------------------------------------------

    def read_frame(self, raw: bytes) -> Any:
        return read_spot_private(raw)

    def data_frame(self, frame: Any, context: Context) -> None:
        """Take in events of orders: a trade tells its fill first, then how far the order is."""
        if not isinstance(frame, SpotOrdersFrame):
            return
        for event in frame.data:
            if not self.reporter.knows(event.symbol):
                continue  # not this deployment's market
            try:
                if event.eventType == "trade":
                    self.fill_row(self.reporter.event_fill(event), context)
                self.order_row(self.reporter.event_order(event), context)
            except Malformed as error:
                self.surprise(f"order {event.clientOrderId[:60]}: {error}", context)
