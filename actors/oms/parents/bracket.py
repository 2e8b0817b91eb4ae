"""Bracket: an entry, and exits for as much of it as has filled."""

from __future__ import annotations

from actors.domain.orders import Side
from actors.domain.parent_states import PARENT_ENDED, ParentEvent, ParentState
from actors.messages.plans import Bracket
from actors.oms.parents.closing import DYING, exits_wanted, open_contracts, resting, stop_level, target_level
from actors.oms.parents.kind import Level, ParentKind, Sight, Table, Wanted
from actors.oms.parents.state import Parent, Role

__all__ = ["KIND"]

S, E = ParentState, ParentEvent

TABLE: Table = {
    (S.ENTERING, E.ENTRY_FILLED): S.PROTECTING,  # the first contract: from now on it is watched
    (S.ENTERING, E.ENTRY_OVER): S.CANCELED,
    (S.ENTERING, E.REFUSED): S.FAILING,
    (S.ENTERING, E.CANCEL_WANTED): S.CANCELING,
    (S.ENTERING, E.HALTED): S.CANCELING,
    (S.CANCELING, E.ENTRY_FILLED): S.PROTECTING,  # a fill came before the cancel did
    (S.CANCELING, E.CHILDREN_GONE): S.CANCELED,
    (S.FAILING, E.ENTRY_FILLED): S.PROTECTING,
    (S.FAILING, E.CHILDREN_GONE): S.FAILED,
    (S.PROTECTING, E.ACTIVATED): S.PROTECTING,
    (S.PROTECTING, E.TRIGGERED): S.FIRING,
    (S.PROTECTING, E.TARGET_TOUCHED): S.FIRING,
    (S.PROTECTING, E.DUE): S.FIRING,  # it was held long enough
    (S.PROTECTING, E.FILLED): S.DONE,  # the target, where it rested
    (S.PROTECTING, E.POSITION_GONE): S.DONE,
    (S.PROTECTING, E.REFUSED): S.PROTECTING,  # the rest of the entry; what was entered stays watched
    (S.PROTECTING, E.TARGET_REFUSED): S.PROTECTING,
    (S.PROTECTING, E.CANCEL_WANTED): S.PROTECTING,  # takes the rest of the entry back, never the stop
    (S.PROTECTING, E.HALTED): S.PROTECTING,
    (S.FIRING, E.FILLED): S.DONE,
    (S.FIRING, E.POSITION_GONE): S.DONE,
    (S.FIRING, E.EXIT_REFUSED): S.FIRING,
    (S.FIRING, E.TARGET_REFUSED): S.FIRING,
    (S.FIRING, E.HALTED): S.FIRING,
    # A fill of the entry that comes after the end opens a position again: it is watched like the others.
    (S.DONE, E.ENTRY_FILLED): S.PROTECTING,
    (S.CANCELED, E.ENTRY_FILLED): S.PROTECTING,
    (S.FAILED, E.ENTRY_FILLED): S.PROTECTING,
}


def judge(parent: Parent, sight: Sight) -> ParentEvent | None:
    """Tell what the numbers say."""
    state, claim = parent.state, parent.claim
    if claim and (state is S.ENTERING or state in DYING or state in PARENT_ENDED):
        return E.ENTRY_FILLED
    if state in DYING:
        return None if parent.children else E.CHILDREN_GONE
    if state is S.ENTERING:
        return E.ENTRY_OVER if parent.entry_over and not parent.children else None
    if state in PARENT_ENDED:
        return None
    over = parent.entry_over or parent.entry_filled >= parent.contracts
    is_gone = not claim or (state is S.FIRING and not open_contracts(parent, sight))
    if over and is_gone and not parent.children:
        return E.FILLED if parent.exit_filled else E.POSITION_GONE
    if state is S.PROTECTING and 0 < due_ns(parent) <= sight.now_ns:
        return E.DUE
    return None


def desire(parent: Parent, sight: Sight) -> tuple[Wanted, ...]:
    """Bring the entry in; rest at the target as large as what is entered; close when it is time."""
    plan, state = parent.plan, parent.state
    if not isinstance(plan, Bracket):
        return ()
    wanted: tuple[Wanted, ...] = ()
    if state in (S.ENTERING, S.PROTECTING) and not parent.entry_over:
        left = max(0, parent.contracts - parent.entry_filled)
        wanted = (
            Wanted(
                *(Role.ENTRY, parent.side, left, plan.order_type, plan.limit_ticks, plan.time_in_force),
                reduce_only=False,
            ),
        )
    if state is S.FIRING:
        return (*wanted, *exits_wanted(parent, sight))
    rests = plan.rests and plan.target_ticks and not parent.target_watched and not sight.is_flattening
    if state is S.PROTECTING and rests:
        return (*wanted, resting(parent.exit_side, open_contracts(parent, sight), plan.target_ticks))
    return wanted


def levels(parent: Parent) -> tuple[Level, ...]:
    """Watch what is entered: the stop, the one that trails, the target unless it rests."""
    plan, side = parent.plan, parent.exit_side
    if parent.state is not S.PROTECTING or not isinstance(plan, Bracket):
        return ()
    found: list[Level] = []
    if plan.stop_ticks:
        found.append(stop_level(side, plan.stop_ticks, plan.source))
    if plan.trail_ticks or plan.trail_e8:
        if plan.activation_ticks and not parent.trail_on:
            found.append(Level(E.ACTIVATED, plan.source, side is Side.SELL, plan.activation_ticks))
        else:
            rises = side is Side.BUY
            found.append(Level(E.TRIGGERED, plan.source, rises, 0, plan.trail_ticks, plan.trail_e8))
    if plan.target_ticks and (not plan.rests or parent.target_watched):
        found.append(target_level(side, plan.target_ticks, plan.source))
    return tuple(found)


def due_ns(parent: Parent) -> int:
    """Return when it has been held for long enough."""
    plan = parent.plan
    if isinstance(plan, Bracket) and plan.hold_ns and parent.entered_at_ns:
        return parent.entered_at_ns + plan.hold_ns
    return 0


KIND = ParentKind("bracket", TABLE, lambda _: S.ENTERING, judge, desire, levels, due_ns, protects=True)
