"""From entries under `actors` to single actors: `for_each`, addresses, kinds and settings."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from actors.deployment.conversion import Converter
from actors.deployment.faults import FaultLog, did_you_mean, nearest
from actors.deployment.places import Origin, Span
from actors.deployment.references import ANY_NAME, Scope, fill_in
from actors.deployment.registry import Kind
from actors.deployment.schema import VALUE_PATTERN
from actors.deployment.sections import ActorSection
from actors.deployment.yaml_tree import List, Map, Node, Scalar
from actors.runtime.settings import Settings

__all__ = ["Cast", "Draft", "expand"]

VALUE = re.compile(VALUE_PATTERN)

ACTORS_MAX = 20_000  # of one deployment; a product of lists reaches it quickly


@dataclass(slots=True, eq=False)
class Draft:
    """One actor on its way into a topology. What is None was faulty, and told."""

    address: str
    name: str
    key: Scalar  # its name under `actors`
    entry: Map
    variables: dict[str, str]
    places: dict[str, Span]  # of the variables' values
    kind: Kind | None = None
    section: ActorSection | None = None
    settings: Settings | None = None
    origins: dict[str, Origin] = field(default_factory=dict)
    sources: dict[str, Span] = field(default_factory=dict)  # what it reads, and where that is said
    misread: bool = False  # some of its `reads` are faulty

    @property
    def family(self) -> str:
        """The kind's first word: `strategy` for `strategy.pulse`; empty when the kind is unknown."""
        return self.kind.name.partition(".")[0] if self.kind else ""


@dataclass(slots=True)
class Cast:
    """All actors of a deployment."""

    drafts: list[Draft]
    entries: Map  # with their `$names` filled in, as for the first of each
    unsure: set[str]  # names that stand for actors nobody can tell the addresses of


def expand(actors: Map, scope: Scope, kinds: Mapping[str, Kind]) -> Cast:
    """Return every actor that the entries stand for."""
    cast = Cast([], Map(actors.span), set())
    for name, entry in actors.values.items():
        key = actors.keys[name]
        if isinstance(entry, Scalar) and entry.value is None:
            scope.log.add("E103", key.span, f"actor {name!r} has no kind", "every actor has a 'kind'")
            entry = Map(key.span)
        if not isinstance(entry, Map) or not entry.values:
            cast.entries.put(key, entry)
            cast.unsure.add(name)
            continue
        _check_for_each(key, entry, scope.log, kinds)
        for draft in _members(key, entry, scope, cast.unsure):
            if len(cast.drafts) >= ACTORS_MAX:
                scope.log.add("E112", key.span, f"the deployment has more than {ACTORS_MAX} actors")
                return cast
            if "kind" not in entry.values:
                _ask_for_namesake(key, actors, scope.log)
            if name not in cast.entries.values:
                cast.entries.put(key, draft.entry)
            _understand(draft, scope.log, kinds)
            if name not in cast.unsure:
                cast.drafts.append(draft)
    return cast


def _ask_for_namesake(key: Scalar, actors: Map, log: FaultLog) -> None:
    """Note that an entry has no kind where it was most likely meant for an actor of another name."""
    others = {name: one.span for name, one in actors.keys.items() if name != key.text}
    if nearest(key.text, others):
        help = did_you_mean(key.text, others, key.span.source.name)
        log.add("E103", key.span, f"actor {key.text!r}: 'kind' is missing", help)


def _check_for_each(key: Scalar, entry: Map, log: FaultLog, kinds: Mapping[str, Kind]) -> None:
    """Note a `for_each` that is one reference: the variables stand in the file, only their values come in."""
    declared, kind = entry.get("for_each"), entry.get("kind")
    if not isinstance(declared, Scalar) or "$" not in declared.text:
        return  # the structure tier judges all that is no reference
    known = kinds.get(kind.text) if isinstance(kind, Scalar) else None
    variable = known.variables[0] if known is not None and known.variables else "symbol"
    message = f"actor {key.text!r}: 'for_each' must be a map, not the text {declared.text!r}"
    value = f'"{declared.text}"' if "{" in declared.text else declared.text
    log.add("E102", declared.span, message, f"write 'for_each: {{{variable}: {value}}}'")


