"""A deployment as its journal's folder knows it: what a copy of that folder needs on another machine.

The newest generation says who was there with which settings; its markets lie beside it. Where files were, and
which secrets opened what, is of no use elsewhere: paths in settings begin in the folder, and nothing is asked
of any store.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from actors.deployment.conversion import Converter
from actors.deployment.faults import ConfigError, FaultLog
from actors.deployment.generations import Generations
from actors.deployment.places import Origin, SourceFile, Span
from actors.deployment.resolved import from_resolved, markets_hash, node_of
from actors.deployment.schema import SECTIONS
from actors.deployment.topology import ActorPlan, Topology
from actors.deployment.yaml_tree import Map
from actors.domain.instrument import Instrument
from actors.domain.place import Place
from actors.runtime.settings import Settings

__all__ = ["NotStored", "keep_markets", "stored_topology"]


class NotStored(Exception):
    """A folder does not say what its deployment was."""


def keep_markets(generations: Generations, topology: Topology) -> None:
    """Lay the markets of a topology beside its generations, once. Errors: OSError."""
    found = markets_hash(topology.instruments)
    if generations.markets(found) is None:
        generations.keep_markets(found, msgspec.json.encode(topology.instruments))  # their order tells too


def stored_topology(folder: Path) -> Topology:
    """Return what the newest generation in a journal's folder says. Errors: NotStored."""
    generations = Generations(folder)
    try:
        current = generations.current()
        if current is None:
            raise NotStored(f"{folder} has no generations")
        document = current.document
        raw = generations.markets(document["markets_hash"])
        if raw is None:
            raise NotStored(f"{folder} does not say what a tick or a contract is worth")
        instruments = msgspec.json.decode(raw, type=dict[str, Instrument])
        found = from_resolved(document, _frame(folder, document, instruments))
        return replace(found, content_hash=document["content_hash"])  # masked settings have another
    except (ValueError, KeyError, msgspec.MsgspecError, ConfigError) as error:
        raise NotStored(f"the newest generation in {folder} does not fit this release: {error}") from error


def _frame(folder: Path, document: dict[str, Any], instruments: dict[str, Instrument]) -> Topology:
    """Return everything of a topology but its actors, as `from_resolved` takes it."""
    sections = {name: _section(name, kind, document) for name, kind in SECTIONS.items()}
    place = Place(
        document["deployment"],
        "",
        document["mode"],
        document["seed"],
        instruments=instruments,
        directory=str(folder),
    )
    nobody: Any = ActorPlan("", "", "", "", None, place, (), "", "", 0, 0, Origin("", 0, 0))  # type: ignore[arg-type]
    return Topology(
        deployment=document["deployment"],
        mode=document["mode"],
        seed=document["seed"],
        files=tuple(document["files"]),
        directory=folder,
        journal_path=folder,
        socket_path=folder / "control.sock",
        anchors_path=None,
        instruments=instruments,
        catalogs=(),
        supervisors=(),
        actors=(nobody,),
        edges=(),
        content_hash=document["content_hash"],
        **sections,
    )


def _section(name: str, kind: type[Settings], document: dict[str, Any]) -> Any:
    written = dict(document["sections"].get(name, {}))
    if name == "secrets":
        written["defaults"] = {}  # a generation keeps the references alone
    log, span = FaultLog(), Span(SourceFile("generation", ()), 1, 1)
    node = node_of(written, span)
    found = Converter(log, name).settings(kind, node, missing_at=span) if isinstance(node, Map) else None
    if found is None:
        raise ConfigError(log.sorted())
    return found
