"""The ledger of one account: cash, positions, margin, profit, fees and funding, to the last 1e-8 USDT."""

from __future__ import annotations

from typing import Any

from actors.domain.money import E8, format_e8
from actors.domain.positions import FLAT, Position, apply_fill
from actors.ledger.events import (
    AccountOpened,
    CashAdjusted,
    FillBooked,
    FillSetAside,
    FundingBooked,
)
from actors.ledger.report import account_report
from actors.ledger.statements import (
    DAY_NS,
    MARK_MISSING,
    LedgerHeartbeat,
    LedgerMarkWaitOver,
    LedgerMidnight,
    LedgerStatements,
    LedgerTick,
)
from actors.ledger.valuation import Valued
from actors.messages.account import (
    AccountState,
    AdjustCash,
    LedgerPosition,
    LedgerSnapshot,
    LedgerSnapshotRequest,
    PositionState,
)
from actors.messages.control import Acknowledged, Rejected
from actors.messages.market import MarkPrice
from actors.messages.trading import Fill
from actors.messages.venue import FundingPaid
from actors.runtime.behaviour import Context, Phase
from actors.runtime.errors import require
from actors.runtime.messages import Severity

__all__ = ["LedgerActor"]


class LedgerActor(LedgerStatements):
    """Books every fill, funding payment and correction exactly once, and says what the account is worth."""

    ACCEPTS = (
        *(Fill, FundingPaid, MarkPrice, AdjustCash, LedgerSnapshotRequest),
        *(LedgerTick, LedgerHeartbeat, LedgerMidnight, LedgerMarkWaitOver),
    )
    EMITS = (PositionState, AccountState, LedgerSnapshot)
    PHASE = Phase.STATE

    # -- life -------------------------------------------------------------------------------------

    def started(self, context: Context) -> None:
        state, now = self.state, context.now_ns
        if not state.opened_at_ns:
            initial = self.settings.initial_usdt
            context.record(AccountOpened(initial, self.day_of(now), now, self.week_of(now)))
        self._check_books()
        self._day_end_ns = state.day_start_ns + DAY_NS
        self._peak_usdt = state.equity_peak_usdt
        self._take_up_positions(context)
        self._start_day_if_due(context)
        context.schedule(self.day_of(now) + DAY_NS - now, LedgerMidnight(), key="midnight")
        if self._mode != "backtest":  # there nobody starts anew, who would have to be told again
            context.schedule(self.settings.heartbeat, LedgerHeartbeat(), key="heartbeat")
        if self._valuation.unmarked:
            context.schedule(self.settings.mark_wait, LedgerMarkWaitOver(), key="mark_wait")
        self._publish_positions(context)
        self._publish_account(context)

    def _take_up_positions(self, context: Context) -> None:
        """Let recovered positions wait for their marks; repeat or end what was said of unknown symbols."""
        held = {symbol for symbol, holding in self.state.holdings.items() if holding.net_contracts}
        self._valuation.unmarked |= held
        for symbol in sorted(held.union(self.state.set_aside_symbols)):
            if symbol in self._valuation.by_symbol:
                context.resolve("UnknownInstrument", key=symbol)
            else:
                self._alert_unknown(symbol, context)

    # -- fills: the hot path ------------------------------------------------------------------------

    def on_fill(self, fill: Fill, context: Context) -> None:
        symbol = fill.symbol
        if not context.once(symbol + "/" + fill.trade_id):
            self._duplicates_count += 1
            return
        valued = self._valuation.by_symbol.get(symbol)
        if valued is None or fill.account != self._account:
            self._set_aside(fill, context)
            return
        now = context.now_ns
        if now >= self._day_end_ns:
            self._start_day_if_due(context)
        if fill.contracts <= 0 or fill.price_ticks <= 0:
            require(False, "a fill has a size and a price", symbol=symbol, trade_id=fill.trade_id)
        signed = fill.contracts * fill.side - fill.fee_contracts
        price, fee, state = fill.price_ticks, fill.fee_usdt, self.state
        holding = state.holdings.get(symbol)
        before = FLAT if holding is None else Position(holding.net_contracts, holding.cost_ticks)
        position, realised, _, _ = apply_fill(before, signed, price, valued.instrument)
        net, cost = position
        cash = state.cash_usdt + realised - fee
        context.record(
            FillBooked(
                symbol,
                fill.trade_id,
                fill.client_order_id,
                signed,
                price,
                fee,
                realised,
                net,
                cost,
                cash,
                fill.liquidation,
                fill.at_ns,
                fill.dust_e8,
            )
        )
        if not valued.mark_ticks:
            self._value_unmarked(symbol, valued, price, net, context)
        if valued.mark_ticks:
            self._valuation.revalue(valued, net, cost, state.holdings[symbol].dust_e8)
            self._filled[symbol] = valued
        if fill.liquidation:
            self._alert_liquidated(fill, context)
        self._is_told = False

    def _alert_liquidated(self, fill: Fill, context: Context) -> None:
        """The venue acted by itself: the margin did not suffice, or somebody else's did not."""
        what = f"{fill.side.name} {fill.contracts} {fill.symbol}"
        context.alert(
            "AccountLiquidated",
            Severity.PAGE,
            f"The venue closed positions of {self._account} by force: {what}",
            key=self._account,
            ends_after_ns=DAY_NS,
            trade_id=fill.trade_id,
        )

    def caught_up(self, context: Context) -> None:
        """Tell where the fills of this batch have led: once, however many they were."""
        if self._is_told:
            return
        self._is_told = True
        for symbol, valued in self._filled.items():
            self._publish_position(symbol, valued, context)
        self._filled.clear()
        self._publish_account(context)

    def _value_unmarked(
        self, symbol: str, valued: Valued, price_ticks: int, net_contracts: int, context: Context
    ) -> None:
        """Take a fill's price as the mark of a position that it opened, never of one it found there.

        A position recovered from the journal may be far from the price of a fill that was reported late.
        """
        unmarked = self._valuation.unmarked
        if not net_contracts and symbol in unmarked:
            unmarked.discard(symbol)
            context.resolve(MARK_MISSING, key=symbol)  # what is closed needs no price
        if symbol not in unmarked:
            valued.mark_ticks = price_ticks

    def _set_aside(self, fill: Fill, context: Context) -> None:
        known = fill.symbol in self._valuation.by_symbol
        reason = "belongs to another account" if known else "symbol is not in the markets file"
        signed = fill.contracts * fill.side
        context.record(
            FillSetAside(
                fill.symbol,
                fill.trade_id,
                fill.client_order_id,
                signed,
                fill.price_ticks,
                fill.fee_usdt,
                reason,
                fill.at_ns,
            )
        )
        if known:
            summary = f"A fill of account {fill.account} reached the ledger of {self._account}"
            context.alert(
                "ForeignFill",
                Severity.PAGE,
                summary,
                key=fill.symbol,
                ends_after_ns=DAY_NS,
                trade_id=fill.trade_id,
            )
        else:
            self._alert_unknown(fill.symbol, context)

    def _alert_unknown(self, symbol: str, context: Context, ends_after_ns: int = 0) -> None:
        """Of a fill it holds until a start with a markets file that has the symbol."""
        summary = f"{symbol} moved on {self._account}, but the markets file does not have it: not booked"
        context.alert("UnknownInstrument", Severity.PAGE, summary, key=symbol, ends_after_ns=ends_after_ns)

    # -- funding, corrections, snapshots --------------------------------------------------------------

    def on_funding_paid(self, paid: FundingPaid, context: Context) -> None:
        if not context.once("funding/" + paid.funding_id):
            self._duplicates_count += 1
            return
        self._start_day_if_due(context)
        if paid.symbol not in self._valuation.by_symbol:
            self._alert_unknown(paid.symbol, context, DAY_NS)  # the cash moved all the same
        context.record(
            FundingBooked(
                paid.symbol,
                paid.funding_id,
                paid.net_contracts,
                paid.rate_e8,
                paid.payment_usdt,
                self.state.cash_usdt - paid.payment_usdt,
                paid.settled_at_ns,
            )
        )
        self._publish_account(context)

    def on_adjust_cash(self, order: AdjustCash, context: Context) -> None:
        if not (order.reason and order.evidence and order.actor) or order.account != self._account:
            summary = f"Correction of {self._account} without account, reason, evidence or author: not booked"
            context.alert(
                "CashAdjustmentRefused", Severity.TICKET, summary, key=order.evidence, ends_after_ns=DAY_NS
            )
            self._answer_edge(Rejected(summary), context)
            return
        self._start_day_if_due(context)
        amount, transfer = order.amount_usdt, order.transfer
        cash = self.state.cash_usdt + amount
        context.record(
            CashAdjusted(amount, transfer, order.reason, order.evidence, order.actor, cash, context.now_ns)
        )
        if transfer:
            self._peak_usdt += amount
        self._publish_account(context)
        self._answer_edge(Acknowledged(f"Cash of {self._account} is now {format_e8(cash)} USDT"), context)

    def _answer_edge(self, answer: Acknowledged | Rejected, context: Context) -> None:
        if not context.sender:  # an actor that corrects us reads AccountState instead
            context.reply(answer)

    def on_ledger_snapshot_request(self, request: LedgerSnapshotRequest, context: Context) -> None:
        self._check_books()
        state = self.state
        positions = tuple(
            LedgerPosition(symbol, holding.net_contracts, holding.cost_ticks, holding.dust_e8)
            for symbol, holding in state.holdings.items()
            if holding.net_contracts or holding.dust_e8
        )
        context.publish(
            LedgerSnapshot(
                self._account,
                request.request_id,
                self._money_usdt(),
                positions,
                state.fills_count,
                tuple(state.funding_ids),
                context.now_ns,
            )
        )

    def describe(self) -> Any:
        """Return the account as an operator sees it; amounts are 1e-8 USDT."""
        report = account_report(self.state, self._valuation)
        return {"account": self._account, **report, "cash_usdt": self._money_usdt()}

    def gauges(self) -> dict[str, int | float]:
        """Return the account in whole USDT; read at scrape, so plain fields only."""
        state, valuation = self.state, self._valuation
        equity_usdt = state.cash_usdt + valuation.unrealised_usdt
        return {
            "cash_usdt": self._money_usdt() / E8,
            "equity_usdt": equity_usdt / E8,
            "realised_usdt": state.realised_usdt / E8,
            "unrealised_usdt": valuation.unrealised_usdt / E8,
            "day_profit_usdt": (equity_usdt - state.day_start_equity_usdt) / E8,
            "drawdown_usdt": max(0, self._peak_usdt - equity_usdt) / E8,
            "positions_count": sum(1 for one in list(state.holdings.values()) if one.net_contracts),
            "margin_used_usdt": valuation.margin_usdt_initial / E8,
            "margin_maintenance_usdt": valuation.margin_usdt_maintenance / E8,
            "fees_usdt": state.fees_usdt / E8,
            "funding_usdt": state.funding_usdt / E8,
            "fills_count": state.fills_count,
            "fills_duplicate_count": self._duplicates_count,
            "fills_set_aside_count": state.set_aside_count,
            "positions_unmarked_count": len(valuation.unmarked),
        }
