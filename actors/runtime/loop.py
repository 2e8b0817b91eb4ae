"""The loop: takes a batch of inputs, lets cells handle them and each other's messages, commits, releases.

One turn is one transaction. Inputs (from outside, and timers that are due) are bounded in count and time; the
messages that cells send each other because of them are all handled in the same turn, so nothing of a chain
is ever lost between two commits. What leaves the node (effects, replies) is released after the commit.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from actors.runtime.cell import Ask, Cell, CellState
from actors.runtime.clock import Clock, monotonic_ns
from actors.runtime.codec import encode_message
from actors.runtime.errors import InvariantError, MailboxFull, NodeStopped
from actors.runtime.journal import Journal
from actors.runtime.mailbox import conflate, refuse
from actors.runtime.messages import Message, MessageRefused, Overflow
from actors.runtime.ports import Guardian, Pump
from actors.runtime.pykka_port import Envelope, is_stop
from actors.runtime.timers import Timer, Timers
from actors.runtime.turn import LoopCounters, LoopLimits, TurnOutput, dead_letter
from actors.runtime.writer import TurnWriter

__all__ = ["Loop"]

INPUT_CHUNK = 32  # inputs taken between two looks at the time
CASCADE_MESSAGES_MAX = 5_000_000  # in one turn; more means two cells feed each other without end


class Loop:
    """Runs the cells of one node. All methods but `put*` and `call` belong to one thread."""

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
        self.pumps: dict[str, Pump] = {}
        self.counters = LoopCounters()
        self.guardian: Guardian | None = None
        self.announce: Callable[[Message, int], None] = lambda message, cause: None
        self.log_sink: Callable[[str, str, dict[str, object], int], None] = lambda *_: None
        self.tape: Any = None
        self.accepting = True
        self.touched = False  # something outside a turn left work for the next commit
        self._inlet: queue.SimpleQueue[tuple[Any, Any, Any]] = queue.SimpleQueue()
        self._first: tuple[Any, Any, Any] | None = None
        self._calls: deque[Callable[[], None]] = deque()
        self._out = TurnOutput()
        self._held: set[Cell] = set()
        self.writer = TurnWriter(self)

    # -- the edge: any thread ------------------------------------------------------------------------

    def put(self, cell: Cell, message: Message, sender: str = "") -> None:
        """Bring a message into the node. Errors: NodeStopped; MailboxFull for a refusable message."""
        if not self.accepting:
            raise NodeStopped("the node is stopping and takes no more messages")
        if message.OVERFLOW is Overflow.REFUSE and len(cell.data) >= cell.capacity:
            raise MailboxFull(f"{cell.name} has {len(cell.data)} messages waiting", reader=cell.name)
        self._inlet.put((cell, message, sender))

    def put_envelope(self, cell: Cell, envelope: Envelope[Any]) -> None:
        """Bring in what came through a pykka ActorRef."""
        if is_stop(envelope.message):
            self.call(lambda: self.stop_cell(cell, envelope.reply_to))
            return
        sender: str = ""
        if envelope.reply_to is not None:
            sender = Ask()
            sender.future = envelope.reply_to
            if not self.accepting:
                envelope.reply_to.set_exception((NodeStopped, NodeStopped("the node is stopping"), None))
                return
        self._inlet.put((cell, envelope.message, sender))

    def call(self, action: Callable[[], None]) -> None:
        """Run something in the loop's thread between two turns, when nothing is uncommitted."""
        self._calls.append(action)
        self._inlet.put((None, None, None))

    # -- one turn ------------------------------------------------------------------------------------

    def turn(self) -> bool:
        """Run one turn; return whether there was anything to do."""
        started = self.clock.reading_ns()
        self.now_ns = max(self.clock.now_ns(), self.journal.at_ns)
        self.sequence = self.journal.sequence
        if self._calls:
            self._calls.popleft()()
        taken = self._take_inputs(started)
        if not (taken or self.ready or self.records or self.touched):
            return bool(self._calls)
        self.touched = False
        self._run_ready()
        self._finish(taken)
        self.counters.busy_ns += self.clock.reading_ns() - started
        return True

    def _take_inputs(self, started: int) -> int:
        taken, limit = 0, self.limits.inputs_max
        taped: list[tuple[str, Message]] | None = [] if self.tape is not None else None
        while taken < limit:
            count = self._take_chunk(min(INPUT_CHUNK, limit - taken), taped)
            taken += count
            if count == 0:
                break
            self._run_ready()
            if self.clock.reading_ns() - started > self.limits.turn_ns_max:
                break
        if taped is not None and taken:
            self.tape.write(self.now_ns, taken, taped)
        return taken

    def _take_chunk(self, count: int, taped: list[tuple[str, Message]] | None) -> int:
        taken = 0
        while taken < count and (timer := self.timers.pop_due(self.now_ns)) is not None:
            taken += 1
            if timer.cell is None:
                self._calls.append(timer.message)
            else:
                self.deliver_control(timer.cell, timer.message, timer.cause)
        inlet = self._inlet
        while taken < count and (self._first is not None or inlet.qsize()):
            if self._first is not None:
                (cell, message, sender), self._first = self._first, None
            else:
                cell, message, sender = inlet.get_nowait()
            if cell is None:
                continue
            taken += 1
            if taped is not None and isinstance(message, Message):
                taped.append((cell.name, message))
            self.deliver(cell, message, 0, sender)
        return taken

    def deliver_control(self, cell: Cell, message: Message, cause: int, sender: str = "") -> None:
        """Put a message into the lane that is never full."""
        cell.control.append((message, cause, sender))
        if not cell.queued:
            cell.queued = True
            self.ready.append(cell)

    def deliver(self, cell: Cell, message: Any, cause: int, sender: str) -> None:
        """Put a message into a mailbox from inside the loop."""
        if len(cell.data) >= cell.capacity and not self.make_room(None, cell, message):
            return
        cell.data.append((message, cause, sender))
        if not cell.queued:
            cell.queued = True
            self.ready.append(cell)

    def _run_ready(self) -> None:
        ready, handled = self.ready, 0
        while ready:
            cell = ready.popleft()
            cell.queued = False
            if cell.state is not CellState.RUNNING:
                self._hold(cell)
                continue
            if cell.control:
                handled += self._handle(cell, cell.control)
            if cell.data and cell.state is CellState.RUNNING:
                handled += self._handle(cell, cell.data)
            if handled > CASCADE_MESSAGES_MAX:
                raise InvariantError(f"one turn handled {handled} messages; {cell.name} is part of a circle")
        self.counters.messages += handled

    def _hold(self, cell: Cell) -> None:
        """A cell that does not run keeps its messages; one that never will loses them, counted."""
        if cell.state is CellState.STOPPED:
            self.counters.dropped += cell.waiting_count
            cell.data.clear()
            cell.control.clear()
        elif cell.data:
            self._held.add(cell)

    def _handle(self, cell: Cell, lane: deque[tuple[Any, int, str]]) -> int:
        """Let a cell handle what waits in a lane now. This is the hottest code of the node."""
        context, handlers, records = cell.context, cell.handlers, self.records
        sent, operations, pop = context.sent, context.operations, lane.popleft
        count = len(lane)
        for position in range(count):
            item = pop()
            message, context.cause, context.sender = item
            mark = len(records)
            try:
                handlers[type(message)](message, context)
            except Exception as error:
                self._undo(cell, mark)
                known = type(message) in handlers
                unknown = InvariantError(f"{cell.name} does not accept {type(message).__name__}")
                self._failed(cell, lane, item, error if known else unknown)
                cell.handled_count += position
                return position + 1
            if sent:
                sent.clear()
            if operations:
                self._perform(cell, operations)
                operations.clear()
        cell.handled_count += count
        cell.recent.append(message)
        return count

    def run_hook(self, cell: Cell, hook: Callable[[Any], None]) -> bool:
        """Run `started` or `stopping` of a behaviour under the rules of a message; False when it raised."""
        context, mark = cell.context, len(self.records)
        context.cause, context.sender = 0, ""
        self.touched = True
        try:
            hook(context)
        except Exception as error:
            self._undo(cell, mark)
            self._failed(cell, cell.control, None, error)
            return False
        context.sent.clear()
        self._perform(cell, context.operations)
        context.operations.clear()
        return True

    # -- a message that failed -----------------------------------------------------------------------

    def _undo(self, cell: Cell, mark: int) -> None:
        """Take back everything the message did: what it recorded, sent and asked for."""
        del self.records[mark:]
        context = cell.context
        for target in reversed(context.sent):
            if target.data and target.data[-1][2] == cell.name:  # else conflation has taken it already
                target.data.pop()
        context.sent.clear()
        context.operations.clear()

    def _failed(self, cell: Cell, lane: deque[tuple[Any, int, str]], item: Any, error: Exception) -> None:
        """Suspend the cell; keep the message for one more try, or bury it when it failed before."""
        self.counters.failures += 1
        cell.failures_count += 1
        cell.last_error = f"{type(error).__name__}: {error}"
        cell.state = CellState.FAILED
        self.touched = True
        asked = item is not None and type(item[2]) is Ask
        retried = item is not None and item is not cell.suspect and not asked
        if retried:
            cell.suspect = item
            lane.appendleft(item)
        if item is not None:
            self._out.dead_letters.append(dead_letter(self.now_ns, cell, item, retried))
            self.counters.dead_letters += 1
        if asked:  # whoever asked is told, and decides whether to ask again
            self._out.replies.append((item[2].future, error))
        self._out.failures.append((cell, error, item, retried))
        if lane is cell.data:
            self._held.add(cell)

    # -- what a message asked for --------------------------------------------------------------------

    def _perform(self, cell: Cell, operations: list[tuple[Any, ...]]) -> None:
        out = self._out
        for operation in operations:
            name = operation[0]
            if name == "schedule":
                _, due_ns, message, key, durable, cause = operation
                self.timers.schedule(Timer(due_ns, cell, message, key, durable, cause))
            elif name == "seen":
                out.seen[operation[1]] = None
            elif name == "save":
                behaviour = cell.behaviour
                # Encoded at once: should a later message of this turn fail, this state still is the truth.
                out.saves[cell.name] = behaviour.STATE_VERSION, msgspec.msgpack.encode(behaviour.state)
            elif name == "cancel":
                self.timers.cancel(cell.name, operation[1])
            elif name == "announce":
                self.announce(operation[1], operation[2])
            elif name == "reply":
                out.replies.append((operation[1], operation[2]))
            elif name == "log":
                out.logs.append((cell.name, operation[1], operation[2], operation[3]))
            elif name == "effect":
                self._want_effect(cell, *operation[1:])
            elif name == "effect_done":
                out.outbox[f"{cell.name}\0{operation[1]}".encode()] = None
            elif name == "ready":
                cell.is_ready = True
            else:
                self.deliver(cell, operation[1], operation[2], cell.name)

    def _want_effect(self, cell: Cell, port: str, message: Message, key: str) -> None:
        self._out.effects.append((port, message, cell.name))
        if key:
            stored = msgspec.msgpack.encode((port, encode_message(message)))
            self._out.outbox[f"{cell.name}\0{key}".encode()] = stored

    def once(self, context: Any, external_id: str) -> bool:
        """See Context.once."""
        key = f"{context.name}\0{external_id}".encode()
        if key in self._out.seen or ("seen", key) in context.operations or self.journal.store.seen(key):
            return False
        context.operations.append(("seen", key))
        return True

    def make_room(self, sender: Cell | None, target: Cell, message: Message) -> bool:
        """A mailbox is at its capacity; return whether the message may enter it all the same."""
        if message.OVERFLOW is Overflow.REFUSE:
            self.counters.refused += 1
            target.refused_count += 1
            if sender is not None and MessageRefused in sender.behaviour.HANDLERS:
                self.deliver_control(sender, refuse(target, message), 0, target.name)
            return False
        self.counters.conflated += conflate(target)
        if len(target.data) >= target.capacity and target.state is CellState.RUNNING:
            self._out.overflows.setdefault(target.name, (target, message))
        return True

    # -- commit and release --------------------------------------------------------------------------

    def _finish(self, taken: int) -> None:
        out, counters = self._out, self.counters
        self._out = TurnOutput()
        counters.turns += 1
        counters.inputs += taken
        held, self._held = self._held, set()
        write = self.writer.write(out, held)
        if any(write):
            began = monotonic_ns()
            self.journal.store.commit(write)
            counters.commits += 1
            counters.commit_ns_last = monotonic_ns() - began
            counters.commit_ns += counters.commit_ns_last
            if self.records:
                self.journal.written()
                counters.events += len(self.records)
                self.records.clear()
        self.sequence = self.journal.sequence
        self._release(out)

    def _release(self, out: TurnOutput) -> None:
        for port, message, address in out.effects:
            self.pumps[port].put(message, address)
        for future, answer in out.replies:
            if isinstance(answer, BaseException):
                future.set_exception((type(answer), answer, answer.__traceback__))
            else:
                future.set(answer)
        for line in out.logs:
            self.log_sink(*line)
        if self.guardian is not None:
            for cell, message in out.overflows.values():
                self.guardian.cannot_keep_up(cell, message)
            for cell, error, item, retried in out.failures:
                self.guardian.failed(cell, error, item, retried=retried)

    def forget_held(self, cell: Cell) -> None:
        """The cell runs again, so its mailbox will be handled in this turn."""
        if cell.held_stored:
            self._held.add(cell)

    # -- between turns -------------------------------------------------------------------------------

    def wait(self, longest_ns: int) -> None:
        """Sleep until something comes in, a timer is due, or the time is over."""
        if self.ready or self._calls or self.touched or self._first is not None:
            return
        due = self.timers.next_due_ns()
        if due is not None:
            longest_ns = min(longest_ns, due - self.clock.now_ns())
        if longest_ns > 0:
            try:
                self._first = self._inlet.get(timeout=longest_ns / 1e9)
            except queue.Empty:
                return

    def stop_cell(self, cell: Cell, reply_to: Any = None) -> None:
        """Take a cell out for good."""
        cell.state = CellState.STOPPED
        cell.actor.leave()
        self.timers.drop_of(cell)
        if reply_to is not None:
            reply_to.set(None)
