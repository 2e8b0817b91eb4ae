"""Parent orders: accepted, moved through their tables, supplied with children, told about.

A type says what should be (actors/oms/parents/kind.py); here it is brought about. A child is an intent to
risk like any other, and its parent counts it as working from the moment it is asked for until it has ended.
"""

from __future__ import annotations

import heapq

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType
from actors.domain.parent_states import PARENT_ENDED, ParentEvent, ParentState
from actors.domain.place import Place
from actors.messages.control import FlattenPositions
from actors.messages.parents import ChildIntent, ParentIntent, ParentUpdate, SubmitParent
from actors.messages.plans import CloseAll
from actors.messages.trading import OrderIntent
from actors.oms.closing import OmsClosing
from actors.oms.ids import intent_rank
from actors.oms.parents.events import ChildAsked, ChildGivenUp, ParentAccepted, ParentMoved
from actors.oms.parents.fold import parent_of
from actors.oms.parents.kind import Level, Sight, Wanted
from actors.oms.parents.registry import kind_of
from actors.oms.parents.slices import weights_of
from actors.oms.parents.state import Parent, Role, role_of
from actors.oms.parents.watches import Watches
from actors.oms.settings import OmsSettings
from actors.oms.state import TERMINAL_VALUES, Order
from actors.oms.timers import ParentSweep
from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError
from actors.runtime.messages import Severity

__all__ = ["OmsParents", "entry_is_over"]

PARENT_FAILED = "ParentFailed"
STOP_FAILED = "StopFailed"

CHILDREN_AT_ONCE = 10  # orders sent for one role in one step; the next step follows when they end
STEPS_MAX = 20  # moves of one parent that follow from each other; none of the tables has so many

S, E = ParentState, ParentEvent
WHYS = {
    E.FILLED: "all that was wanted has traded",
    E.POSITION_GONE: "there is no position left to close",
    E.ENTRY_OVER: "the entry ended and nothing had filled",
    E.DUE: "its time has come",
    E.TIME_OVER: "its time is over",
}
DYING = frozenset({S.CANCELING, S.CANCELED})


