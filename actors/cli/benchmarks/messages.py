"""Messages per second through the loop: two cells that answer each other."""

from __future__ import annotations

import time

from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec

__all__ = ["loop_messages"]

BALLS = 100  # messages under way at a time
RALLY = 20_000  # how often each is returned


class Ball(Message, frozen=True):
    """Goes to and fro until it has been returned often enough."""

    returns_left: int


class Player(Behaviour):
    """Returns every ball."""

    ACCEPTS = (Ball,)
    EMITS = (Ball,)

    def on_ball(self, ball: Ball, context: Context) -> None:
        if ball.returns_left:
            context.publish(Ball(ball.returns_left - 1))


def loop_messages() -> float:
    """Return messages per second: sent, queued, handled, turn by turn."""
    specs = [CellSpec("left", Player, reads=("right",)), CellSpec("right", Player, reads=("left",))]
    node = Node(specs, (SupervisorSpec("root"),), MemoryStore(), SystemClock())
    node.start()
    while node.turn():
        pass
    for _ in range(BALLS):
        node.tell("left", Ball(RALLY))
    began = time.perf_counter()
    while node.turn():
        pass
    handled = sum(cell.handled_count for cell in node.loop.cells.values())
    return handled / (time.perf_counter() - began)
