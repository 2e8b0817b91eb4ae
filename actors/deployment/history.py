"""A deployment over recorded history: the file as it is, but for the far side and the clock.

What a paper or live deployment says about strategies, risk, OMS, ledger and reconciler stays. Replaced are
the feeds (by `feed.replay`, one file per symbol), a real venue (by `venue.simulated` and an exchange), the
clock (by a virtual one), the mode, and what `--set` overrides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from actors.backtest.wish import MarketFiles, Wish
from actors.deployment.faults import ConfigError, FaultLog
from actors.deployment.layers import read_layers
from actors.deployment.loader import Reading
from actors.deployment.registry import KINDS
from actors.deployment.topology import ActorPlan, Topology
from actors.deployment.yaml_source import parse_text
from actors.deployment.yaml_tree import List, Map, Node, Scalar
from actors.feed.settings import ReplaySettings

__all__ = ["load_history"]

REPLAY = "feed.replay"
ALERTER = "alerter"
OUTWARD = ("routes", "escalation", "escalation_repeat")  # of an alerter: the past wakes nobody
WATCHERS = ("catalog", "secrets", "parity")  # kinds that ask others about today: history has nobody to ask
DEPOSIT_USDT = "10000"  # of an exchange that no file speaks of, for a ledger that would ask the venue
COMMAND_LINE = "command line"
MILLISECOND_NS = 1_000_000
DECIDED_LATER = "decided-by-symbol"  # stands for the path of a feed until its symbols are known


def load_history(
    paths: Sequence[str | Path],
    environments: Sequence[str],
    inputs: Mapping[str, str],
    environment: Mapping[str, str],
    wish: Wish,
) -> Topology:
    """Return the deployment as a backtest. Errors: ConfigError with every fault."""
    log = FaultLog()
    root, files = read_layers([str(path) for path in paths], environments, log)
    if root is None:
        raise ConfigError(log.sorted())
    _rewrite(root, wish, log)
    reading = Reading(root, files, log, KINDS)
    reading.check(inputs, environment)
    if log.has_errors:
        raise ConfigError(log.sorted())
    topology = reading.topology()
    plans = tuple(_with_files(plan, wish, topology) for plan in topology.actors)
    return replace(topology, actors=plans)


# -- the tree, before it is checked ------------------------------------------------------------------------


def _rewrite(root: Map, wish: Wish, log: FaultLog) -> None:
    _put(root, "mode", "mode: backtest", log)
    _put(root, "clock", f"clock: {{kind: virtual, start: {_text(wish.from_ns)}}}", log)
    _put(root, "control", "control: {http: {enabled: false}}", log)
    if wish.seed >= 0:
        _put(root, "seed", f"seed: {wish.seed}", log)
    actors = root.get("actors")
    if not isinstance(actors, Map):
        return
    _drop_watchers(actors)
    has_exchange = any(_kind(entry) == "exchange" for entry in actors.values.values())
    lines = [name for name, entry in actors.values.items() if _kind(entry).startswith(("feed.", "venue."))]
    for entry in list(actors.values.values()):
        if isinstance(entry, Map):
            _rewrite_actor(entry, lines, wish, log)
    venues = [name for name, entry in actors.values.items() if _kind(entry).startswith("venue.")]
    if not has_exchange and venues:
        _add_exchange(actors, venues, log)
    for name, value in wish.overrides.items():
        _override(actors, name, value, log)


def _drop_watchers(actors: Map) -> None:
    """Leave out who watches a venue, and what others read of it."""
    gone = [name for name, entry in actors.values.items() if _kind(entry) in WATCHERS]
    for name in gone:
        del actors.values[name], actors.keys[name]
    for entry in actors.values.values():
        _drop_reads(entry, gone)


def _drop_reads(entry: Node, names: Sequence[str]) -> None:
    reads = entry.get("reads") if isinstance(entry, Map) else None
    if isinstance(reads, List):
        reads.items[:] = [item for item in reads.items if not _names(item, names)]


def _names(item: Node, names: Sequence[str]) -> bool:
    return isinstance(item, Scalar) and item.text.partition("/")[0] in names


def _rewrite_actor(entry: Map, lines: Sequence[str], wish: Wish, log: FaultLog) -> None:
    """Put a feed or a venue of history in an entry's place; `lines` are all that speak to a venue."""
    kind = _kind(entry)
    settings = entry.get("settings")
    if kind == ALERTER and isinstance(settings, Map):
        for name in OUTWARD:
            settings.values.pop(name, None)
            settings.keys.pop(name, None)
    if kind.startswith(("feed.", "venue.")):
        _drop_reads(entry, lines)
    if kind.startswith("feed.") and (kind != REPLAY or wish.files):
        _put(entry, "kind", f"kind: {REPLAY}", log)
        said = {"path": DECIDED_LATER, **wish.feed} if wish.files else dict(wish.feed)
        _put(entry, "settings", _settings_text(said), log)
    elif kind.startswith("venue.") and kind != "venue.simulated":
        _put(entry, "kind", "kind: venue.simulated", log)
        entry.values.pop("settings", None)
        entry.keys.pop("settings", None)
        reads = entry.get("reads")
        if isinstance(reads, List):
            reads.items.append(_parsed("exchange", log))


