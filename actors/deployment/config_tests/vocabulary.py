"""Which messages and events a test can name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from actors.deployment.config_tests.notation import written_field
from actors.deployment.registry import KINDS
from actors.deployment.setting_types import SettingField, fields_of
from actors.exchange.events import OrderBooked
from actors.messages.venue import PlaceOrder
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.risk.events import IntentDenied
from actors.risk.state import HaltRecord
from actors.runtime.messages import AlertRaised, AlertResolved, Message

__all__ = ["ORDER_FACTS", "event_types", "fields_named", "message_types", "written_fields"]

# Of every node: what it tells and records itself.
OF_THE_NODE = ("ActorFailed", "ActorRestarted", "ActorStopped", "SupervisorExhausted")
SUBMITTED = (
    "intent_id",
    "strategy",
    "symbol",
    "side",
    "contracts",
    "order_type",
    "limit_ticks",
    "reduce_only",
)

# What `order: ...` is about -> the classes whose fields it has, the first of them in order.
ORDER_FACTS: dict[str, tuple[tuple[type[msgspec.Struct], tuple[str, ...]], ...]] = {
    "denied": ((IntentDenied, ()),),
    "submitted": ((OrderSubmitted, ()),),
    "placed": ((PlaceOrder, ()), (OrderBooked, ("number", "reason", "at_ns"))),
    "filled": ((OrderFillApplied, ()), (OrderSubmitted, ("intent_id", "strategy", "side", "reduce_only"))),
    **dict.fromkeys(
        ("accepted", "canceled", "rejected", "unknown"),
        (
            (OrderStateChanged, ("client_order_id", "venue_order_id", "reason", "at_ns")),
            (OrderSubmitted, SUBMITTED),
        ),
    ),
}
PLAIN_CLASSES: dict[str, type[msgspec.Struct]] = {
    "alert": AlertRaised,
    "resolved": AlertResolved,
    "halt": HaltRecord,
}


@cache
def message_types() -> dict[str, type[Message]]:
    """Return every message that crosses from one actor to another, by name."""
    found: dict[str, type[Message]] = {}
    for kind in KINDS.values():
        behaviour = kind.behaviour_class
        for message in (*behaviour.ACCEPTS, *behaviour.EMITS, *behaviour.REPLIES):
            if message.__module__.startswith(("actors.messages.", "actors.runtime.messages")):
                found[message.__name__] = message
    return dict(sorted(found.items()))


@cache
def event_types() -> dict[str, type[Message]]:
    """Return every event that actors write to the journal, by name."""
    from actors.runtime import messages

    found = {one.__name__: one for kind in KINDS.values() for one in kind.behaviour_class.EVENTS}
    found |= {name: getattr(messages, name) for name in OF_THE_NODE}
    return dict(sorted(found.items()))


def written_fields(kind: type[msgspec.Struct], only: Iterable[str] = ()) -> dict[str, SettingField]:
    """Return the fields of a class, with the notation their names ask for."""
    names = set(only)
    return {
        name: written_field(name, one) for name, one in fields_of(kind).items() if not names or name in names
    }


def fields_named(subject: str, name: str) -> Mapping[str, SettingField]:
    """Return what `where` can ask of a subject; empty for those that are seen only when the test runs."""
    if subject == "order":
        parts: Any = reversed(ORDER_FACTS[name])
        return {field: one for kind, only in parts for field, one in written_fields(kind, only).items()}
    if subject in ("message", "event"):
        types = message_types() if subject == "message" else event_types()
        return written_fields(types[name])
    if subject in PLAIN_CLASSES:
        return written_fields(PLAIN_CLASSES[subject])
    return {}
