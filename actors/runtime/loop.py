"""The loop: takes a batch of inputs, lets cells handle them and each other's messages, commits, releases.

One turn is one transaction. Inputs (from outside, and timers that are due) are bounded in count and time; the
messages that cells send each other because of them are all handled in the same turn, so nothing of a chain
is ever lost between two commits. What leaves the node (effects, replies) is released after the commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from actors.runtime.cell import FROM_DURABLE_TIMER, Ask, Cell, CellState, is_fleeting
from actors.runtime.clock import Clock, monotonic_ns
from actors.runtime.errors import InvariantError, JournalError, MailboxFull, NodeStopped
from actors.runtime.inlet import Call, Inlet
from actors.runtime.journal import Journal
from actors.runtime.mailbox import make_room
from actors.runtime.messages import Message
from actors.runtime.operations import explained, perform
from actors.runtime.ports import Guardian, Pump, TapedTurn, TapeWriter
from actors.runtime.pykka_port import ActorDeadError, Envelope, answer
from actors.runtime.timers import Timer, Timers
from actors.runtime.turn import LoopCounters, LoopLimits, TurnOutput, dead_letter, forget_timers, release
from actors.runtime.writer import writer_for

__all__ = ["Loop"]

RUNNING = CellState.RUNNING
INPUT_CHUNK = 32  # inputs taken between two looks at the time
CASCADE_MESSAGES_MAX = 5_000_000  # in one turn; more means two cells feed each other without end
HOSTED = "host"  # key of the node's own timers that whoever runs the node has set


class Loop:
    """Runs the cells of one node. All but `call` and `put_envelope` belongs to one thread."""

    def __init__(
        self, journal: Journal, clock: Clock, *, seed: int = 0, limits: LoopLimits | None = None
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.seed = seed
        self.limits = limits or LoopLimits()
        self.now_ns = clock.now_ns()
        self.sequence = journal.sequence
        self.cells: dict[str, Cell] = {}
        self.ready: deque[Cell] = deque()
        self.records: list[tuple[str, int, int, Message]] = []
        self.timers = Timers()
        self.tap: Callable[[Cell, Any], Any] | None = None  # wraps the handlers of new behaviours, in tests
        self.plans: dict[tuple[str, tuple[type, ...]], Any] = {}  # of virtual time: who is told what
        self.pumps: dict[str, Pump] = {}
        self.counters = LoopCounters()
        self.guardian: Guardian | None = None
        self.announce: Callable[[Message, int], None] = lambda message, cause: None
        self.log_sink: Callable[[str, str, dict[str, object], int], None] = lambda *_: None
        self.tape: TapeWriter | None = None
        self.tapes_idle_turns = False  # while the node stops: there they tell where a phase ends
        self.script: Callable[[], TapedTurn] | None = None  # inputs come from a tape instead of the world
        self.taped_count = 0  # turns on the tape so far; each commit keeps it, to tell what it has reached
        self.command: Callable[[str, Any], None] = lambda name, argument: None
        self.commands: list[tuple[str, Any]] = []  # given to the node since the last turn, for the tape
        self.is_hosting = False  # runs something for whoever runs the node
        self.is_turning = False  # stays True when a turn does not come to its end
        self.touched = False  # something outside a turn left work for the next commit
        self.effects_count = 0
        self.out = TurnOutput()
        self.held: set[Cell] = set()
        self.writer = writer_for(self)
        self.inlet = Inlet(self.limits.inlet_max)
        self.call = self.inlet.call
        self._chunks: list[tuple[int, list[tuple[Cell, Message, str]]]] = []

    @property
    def accepting(self) -> bool:
        """Whether messages from outside are taken."""
        return self.inlet.accepting

    def put_envelope(self, cell: Cell, envelope: Envelope[Any]) -> None:
        """Bring in what came through a pykka ActorRef."""
        self.inlet.put_envelope(cell, envelope, lambda: self._stop_asked(cell))

    # -- one turn ------------------------------------------------------------------------------------

    def turn(self) -> bool:
        """Run one turn; return whether there was anything to do.

        Errors: JournalError when it could not be written. Memory is ahead of the journal then, so the node
        must end: every later turn fails too.
        """
        if self.is_turning:
            raise JournalError("a turn of this node did not come to its end; start the node again")
        self.is_turning = True
        started = self.clock.reading_ns()
        taken, is_idle, more = self._take(started) if self.script is None else self._take_again(self.script())
        if not is_idle:
            self.touched = False
            if self.ready:
                self.run_ready()
            self.finish(taken)
            self.counters.busy_ns += self.clock.reading_ns() - started
        self.is_turning = False
        return not is_idle or more

    def _take(self, started: int) -> tuple[int, bool, bool]:
        """Take what has come in; return how much, whether there is nothing to do, and whether more waits."""
        self.now_ns = max(self.clock.now_ns(), self.journal.at_ns)
        self.sequence = self.journal.sequence
        called = False
        if self.inlet.calls and not (self.touched or self.records):
            call = self.inlet.calls.popleft()
            called, self.is_hosting = not call.is_hosted, call.is_hosted
            call.action()
            self.is_hosting = False
        taken, more = self._take_inputs(started), bool(self.inlet.calls)
        is_idle = not (taken or self.ready or self.records or self.touched)
        if self.tape is not None and (not is_idle or called or self.commands or self.tapes_idle_turns):
            self.tape_turn(TapedTurn(self.now_ns, is_idle, more, called, self.commands, self._chunks))
            self.commands, self._chunks = [], []
        return taken, is_idle, more

    def tape_turn(self, turn: TapedTurn) -> None:
        """Put a turn on the tape, if there is one."""
        if self.tape is not None:
            self.tape.turn(turn)
            self.taped_count += 1

    def _take_inputs(self, started: int) -> int:
        taken, limit = 0, self.limits.inputs_max
        while taken < limit:
            count = self._take_chunk(min(INPUT_CHUNK, limit - taken))
            taken += count
            if count:
                self.run_ready()
            if count < INPUT_CHUNK:
                break  # nothing waits: commit what there is, rather than wait for more
            if self.clock.reading_ns() - started > self.limits.turn_ns_max:
                break
        return taken

    def _take_chunk(self, count: int) -> int:
        timers, hosted = self._take_timers(count)
        taped: list[tuple[Cell, Message, str]] | None = None if self.tape is None else []
        taken = timers
        if count > timers:
            taken += self.inlet.take(count - timers, self.deliver, taped)
        if taken and taped is not None:
            self._chunks.append((timers - hosted, taped))
        return taken

    def _take_timers(self, count: int) -> tuple[int, int]:
        """Let timers that are due fire; return how many, and how many of them are the host's."""
        hosted, due = 0, self.timers.take_due(self.now_ns, count)
        for timer in due:
            if timer.cell is not None:
                sender = FROM_DURABLE_TIMER if timer.durable else ""
                self.deliver_control(timer.cell, timer.message, timer.cause, sender)
                continue
            is_hosted = timer.key == HOSTED
            hosted += is_hosted
            self.inlet.calls.append(Call(timer.message, is_hosted))
        return len(due), hosted

    def _take_again(self, taped: TapedTurn) -> tuple[int, bool, bool]:
        """Take exactly what a turn took when the tape was written."""
        self.now_ns, self.sequence = taped.now_ns, self.journal.sequence
        if taped.called:
            self.inlet.calls.popleft().action()
        for name, argument in taped.commands:
            self.command(name, argument)
        taken = 0
        for timers, inputs in taped.chunks:
            taken += self._take_timers(timers)[0] + len(inputs)
            for cell, message, sender in inputs:
                self.deliver(cell, message, 0, sender)
            self.run_ready()
        return taken, taped.is_idle, taped.more

    def deliver_control(self, cell: Cell, message: Message, cause: int, sender: str = "") -> None:
        """Put a message into the lane that is never full."""
        cell.control.append((message, cause, sender))
        if not cell.queued:
            cell.queued = True
            self.ready.append(cell)

    def deliver(self, cell: Cell, message: Any, cause: int, sender: str) -> None:
        """Put a message into a mailbox, between two cells' work."""
        if len(cell.data) >= cell.capacity and not make_room(self, None, cell, message):
            if type(sender) is Ask:
                self.out.replies.append(
                    (sender.future, MailboxFull(f"{cell.name} is busy", reader=cell.name))
                )
            return
        cell.data.append((message, cause, sender))
        if not cell.queued:
            cell.queued = True
            self.ready.append(cell)

    def run_ready(self) -> None:
        """Let every cell that has messages handle them, and what they send each other."""
        ready, handled = self.ready, 0
        while ready:
            cell = ready.popleft()
            cell.queued = False
            if cell.state is not RUNNING:
                self._hold(cell)
                continue
            if cell.control:
                handled += self.handle(cell, cell.control, len(cell.control))
            if cell.data and cell.state is RUNNING:
                handled += self.handle(cell, cell.data, len(cell.data))
            if handled > CASCADE_MESSAGES_MAX:
                raise InvariantError(f"one turn handled {handled} messages; {cell.name} is part of a circle")
        self.counters.messages += handled

    def _hold(self, cell: Cell) -> None:
        """A cell that does not run keeps its messages; one that never will loses them, counted."""
        if cell.state is CellState.STOPPED:
            self.counters.dropped += cell.waiting_count
            self._drop_waiting(cell, ActorDeadError(f"{cell.name} is stopped"))
        else:
            self.held.add(cell)

    def handle(self, cell: Cell, lane: deque[tuple[Any, int, str]], count: int) -> int:
        """Let a cell handle so much of what waits in a lane. This is the hottest code of the node."""
        context, handlers, records = cell.context, cell.handlers, self.records
        sent, operations, pop = context.sent, context.operations, lane.popleft
        context.now_ns = self.now_ns
        for position in range(count):
            item = pop()
            message, context.cause, context.sender = item
            mark = len(records)
            try:
                handlers[type(message)](message, context)
                if operations:
                    perform(self, cell, operations)
                    operations.clear()
            except Exception as error:
                self.undo(cell, mark)
                self.failed(cell, lane, item, explained(cell, message, error))
                cell.handled_count += position
                return position + 1
            if sent:
                sent.clear()
        cell.handled_count += count
        cell.recent.append(message)
        if cell.caught_up is not None:
            self.run_guarded(cell, cell.caught_up)
        return count

    def run_hook(self, cell: Cell, hook: Callable[[Any], None]) -> bool:
        """Run `started` or `stopping` of a behaviour under the rules of a message; False when it raised."""
        context = cell.context
        context.cause, context.sender, context.now_ns = 0, "", self.now_ns
        self.touched = True
        return self.run_guarded(cell, hook)

    def run_guarded(self, cell: Cell, hook: Callable[[Any], None]) -> bool:
        """Run a part of a behaviour; all it did is taken back when it raises."""
        context, mark = cell.context, len(self.records)
        try:
            hook(context)
            perform(self, cell, context.operations)
        except Exception as error:
            self.undo(cell, mark)
            self.failed(cell, cell.control, None, error)
            return False
        context.sent.clear()
        context.operations.clear()
        return True

    # -- a message that failed -----------------------------------------------------------------------

    def undo(self, cell: Cell, mark: int) -> None:
        """Take back everything the message did: what it recorded, sent and asked for."""
        del self.records[mark:]
        context = cell.context
        for target in reversed(context.sent):
            target.data.pop()
        context.sent.clear()
        context.operations.clear()

    def fail(self, cell: Cell, error: Exception) -> None:
        """Have a cell fail between two messages, as when its state cannot be rebuilt."""
        self.failed(cell, cell.control, None, error)

    def failed(self, cell: Cell, lane: deque[tuple[Any, int, str]], item: Any, error: Exception) -> None:
        """Suspend the cell; keep the message for one more try, or bury it when it failed before."""
        self.counters.failures += 1
        cell.failures_count += 1
        cell.last_error = f"{type(error).__name__}: {error}"
        cell.state = CellState.FAILED
        self.touched = True
        self.held.add(cell)
        cell.held_stale = True  # what it began with is handled, buried or back in front
        retried = False
        if item is not None:
            asked = type(item[2]) is Ask
            # Fleeting timers end with their behaviour, and the next one sets its own.
            retried = not (asked or item is cell.suspect or (lane is cell.control and is_fleeting(item)))
            if asked:  # whoever asked is told, and decides whether to ask again
                self.out.replies.append((item[2].future, error))
            if retried:
                cell.suspect = item
                lane.appendleft(item)
            self.out.dead_letters.append(dead_letter(self.now_ns, cell, item, retried))
            self.counters.dead_letters += 1
        self.out.failures.append((cell, error, item, retried))

    # -- commit and release --------------------------------------------------------------------------

    def finish(self, taken: int) -> None:
        """End a turn that took so many inputs: commit, then release."""
        out, counters = self.out, self.counters
        counters.turns += 1
        counters.inputs += taken
        is_wanted = out.is_wanted
        if not (self.records or is_wanted or self.held or self.timers.writes or self.writer.is_due):
            return  # most turns of a quiet market
        if is_wanted:
            self.out = TurnOutput()
        held, self.held = self.held, set()
        write = self.writer.write(out, held)
        if any(write):
            if self.taped_count:
                write = write._replace(meta=(*write.meta, (b"taped", b"%d" % self.taped_count)))
            began = monotonic_ns()
            self.journal.store.commit(write)
            counters.committed(monotonic_ns() - began)
            if self.records:
                self.journal.written()
                counters.events += len(self.records)
                self.records.clear()
        self.sequence = self.journal.sequence
        if is_wanted:
            release(self, out)

    # -- between turns -------------------------------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Nothing will happen before a timer is due or something comes in."""
        if self.ready or self.records or self.touched or self.inlet.has_waiting:
            return False
        due_ns = self.timers.next_due_ns()
        return due_ns is None or due_ns > self.clock.now_ns()

    def wait(self, longest_ns: int) -> None:
        """Sleep until something comes in, a timer is due, or the time is over."""
        if self.ready or self.touched:
            return
        due = self.timers.next_due_ns()
        if due is not None:
            longest_ns = min(longest_ns, due - self.clock.now_ns())
        self.inlet.wait(longest_ns)

    def took_ns(self, began: int) -> int:
        """Return how long something took; 0 where the run is to be repeated to the byte."""
        is_repeatable = self.tape is not None or self.script is not None
        return 0 if is_repeatable else self.clock.reading_ns() - began

    def act_later(self, delay_ns: int, action: Callable[[], None], *, is_hosted: bool) -> None:
        """Run something in the loop's thread, between two turns, after a while."""
        key = HOSTED if is_hosted else ""
        self.timers.schedule(Timer(self.now_ns + delay_ns, None, action, key, False, 0))

    def _stop_asked(self, cell: Cell) -> None:
        if cell.state is not CellState.STOPPED:
            self.command("stop", cell.name)

    def stop_cell(self, cell: Cell) -> None:
        """Take a cell out of service."""
        cell.state = CellState.STOPPED
        cell.actor.leave()
        forget_timers(self, cell)
        self.counters.dropped += cell.waiting_count
        self._drop_waiting(cell, ActorDeadError(f"{cell.name} stopped before it handled the message"))
        self.held.add(cell)
        self.touched = True

    def _drop_waiting(self, cell: Cell, reason: Exception) -> None:
        for _, _, sender in cell.data:
            if type(sender) is Ask:
                answer(sender.future, reason)
        cell.data.clear()
        cell.control.clear()

    def close(self, reason: str) -> None:
        """Take nothing any more; whoever waits for an answer hears why."""
        error = NodeStopped(reason)
        self.inlet.close(error)
        for cell in self.cells.values():
            self._drop_waiting(cell, error)
            cell.actor.leave()