class OmsParents(OmsClosing):
    """The OMS's dealings with parent orders."""

    def __init__(self, settings: OmsSettings, place: Place) -> None:
        super().__init__(settings, place)
        # None of the following is state: started() makes it again from the parents.
        self._watches = Watches()
        self._dues: list[tuple[int, str]] = []  # a heap: when to look at which parent
        self._due_at_ns = 0  # when the timer goes off; 0 when it is not set
        self._failing: set[str] = set()  # parents of which it has been told that they do not close
        self._maimed: set[str] = set()  # parents of which it has been told that they lost an order
        self._withdraws = False  # a parent cancels an order of its own
        self._agrees = False  # books and venue were found to agree since the start

    # -- begin and end -------------------------------------------------------------------------------

    def on_submit_parent(self, message: SubmitParent, context: Context) -> None:
        """Run an allowed parent order, once however often it comes."""
        intent = message.intent
        if intent.account != self._account:
            return
        rank = intent_rank(intent.intent_id)
        highest = self.state.intents.get(rank[0])
        if not rank[0] or (highest is not None and rank[1:] <= highest):
            self.repeats_count += 1
            self._tell_again(intent, context)
            return
        context.record(ParentAccepted(intent, *rank, context.sender, context.now_ns))
        parent = self.state.parents[intent.intent_id]
        self._tell_parent(parent, context)
        if isinstance(intent.plan, CloseAll):
            self.on_flatten_positions(FlattenPositions(self._account, intent.symbol, _why(intent)), context)
        self._advance(parent, context)

    def _tell_again(self, intent: ParentIntent, context: Context) -> None:
        parent = self._parent(intent.intent_id)
        if parent is not None:
            self._tell_parent(parent, context)

    def _parent(self, parent_id: str) -> Parent | None:
        return self.state.parents.get(parent_id) or self.state.parents_ended.get(parent_id)

    def _resume_parents(self, context: Context) -> None:
        """After a restart: what should be is asked again; what waits for risk gets time to arrive."""
        # What was told before a restart is not known: of some it is ended that never was raised.
        self._maimed |= self.state.parents.keys()
        self._failing |= {name for name, parent in self.state.parents.items() if parent.refusals_count}
        for parent in list(self.state.parents.values()):
            self._advance(parent, context)

    def _flatten_done(self, symbol: str, context: Context) -> None:
        super()._flatten_done(symbol, context)
        for parent in list(self.state.parents.values()):
            if parent.symbol in ("", symbol):
                self._advance(parent, context)

    def _cancel_parent(self, parent: Parent, why: str, context: Context) -> None:
        """End it as far as its type lets whoever asked for it; a bracket goes on protecting."""
        self._move_parent(parent, E.CANCEL_WANTED, why, context)
        self._advance(parent, context)

    def _halt_parents(self, symbol: str, strategy: str, why: str, context: Context) -> None:
        """All orders of a scope are canceled: what opens ends, what protects goes on."""
        for parent in list(self.state.parents.values()):
            if (not symbol or parent.symbol == symbol) and (not strategy or parent.strategy == strategy):
                self._halt_parent(parent, why, context)

    def _halt_parent(self, parent: Parent, why: str, context: Context) -> None:
        kind = kind_of(parent)
        after = kind.table.get((parent.state, E.HALTED))
        if after in DYING and kind.protects and parent.reduce_only:
            return
        self._move_parent(parent, E.HALTED, why, context)
        self._advance(parent, context)

    def _note_agreement(self, agrees: bool, context: Context) -> None:
        """Books and venue agree, or no longer: until they do, nothing is sent that may open."""
        before, self._agrees = self._agrees, agrees
        if agrees and not before:
            self._resume_parents(context)

    def on_flatten_positions(self, message: FlattenPositions, context: Context) -> None:
        """Close positions; what opens ends, and what protects waits for them to be closed."""
        super().on_flatten_positions(message, context)
        if not message.account or message.account == self._account:
            self._halt_parents(message.symbol, "", message.reason, context)

    # -- moves ---------------------------------------------------------------------------------------

    def _move_parent(
        self,
        parent: Parent,
        event: ParentEvent,
        why: str,
        context: Context,
        *,
        ticks: int = 0,
        retry: int = 0,
    ) -> bool:
        """Let its table say what an event means; False when it means nothing in its state."""
        before = parent.state
        if (before, event) not in kind_of(parent).table:
            return False
        retry_at_ns = context.now_ns + retry if retry else 0
        why = why or WHYS.get(event, "")
        context.record(ParentMoved(parent.parent_id, event, why, ticks, retry_at_ns, context.now_ns))
        self._tell_parent(parent, context)
        return True

    def _advance(self, parent: Parent, context: Context) -> None:
        """Bring about what should be: moves that follow from the numbers, orders, prices, the timer."""
        kind, parent_id = kind_of(parent), parent.parent_id
        for _ in range(STEPS_MAX):
            sight = self._sight(parent.symbol, context)
            event = kind.judge(parent, sight)
            moved = event is not None and self._move_parent(parent, event, "", context)
            if not moved and not self._begins_beyond(parent, kind.levels(parent), context):
                break
        if parent.state in PARENT_ENDED:
            self._watches.put(parent_id, parent.symbol, (), context.now_ns)
            self._recovered(parent, context)
            if parent.state is not S.FAILED:
                self._forget_loss(parent_id, context)
            return
        self._supply(parent, kind.desire(parent, sight), context)
        self._watches.put(parent_id, parent.symbol, kind.levels(parent), context.now_ns)
        self._recovered(parent, context)
        self._look_again(parent, kind.due_ns(parent), context)

    def _begins_beyond(self, _: Parent, __: tuple[Level, ...], ___: Context) -> bool:
        """Tell whether a stop begins beyond its price, and has fired for it; whoever sees prices knows."""
        return False

    def _recovered(self, parent: Parent, context: Context) -> None:
        """What would not close is closing, or closed."""
        if parent.parent_id in self._failing and not parent.refusals_count:
            self._failing.discard(parent.parent_id)
            context.resolve(STOP_FAILED, key=parent.parent_id)

    def _forget_loss(self, parent_id: str, context: Context) -> None:
        """A parent that lost an order has ended all the same, or a person has seen to it."""
        if parent_id in self._maimed:
            self._maimed.discard(parent_id)
            context.resolve(PARENT_FAILED, key=parent_id)

    def _sight(self, symbol: str, context: Context) -> Sight:
        instrument = self.place.instruments.get(symbol)
        return Sight(
            context.now_ns,
            self.state.net_contracts.get(symbol, 0),
            instrument.contracts_min if instrument is not None else 1,
            symbol in self.state.flattening if symbol else bool(self.state.flattening),
        )

    # -- children ------------------------------------------------------------------------------------

    def _supply(self, parent: Parent, wanted: tuple[Wanted, ...], context: Context) -> None:
        """Send what is missing of each role, cancel what is too much."""
        for role in Role:
            found = next((one for one in wanted if one.role is role), None)
            lacking = (found.contracts if found is not None else 0) - parent.working(role)
            if lacking < 0:
                self._take_out(parent, role, -lacking, context)
            elif found is not None and lacking > 0 and self._may_send(parent, found, context):
                self._ask_for(parent, found, lacking, context)

    def _may_send(self, parent: Parent, wanted: Wanted, context: Context) -> bool:
        if parent.retry_at_ns > context.now_ns and wanted.role is not Role.TARGET:
            return False
        return self._agrees or wanted.reduce_only  # risk lets nothing else pass until books agree

    def _take_out(self, parent: Parent, role: Role, excess: int, context: Context) -> None:
        """Cancel the newest children of a role until no more are too many."""
        for child in reversed([child for child in parent.children.values() if child.role is role]):
            order = self.state.live.get(child.client_order_id)
            if excess <= 0:
                return
            excess -= child.contracts - child.filled_contracts
            if order is not None and not order.cancel_wanted:
                self._withdraws = True
                self._cancel(order, f"no longer wanted by {parent.parent_id}", context)
                self._withdraws = False

    def _ask_for(self, parent: Parent, wanted: Wanted, lacking: int, context: Context) -> None:
        """Ask risk for children of so many contracts together, none larger than the venue takes."""
        instrument = self.place.instruments.get(parent.symbol)
        bound = lacking
        if instrument is not None:
            is_market = wanted.order_type is OrderType.MARKET
            bound = instrument.contracts_max_market if is_market else instrument.contracts_max_limit
        for _ in range(CHILDREN_AT_ONCE):
            if lacking <= 0:
                return
            contracts = min(lacking, bound)
            lacking -= contracts
            self._ask_one(parent, wanted, contracts, context)

    def _ask_one(self, parent: Parent, wanted: Wanted, contracts: int, context: Context) -> None:
        now_ns, parent_id = context.now_ns, parent.parent_id
        intent_id = f"{parent_id}#{context.epoch}.{parent.children_count + 1}"
        context.record(ChildAsked(parent_id, intent_id, wanted.role, contracts, now_ns))
        intent = OrderIntent(
            *(intent_id, parent.strategy, self._account, parent.symbol, wanted.side, contracts),
            *(wanted.order_type, wanted.limit_ticks, wanted.time_in_force, wanted.reduce_only),
            *(0, now_ns),
        )
        context.publish(ChildIntent(parent_id, intent))

    def _child_refused(self, parent: Parent, intent_id: str, role: Role, why: str, context: Context) -> None:
        """An order of a parent was denied or refused: its table says what then, and somebody is told."""
        parent_id, retry = parent.parent_id, self.settings.flatten_retry
        if role is Role.EXIT:
            self._move_parent(parent, E.EXIT_REFUSED, why, context, retry=retry)
            text = f"{parent.symbol} is not closed by {parent_id}: {why}; tried again"
            context.alert(STOP_FAILED, Severity.PAGE, text, key=parent_id, intent_id=intent_id)
            self._failing.add(parent_id)
            return
        events = (E.TARGET_REFUSED, E.LIMIT_REFUSED) if role is Role.TARGET else (E.REFUSED,)
        for event in events:
            if self._move_parent(parent, event, why, context):
                break
        text = f"{kind_of(parent).name} {parent_id} ({parent.symbol}) lost an order: {why}"
        context.alert(PARENT_FAILED, Severity.TICKET, text, key=parent_id, intent_id=intent_id)
        self._maimed.add(parent_id)

    def _give_up(self, intent_id: str, why: str, context: Context) -> None:
        """A child never came to be."""
        parent = parent_of(self.state, intent_id)
        child = parent.children.get(intent_id) if parent is not None else None
        if parent is None or child is None or child.client_order_id:
            return
        context.record(ChildGivenUp(parent.parent_id, intent_id, why, context.now_ns))
        self._child_refused(parent, intent_id, child.role, why, context)
        self._advance(parent, context)

    def _parents_after(self, order: Order, context: Context) -> None:
        """An order changed: it may be a child, and the position may have moved for others."""
        parent = parent_of(self.state, order.intent_id)
        if parent is not None:
            if self._is_refused(parent, order):
                role = role_of(parent, order.side, order.order_type)
                self._child_refused(parent, order.intent_id, role, order.reason, context)
            self._advance(parent, context)
        if order.filled_contracts:
            self._position_moved(order.symbol, context)

    def _is_refused(self, parent: Parent, order: Order) -> bool:
        """Tell whether an order ended untouched although nobody of us wanted that."""
        ended = order.state._value_ in TERMINAL_VALUES
        if not ended or order.filled_contracts or order.cancel_wanted:
            return False
        return order.state is OrderState.REJECTED or not weights_of(
            parent
        )  # a slice may find nobody to trade

    def _position_moved(self, symbol: str, context: Context) -> None:
        for parent in list(self.state.parents.values()):
            if parent.symbol == symbol:
                self._advance(parent, context)

    def _cancel(self, order: Order, reason: str, context: Context) -> None:
        """Who cancels a child from outside speaks to its parent, which would send it again."""
        super()._cancel(order, reason, context)
        if self.state.parents and not self._withdraws:
            parent = parent_of(self.state, order.intent_id)
            if parent is not None and parent.state not in PARENT_ENDED:
                self._halt_parent(parent, reason, context)

    # -- the timer -----------------------------------------------------------------------------------

    def _look_again(self, parent: Parent, due_ns: int, context: Context) -> None:
        """See that a parent is looked at when its next instant has come."""
        now_ns = context.now_ns
        patience = 2 * self.settings.answer_timeout
        dues = [due_ns, parent.retry_at_ns]
        dues += [
            child.asked_at_ns + patience for child in parent.children.values() if not child.client_order_id
        ]
        dues = [due for due in dues if due > now_ns]
        if not dues:
            return
        heapq.heappush(self._dues, (min(dues), parent.parent_id))
        self._sweep_parents_by(self._dues[0][0], context)

    def _sweep_parents_by(self, due_ns: int, context: Context) -> None:
        if not 0 < self._due_at_ns <= due_ns:
            self._due_at_ns = due_ns
            context.schedule(max(0, due_ns - context.now_ns), ParentSweep(), key="parents")

    def on_parent_sweep(self, _: ParentSweep, context: Context) -> None:
        """Look at every parent whose instant has come."""
        now_ns, dues = context.now_ns, self._dues
        self._due_at_ns = 0
        due: dict[str, None] = {}
        while dues and dues[0][0] <= now_ns:
            due[heapq.heappop(dues)[1]] = None
        for parent_id in due:
            parent = self.state.parents.get(parent_id)
            if parent is None:
                continue
            for intent_id, child in list(parent.children.items()):
                if (
                    not child.client_order_id
                    and now_ns - child.asked_at_ns >= 2 * self.settings.answer_timeout
                ):
                    self._give_up(intent_id, "risk did not answer", context)
            if parent.state not in PARENT_ENDED:
                self._advance(parent, context)
        if dues:
            self._sweep_parents_by(dues[0][0], context)

    # -- telling -------------------------------------------------------------------------------------

    def _tell_parent(self, parent: Parent, context: Context) -> None:
        update = ParentUpdate(
            *(parent.parent_id, parent.strategy, self._account, parent.symbol, parent.state),
            *(parent.contracts, parent.entry_filled, parent.exit_filled, entry_is_over(parent)),
            *(parent.why, context.now_ns),
        )
        try:
            context.send(parent.strategy, update)
        except InvariantError:
            if parent.strategy not in self._absentees:
                self._absentees.add(parent.strategy)
                context.log("parent update has no reader", address=parent.strategy)


def _why(intent: ParentIntent) -> str:
    why = next((reason.value for reason in intent.reasons if reason.name == "why"), "")
    return f"close all for {intent.strategy}" + (f": {why}" if why else "")


def entry_is_over(parent: Parent) -> bool:
    """Tell whether a parent opens nothing any more, and has no order out that would."""
    if parent.state in PARENT_ENDED:
        return True
    if parent.reduce_only:
        return True
    left = parent.entry_over or parent.entry_filled >= parent.contracts
    return left and not parent.working(Role.ENTRY)
