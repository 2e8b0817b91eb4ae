"""The reconciler: holds our books against the venue's and says whether they agree. Nobody trades before."""

from __future__ import annotations

import enum
from typing import Any, ClassVar

import msgspec

from actors.domain.place import Place
from actors.messages.account import AdjustCash, LedgerSnapshot
from actors.messages.control import Acknowledged, ReconcileFinished, ReconcileNow
from actors.messages.evidence import UnexpectedReport, VerifyOrders
from actors.messages.trading import OrdersSnapshot, OrdersSnapshotRequest
from actors.messages.venue import (
    CancelOrder,
    FundingPaid,
    OrderFilled,
    QueryAccount,
    VenueAccount,
    VenueConnection,
)
from actors.reconciler.compare import Comparison, Difference, Kind, compare
from actors.reconciler.resolve import Resolution, resolutions, without_ignored
from actors.reconciler.round import Round
from actors.reconciler.settings import ReconcilerSettings
from actors.reconciler.timers import Wake
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message, Severity

__all__ = ["ReconcilerActor"]

RECONCILE_FAILED = "ReconcileFailed"
POSITION_DRIFT = "PositionDrift"
_POSITIONS = (Kind.POSITION_PHANTOM, Kind.POSITION_ORPHANED, Kind.POSITION_WRONG, Kind.COINS_WRONG)


class Stage(enum.Enum):
    """What the reconciler waits for."""

    PAUSE = "the next look"
    VENUE = "the venue's answer"
    OURS = "the answers of OMS and ledger"


class ReconcilerState(msgspec.Struct):
    """What survives: where the last agreement stands, and what is still open from the last disagreement."""

    agreed_at_ns: int = 0  # the venue's date of the last statement we agreed with; 0 before the first
    agrees: bool = False
    rounds_count: int = 0
    disagreements_count: int = 0
    finished_at_ns: int = 0
    differences: list[str] = []
    drifting: list[str] = []  # symbols with an open PositionDrift alert


