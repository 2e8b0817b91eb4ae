"""The engine as it is served: the same decisions, with the accounts' bills and positions' histories kept.

All of it follows from the engine's events, so it is rebuilt with the engine.
"""

from __future__ import annotations

from collections.abc import Mapping

from actors.domain.instrument import Instrument
from actors.exchange.accounts import Member, Standing
from actors.exchange.engine import Exchange
from actors.exchange.events import CashMoved, FundingCharged, MarginMoved, PositionLiquidated
from actors.exchange.ring import Ring
from actors.exchange.rules import Rules
from actors.exchange.server.events import PositionModeSet
from actors.exchange.server.state import (
    BILLS_KEPT_MAX,
    POSITIONS_KEPT_MAX,
    SETTLEMENTS_KEPT_MAX,
    Bill,
    ClosedPosition,
    Note,
    ServerState,
    Settlement,
    User,
)
from actors.exchange.state import Order

__all__ = ["HOUSE", "HOUSE_ORDERS_KEPT", "ServedEngine"]

HOUSE = "~"  # accounts of the market's own participants begin with it; nobody asks for their bills
HOUSE_ORDERS_KEPT = 50  # ended ones: nobody asks for them either


class ServedEngine(Exchange):
    """An `Exchange` over a `ServerState`."""

    def __init__(
        self, instruments: Mapping[str, Instrument], rules: Rules, state: ServerState | None = None
    ) -> None:
        self.served = state if state is not None else ServerState()
        self.changed: set[str] = set()  # symbols whose books are no longer what the public was told
        self._ending = "NORMAL"  # how a position that closes now came to its end
        super().__init__(instruments, rules, self.served.engine)
        self._appliers[PositionModeSet] = self.apply_position_mode_set
        for user in self.served.users.values():
            user.bills.fit(BILLS_KEPT_MAX)
            user.positions.fit(POSITIONS_KEPT_MAX)

    def user(self, account: str) -> User:
        """Return an account's part of the state."""
        user = self.served.users.get(account)
        if user is None:
            user = self.served.users[account] = User()
        return user

    def closed_kept_max(self, name: str) -> int:
        return HOUSE_ORDERS_KEPT if name.startswith(HOUSE) else super().closed_kept_max(name)

    # -- events -------------------------------------------------------------------------------------

    def apply_position_mode_set(self, event: PositionModeSet) -> None:
        self.user(event.account).is_hedged = event.is_hedged

    def apply_funding_charged(self, event: FundingCharged) -> None:
        super().apply_funding_charged(event)
        kept = self.served.settlements.setdefault(event.symbol, Ring())
        kept.put(Settlement(event.rate_e8, event.settled_at_ns), SETTLEMENTS_KEPT_MAX)
        for share in event.shares:
            key = share.holding or event.symbol
            self._bill(share.account, "FUNDING_FEE", key, -share.payment_usdt, event.at_ns)
            note = self.user(share.account).notes.get(key)
            if note is not None:
                note.funding_usdt += share.payment_usdt
                note.updated_at_ns = event.at_ns

    def apply_margin_moved(self, event: MarginMoved) -> None:
        super().apply_margin_moved(event)
        self._bill(event.account, "MANUAL_MARGIN", event.holding, -event.amount_usdt, event.at_ns)

    def apply_cash_moved(self, event: CashMoved) -> None:
        super().apply_cash_moved(event)
        self._bill(event.account, "TRANSFER", "", event.amount_usdt, event.at_ns)

    def apply_position_liquidated(self, event: PositionLiquidated) -> None:
        self._ending = "ADL" if event.deleveraged else "LIQ"
        super().apply_position_liquidated(event)
        self._ending = "NORMAL"

    def _fill(
        self,
        standing: Standing,
        order: Order,
        contracts: int,
        price_ticks: int,
        fee_usdt: int,
        maker: bool,
        trade_number: int,
        at_ns: int,
        liquidation: bool = False,
    ) -> None:
        holding = standing.holding
        size, realised = holding.position.net_contracts, holding.realised_usdt
        super()._fill(
            standing, order, contracts, price_ticks, fee_usdt, maker, trade_number, at_ns, liquidation
        )
        account = standing.member.name
        if account.startswith(HOUSE):
            return
        gained = holding.realised_usdt - realised
        if fee_usdt:
            self._bill(account, "FEE", standing.key, -fee_usdt, at_ns)
        if gained:
            kind = "PNL" if self._ending == "NORMAL" else f"{self._ending}_PNL"
            self._bill(account, kind, standing.key, gained, at_ns)
        self._note(standing, size, order.request.side * contracts, price_ticks, fee_usdt, gained, at_ns)

    # -- parts of events ----------------------------------------------------------------------------

    def _rest(self, member: Member, standing: Standing, order: Order) -> None:
        self.changed.add(order.request.symbol)
        super()._rest(member, standing, order)

    def _unrest(self, order: Order) -> Standing:
        self.changed.add(order.request.symbol)
        return super()._unrest(order)

    def _fill_resting(self, order: Order, contracts: int, fee_usdt: int, trade: int, at_ns: int) -> None:
        self.changed.add(order.request.symbol)
        super()._fill_resting(order, contracts, fee_usdt, trade, at_ns)

    def _bill(self, account: str, kind: str, holding: str, amount_usdt: int, at_ns: int) -> None:
        if account.startswith(HOUSE):
            return
        served = self.served
        served.bills_count += 1
        bill = Bill(served.bills_count, kind, holding, amount_usdt, at_ns)
        self.user(account).bills.put(bill, BILLS_KEPT_MAX)

    def _note(
        self, standing: Standing, size: int, signed: int, price: int, fee: int, gained: int, at_ns: int
    ) -> None:
        """Write down what a fill did to a position; a flip ends one position and begins another."""
        user, key = self.user(standing.member.name), standing.key
        closing = min(abs(size), abs(signed)) if size * signed < 0 else 0
        opening = abs(signed) - closing
        note = user.notes.get(key) or Note(at_ns)
        user.notes[key] = note
        note.updated_at_ns, note.size_before = at_ns, size
        note.fees_usdt += fee
        if closing:
            note.closed_contracts += closing
            note.closed_ticks += closing * price
            note.realised_usdt += gained
            note.last_realised_usdt = gained
            if closing == abs(size):
                side = 1 if size > 0 else -1
                ended = ClosedPosition(self.state.trades_count, key, side, note, self._ending)
                user.positions.put(ended, POSITIONS_KEPT_MAX)
                del user.notes[key]
                note = Note(at_ns, at_ns)
        if opening:
            note.opened_contracts += opening
            note.opened_ticks += opening * price
            user.notes[key] = note
