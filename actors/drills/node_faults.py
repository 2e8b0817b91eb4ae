"""Faults inside a node, for drills: what no fault at the exchange and no signal to a process can bring about.

A deployment has them only when its file says `control: {faults: true}`, which live mode refuses. They are
gone when the node is started again. Everything here runs on the loop's thread.
"""

from __future__ import annotations

import dataclasses
import errno
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actors.runtime.behaviour import Behaviour
from actors.runtime.cell import Cell
from actors.runtime.errors import JournalFull, MailboxFull
from actors.runtime.messages import Message
from actors.runtime.node import Node

__all__ = ["KINDS", "Fault", "FaultRefused", "NodeFaults", "Sabotaged"]

KINDS = {
    "crash": "The next message of `actor` fails it; so `times` times, also right after each restart.",
    "poison": "The message that `actor` gets next fails it, whenever that message is tried.",
    "hang": "The next message of `actor` takes `for_ms`: the whole loop stands still.",
    "say": "`actor` gets a `message` with these `fields`, as from `sender`.",
    "slow_disk": "Every commit takes `for_ms` longer.",
    "full_disk": "The next commit finds the disk full: the node ends, as it does on a disk that is full.",
    "disk_free": "The disk under the journal is taken to have `free_mib` left.",
    "clock_step": "The node's clock is set ahead by `for_ms` (negative: back).",
    "leak": "`free_mib` of memory are taken and kept.",
}
BOUND_MS = 600_000
NOW = "$now"  # in a text of a message: the node's time in ns
EMPTY: dict[Any, Any] = {int: 0, str: "", bool: False}
MILLION = 1_000_000


class Sabotaged(Exception):
    """What an actor fails with on purpose."""


class FaultRefused(ValueError):
    """The fault makes no sense here; the text says why."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault; fields that its kind does not name are not used."""

    kind: str
    actor: str = ""
    times: int = 1
    for_ms: int = 0
    free_mib: int = 0
    message: str = ""
    fields: dict[str, Any] = {}
    sender: str = ""


