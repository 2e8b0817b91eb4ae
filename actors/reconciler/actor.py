"""The reconciler: holds our books against the venue's and says whether they agree. Nobody trades before."""

from __future__ import annotations

import enum
from typing import Any, ClassVar

import msgspec

from actors.domain.place import Place
from actors.messages.account import AdjustCash, LedgerSnapshot
from actors.messages.control import Acknowledged, FlattenPositions, Halt, ReconcileFinished, ReconcileNow
from actors.messages.evidence import ForeignFill, UnexpectedReport, VerifyOrders
from actors.messages.terms import SetLeverage
from actors.messages.trading import OrdersSnapshot, OrdersSnapshotRequest
from actors.messages.venue import (
    CancelOrder,
    FundingPaid,
    OrderFilled,
    QueryAccount,
    VenueAccount,
    VenueConnection,
)
from actors.reconciler.acting import RECONCILE_FAILED, ReconcilerActing
from actors.reconciler.compare import Difference, Kind
from actors.reconciler.events import DifferenceResolved
from actors.reconciler.report import Report, no_answer, report_of
from actors.reconciler.resolve import CONTAINED, Decision
from actors.reconciler.round import Round
from actors.reconciler.settings import ReconcilerSettings
from actors.reconciler.state import ReconcilerState, Statements
from actors.reconciler.timers import Wake
from actors.runtime.behaviour import Context, Persistence, Phase
from actors.runtime.messages import Message, Severity

__all__ = ["ReconcilerActor"]

ANSWERS_KEPT = 4


class Stage(enum.Enum):
    """What the reconciler waits for."""

    PAUSE = "the next look"
    VENUE = "the venue's answer"
    OURS = "the answers of OMS and ledger"


