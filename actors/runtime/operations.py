"""What a message asked for beside sending and recording: done once the message has succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actors.runtime.errors import InvariantError
from actors.runtime.foretold import take_foretold
from actors.runtime.mailbox import refuse, relieve
from actors.runtime.messages import Message
from actors.runtime.timers import Timer

if TYPE_CHECKING:
    from actors.runtime.cell import Cell, CellContext
    from actors.runtime.loop import Loop

__all__ = ["explained", "once", "perform"]

_encode = msgspec.msgpack.Encoder().encode


def explained(cell: Cell, message: Message, error: Exception) -> Exception:
    """Return what went wrong with a message: the error, or that the actor does not take such messages."""
    if type(message) in cell.handlers:
        return error
    return InvariantError(f"{cell.name} does not accept {type(message).__name__}")


def perform(loop: Loop, cell: Cell, operations: list[tuple[Any, ...]]) -> None:
    """Do what a context has noted down. Only a save can fail (a state that has no encoding); it is first."""
    out = loop.out
    for operation in operations:
        name = operation[0]
        if name == "save":
            behaviour = cell.behaviour
            # Encoded at once: should a later message of this turn fail, this state still is the truth.
            out.saves[cell.name] = behaviour.STATE_VERSION, _encode(behaviour.state)
        elif name == "schedule":
            _, due_ns, message, key, stored, cause = operation
            loop.timers.schedule(Timer(due_ns, cell, message, key, bool(stored), cause), stored)
        elif name == "foretell":
            take_foretold(loop, cell, operation[1])
        elif name == "seen":
            out.seen[operation[1]] = None
        elif name == "cancel":
            loop.timers.cancel(cell.name, operation[1])
        elif name == "announce":
            loop.announce(operation[1], operation[2])
        elif name == "reply":
            out.replies.append((operation[1], operation[2]))
        elif name == "log":
            out.logs.append((cell.name, operation[1], operation[2], operation[3]))
        elif name == "effect":
            _want_effect(loop, cell, *operation[1:])
        elif name == "effect_done":
            out.outbox[f"{cell.name}\0{operation[1]}".encode()] = None
        elif name == "ready":
            cell.is_ready = True
        elif name == "refused":
            refuse(loop, cell, operation[1], operation[2])
        elif name == "full":
            if operation[1] is not cell:  # its own mailbox is in the loop's hands
                relieve(loop, operation[1], operation[2])
        else:
            _send_to_itself(loop, cell, operation[1], operation[2])


def _send_to_itself(loop: Loop, cell: Cell, message: Message, cause: int) -> None:
    """Put a message into the cell's own mailbox, whatever its capacity."""
    cell.data.append((message, cause, cell.name))
    if not cell.queued:
        cell.queued = True
        loop.ready.append(cell)


def _want_effect(loop: Loop, cell: Cell, port: str, message: Message, key: str, raw: bytes) -> None:
    loop.out.effects.append((port, message, cell.name))
    if key:
        loop.effects_count += 1
        stored = msgspec.msgpack.encode((loop.effects_count, port, raw))
        loop.out.outbox[f"{cell.name}\0{key}".encode()] = stored


def once(loop: Loop, context: CellContext, external_id: str) -> bool:
    """See Context.once."""
    key = f"{context.name}\0{external_id}".encode()
    if key in loop.out.seen or ("seen", key) in context.operations or loop.journal.store.seen(key):
        return False
    context.operations.append(("seen", key))
    return True
