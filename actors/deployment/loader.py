"""From files to a checked topology: every fault of every tier at once; later tiers use what is sound."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actors.deployment.accounts import check_accounts
from actors.deployment.alert_policy import check_runbooks
from actors.deployment.catalogs import Catalog, instruments_of, read_catalogs
from actors.deployment.conversion import Converter
from actors.deployment.expansion import Cast, Draft, expand
from actors.deployment.faults import ConfigError, FaultLog
from actors.deployment.fingerprint import content_hash
from actors.deployment.inputs import input_scope, unused_inputs
from actors.deployment.layers import read_layers
from actors.deployment.places import Origin
from actors.deployment.policy import check_catalog, check_mode, check_secrets
from actors.deployment.reads import connect
from actors.deployment.references import Scope, fill_in
from actors.deployment.registry import KINDS, MODES, Kind
from actors.deployment.schema import SECTIONS
from actors.deployment.sections import (
    ClockSection,
    ControlSection,
    JournalSection,
    LoopSection,
    SecretsSection,
)
from actors.deployment.setting_types import written_struct
from actors.deployment.structure import check_structure
from actors.deployment.supervisors import adopt, read_supervisors
from actors.deployment.topology import ActorPlan, Edge, SupervisorPlan, Topology
from actors.deployment.wiring import check_wiring
from actors.deployment.yaml_tree import Map, Scalar
from actors.domain.instrument import Instrument
from actors.domain.place import Place

__all__ = ["Reading", "load", "read"]


def load(
    paths: str | Path | Sequence[str | Path],
    environments: Sequence[str] = (),
    inputs: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    kinds: Mapping[str, Kind] = KINDS,
) -> Topology:
    """Return the deployment that one or more files describe.

    Later files lie over earlier ones. `environments` are names of overlays (`-e night`), `inputs` values for
    the declared inputs, `environment` the variables that `$NAME` may refer to.
    Errors: ConfigError with every fault; warnings alone are kept in the topology.
    """
    reading = read(paths, environments, inputs, environment, kinds=kinds)
    if reading.log.has_errors:
        raise ConfigError(reading.log.sorted())
    return reading.topology()


def read(
    paths: str | Path | Sequence[str | Path],
    environments: Sequence[str] = (),
    inputs: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    kinds: Mapping[str, Kind] = KINDS,
) -> Reading:
    """Read and check as `load` does, but keep what was read beside the faults in its log.

    Errors: ConfigError only when the files could not even be read as one tree.
    """
    names = [str(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    log = FaultLog()
    root, files = read_layers(names, environments, log)
    if root is None:
        raise ConfigError(log.sorted())
    reading = Reading(root, files, log, kinds)
    reading.check(inputs or {}, environment or {})
    return reading


class Reading:
    """A deployment while it is checked. What is None was faulty, and told."""

    def __init__(self, root: Map, files: tuple[str, ...], log: FaultLog, kinds: Mapping[str, Kind]) -> None:
        self.raw = root
        self.files = files
        self.log = log
        self.kinds = kinds
        self.root = Map(root.span)
        self.cast = Cast([], Map(root.span), set())
        self.edges: list[Edge] = []
        self.sections: dict[str, Any] = {}
        self.section_origins: dict[str, Mapping[str, Origin]] = {}
        self.supervisors: dict[str, SupervisorPlan] = {}
        self.chosen: dict[str, str] = {}
        self.catalogs: tuple[Catalog, ...] | None = None
        self.instruments: dict[str, Instrument] | None = None

    def check(self, inputs: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """Run every tier."""
        log = self.log
        scope = input_scope(self.raw, inputs, environment, log)
        self._fill_in(scope)
        check_structure(self.root, log)
        self._read_sections()
        self.catalogs = read_catalogs(self.root, os.path.dirname(self.files[0]), log)
        self.instruments = None if self.catalogs is None else instruments_of(self.catalogs)
        self.supervisors = read_supervisors(self.root.get("supervisors"), log)
        self.edges = connect(self.cast, log)
        self.chosen = adopt(self.cast.drafts, self.supervisors, self.root.get("supervisors"), log)
        check_wiring(self.cast, self.edges, self.instruments, log)
        check_accounts(self.cast.drafts, log)
        mode = self.root.get("mode")
        if isinstance(mode, Scalar) and mode.value in MODES:
            found = self.sections
            sections = (found.get("journal"), found.get("control"), found.get("clock"), found.get("secrets"))
            check_mode(self.root, mode.text, sections, self.cast.drafts, self.supervisors, self.chosen, log)
            check_catalog(mode.text, self.cast.drafts, self.instruments or {}, log)
        check_secrets(self.root, self.cast.drafts, log)
        check_runbooks(self.cast.drafts, os.path.dirname(self.files[0]), log)
        unused_inputs(self.raw, scope)

    def _fill_in(self, scope: Scope) -> None:
        for name, node in self.raw.values.items():
            key = self.raw.keys[name]
            if name == "actors" and isinstance(node, Map):
                self.cast = expand(node, scope, self.kinds)
                self.root.put(key, self.cast.entries)
            elif name == "inputs" or name.startswith("x-"):
                self.root.put(key, node)
            else:
                self.root.put(key, fill_in(node, scope))

    def _read_sections(self) -> None:
        for name, section in SECTIONS.items():
            node = self.root.get(name)
            if node is None and name == "journal":
                continue  # the structure tier misses it
            if node is None:
                self.sections[name] = section()
            elif isinstance(node, Map):
                at = self.root.keys[name].span
                converter = Converter(self.log, name)
                self.sections[name] = converter.settings(section, node, missing_at=at)
                self.section_origins[name] = converter.origins

    # -- the result: only when nothing is wrong -------------------------------------------------------

    def topology(self) -> Topology:
        """Return what was read."""
        journal: JournalSection = self.sections["journal"]
        control: ControlSection = self.sections["control"]
        loop: LoopSection = self.sections["loop"]
        clock: ClockSection = self.sections["clock"]
        secrets: SecretsSection = self.sections["secrets"]
        journal_path = Path(self._folder_of("journal", "path"), journal.path).absolute()
        actors = tuple(self._plan(draft, loop) for draft in self.cast.drafts)
        supervisors = tuple(self.supervisors.values())
        name, mode, seed = self._text("deployment"), self._text("mode"), self._seed()
        fixed = (name, mode, seed, written_struct(clock), written_struct(loop), journal.durability)
        return Topology(
            deployment=name,
            mode=mode,
            seed=seed,
            files=self.files,
            directory=self._directory(),
            journal=journal,
            journal_path=Path(os.path.normpath(journal_path)),
            socket_path=Path(os.path.normpath(journal_path / control.socket)),
            anchors_path=self._anchors_path(journal),
            loop=loop,
            control=control,
            clock=clock,
            secrets=secrets,
            dead_man=self.sections["dead_man"],
            watch=self.sections["watch"],
            section_origins={"": self._places_at_the_top(), **self.section_origins},
            slo=self.sections["slo"],
            canary=self.sections["canary"],
            monitoring=self.sections["monitoring"],
            apply=self.sections["apply"],
            instruments=self.instruments or {},
            catalogs=self.catalogs or (),
            supervisors=supervisors,
            actors=actors,
            edges=tuple(self.edges),
            content_hash=content_hash(fixed, supervisors, actors, self.instruments or {}),
            warnings=self.log.sorted(),
        )

    def _places_at_the_top(self) -> dict[str, Origin]:
        keys = ("deployment", "mode", "seed", "catalog")
        return {name: self.root.values[name].span.origin for name in keys if name in self.root.values}

    def _plan(self, draft: Draft, loop: LoopSection) -> ActorPlan:
        kind, section, settings = draft.kind, draft.section, draft.settings
        if kind is None or section is None or settings is None:
            raise AssertionError(draft.address)
        place = Place(
            deployment=self._text("deployment"),
            address=draft.address,
            mode=self._text("mode"),
            seed=self._seed(),
            variables=draft.variables,
            instruments=self.instruments or {},
            directory=str(self._directory()),
        )
        return ActorPlan(
            address=draft.address,
            name=draft.name,
            kind=kind.name,
            behaviour=kind.behaviour,
            settings=settings,
            place=place,
            reads=tuple(draft.sources),
            supervisor=self.chosen[draft.address],
            restart=section.restart,
            mailbox_capacity=section.mailbox_capacity or loop.mailbox_capacity,
            stop_timeout_ns=section.stop_timeout,
            origin=draft.key.span.origin,
            origins=draft.origins,
        )

    def _text(self, name: str) -> str:
        node = self.root.values[name]
        return node.text if isinstance(node, Scalar) else ""

    def _seed(self) -> int:
        node = self.root.get("seed")
        return node.value if isinstance(node, Scalar) and isinstance(node.value, int) else 0

    def _directory(self) -> Path:
        return Path(os.path.dirname(self.files[0]) or ".").absolute()

    def _anchors_path(self, journal: JournalSection) -> Path | None:
        if not journal.anchors:
            return None
        found = Path(self._folder_of("journal", "anchors"), journal.anchors).absolute()
        return Path(os.path.normpath(found))

    def _folder_of(self, section: str, name: str) -> str:
        """Return the folder of the file that says a value."""
        node = self.root.values[section]
        return node.values[name].span.source.directory if isinstance(node, Map) else "."
