"""What evidence or policy does about a difference that counts. Pure; everything else is left to a person.

Invariants
* The same differences, statements and settings give the same decisions, in the same order.
* Whatever is booked carries the venue's own name, or one made of the statement: booked twice, it counts once.
* Absence is believed only of what has stood for `believed_after`: lists of a venue lag behind each other.
* After the decisions of one look have been carried out, the next look finds none of them again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from actors.messages.account import AdjustCash
from actors.messages.control import FlattenPositions, Halt, HaltLevel
from actors.messages.evidence import VerifyOrders
from actors.messages.terms import SetLeverage
from actors.messages.venue import CancelOrder
from actors.reconciler.cash import cause_of_drift
from actors.reconciler.compare import Comparison, Difference, Kind, fill_name, order_name
from actors.reconciler.correct import correction_of
from actors.reconciler.settings import ReconcilerSettings
from actors.reconciler.state import Statements
from actors.runtime.messages import Message

__all__ = [
    "CONTAINED",
    "Act",
    "Circumstances",
    "Decision",
    "decide",
    "name_of",
    "stop_symbol",
    "without_ignored",
]

# Binds one symbol alone, whose halt is enough: the account's books are right all the same.
CONTAINED = frozenset({Kind.LEVERAGE_WRONG, Kind.MARGIN_MODE_WRONG})
_ORDERS = (Kind.ORDER_UNKNOWN_TO_VENUE, Kind.ORDER_DIFFERS)
_POSITIONS = (Kind.POSITION_PHANTOM, Kind.POSITION_ORPHANED, Kind.POSITION_WRONG)


class Act(enum.Enum):
    """What becomes of a difference."""

    BOOK = "book what the venue reports"
    ASK = "ask the venue about the order"
    CANCEL = "cancel the order"
    ADOPT = "take the venue's word"
    FLATTEN = "take the venue's word, then close the position"
    SET = "set it at the venue"
    STOP = "stop the symbol"
    WAIT = "wait: too fresh to be believed"
    REPORT = "leave it to a person"


# Another look can show that it has helped.
CURES = frozenset({Act.BOOK, Act.ASK, Act.CANCEL, Act.ADOPT, Act.FLATTEN, Act.SET})


class Circumstances(NamedTuple):
    """What a decision rests on beside the statements."""

    actor: str  # who decides
    now_ns: int
    tick_values: Mapping[str, int]  # of the symbols that are traded with positions
    standing: Mapping[str, int] = {}  # name_of(difference) -> since when it has counted
    stopped: frozenset[str] = frozenset()  # symbols that were stopped for it already
    agreed_before: bool = True  # the books have agreed once in this journal
    corrected: tuple[str, ...] = ()  # symbols corrected since the last agreement
    corrections: Mapping[str, int] = {}  # contracts that corrections of late have added, by symbol
    transfers: Mapping[str, int] = {}  # listed by the venue and not in our cash yet, by id


class Decision(NamedTuple):
    """What is done about one difference, and why."""

    difference: Difference
    act: Act
    messages: tuple[Message, ...]
    reason: str

    @property
    def cures(self) -> bool:
        """Another look can show that it has helped."""
        return self.act in CURES


def name_of(difference: Difference) -> str:
    """Return what a difference is remembered by while it stands."""
    return f"{difference.kind.value}/{difference.key}"


def without_ignored(
    differences: Iterable[Difference], settings: ReconcilerSettings
) -> tuple[Difference, ...]:
    """Return the differences that policy does not leave alone."""
    ignored = set()
    if settings.unknown_orders == "ignore":
        ignored.add(Kind.ORDER_UNKNOWN_TO_US)
    if settings.leverage_wrong == "ignore":
        ignored.add(Kind.LEVERAGE_WRONG)
    return tuple(difference for difference in differences if difference.kind not in ignored)


def decide(
    differences: tuple[Difference, ...],
    comparison: Comparison,
    said: Statements,
    settings: ReconcilerSettings,
    around: Circumstances,
) -> tuple[Decision, ...]:
    """Return what becomes of each difference, in their order."""
    judge = _Judge(comparison, said, settings, around)
    return tuple(judge.decision(difference) for difference in differences)


def stop_symbol(symbol: str, reason: str, actor: str) -> Halt:
    """Return what stops new risk in a symbol until a person resumes it."""
    return Halt(f"symbol/{symbol}", HaltLevel.NO_NEW_RISK, actor, reason)


class _Judge:
    """Decides about the differences of one comparison."""

    def __init__(
        self,
        comparison: Comparison,
        said: Statements,
        settings: ReconcilerSettings,
        around: Circumstances,
    ) -> None:
        self._comparison = comparison
        self._said = said
        self._settings = settings
        self._around = around
        self._fills = {fill_name(fill): fill for fill in comparison.fills_missed}
        self._funding = {paid.funding_id: paid for paid in comparison.funding_missed}
        self._strangers = {order_name(order): order for order in comparison.strangers}

    def decision(self, difference: Difference) -> Decision:
        kind, key, account = difference.kind, difference.key, self._comparison.account
        if kind is Kind.FILL_MISSED:
            return Decision(difference, Act.BOOK, (self._fills[key],), "the venue's own report of the fill")
        if kind is Kind.FUNDING_MISSED:
            return Decision(difference, Act.BOOK, (self._funding[key],), "the venue's own bill")
        if kind in _ORDERS:
            return self._order(difference)
        if kind is Kind.ORDER_UNKNOWN_TO_US:
            return self._stranger(difference)
        if kind in _POSITIONS:
            return self._position(difference)
        if kind is Kind.FILL_DOUBLED:
            return self._doubled(difference)
        if (
            kind is Kind.LEVERAGE_WRONG
            and self._settings.leverage_wrong == "set"
            and self._is_fresh(difference)
        ):
            order = SetLeverage(account, key, difference.ours)
            return Decision(difference, Act.SET, (order,), "policy leverage_wrong: set")
        if kind in CONTAINED:
            return self._stop(difference, "orders here would not be what risk takes them for")
        if kind is Kind.CASH_DRIFT:
            return self._cash(difference)
        if difference.symbol and not self._is_fresh(difference):
            return self._stop(difference, "no policy settles this")
        if difference.symbol:
            return Decision(difference, Act.WAIT, (), "it has not stood for believed_after")
        return Decision(difference, Act.REPORT, (), "no policy settles this")

    def _is_fresh(self, difference: Difference) -> bool:
        since_ns = self._around.standing.get(name_of(difference), self._around.now_ns)
        return self._around.now_ns - since_ns < self._settings.believed_after

    def _stop(self, difference: Difference, reason: str) -> Decision:
        symbol = difference.symbol
        if symbol not in self._around.tick_values:
            return Decision(difference, Act.REPORT, (), f"{symbol} is not in the markets file")
        if symbol in self._around.stopped:
            return Decision(difference, Act.STOP, (), reason)
        halt = stop_symbol(symbol, f"{difference.text}: {reason}", self._around.actor)
        return Decision(difference, Act.STOP, (halt,), reason)

    def _order(self, difference: Difference) -> Decision:
        """One side's word about an order is asked about, not believed; what the answer leaves open stops."""
        order = VerifyOrders(self._comparison.account, (difference.key,), difference.kind.value)
        if self._is_fresh(difference):
            return Decision(difference, Act.ASK, (order,), "the venue's lists lag behind each other")
        stop = self._stop(difference, "the venue's evidence does not settle it")
        return stop._replace(messages=(*stop.messages, order))

    def _stranger(self, difference: Difference) -> Decision:
        order = self._strangers[difference.key]
        name, mark = order.client_order_id, self._said.orders.mark
        is_left_over = bool(mark) and name.startswith(mark)
        if name and (is_left_over or self._settings.unknown_orders == "cancel"):
            reason = "an earlier journal made it" if is_left_over else "policy unknown_orders: cancel"
            cancel = CancelOrder(self._comparison.account, name, order.symbol)
            return Decision(difference, Act.CANCEL, (cancel,), reason)
        if self._is_fresh(difference):
            return Decision(difference, Act.WAIT, (), "policy unknown_orders: report")
        return self._stop(difference, "policy unknown_orders: report")

    def _position(self, difference: Difference) -> Decision:
        """Fills explain nothing of it. Less than we thought is one policy, more or the other way another."""
        if self._is_fresh(difference):
            return Decision(difference, Act.WAIT, (), "a fill may still turn up")
        settings, ours, theirs = self._settings, difference.ours, difference.theirs
        is_less = abs(theirs) < abs(ours) and ours * theirs >= 0
        name = "phantom_positions" if is_less else "orphaned_positions"
        policy = settings.phantom_positions if is_less else settings.orphaned_positions
        fill = correction_of(difference, self._said, self._comparison)
        undone = self._around.corrections.get(difference.symbol, 0)
        moved = theirs - ours
        if fill is not None and undone * moved < 0 and abs(moved) <= abs(undone):
            return Decision(difference, Act.ADOPT, (fill,), "the fill turned up: takes a correction back")
        if policy == "stop" or fill is None or difference.symbol not in self._around.tick_values:
            return self._stop(difference, f"policy {name}: {policy}")
        reason = f"policy {name}: {policy}"
        if policy == "adopt":
            return Decision(difference, Act.ADOPT, (fill,), reason)
        close = FlattenPositions(self._comparison.account, difference.symbol, f"{difference.text}: {reason}")
        return Decision(difference, Act.FLATTEN, (fill, close), reason)

    def _doubled(self, difference: Difference) -> Decision:
        """A fill that never was is taken back together with the position that it moved."""
        for other in self._comparison.differences:
            if other.symbol == difference.symbol and other.kind in _POSITIONS:
                found = self._position(other)
                return Decision(difference, found.act, (), f"with its position: {found.reason}")
        return Decision(difference, Act.WAIT, (), "it moves no position")

    def _cash(self, difference: Difference) -> Decision:
        settings, around, account = self._settings, self._around, self._comparison.account
        amount = difference.theirs - difference.ours
        cause = cause_of_drift(amount, around.transfers, around.corrected, settings.cash_drift_usdt_max)
        adopts = settings.cash_drift == "adopt"
        adopts = adopts or (settings.cash_drift == "adopt_first" and not around.agreed_before)
        if not cause.is_proven and not adopts:
            text = f"cause unknown; policy cash_drift: {settings.cash_drift}"
            return Decision(difference, Act.REPORT, (), text)
        reason = cause.text if cause.is_proven else "the venue's cash was adopted by policy"
        evidence = cause.evidence or self._said.theirs.request_id
        is_transfer = cause.is_transfer or not cause.is_proven
        order = AdjustCash(account, amount, reason, evidence, around.actor, is_transfer)
        return Decision(difference, Act.ADOPT, (order,), reason)