def _add_exchange(actors: Map, venues: list[str], log: FaultLog) -> None:
    """A deployment for a real venue has no far side of its own."""
    feeds = [name for name, entry in actors.values.items() if _kind(entry) == REPLAY]
    reads = ", ".join(f'"{name}/*"' for name in (*venues, *feeds))
    _put(actors, "exchange", f"exchange: {{kind: exchange, reads: [{reads}]}}", log)
    for entry in actors.values.values():
        settings = entry.get("settings") if isinstance(entry, Map) and _kind(entry) == "ledger" else None
        initial = settings.get("initial_usdt") if isinstance(settings, Map) else None
        if isinstance(settings, Map) and isinstance(initial, Scalar) and initial.text == "0":
            _put(settings, "initial_usdt", f'initial_usdt: "{DEPOSIT_USDT}"', log)


def _override(actors: Map, name: str, value: str, log: FaultLog) -> None:
    """Set `actor.setting`, or one within a setting: `actor.protect.stop`; what else is set there stays."""
    actor, *path = name.split(".")
    entry = actors.get(actor)
    steps = ["settings", *(path or [""])]
    lines = [f"{'  ' * depth}{step}:" for depth, step in enumerate((actor, *steps))]
    node = parse_text("\n".join(lines) + f" {value}\n", f"--set {name}={value}", log)
    if not isinstance(node, Map):
        return
    key = node.keys[actor]
    if not isinstance(entry, Map):
        known = ", ".join(actors.values)
        log.add("E201", key.span, f"--set {name}: there is no actor {actor!r}", f"there are {known}")
        return
    said, own = node.values[actor], entry
    for step in steps[:-1]:
        if not isinstance(said, Map) or step not in said.values:
            return
        key, said, below = said.keys[step], said.values[step], own.get(step)
        if not isinstance(below, Map):
            below = Map(key.span)
            own.put(Scalar(key.span, step, step), below)
        own = below
    if isinstance(said, Map) and steps[-1] in said.values:
        own.put(said.keys[steps[-1]], _quoted(said.values[steps[-1]]))


def _quoted(node: Node) -> Node:
    """A fraction is said as text in a file; nobody shall have to think of it on a command line."""
    if isinstance(node, Scalar) and isinstance(node.value, float):
        return Scalar(node.span, node.text, node.text, quoted=True)
    return node


def _put(target: Map, name: str, text: str, log: FaultLog) -> None:
    """Set a key to what YAML text says, with the place of what stood there before."""
    node = parse_text(text, COMMAND_LINE, log)
    if isinstance(node, Map):
        target.put(target.keys.get(name, node.keys[name]), node.values[name])


def _parsed(text: str, log: FaultLog) -> Node:
    node = parse_text(f"x: {text}", COMMAND_LINE, log)
    if not isinstance(node, Map):
        raise ConfigError(log.sorted())
    return node.values["x"]


def _kind(entry: Node) -> str:
    kind = entry.get("kind") if isinstance(entry, Map) else None
    return kind.text if isinstance(kind, Scalar) else ""


def _settings_text(said: Mapping[str, str]) -> str:
    lines = [f"  {name}: {msgspec.json.encode(value).decode()}" for name, value in said.items()]
    return "\n".join(["settings:", *lines]) if lines else "settings: {}"


def _text(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- the plans, after --------------------------------------------------------------------------------------


def _with_files(plan: ActorPlan, wish: Wish, topology: Topology) -> ActorPlan:
    if plan.kind != REPLAY or not isinstance(plan.settings, ReplaySettings):
        return plan
    settings = plan.settings
    if wish.to_ns:  # what comes after the period nobody may see
        settings = msgspec.structs.replace(settings, ends_at_ms=wish.to_ns // MILLISECOND_NS)
    if not wish.files:
        return replace(plan, settings=settings)
    files = wish.files.get(plan.place.symbol, MarketFiles(""))
    # Whoever has a book before the first change means changes, also where they look like trades.
    content = "depth" if files.book and settings.content == "auto" else settings.content
    settings = msgspec.structs.replace(
        settings,
        path=_absolute(files.market),
        funding_path=_absolute(files.funding),
        mark_path=_absolute(files.mark),
        trades_path=_absolute(files.trades),
        book_path=_absolute(files.book),
        content=content,
    )
    return replace(plan, settings=settings)


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""