class NodeFaults:
    """The faults of one node. `clock`: the one its loop lives by."""

    def __init__(self, node: Node, store: Any, clock: Any) -> None:
        self._node = node
        self._clock = clock
        self._store = store
        self._commit = store.commit
        self._undo: list[Callable[[], None]] = []
        self._leaked: list[bytearray] = []
        self._free_bytes: int | None = None

    def free_bytes(self, directory: Path) -> int:
        """Return what the disk has left, or what it is taken to have."""
        return shutil.disk_usage(directory).free if self._free_bytes is None else self._free_bytes

    def add(self, given: dict[str, Any]) -> str:
        """Bring a fault about; return what it does. Errors: FaultRefused."""
        try:
            fault = msgspec.convert(given, Fault)
        except msgspec.ValidationError as error:
            raise FaultRefused(str(error)) from None
        if fault.kind not in KINDS:
            raise FaultRefused(f"there is no fault {fault.kind!r}; there are {', '.join(KINDS)}")
        if not -BOUND_MS <= fault.for_ms <= BOUND_MS or not 1 <= fault.times <= 1_000:
            raise FaultRefused(f"for_ms is at most {BOUND_MS}, times from 1 to 1000")
        getattr(self, f"_{fault.kind}")(fault)
        return KINDS[fault.kind]

    def clear(self) -> None:
        """Take everything back that can be taken back; an actor that is down is its supervisor's matter."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._leaked.clear()
        self._free_bytes = None
        self._store.commit = self._commit
        self._clock.offset_ns = 0

    # -- actors ------------------------------------------------------------------------------------------

    def _crash(self, fault: Fault) -> None:
        left = [fault.times]

        def receive(message: Message, handle: Callable[[], None]) -> None:
            if left[0] > 0:
                left[0] -= 1
                raise Sabotaged("failed on purpose, for a drill")
            handle()

        self._intercept(self._cell(fault), receive)

    def _poison(self, fault: Fault) -> None:
        marked: list[Message] = []

        def receive(message: Message, handle: Callable[[], None]) -> None:
            if not marked:
                marked.append(message)
            if message is marked[0]:  # an equal one may be a timer's, which comes again and again
                raise Sabotaged(f"poison for a drill: {type(message).__name__}")
            handle()

        self._intercept(self._cell(fault), receive)

    def _hang(self, fault: Fault) -> None:
        left = [fault.times]

        def receive(message: Message, handle: Callable[[], None]) -> None:
            if left[0] > 0:
                left[0] -= 1
                threading.Event().wait(fault.for_ms / 1e3)
            handle()

        self._intercept(self._cell(fault), receive)

    def _say(self, fault: Fault) -> None:
        loop = self._node.loop
        cell = self._cell(fault)
        kinds = {kind.__name__: kind for kind in cell.behaviour.HANDLERS}
        if fault.message not in kinds:
            known = ", ".join(sorted(kinds))
            raise FaultRefused(f"{fault.actor} takes no message {fault.message!r}; it takes {known}")
        message = spelled(kinds[fault.message], fault.fields, loop.now_ns)
        if fault.sender and fault.sender not in loop.cells:
            raise FaultRefused(f"there is no actor {fault.sender!r} to say it")
        try:
            loop.inlet.put(cell, message, fault.sender)
        except MailboxFull as error:
            raise FaultRefused(str(error)) from None

    def _cell(self, fault: Fault) -> Cell:
        cell = self._node.loop.cells.get(fault.actor)
        if cell is None:
            raise FaultRefused(f"there is no actor {fault.actor!r}")
        return cell

    def _intercept(self, cell: Cell, receive: Callable[[Message, Callable[[], None]], None]) -> None:
        """Stand between a cell and its behaviour, and between it and every behaviour it gets later."""
        make = cell.spec.make

        def made() -> Behaviour:
            return _intercepted(make(), receive)

        spec = cell.spec
        cell.spec = dataclasses.replace(spec, make=made)
        cell.handlers = {kind: _standing_before(handler, receive) for kind, handler in cell.handlers.items()}
        self._node.loop.plans.clear()

        def undo() -> None:
            cell.spec = spec

        self._undo.append(undo)

    # -- disk, clock, memory -----------------------------------------------------------------------------

    def _slow_disk(self, fault: Fault) -> None:
        def commit(write: Any) -> None:
            threading.Event().wait(fault.for_ms / 1e3)
            self._commit(write)

        self._store.commit = commit

    def _full_disk(self, fault: Fault) -> None:
        def commit(write: Any) -> None:
            raise JournalFull(f"no space left on the device, for a drill ({errno.errorcode[errno.ENOSPC]})")

        self._store.commit = commit

    def _disk_free(self, fault: Fault) -> None:
        self._free_bytes = fault.free_mib << 20

    def _clock_step(self, fault: Fault) -> None:
        self._clock.offset_ns += fault.for_ms * MILLION

    def _leak(self, fault: Fault) -> None:
        taken = bytearray(max(0, fault.free_mib) << 20)
        taken[::4096] = b"x" * len(taken[::4096])  # only what is touched is held
        self._leaked.append(taken)


def spelled(kind: type[Message], fields: dict[str, Any], now_ns: int) -> Message:
    """Return a message of a kind; numbers, texts and flags that are left out are 0, empty and false.

    Errors: FaultRefused.
    """
    name, known = kind.__name__, msgspec.structs.fields(kind)
    if unknown := fields.keys() - {one.name for one in known}:
        named = ", ".join(one.name for one in known)
        raise FaultRefused(f"{name} has no field {min(unknown)!r}; it has {named}")
    values: list[Any] = [name]
    for one in known:
        if one.name not in fields and one.required and one.type not in EMPTY:
            raise FaultRefused(f"{name} needs {one.name}")
        value = fields.get(one.name, EMPTY.get(one.type) if one.required else one.default)
        values.append(value.replace(NOW, str(now_ns)) if isinstance(value, str) else value)
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise FaultRefused(f"{name}: {error}") from None


def _intercepted(behaviour: Behaviour, receive: Callable[[Message, Callable[[], None]], None]) -> Behaviour:
    kind = type(behaviour)

    def instead(self: Behaviour, message: Message, context: Any) -> None:
        receive(message, lambda: kind.receive(self, message, context))

    behaviour.__class__ = type(kind.__name__, (kind,), {"receive": instead, "__slots__": ()})
    return behaviour


def _standing_before(
    handler: Callable[[Any, Any], None], receive: Callable[[Message, Callable[[], None]], None]
) -> Callable[[Any, Any], None]:
    return lambda message, context: receive(message, lambda: handler(message, context))