class ReconcilerActor(Behaviour):
    """One account's comparison with the venue: at start, after reconnects, periodically and on demand."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        VenueAccount,
        OrdersSnapshot,
        LedgerSnapshot,
        VenueConnection,
        UnexpectedReport,
        ReconcileNow,
        Wake,
    )
    EMITS: ClassVar[tuple[type[Message], ...]] = (
        QueryAccount,
        OrdersSnapshotRequest,
        VerifyOrders,
        CancelOrder,
        AdjustCash,
        ReconcileFinished,
    )
    # The venue reads the reconciler too: its own reports, passed on, must not reach it again.
    REPLIES: ClassVar[tuple[type[Message], ...]] = (OrderFilled, FundingPaid, Acknowledged)
    STATE = ReconcilerState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.CHECK
    EXPLICIT_READY = True

    state: ReconcilerState

    def __init__(self, settings: ReconcilerSettings, place: Place) -> None:
        self.settings = settings
        self._account = place.account
        self._tick_values = {symbol: spec.tick_value for symbol, spec in place.instruments.items()}
        self._coins_e8 = {s: spec.contract_e8 for s, spec in place.instruments.items() if spec.is_spot}
        self._stage = Stage.PAUSE
        self._round = Round(settings.passes_max)
        self._request_id = ""
        self._requests_count = 0
        self._since_ns = 0
        self._theirs: VenueAccount | None = None
        self._orders: OrdersSnapshot | None = None
        self._ledger: LedgerSnapshot | None = None
        self._oms_address = self._ledger_address = ""  # whose answers the last look used
        self._again = False  # somebody asked for a round while one was running
        self._failures = 0  # rounds in a row that did not agree
        self._silences = 0  # rounds in a row without an answer
        self._wake_at_ns = 0
        self._is_ready = False

    def started(self, context: Context) -> None:
        """Compare before anybody acts; an agreement from before the restart is worth nothing now."""
        self.state.agrees = False
        context.save()
        self._begin(context)

    # -- asking --------------------------------------------------------------------------------------

    def _begin(self, context: Context) -> None:
        """Start a round."""
        self._round = Round(self.settings.passes_max)
        self._again = False
        self._ask_venue(context)

    def _ask_venue(self, context: Context) -> None:
        self._requests_count += 1
        self._request_id = f"{context.name}@{context.now_ns}.{self._requests_count}"
        self._theirs = self._orders = self._ledger = None
        self._stage = Stage.VENUE
        agreed_at_ns = self.state.agreed_at_ns
        from_ns = agreed_at_ns or context.now_ns - self.settings.fills_lookback
        self._since_ns = max(0, from_ns - self.settings.fills_overlap)
        context.publish(QueryAccount(self._account, self._request_id, self._since_ns))
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
        comparison = compare(
            theirs,
            orders,
            ledger,
            fills_since_ns=self._since_ns,
            tick_values=self._tick_values,
            coins_e8=self._coins_e8,
            cash_drift_usdt_max=self.settings.cash_drift_usdt_max,
        )
        found = without_ignored(comparison.differences, self.settings)
        counting = self._round.look(found)
        resolved = self._resolve(counting, comparison, context)
        if not found:
            self._finish((), context)
        elif self._round.is_over or (counting and not resolved):
            self._finish(counting, context)
        else:
            self._stage = Stage.PAUSE
            self._wake_in(self.settings.confirm_after, context)

    def _resolve(
        self, counting: tuple[Difference, ...], comparison: Comparison, context: Context
    ) -> tuple[Resolution, ...]:
        """Do what evidence or policy allows about differences that count, each once a round."""
        fresh = tuple(difference for difference in counting if self._round.first_time(difference))
        acts = resolutions(
            fresh,
            comparison,
            self.settings,
            actor=context.name,
            evidence=self._request_id,
            agreed_before=self.state.agreed_at_ns > 0,
        )
        for difference, message in acts:
            context.log("difference resolved", difference=difference.text, by=type(message).__name__)
            if type(message) is OrderFilled:
                context.send(self._oms_address, message)
            elif type(message) is FundingPaid:
                context.send(self._ledger_address, message)
            else:
                context.publish(message)
        return acts

    def _finish(self, differences: tuple[Difference, ...], context: Context) -> None:
        """Say how the round ended, and when the next one is."""
        agrees = not differences
        if agrees and self._theirs is not None:
            self.state.agreed_at_ns = self._theirs.at_ns
        self._alert_drift(differences, context)
        self._conclude(agrees, tuple(difference.text for difference in differences), context)
        if agrees:
            context.resolve(RECONCILE_FAILED, key=self._account)
        else:
            text = f"Account {self._account} does not agree with the venue: {len(differences)} differences"
            self._page(text, context, first=differences[0].text)
        if not self._is_ready and (agrees or self.settings.ready_when == "compared"):
            self._is_ready = True
            context.ready()

    def _conclude(self, agrees: bool, texts: tuple[str, ...], context: Context) -> None:
        """Publish and remember the verdict, and pause: shortly when it was bad, longer each time."""
        state, now_ns = self.state, context.now_ns
        state.agrees = agrees
        state.rounds_count += 1
        state.disagreements_count += not agrees
        state.finished_at_ns = now_ns
        state.differences = list(texts)
        context.save()
        context.publish(ReconcileFinished(self._account, agrees, texts, now_ns))
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
        self._wake_in(pause_ns, context)

    def _alert_drift(self, differences: tuple[Difference, ...], context: Context) -> None:
        drifting = {d.key: d for d in differences if d.kind in _POSITIONS}
        for symbol in self.state.drifting:
            if symbol not in drifting:
                context.resolve(POSITION_DRIFT, key=symbol)
        for symbol, difference in drifting.items():
            context.alert(POSITION_DRIFT, Severity.PAGE, difference.text, key=symbol, account=self._account)
        self.state.drifting = sorted(drifting)

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
        if self._silences >= self.settings.silences_max:
            text = f"Account {self._account} cannot be compared: no answer, waited for {self._stage.value}"
            self._page(text, context, silences=self._silences)
            self._conclude(False, (f"waited in vain for {self._stage.value}",), context)
        else:
            self._rest(context)

    def on_venue_connection(self, message: VenueConnection, context: Context) -> None:
        """Without the venue's truth nothing is reconciled; with a new connection, look at once."""
        if message.up:
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
        return shown

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        return {
            "agrees": int(self.state.agrees),
            "rounds": self.state.rounds_count,
            "disagreements": self.state.disagreements_count,
            "differences": len(self.state.differences),
        }
