"""What happened in a test, as far as its expectations speak of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from actors.deployment.config_tests.steps import Expectation
from actors.exchange.events import OrderBooked
from actors.exchange.server.events import SpotHappened
from actors.messages.market import Quote
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.risk.events import IntentDenied
from actors.runtime.codec import decode_message
from actors.runtime.journal import read_turns
from actors.runtime.messages import AlertRaised, AlertResolved, Message
from actors.runtime.pumps.messages import HttpRequest
from actors.runtime.store import Store

__all__ = ["Happened", "Record"]

CHANGES = {"accepted": "accepted", "canceled": "canceled", "rejected": "rejected", "answer_lost": "unknown"}
OF_ORDERS = ("OrderSubmitted", "OrderFillApplied", "OrderStateChanged", "IntentDenied", "OrderBooked")
EXCERPT_MAX = 400  # events kept for excerpts


class Happened(NamedTuple):
    """One thing that happened. `subject` and `name` are those of an expectation."""

    at_ns: int
    subject: str
    name: str
    values: dict[str, Any]
    by: str
    to: str


class Record:
    """Keeps what a test may ask for, and the newest events of the journal for excerpts."""

    def __init__(self, expectations: Iterable[Expectation]) -> None:
        asked = list(expectations)
        self.messages = {one.name for one in asked if one.subject == "message"}
        self._events = {one.name for one in asked if one.subject == "event"} | set(OF_ORDERS)
        self.quotes: dict[str, tuple[int, int]] = {}  # newest bid and ask in ticks, by symbol
        self.happened: list[Happened] = []
        self.journal: list[tuple[int, str, str, Message]] = []  # (at, cell, name, event)
        self._sequence = 0
        self._submitted: dict[str, OrderSubmitted] = {}

    def _note(
        self, at_ns: int, subject: str, name: str, message: msgspec.Struct, by: str, to: str = ""
    ) -> None:
        self.happened.append(Happened(at_ns, subject, name, msgspec.structs.asdict(message), by, to))

    # -- from the node -------------------------------------------------------------------------------

    def handled(self, at_ns: int, message: Message, by: str, to: str) -> None:
        """An actor takes a message in."""
        if isinstance(message, Quote):
            self.quotes[message.symbol] = (message.bid_ticks, message.ask_ticks)
        name = type(message).__name__
        if name in self.messages:
            self._note(at_ns, "message", name, message, by, to)

    def announced(self, at_ns: int, message: Message) -> None:
        """The node tells everybody something."""
        if isinstance(message, AlertRaised):
            self._note(at_ns, "alert", message.name, message, message.source)
        elif isinstance(message, AlertResolved):
            self._note(at_ns, "resolved", message.name, message, message.source)

    def left(self, at_ns: int, address: str, request: HttpRequest) -> None:
        """A request leaves the node."""
        values: dict[str, Any] = {
            "method": request.method,
            "url": request.url,
            "body": request.body.decode("utf-8", "replace"),
        }
        try:
            values["json"] = json.loads(request.body) if request.body else None
        except ValueError:
            values["json"] = None
        self.happened.append(Happened(at_ns, "request", request.url, values, address, ""))

    def booked(self, at_ns: int, event: Any) -> None:
        """The exchange beyond the line did something."""
        if isinstance(event, SpotHappened):
            event = event.event
        if isinstance(event, OrderBooked):
            self._placed(at_ns, event, "exchange")

    def read(self, store: Store) -> None:
        """Take in what was written to the journal since the last look."""
        for turn in read_turns(store, self._sequence + 1):
            self._sequence = turn.first_sequence + len(turn.entries) - 1
            for entry in turn.entries:
                name = _name_of(entry.event)
                event = decode_message(entry.event)
                self.journal.append((turn.at_ns, entry.cell, name, event))
                if name in self._events:
                    self._event(turn.at_ns, entry.cell, name, event)
        del self.journal[:-EXCERPT_MAX]

    def _event(self, at_ns: int, cell: str, name: str, event: Any) -> None:
        self._note(at_ns, "event", name, event, cell)
        match event:
            case IntentDenied():
                self._note(at_ns, "order", "denied", event, cell)
            case OrderSubmitted():
                self._submitted[event.client_order_id] = event
                self._note(at_ns, "order", "submitted", event, cell)
            case OrderFillApplied() | OrderStateChanged():
                self._of_order(at_ns, cell, event)
            case OrderBooked():
                self._placed(at_ns, event, cell)

    def _of_order(self, at_ns: int, cell: str, event: OrderFillApplied | OrderStateChanged) -> None:
        word = "filled" if isinstance(event, OrderFillApplied) else CHANGES.get(event.event.value)
        if word is not None:
            order = self._submitted.get(event.client_order_id)
            values = msgspec.structs.asdict(order) if order is not None else {}
            values |= msgspec.structs.asdict(event)
            self.happened.append(Happened(at_ns, "order", word, values, cell, ""))

    def _placed(self, at_ns: int, event: OrderBooked, by: str) -> None:
        values = {**msgspec.structs.asdict(event), **msgspec.structs.asdict(event.request)}
        self.happened.append(Happened(at_ns, "order", "placed", values, by, ""))

    # -- questions -----------------------------------------------------------------------------------

    def since(self, mark: int, asked: Expectation) -> Iterator[Happened]:
        """Yield what an expectation may be about since a mark, whatever its values."""
        from fnmatch import fnmatchcase

        form = asked.form
        for one in self.happened[mark:]:
            if one.subject != asked.subject or not fnmatchcase(one.name, asked.name):
                continue
            if form.by and not fnmatchcase(one.by, form.by):
                continue
            if not form.to or fnmatchcase(one.to, form.to):
                yield one


def _name_of(raw: bytes) -> str:
    return str(msgspec.msgpack.decode(raw, type=list[Any])[0])
