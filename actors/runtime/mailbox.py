"""What happens when a mailbox is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.codec import encode_message
from actors.runtime.messages import Message, MessageRefused, Overflow

if TYPE_CHECKING:
    from actors.runtime.cell import Cell
    from actors.runtime.loop import Loop

__all__ = ["conflate", "make_room", "refuse", "relieve"]


def make_room(loop: Loop, sender: Cell | None, target: Cell, message: Message) -> bool:
    """A mailbox is at its capacity; return whether the message may enter it all the same.

    While a cell handles a message, nothing is changed that could not be undone should the message fail:
    the refusal and the conflation wait until it has succeeded.
    """
    if message.OVERFLOW is Overflow.REFUSE:
        if sender is None:
            loop.counters.refused += 1
            target.refused_count += 1
        else:
            sender.context.operations.append(("refused", target, message))
        return False
    if sender is None:
        relieve(loop, target, message)
    elif len(target.data) >= target.conflate_at:
        sender.context.operations.append(("full", target, message))
    return True


def relieve(loop: Loop, target: Cell, message: Message) -> None:
    """Shorten a full mailbox. One that stays full is looked at again when it has grown by half."""
    if len(target.data) < target.conflate_at:
        return
    loop.counters.conflated += conflate(target)
    waiting = len(target.data)
    if waiting < target.capacity:
        target.conflate_at = target.capacity
        return
    target.conflate_at = waiting + waiting // 2 + 1
    if target.is_running:
        loop.out.overflows.setdefault(target.name, (target, message))


def conflate(target: Cell) -> int:
    """Drop every conflatable message that has a newer one of its type and key behind it; return how many."""
    newest: set[tuple[type, str]] = set()
    kept = []
    for item in reversed(target.data):
        message = item[0]
        if message.OVERFLOW is Overflow.CONFLATE:
            key = (type(message), message.conflation_key)
            if key in newest:
                continue
            newest.add(key)
        kept.append(item)
    dropped = len(target.data) - len(kept)
    if dropped:
        target.data.clear()
        target.data.extend(reversed(kept))
        target.held_stale = True
    return dropped


def refuse(loop: Loop, sender: Cell, target: Cell, message: Message) -> None:
    """Tell a sender that its message was not taken, if it wants to know."""
    loop.counters.refused += 1
    target.refused_count += 1
    if MessageRefused in sender.behaviour.HANDLERS:
        answer = MessageRefused(target.name, "busy", encode_message(message))
        loop.deliver_control(sender, answer, 0, target.name)
