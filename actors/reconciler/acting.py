"""The reconciler's hands: carries out what was decided, on the record, and tells who must know."""

from __future__ import annotations

from actors.domain.place import Place
from actors.messages.control import FlattenPositions
from actors.messages.evidence import ForeignFill
from actors.messages.venue import FundingPaid, OrderFilled
from actors.reconciler.compare import CORRECTION, POSITION_KINDS, Comparison, Difference, Kind, Terms, compare
from actors.reconciler.events import DifferenceResolved
from actors.reconciler.evidence import raw_sides, raw_text
from actors.reconciler.resolve import (
    CONTAINED,
    Act,
    Circumstances,
    Decision,
    decide,
    name_of,
    stop_symbol,
    without_ignored,
)
from actors.reconciler.settings import ReconcilerSettings
from actors.reconciler.state import ReconcilerState, Statements
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.messages import Severity

__all__ = ["ReconcilerActing"]

RECONCILE_FAILED = "ReconcileFailed"
POSITION_DRIFT = "PositionDrift"
UNKNOWN_INSTRUMENT = "UnknownInstrument"
TERMS_WRONG = "TermsWrong"
MANUAL_TRADE = "ManualTrade"
MANUAL = "manual trade"
TRANSFERS_KEPT = 64
NOT_RECORDED = (Act.WAIT, Act.REPORT)


