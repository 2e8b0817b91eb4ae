"""The served exchange as a pure machine: requests and frames in, replies and frames out, time from outside.

It holds the engine and everything the public and the accounts see of it. `record` is where events go, as in
the engine; an actor puts its journal there. Nothing here does I/O.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.orders import Side
from actors.exchange.accounts import Standing
from actors.exchange.provisions import set_fees
from actors.exchange.server.account_rows import POSITION_SIDES
from actors.exchange.server.answering import Answering
from actors.exchange.server.events import SpotHappened
from actors.exchange.server.faults import Faults
from actors.exchange.server.futures_streams import FuturesPrivate, FuturesPublic
from actors.exchange.server.keys import Keyring
from actors.exchange.server.limits import RateLimits
from actors.exchange.server.market_view import MarketView, PublicTrade
from actors.exchange.server.messages import HttpReply, StreamClose, StreamSend, WebRequest
from actors.exchange.server.order_desk import OrderDesk
from actors.exchange.server.participants import Participants
from actors.exchange.server.price_path import PricePath
from actors.exchange.server.pulse import Pulses
from actors.exchange.server.reports import Reports
from actors.exchange.server.served_engine import ServedEngine
from actors.exchange.server.sessions import Hub
from actors.exchange.server.settings import VIP_FEES, ServerSettings
from actors.exchange.server.spot_side import SpotSide
from actors.exchange.server.state import ServerState
from actors.messages.venue import OrderFilled
from actors.runtime.messages import Message

__all__ = ["ExchangeCore"]

LIQUIDATIONS_KEPT_MAX = 500
MS_NS = 1_000_000


class ExchangeCore:
    """One exchange. `paths` gives symbols another price than the seeded one, such as a recorded one."""

    def __init__(
        self,
        settings: ServerSettings,
        instruments: Mapping[str, Instrument],
        state: ServerState | None = None,
        paths: Mapping[str, PricePath] | None = None,
    ) -> None:
        self.settings = settings
        served = _served_instruments(settings, instruments)
        self.engine = ServedEngine(served, settings.rules(), state)
        self._record: Callable[[Message], None] = self.apply
        self.views = {
            symbol: MarketView(self.engine.markets[symbol], (paths or {}).get(symbol) or _path(settings, one))
            for symbol, one in served.items()
        }
        self.keyring = Keyring(settings.keys(), settings.timestamp_window // MS_NS)
        self.limits = RateLimits(settings.rate_limits)
        self.faults = Faults()
        self.hub = Hub(self)
        self.orders = OrderDesk(self)
        self.reports = Reports(self)
        self.participants = Participants(self.engine, self.absorb, settings.seed)
        self.futures_public = FuturesPublic(self)
        self.hub.add(self.futures_public)
        self.hub.add(FuturesPrivate(self))
        self.liquidations: deque[dict[str, Any]] = deque(maxlen=LIQUIDATIONS_KEPT_MAX)
        spot_paths = {symbol: view.path for symbol, view in self.views.items()}
        self.spot = SpotSide(self, settings, served, self.engine.served.spot, spot_paths)
        self._answering = Answering(self)
        self._pulses = Pulses(self)

    # -- state --------------------------------------------------------------------------------------

    @property
    def record(self) -> Callable[[Message], None]:
        """Where events go."""
        return self._record

    @record.setter
    def record(self, record: Callable[[Message], None]) -> None:
        self._record = record
        self.engine.record = record

    def apply(self, event: Any) -> None:
        """Fold one event into the state."""
        if type(event) is SpotHappened:
            self.spot.engine.apply(event.event)
        else:
            self.engine.apply(event)

    def start(self, now_ns: int) -> None:
        """Open the accounts that are new, and let the market begin."""
        for one in self.settings.accounts:
            self.engine.open_account(one.account, one.usdt, now_ns)
        self.settle_fees(now_ns)
        if self.settings.participants:
            self.participants.start(list(self.views.values()), now_ns)
        self.spot.start(now_ns)
        self._pulses.start(now_ns)

    def settle_fees(self, now_ns: int) -> None:
        """Have every account pay what its level says, and what a fault wants besides."""
        for one in self.settings.accounts:
            more = self.faults.overcharged_e8(one.account)
            maker, taker = VIP_FEES[one.vip]
            set_fees(self.engine, self.engine.members[one.account], maker + more, taker + more, now_ns)

    # -- what comes in ------------------------------------------------------------------------------

    def handle(self, request: WebRequest, now_ns: int) -> HttpReply:
        """Answer one request."""
        return self._answering.answer(request, now_ns + self.faults.skew_ns)

    def open_socket(self, socket_id: int, path: str, now_ns: int) -> None:
        """A client connected."""
        self.hub.open(socket_id, path, now_ns + self.faults.skew_ns)

    def frame(self, socket_id: int, text: str, now_ns: int) -> None:
        """A client said something."""
        self.hub.frame(socket_id, text, now_ns + self.faults.skew_ns)

    def close_socket(self, socket_id: int) -> None:
        """A client is gone."""
        self.hub.close(socket_id)

    def pulse(self, now_ns: int) -> None:
        """Let the market go on; call it about ten times a second."""
        self._pulses.pulse(now_ns + self.faults.skew_ns)

    # -- what goes out ------------------------------------------------------------------------------

    def take_out(self) -> list[StreamSend | StreamClose]:
        """Return and forget what is to be sent to WebSocket clients."""
        out, self.hub.out = self.hub.out, []
        return out

    def books_wanted(self) -> bool:
        """Tell whether a book has changed that somebody follows; forget the changes nobody does."""
        changed, spot_changed = self.engine.changed, self.spot.engine.changed
        if not changed and not spot_changed:
            return False
        self.engine.changed = {symbol for symbol in changed if self.futures_public.wants_books(symbol)}
        self.spot.engine.changed = {symbol for symbol in spot_changed if self.spot.public.wants_books(symbol)}
        return bool(self.engine.changed or self.spot.engine.changed)

    def tell_books(self, now_ns: int) -> None:
        """Tell the books that have changed."""
        changed, self.engine.changed = self.engine.changed, set()
        for symbol in sorted(changed):
            if self.futures_public.wants_books(symbol):
                self.futures_public.tell_book(self.views[symbol], now_ns + self.faults.skew_ns)
        spot = self.spot
        changed, spot.engine.changed = spot.engine.changed, set()
        for symbol in sorted(changed):
            if spot.public.wants_books(symbol):
                spot.public.tell_book(spot.views[symbol], now_ns + self.faults.skew_ns)

    # -- what the engine did ------------------------------------------------------------------------

    def absorb(self, outcomes: list[Message], now_ns: int) -> None:
        """Tell everybody what has happened: trades to the public, orders and positions to their owners."""
        takers = {o.trade_id for o in outcomes if type(o) is OrderFilled and not o.maker}
        for outcome in outcomes:
            if type(outcome) is not OrderFilled:
                continue
            if outcome.liquidation:
                self._liquidated(outcome, now_ns)
            elif not outcome.maker or outcome.trade_id not in takers:
                self._print(outcome, now_ns)
        self.reports.tell(outcomes, now_ns)

    def _print(self, fill: OrderFilled, now_ns: int) -> None:
        view = self.views[fill.symbol]
        side = fill.side.opposite if fill.maker else fill.side
        trade = PublicTrade(int(fill.trade_id), fill.price_ticks, fill.contracts, side, fill.at_ns)
        view.print(trade)
        self.futures_public.tell_trade(view, trade, now_ns)

    def _liquidated(self, fill: OrderFilled, now_ns: int) -> None:
        view = self.views[fill.symbol]
        order = next(iter(self.engine.members[fill.account].wallet.closed.newest_first()))
        row = {
            "symbol": fill.symbol,
            "posSide": POSITION_SIDES[order.terms.slot],
            "side": "BUY" if fill.side is Side.BUY else "SELL",
            "sz": str(fill.contracts),
            "bkPx": view.instrument.price_text(fill.price_ticks),
            "uTime": str(fill.at_ns // MS_NS),
        }
        self.liquidations.append(row)
        self.futures_public.tell_liquidation(view, row, now_ns)

    def touch(self, standing: Standing, now_ns: int) -> None:
        """Tell the owner that a position changed without a trade."""
        if standing.holding.position.net_contracts:
            self.reports.tell_position(standing, now_ns)
        self.reports.tell_account(standing.member.name, now_ns)


def _served_instruments(
    settings: ServerSettings, instruments: Mapping[str, Instrument]
) -> dict[str, Instrument]:
    wanted = settings.symbols or tuple(instruments)
    unknown = [symbol for symbol in wanted if symbol not in instruments]
    if unknown:
        raise ValueError(f"symbols: {unknown[0]} is not in the catalog")
    found = {symbol: instruments[symbol] for symbol in wanted}
    if settings.funding_interval:
        interval = settings.funding_interval
        found = {symbol: replace(one, funding_interval_ns=interval) for symbol, one in found.items()}
    return found


def _path(settings: ServerSettings, instrument: Instrument) -> PricePath:
    reference = instrument.reference_ticks or 10_000
    return PricePath(settings.seed, instrument.symbol, reference, settings.speed)
