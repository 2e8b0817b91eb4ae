"""What happens when a mailbox is full."""

from __future__ import annotations

from actors.runtime.cell import Cell
from actors.runtime.codec import encode_message
from actors.runtime.messages import Message, MessageRefused, Overflow

__all__ = ["conflate", "refuse"]


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
    return dropped


def refuse(target: Cell, message: Message) -> MessageRefused:
    """Return the answer to a sender whose message was not taken."""
    return MessageRefused(target.name, "busy", encode_message(message))
