"""The checked result of reading a deployment: everything a node is made of, with nothing left to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from actors.deployment.canary.settings import CanarySection
from actors.deployment.catalogs import Catalog
from actors.deployment.change_sections import ApplySection
from actors.deployment.faults import Fault
from actors.deployment.objectives import MonitoringSection, SloSection
from actors.deployment.places import Origin
from actors.deployment.sections import (
    ClockSection,
    ControlSection,
    DeadManSection,
    JournalSection,
    LoopSection,
    SecretsSection,
    WatchSection,
)
from actors.domain.instrument import Instrument
from actors.domain.place import Place
from actors.runtime.behaviour import Behaviour
from actors.runtime.settings import Settings

__all__ = ["ActorPlan", "Edge", "Origin", "SupervisorPlan", "Topology"]


NO_SECRETS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class SupervisorPlan:
    """One supervisor. The root has no parent."""

    name: str
    parent: str | None
    strategy: str  # one_for_one | one_for_all | rest_for_one
    intensity: int
    period_ns: int
    exhausted: str  # continue | reduce_only | cancel_all | flatten | stop
    backoff_ns_min: int
    backoff_ns_max: int
    origin: Origin | None = None  # None: the root nobody declared
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)  # as those of an actor


@dataclass(frozen=True, slots=True)
class Edge:
    """Messages that flow from one actor to another."""

    source: str
    reader: str
    messages: tuple[str, ...]  # names of the types that the one sends and the other accepts


@dataclass(frozen=True, slots=True)
class ActorPlan:
    """One actor, ready to be made."""

    address: str  # `trend/BTC_USDT_PERP`; the name alone for an actor without `for_each`
    name: str  # the key under `actors`
    kind: str
    behaviour: str  # "module:Class"
    settings: Settings
    place: Place
    reads: tuple[str, ...]  # addresses, patterns resolved, in the order of declaration
    supervisor: str
    restart: str  # permanent | transient | temporary
    mailbox_capacity: int
    stop_timeout_ns: int
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)  # "settings.fast" -> place; not for defaults

    def behaviour_class(self) -> type[Behaviour]:
        """Return the class behind `behaviour`, imported now if it was not yet."""
        module, _, name = self.behaviour.partition(":")
        found: type[Behaviour] = getattr(import_module(module), name)
        return found

    def make(self, secrets: Mapping[str, str] = NO_SECRETS) -> Behaviour:
        """Return a new behaviour, as for a start or a restart. `secrets`: values by reference."""
        make = self.behaviour_class()
        place = replace(self.place, secrets=secrets) if secrets else self.place
        return make(self.settings, place)  # type: ignore[call-arg]


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole deployment. Actors and supervisors are in the order in which they were declared."""

    deployment: str
    mode: str  # backtest | simulation | paper | shadow | live
    seed: int
    files: tuple[str, ...]  # every file that was read, the first one first
    directory: Path  # of the first file; relative paths in settings start here
    journal: JournalSection
    journal_path: Path
    socket_path: Path
    anchors_path: Path | None
    loop: LoopSection
    control: ControlSection
    clock: ClockSection
    secrets: SecretsSection
    dead_man: DeadManSection
    instruments: Mapping[str, Instrument]
    catalogs: tuple[Catalog, ...]  # the markets files they are from
    supervisors: tuple[SupervisorPlan, ...]
    actors: tuple[ActorPlan, ...]
    edges: tuple[Edge, ...]
    content_hash: str  # SHA-256 of everything that decides what the deployment does
    warnings: tuple[Fault, ...] = ()
    watch: WatchSection = field(default_factory=WatchSection)
    # Section -> dotted path -> place; under "" those of keys at the top. Not for defaults.
    section_origins: Mapping[str, Mapping[str, Origin]] = field(default_factory=dict, compare=False)
    slo: SloSection = field(default_factory=SloSection)
    monitoring: MonitoringSection = field(default_factory=MonitoringSection)
    apply: ApplySection = field(default_factory=ApplySection)
    canary: CanarySection = field(default_factory=CanarySection)

    def actor(self, address: str) -> ActorPlan:
        """Return one actor. Errors: KeyError."""
        for plan in self.actors:
            if plan.address == address:
                return plan
        raise KeyError(address)

    @property
    def root(self) -> SupervisorPlan:
        """The one supervisor without a parent."""
        return next(plan for plan in self.supervisors if plan.parent is None)

    @property
    def clock_start_ns(self) -> int | None:
        """Where a virtual clock begins, in UTC nanoseconds; None when nothing is said."""
        return instant_ns(self.clock.start) if self.clock.start else None


def instant_ns(text: str) -> int:
    """Return an instant as UTC nanoseconds. Errors: ValueError."""
    from datetime import UTC, datetime

    whole, _, fraction = text.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + int(fraction[:9].ljust(9, "0") or 0)
