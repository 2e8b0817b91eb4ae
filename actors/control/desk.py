"""What an operator may ask of a running node, and order it to do; free of any transport.

Everything that touches actors goes through the door into the loop or through the node's edge, so no call
here sees an actor in the middle of a turn, and none holds the loop up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pykka

from actors.control.door import Door
from actors.control.event_tail import EventTail, event_entry, read_records
from actors.control.fields import FieldNames
from actors.control.inspection import inspect_actor, inspect_supervisor, shown_actor
from actors.control.sampler import ActorSample, Sampler
from actors.control.trading_view import Instruments
from actors.control.view import ViewBuilder, actor_view
from actors.messages.control import Halt, HaltLevel, Rejected, Resume
from actors.runtime.cell import CellState
from actors.runtime.messages import Message
from actors.runtime.node import Node

__all__ = ["ControlError", "Desk"]

ANSWER_WITHIN_S = 5.0  # for an order to an actor
ALIVE_WITHIN_S = 2.0  # the loop wakes at least every 250 ms
EVENTS_MAX = 1_000  # in one answer
EVENTS_SCANNED_MAX = 100_000  # for one answer; `next` says where to go on
LEVELS = {level.name.lower(): level for level in HaltLevel}


class ControlError(Exception):
    """A request that cannot be met: HTTP status, what is wrong, and what to do about it."""

    def __init__(self, status: int, text: str, remedy: str = "", **fields: Any) -> None:
        super().__init__(text)
        self.status = status
        self.remedy = remedy
        self.fields = fields


class Desk:
    """Answers for one node. Its coroutines run on the control thread."""

    def __init__(self, node: Node, facts: dict[str, Any], instruments: Instruments) -> None:
        self.node = node
        self.facts = facts
        self.instruments = instruments
        self.door = Door(node.loop)
        self.sampler = Sampler(node, self.door)
        self.names = FieldNames()
        self._views = ViewBuilder(facts, instruments)
        self._tail = EventTail(node, self.names)

    # -- looking -----------------------------------------------------------------------------------------

    async def health(self) -> dict[str, Any]:
        """Return that the loop makes progress. Errors: ControlError 503 when it does not."""
        await self._inside(lambda: None, ALIVE_WITHIN_S)
        return {"alive": True, "delay_ms": round(self.door.delay_ns / 1e6, 3)}

    async def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Return whether the node has recovered and reconciled, and what it waits for."""
        node = self.node

        def look() -> tuple[bool, list[str]]:
            waiting = [cell.name for cell in node.loop.cells.values() if not cell.is_ready]
            return node.is_ready, waiting

        ready, waiting = await self._inside(look)
        return ready, {"ready": ready, "waiting_for": waiting}

    async def status(self) -> dict[str, Any]:
        """Return the node in a few lines."""
        view = await self.view()
        states: dict[str, int] = {}
        for actor in view["actors"]:
            states[actor["state"]] = states.get(actor["state"], 0) + 1
        kept = ("ready", "phase", "at_ns", "loop", "journal", "restarts", "failures", "halts", "totals")
        return {
            **self.facts,
            **{name: view[name] for name in kept},
            "actors": {"total": len(view["actors"]), "by_state": states},
            "waiting_for": [actor["address"] for actor in view["actors"] if not actor["ready"]],
            "alerts": view["alerts"],
        }

    async def view(self) -> dict[str, Any]:
        """Return everything the terminal shows."""
        try:
            sample = await self.sampler.sample()
            self._tail.add(await self.door.run(self._tail.take))
        except TimeoutError:
            raise _stuck() from None
        return self._views.build(sample, list(self._tail.events))

    def last_view(self) -> dict[str, Any]:
        """Return the view of a node whose loop does not run any more."""
        return self._views.build(self.sampler.sample_now(), list(self._tail.events))

    async def actors(self) -> dict[str, Any]:
        """Return one line per actor."""
        return {"actors": (await self.view())["actors"]}

    async def inspect(self, address: str) -> dict[str, Any]:
        """Return one actor or supervisor closely. Errors: ControlError 404."""
        if address in self.node.loop.cells:
            found = await self._inside(lambda: inspect_actor(self.node, address))
            return shown_actor(found, self.names)
        if address in self.node.tree.supervisors:
            supervisor: dict[str, Any] = await self._inside(lambda: inspect_supervisor(self.node, address))
            return supervisor
        raise self._no_actor(address)

    async def events(self, since: int | None, limit: int, actor: str = "", kind: str = "") -> dict[str, Any]:
        """Return journaled events after a sequence (the newest ones without), and where to go on."""
        limit = max(1, min(limit, EVENTS_MAX))
        start = self.node.journal.sequence - limit + 1 if since is None else since + 1
        start = max(1, start)
        found: list[dict[str, Any]] = []
        scanned_to = start + EVENTS_SCANNED_MAX
        while len(found) < limit and start < scanned_to:
            records, following = await self._inside(partial(read_records, self.node, start))
            if following == start:
                break
            for record in records:
                for index, entry in enumerate(record.entries):
                    if record.first_sequence + index < start or (actor and entry.cell != actor):
                        continue
                    event = event_entry(record, index, self.names)
                    if not kind or event["type"] == kind:
                        found.append(event)
            start = following
        last = found[limit - 1]["sequence"] if len(found) >= limit else max(start - 1, since or 0)
        return {"events": found[:limit], "next": last}

    # -- ordering ----------------------------------------------------------------------------------------

    async def restart(self, address: str) -> dict[str, Any]:
        """Rebuild one actor from the journal, also one that had left. Errors: ControlError 404, 500."""
        if address not in self.node.loop.cells:
            raise self._no_actor(address)
        cell = self.node.cell(address)

        def rebuild() -> ActorSample:
            self.node.revive([cell])
            return self.sampler.actor(cell)

        found = await self._inside(rebuild, ANSWER_WITHIN_S)
        self.sampler.forget()
        if found.state in (CellState.FAILED.value, CellState.BACKING_OFF.value):
            text = f"{address} could not be rebuilt: {found.last_error}"
            raise ControlError(500, text, "its supervisor tries again; the node's log has the traceback")
        return actor_view(found, 0.0)

    async def halt(self, scope: str, level: str, actor: str, reason: str) -> dict[str, Any]:
        """Latch a halt in every actor that knows halts. Errors: ControlError 400, 404."""
        if level not in LEVELS:
            raise ControlError(400, f"there is no halt level {level!r}", f"use one of {', '.join(LEVELS)}")
        _check_scope(scope)
        return await self._order(Halt(scope, LEVELS[level], actor, reason), scope)

    async def resume(self, scope: str, actor: str, reason: str) -> dict[str, Any]:
        """Release a halt. Errors: ControlError 400, 404."""
        _check_scope(scope)
        if not reason.strip():
            raise ControlError(400, "a halt is released with a reason only", "say why it is safe to go on")
        return await self._order(Resume(scope, actor, reason), scope)

    async def stop(self, reason: str) -> dict[str, Any]:
        """Have the node stop in order."""
        self.node.request_stop()
        return {"stopping": True, "reason": reason}

    async def _order(self, order: Message, scope: str) -> dict[str, Any]:
        """Put an order to every actor that accepts it, or to those of the one account that it is about."""
        readers = [c.name for c in self.node.loop.cells.values() if type(order) in c.behaviour.HANDLERS]
        place, _, account = scope.partition("/")
        if place == "account":
            readers = [name for name in readers if name.rpartition("/")[2] == account] or readers
        if not readers:
            raise ControlError(
                404,
                f"no actor of this deployment takes {type(order).__name__}",
                "add a risk actor to the deployment file",
            )
        answers = await asyncio.gather(*(self.ask(name, order) for name in readers))
        self.sampler.forget()
        return {"accepted": all(answer["accepted"] for answer in answers), "answers": list(answers)}

    async def ask(self, address: str, order: Message) -> dict[str, Any]:
        """Put an order to one actor, and return what it answers."""
        asked = asyncio.get_running_loop().run_in_executor(
            None, lambda: self.node.ask(address, order, ANSWER_WITHIN_S)
        )
        try:
            answer = await asked
        except pykka.Timeout:
            state = self.node.cell(address).state.value
            text = f"no answer in {ANSWER_WITHIN_S:g} s; the actor is {state}, the order stays in its mailbox"
            return {"actor": address, "accepted": False, "text": text}
        except Exception as error:  # whatever the actor raised is its answer
            return {"actor": address, "accepted": False, "text": f"{type(error).__name__}: {error}"}
        accepted = not isinstance(answer, Rejected)
        return {"actor": address, "accepted": accepted, "text": getattr(answer, "text", str(answer))}

    # -- inside --------------------------------------------------------------------------------------------

    async def _inside(self, action: Callable[[], Any], timeout_s: float = ALIVE_WITHIN_S) -> Any:
        try:
            return await self.door.run(action, timeout_s)
        except TimeoutError:
            raise _stuck() from None

    def _no_actor(self, address: str) -> ControlError:
        known = [*self.node.loop.cells, *self.node.tree.supervisors]
        return ControlError(
            404,
            f"there is no actor {address!r}",
            "`polytrade ps` lists the actors of a deployment",
            known=sorted(known),
        )


def _stuck() -> ControlError:
    return ControlError(
        503,
        f"the node's loop made no progress for {ALIVE_WITHIN_S:g} s",
        "wait for the heart to restart it, or look at the node's log",
    )


def _check_scope(scope: str) -> None:
    place, _, name = scope.partition("/")
    if scope == "all" or (place in ("account", "symbol", "strategy") and name):
        return
    raise ControlError(
        400,
        f"{scope!r} is no scope",
        "use all, account/<name>, symbol/<symbol> or strategy/<address>",
    )
