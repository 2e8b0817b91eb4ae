"""How events become the state of parent orders. Pure, and the same live and in recovery."""

from __future__ import annotations

from actors.domain.orders import Side
from actors.domain.parent_states import PARENT_ENDED, ParentEvent, ParentState, parent_id_of
from actors.oms.events import OrderSubmitted
from actors.oms.parents.events import ChildAsked, ChildGivenUp, ParentAccepted, ParentMoved, TrailMoved
from actors.oms.parents.registry import kind_of
from actors.oms.parents.slices import release
from actors.oms.parents.state import Child, Parent, Role, role_of
from actors.oms.parents.trails import TrailKey, move_trail, quit_trails
from actors.oms.state import OmsState, Order
from actors.runtime.errors import InvariantError

__all__ = [
    "accept_parent",
    "ask_child",
    "fit_parents",
    "follow",
    "give_up_child",
    "move_parent",
    "note_child_ended",
    "note_child_filled",
    "note_child_submitted",
    "parent_of",
]

ENDED_KEPT = 200  # parents that ended last: a fill may still come, and operators look back

E = ParentEvent
FOLLOWING = frozenset({ParentState.TRAILING, ParentState.PROTECTING})
AT_ONCE = frozenset({E.TRIGGERED, E.TARGET_TOUCHED, E.LIMIT_REFUSED})  # no pause of another order holds it up
ENDS_ENTRY = frozenset({E.HALTED, E.CANCEL_WANTED, E.TRIGGERED, E.TARGET_TOUCHED, E.DUE})


def parent_of(state: OmsState, intent_id: str) -> Parent | None:
    """Return the parent of an order, living or ended lately; None for an order without one."""
    parent_id = parent_id_of(intent_id)
    return (state.parents.get(parent_id) or state.parents_ended.get(parent_id)) if parent_id else None


def accept_parent(state: OmsState, event: ParentAccepted) -> None:
    """A new parent, in the state in which its type begins."""
    intent = event.intent
    if event.intent_who:
        state.intents[event.intent_who] = (event.intent_epoch, event.intent_count)
    state.risk = event.risk
    parent = Parent(
        *(intent.intent_id, intent.strategy, intent.symbol, intent.side, intent.contracts),
        *(intent.reduce_only, intent.plan, None, event.at_ns),  # type: ignore[arg-type]
        changed_at_ns=event.at_ns,
    )
    parent.state = kind_of(parent).begins(parent)
    state.parents[parent.parent_id] = parent


def move_parent(state: OmsState, event: ParentMoved) -> None:
    """The table of its type says what follows; some events leave a mark besides."""
    parent_id, happened = event.parent_id, event.event
    parent = state.parents.get(parent_id) or state.parents_ended.get(parent_id)
    if parent is None:
        raise InvariantError("a parent that is not in the books", parent_id=parent_id)
    was_ended = parent.state in PARENT_ENDED
    parent.state = kind_of(parent).table[parent.state, happened]
    parent.changed_at_ns = event.at_ns
    parent.why = event.why or parent.why
    if happened in AT_ONCE:
        parent.retry_at_ns = 0
    if event.retry_at_ns:
        parent.retry_at_ns = event.retry_at_ns
        parent.refusals_count += 1
    if happened is E.REFUSED or (parent.enters and happened in ENDS_ENTRY):
        parent.entry_over = True
    if happened in (E.HALTED, E.TARGET_REFUSED):
        parent.target_watched = True
    elif happened is E.ACTIVATED:
        parent.trail_on = True
    elif happened is E.POSITION_GONE:
        parent.shrunk += parent.claim  # it was netted away, or somebody else closed it
    elif happened is E.DUE:
        release(parent, event.at_ns)
    if state.trails and parent.state not in FOLLOWING:
        quit_trails(state.trails, parent.symbol, parent_id)
    if parent.state in PARENT_ENDED:
        _bury(state, parent)
    elif was_ended:
        state.parents[parent.parent_id] = state.parents_ended.pop(parent.parent_id)


def follow(state: OmsState, event: TrailMoved) -> None:
    """Stops that had not seen so good a price follow it."""
    key = TrailKey(event.symbol, event.source, event.rises)
    best = -event.halfticks if event.rises else event.halfticks
    move_trail(state.trails, key.text, best, event.joined)


def _bury(state: OmsState, parent: Parent) -> None:
    if state.parents.pop(parent.parent_id, None) is None:
        return
    ended = state.parents_ended
    ended[parent.parent_id] = parent
    if len(ended) > ENDED_KEPT:
        oldest = next(iter(ended))
        del ended[oldest]
        state.intents.pop(oldest, None)  # the rank of its children


def ask_child(state: OmsState, event: ChildAsked) -> None:
    """A child is on its way through risk: it counts as working from now on."""
    parent = state.parents[event.parent_id]
    parent.children_count += 1
    parent.children[event.intent_id] = Child(event.role, event.contracts, event.at_ns)


def give_up_child(state: OmsState, event: ChildGivenUp) -> None:
    """It never came to be."""
    parent = parent_of(state, event.intent_id)
    if parent is not None:
        parent.children.pop(event.intent_id, None)
        parent.why = event.why


def note_child_submitted(state: OmsState, event: OrderSubmitted) -> None:
    """Risk let the child pass, perhaps smaller than it was asked for."""
    parent = parent_of(state, event.intent_id)
    if parent is None:
        return
    child = parent.children.get(event.intent_id)
    if child is None:  # it was given up, and has come after all
        role = role_of(parent, event.side, event.order_type)
        child = parent.children[event.intent_id] = Child(role, event.contracts, event.at_ns)
    child.contracts = event.contracts
    child.client_order_id = event.client_order_id


def note_child_filled(state: OmsState, order: Order, contracts: int, at_ns: int) -> None:
    """Contracts of a child traded: the parent has entered or closed so many."""
    parent = parent_of(state, order.intent_id)
    if parent is None:
        return
    child = parent.children.get(order.intent_id)
    if child is not None:
        child.filled_contracts += contracts
    if parent.exits and order.side is parent.exit_side:
        parent.exit_filled += contracts
        parent.refusals_count = 0
    else:
        parent.entry_filled += contracts
        parent.entered_at_ns = parent.entered_at_ns or at_ns


def note_child_ended(state: OmsState, order: Order, pause_ns: int, at_ns: int) -> None:
    """A child is over. What was left of it is tried again after a pause, if its type wants that."""
    parent = parent_of(state, order.intent_id)
    if parent is None:
        return
    child = parent.children.pop(order.intent_id, None)
    if child is None or order.filled_contracts >= order.contracts:
        return
    if child.role is Role.ENTRY and parent.enters:
        parent.entry_over = True
    if not order.cancel_wanted:
        parent.retry_at_ns = at_ns + pause_ns


def fit_parents(state: OmsState, symbol: str, side: Side) -> None:
    """After a fill: nobody may close more than is left of a position that this side reduces."""
    held = -side * state.net_contracts.get(symbol, 0)
    for parent in state.parents.values():
        if parent.symbol == symbol and parent.exits and parent.exit_side is side:
            excess = parent.claim - max(0, held)
            if excess > 0 and (parent.contracts or parent.enters or held <= 0):
                parent.shrunk += excess
