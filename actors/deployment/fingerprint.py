"""What tells two deployments apart: a hash of everything that decides what they do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actors.deployment.setting_types import written_struct
from actors.deployment.topology import ActorPlan, SupervisorPlan
from actors.domain.instrument import Instrument

__all__ = ["content_hash"]


def content_hash(
    fixed: tuple[Any, ...],
    supervisors: Sequence[SupervisorPlan],
    actors: Sequence[ActorPlan],
    instruments: Mapping[str, Instrument],
) -> str:
    """Return a SHA-256 that stays the same however, and in which files, the same deployment is written."""
    tree = [
        {"name": plan.name, "parent": plan.parent, "strategy": plan.strategy, "exhausted": plan.exhausted}
        | {"limits": [plan.intensity, plan.period_ns, plan.backoff_ns_min, plan.backoff_ns_max]}
        for plan in supervisors
    ]
    shared = {id(plan.settings): plan.settings for plan in actors}
    settings = {number: written_struct(one) for number, one in shared.items()}
    plans = [
        {"address": plan.address, "behaviour": plan.behaviour, "settings": settings[id(plan.settings)]}
        | {"reads": plan.reads, "supervisor": plan.supervisor, "restart": plan.restart}
        | {"limits": [plan.mailbox_capacity, plan.stop_timeout_ns]}
        for plan in actors
    ]
    markets = [_market(instrument) for instrument in instruments.values()]
    content = msgspec.json.encode([fixed, tree, plans, markets], order="sorted")
    return hashlib.sha256(content).hexdigest()


def _market(instrument: Instrument) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(instrument, order="sorted")
    return found