class ReconcilerActor(ReconcilerActing):
    """One account's comparison with the venue: at start, after reconnects, periodically and on demand."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        VenueAccount,
        OrdersSnapshot,
        LedgerSnapshot,
        VenueConnection,
        UnexpectedReport,
        ForeignFill,
        ReconcileNow,
        Wake,
    )
    EMITS: ClassVar[tuple[type[Message], ...]] = (
        QueryAccount,
        OrdersSnapshotRequest,
        VerifyOrders,
        CancelOrder,
        AdjustCash,
        SetLeverage,
        Halt,
        FlattenPositions,
        ReconcileFinished,
    )
    # The venue reads the reconciler too: its own reports, passed on, must not reach it again.
    REPLIES: ClassVar[tuple[type[Message], ...]] = (OrderFilled, FundingPaid, Acknowledged)
    EVENTS: ClassVar[tuple[type[Message], ...]] = (DifferenceResolved,)
    STATE = ReconcilerState
    STATE_VERSION = 2  # 1 had in `by_hand` symbols without instants
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.CHECK
    EXPLICIT_READY = True

    def upgrade(self, state: Any, version: int) -> Any:
        """See Behaviour.upgrade."""
        by_hand = state.get("by_hand", {})
        return state | {"by_hand": by_hand if isinstance(by_hand, dict) else dict.fromkeys(by_hand, 0)}

    def __init__(self, settings: ReconcilerSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._stage = Stage.PAUSE
        self._round = Round(settings.passes_max)
        self._request_id = ""
        self._requests_count = 0
        self._since_ns = 0
        self._theirs: VenueAccount | None = None
        self._orders: OrdersSnapshot | None = None
        self._ledger: LedgerSnapshot | None = None
        self._asked_terms: tuple[str, ...] = ()  # of the look under way
        self._terms_due_ns = 0  # when leverages are to be looked at again
        self._leverages_shown: dict[str, int] = {}  # by positions, when leverages were looked at for it
        self._again = False  # somebody asked for a round while one was running
        self._dry_wanted = False  # somebody wants to know what would be done
        self._answers: list[Report] = []  # how the last rounds ended, for whoever asked
        self._failures = 0  # rounds in a row that did not agree
        self._margin_ratio_e8 = 0  # by the venue's newest statement
        self._silences = 0  # rounds in a row without an answer
        self._wake_at_ns = 0
        self._is_ready = False
        self._used: set[str] = set()  # symbols with a position or an order at the last look

    def started(self, context: Context) -> None:
        """Compare before anybody acts; an agreement from before the restart is worth nothing now."""
        self.state.agrees = False
        context.save()
        self._begin(context)

    # -- asking --------------------------------------------------------------------------------------

    def _begin(self, context: Context) -> None:
        """Start a round."""
        self._round = Round(self.settings.passes_max, context.now_ns, is_dry=self._dry_wanted)
        self._again = self._dry_wanted = False
        self._asked_terms = self._terms_to_ask(context.now_ns)
        self._ask_venue(context)

    def _terms_to_ask(self, now_ns: int) -> tuple[str, ...]:
        """Return the symbols whose leverage this round looks at: those named, and those in use."""
        if self._leverages and (now_ns >= self._terms_due_ns or self.state.unfit or self._round.is_dry):
            used = {*self.settings.symbols, *self._used, *self.state.unfit}
            return tuple(sorted(used & self._leverages.keys()))
        return ()

    def _doubtful_terms(self, theirs: VenueAccount) -> set[str]:
        """Return the symbols whose position shows another leverage than ours, for the first time.

        That costs no request. It proves nothing: a large position may have less than what is chosen.
        """
        if self.settings.leverage_wrong == "ignore":
            return set()
        shown = {
            one.symbol: one.leverage
            for one in theirs.positions
            if one.isolated is theirs.isolated and one.symbol in self._leverages
        }
        before = {symbol: self._leverages_shown.get(symbol, self._leverages[symbol]) for symbol in shown}
        self._leverages_shown = shown
        return {symbol for symbol, leverage in shown.items() if leverage != before[symbol]}

    def _ask_venue(self, context: Context) -> None:
        self._requests_count += 1
        self._request_id = f"{context.name}@{context.now_ns}.{self._requests_count}"
        self._theirs = self._orders = self._ledger = None
        self._stage = Stage.VENUE
        agreed_at_ns = self.state.agreed_at_ns
        from_ns = agreed_at_ns or context.now_ns - self.settings.fills_lookback
        self._since_ns = max(0, from_ns - self.settings.fills_overlap)
        context.publish(QueryAccount(self._account, self._request_id, self._since_ns, self._asked_terms))
        self._wake_in(self.settings.answer_timeout, context)

    def on_venue_account(self, message: VenueAccount, context: Context) -> None:
        """The venue's statement; now ours, so that ours holds at least what the venue's does."""
        if message.request_id != self._request_id or self._stage is not Stage.VENUE:
            return
        self._theirs = message
        self._stage = Stage.OURS
        context.publish(OrdersSnapshotRequest(self._account, self._request_id, self._since_ns))
        self._wake_in(self.settings.answer_timeout, context)

    def on_orders_snapshot(self, message: OrdersSnapshot, context: Context) -> None:
        """The OMS's half of ours."""
        if message.request_id == self._request_id and self._stage is Stage.OURS:
            self._orders, self._oms_address = message, context.sender
            self._look(context)

    def on_ledger_snapshot(self, message: LedgerSnapshot, context: Context) -> None:
        """The ledger's half of ours."""
        if message.request_id == self._request_id and self._stage is Stage.OURS:
            self._ledger, self._ledger_address = message, context.sender
            self._look(context)

    # -- looking -------------------------------------------------------------------------------------

    def _look(self, context: Context) -> None:
        theirs, orders, ledger = self._theirs, self._orders, self._ledger
        if theirs is None or orders is None or ledger is None:
            return
        self._silences = 0
        if doubtful := self._doubtful_terms(theirs) - set(self._asked_terms):
            self._asked_terms = tuple(sorted(doubtful.union(self._asked_terms)))
            self._ask_venue(context)
            return
        said = Statements(theirs, orders, ledger)
        self._used = {one.symbol for one in (*theirs.positions, *theirs.open_orders, *ledger.positions)}
        comparison = self.compared(said, self._since_ns)
        found = comparison.differences
        counting = self._round.look(found)
        if self._round.is_dry:
            self._look_only(counting, found, self.decided(counting, comparison, said, context), context)
            return
        self.note_standing(counting, context)
        self.state.transfers_new = self.pending_transfers(said)
        if comparison.cash_compared and not any(one.kind is Kind.CASH_DRIFT for one in found):
            self.cash_is_right()
        fresh = tuple(difference for difference in counting if self._round.first_time(difference))
        decisions = self.decided(fresh, comparison, said, context)
        for decision in decisions:
            self.carry_out(decision, said, context)
        self._round.note(decisions)
        if not found:
            self._finish((), said, context)
        elif self._round.is_over or (counting and not any(one.cures for one in decisions)):
            self._finish(counting, said, context)
        else:
            context.save()
            self._look_again(context)

    def _look_only(
        self,
        counting: tuple[Difference, ...],
        found: tuple[Difference, ...],
        decisions: tuple[Decision, ...],
        context: Context,
    ) -> None:
        """A dry run: nothing is done, nobody is told but who asked."""
        if found and not counting and not self._round.is_over:
            self._look_again(context)
            return
        began_ns = self._round.began_at_ns
        self._note_answer(report_of(decisions, not counting, began_ns, context.now_ns, is_dry=True))
        self._rest(context)

    def _look_again(self, context: Context) -> None:
        self._stage = Stage.PAUSE
        self._wake_in(self.settings.confirm_after, context)

    def _finish(self, differences: tuple[Difference, ...], said: Statements, context: Context) -> None:
        """Say how the round ended, and when the next one is."""
        blocking = tuple(one for one in differences if one.kind not in CONTAINED)
        agrees = not blocking
        if self._asked_terms:
            self._terms_due_ns = context.now_ns + self.settings.terms_every
        if agrees:
            self.state.agreed_at_ns = said.theirs.at_ns
            self.forget_manual(context)
        self.forget_settled(differences)
        self.alert_symbols(differences, context)
        done, began_ns = self._round.decisions, self._round.began_at_ns
        self._margin_ratio_e8 = said.theirs.margin_ratio_e8
        self._note_answer(report_of(done, not differences, began_ns, context.now_ns, is_dry=False))
        self._conclude(agrees, tuple(difference.text for difference in differences), context)
        if agrees:
            context.resolve(RECONCILE_FAILED, key=self._account)
        else:
            text = f"Account {self._account} does not agree with the venue: {len(blocking)} differences"
            self._page(text, context, first=blocking[0].text)
        if not self._is_ready and (agrees or self.settings.ready_when == "compared"):
            self._is_ready = True
            context.ready()

    def _note_answer(self, report: Report) -> None:
        self._answers = [*self._answers, report][-ANSWERS_KEPT:]

    def _conclude(self, agrees: bool, texts: tuple[str, ...], context: Context) -> None:
        """Publish and remember the verdict, and pause: shortly when it was bad, longer each time."""
        state, now_ns = self.state, context.now_ns
        state.agrees = agrees
        state.rounds_count += 1
        state.disagreements_count += not agrees
        state.finished_at_ns = now_ns
        state.differences = list(texts)
        context.save()
        context.publish(ReconcileFinished(self._account, agrees, texts, now_ns, self._margin_ratio_e8))
        self._failures = 0 if agrees else self._failures + 1
        self._rest(context)

    def _rest(self, context: Context) -> None:
        self._stage = Stage.PAUSE
        self._request_id = ""
        self._round = Round(self.settings.passes_max)
        settings = self.settings
        tries = max(self._failures, self._silences)
        pause_ns = settings.every
        if tries:
            pause_ns = min(settings.retry_max, settings.retry_min << min(tries - 1, 20))
        elif self._again:
            pause_ns = settings.retry_min
        if self._dry_wanted:
            pause_ns = 0
        self._wake_in(pause_ns, context)

    def _page(self, text: str, context: Context, **details: object) -> None:
        context.alert(RECONCILE_FAILED, Severity.PAGE, text, key=self._account, **details)

    # -- time, and what else asks for a round ----------------------------------------------------------

    def on_wake(self, message: Wake, context: Context) -> None:
        """The pause is over, or an answer did not come."""
        self._wake_at_ns = 0
        if self._stage is Stage.PAUSE:
            if self._round.passes_count:
                self._ask_venue(context)
            else:
                self._begin(context)
            return
        self._silences += 1
        context.log("no answer", waited_for=self._stage.value, silences=self._silences)
        began_ns, is_dry = self._round.began_at_ns, self._round.is_dry
        self._note_answer(no_answer(self._stage.value, began_ns, context.now_ns, is_dry=is_dry))
        if self._silences >= self.settings.silences_max:
            text = f"Account {self._account} cannot be compared: no answer, waited for {self._stage.value}"
            self._page(text, context, silences=self._silences)
            self._conclude(False, (f"waited in vain for {self._stage.value}",), context)
        else:
            self._rest(context)

    def on_venue_connection(self, message: VenueConnection, context: Context) -> None:
        """Without the venue's truth nothing is reconciled; with a new connection, look at once."""
        if message.up:
            self._terms_due_ns = 0
            self._begin(context)
        elif self.state.agrees:
            self._conclude(False, (f"the venue cannot be reached: {message.reason}",), context)

    def on_unexpected_report(self, message: UnexpectedReport, context: Context) -> None:
        """The OMS cannot explain a report: see who is right."""
        self._soon(context)

    def on_reconcile_now(self, message: ReconcileNow, context: Context) -> None:
        """A person, or an actor that lost its memory, wants a comparison."""
        if message.account and message.account != self._account:
            return
        if context.sender:
            self._soon(context)
            return
        self._dry_wanted = self._dry_wanted or message.dry_run
        self._terms_due_ns = 0
        if self._stage is Stage.PAUSE and not self._round.passes_count:
            self._begin(context)
        else:
            self._again = True
        context.reply(Acknowledged(f"comparison of account {self._account} started"))

    def _soon(self, context: Context) -> None:
        """Have a round soon, but never more often than `retry_min` allows: rounds may cause reports."""
        if self._stage is not Stage.PAUSE or self._round.passes_count:
            self._again = True
            return
        due_ns = self.state.finished_at_ns + self.settings.retry_min
        if due_ns < self._wake_at_ns or not self._wake_at_ns:
            self._wake_in(max(0, due_ns - context.now_ns), context)

    def _wake_in(self, pause_ns: int, context: Context) -> None:
        self._wake_at_ns = context.now_ns + pause_ns
        context.schedule(pause_ns, Wake(), key="wake")

    # -- showing -------------------------------------------------------------------------------------

    def describe(self) -> Any:
        """Return what an operator sees."""
        shown: dict[str, Any] = msgspec.to_builtins(self.state)
        shown["account"] = self._account
        shown["waiting_for"] = self._stage.value
        shown["looks_in_this_round"] = self._round.passes_count
        shown["answers"] = [msgspec.to_builtins(one) for one in self._answers]
        return shown

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        return {
            "agrees": int(self.state.agrees),
            "agreed_at_ns": self.state.agreed_at_ns,
            "symbols_drifting": len(self.state.drifting),
            "rounds": self.state.rounds_count,
            "disagreements": self.state.disagreements_count,
            "differences": len(self.state.differences),
            "resolutions": self.state.resolutions_count,
            "symbols_stopped": len(self.state.stopped),
        }