def _members(key: Scalar, entry: Map, scope: Scope, unsure: set[str]) -> Iterator[Draft]:
    """Yield one draft for each combination of the entry's variables."""
    variables, faulty = _variables(entry, scope)
    if faulty:
        unsure.add(key.text)
    for combination in itertools.product(*variables.values()):
        values: dict[str, Scalar] = dict(zip(variables, combination, strict=True))
        filled = fill_in(entry, scope.inner(values, unknown=faulty))
        if isinstance(filled, Map):
            texts = {name: value.text for name, value in values.items()}
            address = "/".join((key.text, *texts.values()))
            places = {name: value.span for name, value in values.items()}
            yield Draft(address, key.text, key, filled, texts, places)


def _variables(entry: Map, scope: Scope) -> tuple[dict[str, list[Scalar]], set[str]]:
    """Return the values of every variable, and the names of variables that are faulty."""
    declared = entry.get("for_each")
    found: dict[str, list[Scalar]] = {}
    if declared is not None and not isinstance(declared, Map):
        return {}, {ANY_NAME}
    faulty: set[str] = set()
    for key, node in declared.items() if declared is not None else ():
        name = key.text
        if name in scope.values:
            place = scope.values[name].span.seen_from(key.span.source.name)
            message = f"the variable {name!r} hides the input of that name"
            scope.log.add("E116", key.span, message, f"the input has its value from {place}")
        values = _texts(fill_in(node, scope))
        if values:
            found[name] = values
        else:
            faulty.add(name)  # the structure tier says why, if it is not told yet
    return found, faulty


def _texts(node: Node) -> list[Scalar]:
    """Return the different values of a variable; none when one of them cannot be one."""
    items = node.items if isinstance(node, List) else []
    texts = [item for item in items if isinstance(item, Scalar) and isinstance(item.value, str)]
    if len(texts) < len(items) or not all(VALUE.fullmatch(item.text) for item in texts):
        return []
    return list({item.text: item for item in texts}.values())


def _understand(draft: Draft, log: FaultLog, kinds: Mapping[str, Kind]) -> None:
    """Find the kind and convert what is said about the actor."""
    entry, about = draft.entry, f"actor {draft.name!r}"
    converter = Converter(log, about)
    draft.section = converter.settings(ActorSection, entry, missing_at=draft.key.span, ignore=entry.keys)
    kind = entry.get("kind")
    if isinstance(kind, Scalar) and isinstance(kind.value, str) and not kind.faulty:
        draft.kind = kinds.get(kind.value)
        if draft.kind is None:
            help = did_you_mean(kind.value, kinds) or "`polytrade explain` lists the kinds"
            log.add("E110", kind.span, f"there is no kind {kind.value!r}", help)
    if draft.kind is not None:
        _read_settings(draft, draft.kind, converter)
        _check_variables(draft, draft.kind, log)
    draft.origins = converter.origins
    reads = entry.get("reads")
    if reads is not None:
        draft.origins["reads"] = reads.span.origin


def _read_settings(draft: Draft, kind: Kind, converter: Converter) -> None:
    node = draft.entry.get("settings")
    span = draft.key.span if node is None else draft.entry.keys["settings"].span
    if node is None or isinstance(node, Map):
        settings = node if isinstance(node, Map) else Map(span)
        draft.settings = converter.settings(kind.settings_class, settings, path="settings.", missing_at=span)


def _check_variables(draft: Draft, kind: Kind, log: FaultLog) -> None:
    declared = draft.entry.get("for_each")
    if declared is not None and not isinstance(declared, Map):
        return
    known = declared.values if declared is not None else {}
    span = draft.entry.keys["for_each"].span if declared is not None else draft.key.span
    missing = [name for name in kind.variables if name not in known]
    if missing:
        message = f"actor {draft.name!r}: a {kind.name} is made for each {missing[0]}"
        log.add("E214", span, message, f"write 'for_each: {{{missing[0]}: [...]}}'")
