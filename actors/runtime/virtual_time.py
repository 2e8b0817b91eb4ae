"""How virtual time passes: from one timer to the next, as fast as the machine can.

Most of a past that is played again leads to nothing: a quote comes, some actors look at it, and that is all.
So what an actor has foretold is handed to its readers without timers, mailboxes and ends of turns in between,
for as long as nothing else is due and nothing comes of it. As soon as a reader records, sends or asks for
anything, the rest of that instant is an ordinary turn. Every reader sees the same messages in the same order
at the same times either way, and so a run has the same journal.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from actors.runtime.cell import Cell, CellContext, CellState
from actors.runtime.clock import VirtualClock
from actors.runtime.foretold import FORETOLD_DUE, arm_foretold
from actors.runtime.messages import Message
from actors.runtime.node import GC_THRESHOLDS
from actors.runtime.operations import explained, perform

if TYPE_CHECKING:
    from actors.runtime.loop import Loop
    from actors.runtime.node import Node

__all__ = ["pass_time", "play_foretold"]

RUNNING = CellState.RUNNING
CAUGHT_UP = -1  # in place of a message's number: the reader has handled all of this instant

Handler = Callable[[Any, Any], None]
Part = tuple[int, Handler]


class Share(NamedTuple):
    """What one reader gets of an instant: the numbers of messages, each with what handles it."""

    reader: Cell
    parts: tuple[Part, ...]
    taken: int  # messages among the parts
    newest: int  # number of the last of them


# One call: context, its `sent` and `operations`, number of the message, what handles it, part of which share.
Step = tuple[CellContext, list[Any], list[Any], int, Handler, tuple[int, int]]


class Plan(NamedTuple):
    """Who is told what of an instant whose messages are of certain kinds: by reader, and call by call."""

    shares: tuple[Share, ...]
    steps: tuple[Step, ...]


NOBODY = Plan((), ())


def pass_time(
    node: Node, clock: VirtualClock, until_ns: int, is_over: Callable[[], bool] = lambda: False
) -> None:
    """Let time pass until an instant, with everything that happens on the way, or until something is so."""
    thresholds = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        _pass(node, clock, until_ns, is_over)
    finally:
        gc.set_threshold(*thresholds)


def _pass(node: Node, clock: VirtualClock, until_ns: int, is_over: Callable[[], bool]) -> None:
    loop, turn, timers = node.loop, node.turn, node.loop.timers
    while True:
        while not (node.has_begun and loop.is_quiet) and turn():
            pass
        if is_over():
            return
        due_ns = timers.next_due_ns()
        if due_ns is None or due_ns > until_ns:
            clock.advance_to(until_ns)
            return
        if not (node.has_begun and play_foretold(loop, clock, until_ns)):
            clock.advance_to(due_ns)


def play_foretold(loop: Loop, clock: VirtualClock, until_ns: int) -> bool:
    """Play what was foretold until something else is due or something comes of it; tell whether any was.

    Nothing waits in the loop when this is called.
    """
    timer = loop.timers.head
    if timer is None or timer.message is not FORETOLD_DUE or loop.tape is not None or loop.script is not None:
        return False
    teller = timer.cell
    if teller is None or teller.state is not RUNNING or not _are_listening(teller):
        return False
    return _play(loop, clock, teller, min(until_ns, loop.timers.before_next_ns()))


def _are_listening(teller: Cell) -> bool:
    """Prepare the readers for what they are told; return whether all of them take messages now."""
    name = teller.name
    for readers in teller.context.routes.values():
        for reader in readers:
            if reader.state is not RUNNING:
                return False
            context = reader.context
            context.cause, context.sender = 0, name
    return True


def _play(loop: Loop, clock: VirtualClock, teller: Cell, until_ns: int) -> bool:
    """Hand instants to their readers until one leads to something, or the next lies behind `until_ns`."""
    foretold, records, timers = teller.foretold, loop.records, loop.timers
    kinds: tuple[type, ...] = ()
    plan, steps = NOBODY, NOBODY.steps
    told: Sequence[Message] = ()
    count = rank = 0  # instants since their kinds were others; place of the next among timers of its time
    error: Exception | None = None
    loop.is_turning = True
    while foretold and foretold[0][0] <= until_ns:
        at_ns, new = foretold.popleft()
        if (new_kinds := tuple(map(type, new))) != kinds:
            _count(loop, plan, count, told)
            plan = loop.plans.get((teller.name, new_kinds)) or _planned(loop, teller, new_kinds)
            kinds, steps, count = new_kinds, plan.steps, 0
        told, rank = new, 0
        count += 1
        loop.now_ns = at_ns
        for context, sent, operations, number, handler, where in steps:
            context.now_ns = at_ns
            try:
                handler(told[number], context)
            except Exception as raised:
                error = raised
            if sent or operations or records or error:
                rank = rank or timers.next_rank()  # before the readers set timers, as a turn does
                if error is None and not (sent or records) and _only_sets_timers(operations):
                    perform(loop, context.owner, operations)
                    operations.clear()
                    until_ns = min(until_ns, timers.before_next_ns())
                    continue
                _count(loop, plan, count - 1, told)
                arm_foretold(loop, teller, rank)
                return _go_on(loop, clock, told, plan.shares, where, error)
    loop.is_turning = False
    if not count:
        return False
    _count(loop, plan, count, told)
    arm_foretold(loop, teller, rank)
    clock.advance_to(loop.now_ns)
    return True


def _only_sets_timers(operations: list[tuple[Any, ...]]) -> bool:
    """Tell whether all that was asked for are timers that nobody writes down."""
    return all(operation[0] == "schedule" and not operation[4] for operation in operations)


def _planned(loop: Loop, teller: Cell, kinds: tuple[type, ...]) -> Plan:
    """Work out who handles which messages of an instant, in the order in which mailboxes would have it."""
    taken: dict[Cell, list[int]] = {}
    for number, kind in enumerate(kinds):
        for reader in teller.context.routes[kind]:
            taken.setdefault(reader, []).append(number)
    shares: list[Share] = []
    steps: list[Step] = []
    for reader, numbers in taken.items():
        parts = [(number, reader.handlers[kinds[number]]) for number in numbers]
        if (hook := reader.caught_up) is not None:
            parts.append((CAUGHT_UP, _hooked(hook)))
        context = reader.context
        for place, (number, handler) in enumerate(parts):
            step = (context, context.sent, context.operations, number, handler, (len(shares), place))
            steps.append(step)
        shares.append(Share(reader, tuple(parts), len(numbers), numbers[-1]))
    loop.plans[teller.name, kinds] = plan = Plan(tuple(shares), tuple(steps))
    return plan


def _hooked(hook: Callable[[Any], None]) -> Handler:
    return lambda _, context: hook(context)


def _count(loop: Loop, plan: Plan, count: int, told: Sequence[Message]) -> None:
    """Count what a number of instants of the same kinds have brought."""
    if not count:
        return
    loop.counters.turns += count
    loop.counters.inputs += count
    for reader, _, taken, newest in plan.shares:
        reader.handled_count += count * taken
        loop.counters.messages += count * taken
        reader.recent.append(told[newest])


# -- an instant that leads to something ----------------------------------------------------------------


def _go_on(
    loop: Loop,
    clock: VirtualClock,
    told: Sequence[Message],
    shares: tuple[Share, ...],
    where: tuple[int, int],
    error: Exception | None,
) -> bool:
    """Put what is left of an instant into mailboxes, as if it had come through them, and end its turn."""
    stands, done = where
    reader, parts, _, _ = shares[stands]
    part, name = parts[done], reader.context.sender
    clock.advance_to(loop.now_ns)
    for before in shares[:stands]:
        _count_handled(loop, before.reader, before.parts, told)
    rest = parts[done + 1 :]
    queued = _queue(reader, rest, told, name)
    if error is None:
        error = _perform(loop, reader)
    _count_handled(loop, reader, parts[: done + (error is None)], told)
    if error is not None:
        loop.undo(reader, 0)
        item = None if part[0] == CAUGHT_UP else (told[part[0]], 0, name)
        lane = reader.control if item is None else reader.data
        loop.failed(reader, lane, item, explained(reader, item[0], error) if item else error)
    elif queued:
        loop.handle(reader, reader.data, queued)
    elif rest and reader.caught_up is not None:
        loop.run_guarded(reader, reader.caught_up)
    waiting = []
    for later in shares[stands + 1 :]:
        _queue(later.reader, later.parts, told, name)
        waiting.append(later.reader)
    newly = [cell for cell in loop.ready if cell not in waiting]
    loop.ready.clear()
    loop.ready.extend([*waiting, *newly])
    for cell in waiting:
        cell.queued = True
    loop.run_ready()
    loop.finish(1)
    loop.is_turning = False
    return True


def _count_handled(loop: Loop, reader: Cell, parts: tuple[Part, ...], told: Sequence[Message]) -> None:
    numbers = [number for number, _ in parts if number != CAUGHT_UP]
    reader.handled_count += len(numbers)
    loop.counters.messages += len(numbers)
    reader.recent.extend(told[number] for number in numbers[-1:])


def _queue(reader: Cell, parts: tuple[Part, ...], told: Sequence[Message], sender: str) -> int:
    """Put messages in front of what has come into a mailbox meanwhile; return how many."""
    items = [(told[number], 0, sender) for number, _ in parts if number != CAUGHT_UP]
    reader.data.extendleft(reversed(items))
    return len(items)


def _perform(loop: Loop, reader: Cell) -> Exception | None:
    """Do what a message asked for; return the error of a state that has no encoding."""
    context = reader.context
    try:
        perform(loop, reader, context.operations)
    except Exception as error:
        return error
    context.operations.clear()
    context.sent.clear()
    return None