class ReconcilerActing(Behaviour):
    """What one account's reconciler does about what it has found."""

    state: ReconcilerState

    def __init__(self, settings: ReconcilerSettings, place: Place) -> None:
        self.settings = settings
        self._account = place.account
        self._tick_values = {symbol: spec.tick_value for symbol, spec in place.instruments.items()}
        self._coins_e8 = {s: spec.contract_e8 for s, spec in place.instruments.items() if spec.is_spot}
        self._leverages = {
            symbol: settings.leverage.get(symbol, spec.leverage_default)
            for symbol, spec in place.instruments.items()
            if not spec.is_spot
        }
        for symbol in (*settings.leverage, *settings.symbols):
            if symbol not in place.instruments and place.instruments:
                raise ValueError(f"{symbol} is not an instrument of this deployment")
        self._oms_address = self._ledger_address = ""  # whose answers the last look used

    def compared(self, said: Statements, since_ns: int) -> Comparison:
        """Return what one look at both sides finds."""
        theirs, settings = said.theirs, self.settings
        ignored: frozenset[str] = frozenset()
        if settings.manual_trades == "ignore":
            shown = (*theirs.positions, *theirs.open_orders, *theirs.fills)
            ignored = frozenset({one.symbol for one in shown} - self._tick_values.keys())
        found = compare(
            *said,
            fills_since_ns=since_ns,
            tick_values=self._tick_values,
            coins_e8=self._coins_e8,
            cash_drift_usdt_max=settings.cash_drift_usdt_max,
            terms=Terms(self._leverages, ignored),
        )
        return found._replace(differences=without_ignored(found.differences, settings))

    def decided(
        self, differences: tuple[Difference, ...], comparison: Comparison, said: Statements, context: Context
    ) -> tuple[Decision, ...]:
        """Return what shall become of differences that count."""
        state = self.state
        around = Circumstances(
            context.name,
            context.now_ns,
            {symbol: value for symbol, value in self._tick_values.items() if symbol not in self._coins_e8},
            state.standing,
            frozenset(state.stopped),
            state.agreed_at_ns > 0,
            tuple(state.corrected),
            self._corrections_of_late(context.now_ns),
            self.pending_transfers(said),
        )
        return decide(differences, comparison, said, self.settings, around)

    def carry_out(self, decision: Decision, said: Statements, context: Context) -> None:
        """Do one thing, on the record."""
        difference, act = decision.difference, decision.act
        is_news = act not in NOT_RECORDED and (act is not Act.STOP or bool(decision.messages))
        if is_news:
            self._record(difference, act, decision.reason, said, context)
        state = self.state
        if act is Act.STOP and difference.symbol not in state.stopped:
            state.stopped[difference.symbol] = difference.text
        if act in (Act.ADOPT, Act.FLATTEN) and difference.kind in POSITION_KINDS and decision.messages:
            state.corrected = sorted({*state.corrected, difference.symbol})
            before = self._corrections_of_late(context.now_ns).get(difference.symbol, 0)
            added = before + difference.theirs - difference.ours
            state.corrections[difference.symbol] = (added, context.now_ns)
        if difference.kind is Kind.CASH_DRIFT and act is Act.ADOPT:
            self.cash_is_right()
        for message in decision.messages:
            if type(message) is OrderFilled:
                context.send(self._oms_address, message)
            elif type(message) is FundingPaid:
                context.send(self._ledger_address, message)
            else:
                context.publish(message)

    def _record(
        self, difference: Difference, act: Act, reason: str, said: Statements, context: Context
    ) -> None:
        raw_ours, raw_theirs = raw_sides(difference, said)
        self.state.resolutions_count += 1
        context.log("difference resolved", difference=difference.text, act=act.value, reason=reason)
        context.record(
            DifferenceResolved(
                self._account,
                difference.kind.value,
                difference.key,
                difference.symbol,
                difference.ours,
                difference.theirs,
                act.value,
                reason,
                said.theirs.request_id,
                raw_ours,
                raw_theirs,
                context.now_ns,
            )
        )

    def _corrections_of_late(self, now_ns: int) -> dict[str, int]:
        """Return what corrections added: within the time that the venue's fills are looked back for."""
        from_ns = now_ns - self.settings.fills_lookback
        found = self.state.corrections
        return {symbol: added for symbol, (added, at_ns) in found.items() if added and at_ns >= from_ns}

    def pending_transfers(self, said: Statements) -> dict[str, int]:
        """Return every transfer that was listed and is not in our cash yet, by id.

        The venue's list may have moved on before cash could be compared, so they are remembered.
        """
        state, found = self.state, dict(self.state.transfers_new)
        for one in said.theirs.transfers:
            if one.transfer_id not in state.transfers and len(found) < TRANSFERS_KEPT:
                found[one.transfer_id] = one.amount_usdt
        return found

    def cash_is_right(self) -> None:
        """Our cash is the venue's: transfers are in it, and what corrected positions realised."""
        state = self.state
        state.transfers = [*state.transfers, *state.transfers_new][-TRANSFERS_KEPT:]
        state.transfers_new, state.corrected = {}, []

    # -- how long things stand, and who must know -----------------------------------------------------

    def note_standing(self, differences: tuple[Difference, ...], context: Context) -> None:
        """Remember since when each difference counts."""
        standing = self.state.standing
        for difference in differences:
            standing.setdefault(name_of(difference), context.now_ns)

    def forget_settled(self, differences: tuple[Difference, ...]) -> None:
        """A round has ended: what it did not find stands no longer."""
        state, names = self.state, {name_of(difference) for difference in differences}
        state.standing = {name: at_ns for name, at_ns in state.standing.items() if name in names}
        symbols = {difference.symbol for difference in differences}
        state.stopped = {symbol: why for symbol, why in state.stopped.items() if symbol in symbols}

    def alert_symbols(self, differences: tuple[Difference, ...], context: Context) -> None:
        """Raise what differs by symbol, and end what does not any more."""
        state = self.state
        positions = [d for d in differences if d.kind in POSITION_KINDS]
        known = {d.key for d in positions if d.symbol in self._tick_values or not self._tick_values}
        unknown = {d.key: self._unknown_text(d) for d in positions if d.key not in known}
        state.unknown = self._alert(UNKNOWN_INSTRUMENT, unknown, state.unknown, context)
        drifting = {d.key: d.text for d in positions if d.key in known}
        state.drifting = self._alert(POSITION_DRIFT, drifting, state.drifting, context)
        unfit = {d.symbol: d.text for d in differences if d.kind in CONTAINED}
        state.unfit = self._alert(TERMS_WRONG, unfit, state.unfit, context)

    def _unknown_text(self, found: Difference) -> str:
        held = f"{found.symbol}: {found.theirs} contracts on {self._account}"
        return f"{held}, but the markets file does not have it: not booked"

    def _alert(self, name: str, wrong: dict[str, str], before: list[str], context: Context) -> list[str]:
        for symbol in before:
            if symbol not in wrong:
                context.resolve(name, key=symbol)
        for symbol, text in wrong.items():
            context.alert(name, Severity.PAGE, text, key=symbol, account=self._account)
        return sorted(wrong)

    # -- trades by hand --------------------------------------------------------------------------------

    def on_foreign_fill(self, message: ForeignFill, context: Context) -> None:
        """Somebody trades on this account beside us: policy says what it means."""
        fill = message.report
        if message.account != self._account or fill.trade_id.startswith(CORRECTION):
            return
        policy, symbol = self.settings.manual_trades, fill.symbol
        text = f"Traded by hand: {fill.side.name} {fill.contracts} {symbol}; policy manual_trades: {policy}"
        act = {"stop": Act.STOP, "adopt": Act.ADOPT, "flatten": Act.FLATTEN}.get(policy, Act.REPORT)
        self.state.resolutions_count += 1
        context.record(
            DifferenceResolved(
                self._account,
                MANUAL,
                f"{symbol}/{fill.trade_id}",
                symbol,
                0,
                fill.signed_contracts,
                act.value if policy != "ignore" else "leave it alone",
                f"policy manual_trades: {policy}",
                "",
                "",
                raw_text(fill),
                message.at_ns,
            )
        )
        if policy == "stop" and symbol not in self.state.stopped and symbol in self._tick_values:
            self.state.stopped[symbol] = text
            context.publish(stop_symbol(symbol, text, context.name))
        if policy == "flatten":
            context.publish(FlattenPositions(self._account, symbol, text))
        if policy != "ignore":
            severity = Severity.TICKET if policy == "adopt" else Severity.PAGE
            context.alert(MANUAL_TRADE, severity, text, key=symbol, account=self._account)
            self.state.by_hand[symbol] = context.now_ns
        context.save()

    def forget_manual(self, context: Context) -> None:
        """The books agree with what was traded by hand in them; somebody has had time to see it.

        A halt stays until it is resumed.
        """
        by_hand, until_ns = self.state.by_hand, context.now_ns - self.settings.manual_told
        for symbol in [symbol for symbol, at_ns in by_hand.items() if at_ns <= until_ns]:
            context.resolve(MANUAL_TRADE, key=symbol)
            del by_hand[symbol]
