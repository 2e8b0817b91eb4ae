"""`polytrade state`: what an actor knew at any moment, rebuilt from the journal; nothing is written."""

from __future__ import annotations

import json
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.journal import open_reader
from actors.cli.moments import NOW, last_sequence
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import instant, shown_field
from actors.cli.targets import deployment_options, find_target, split_words, topology_of

__all__ = ["rebuilt", "replayed", "state"]


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] ACTOR")
@click.option("--at", "moment", default=NOW, show_default=True, metavar="SEQUENCE|TIME|now", help="When.")
@click.option(
    "--tape", "is_taped", is_flag=True, help="Play the node's tape, for any actor whatever it keeps."
)
@deployment_options
@json_option
def state(
    words: tuple[str, ...],
    moment: str,
    is_taped: bool,
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Rebuild an actor's state as it was after an event or at an instant, and print it."""
    file, (actor,) = split_words(words, "ACTOR")
    target = find_target(file, environments, inputs)
    topology = topology_of(target, environments, inputs)
    known = [plan.address for plan in topology.actors]
    if actor not in known:
        remedy = f"there are {', '.join(known)}"
        raise Problem(ExitCode.NOT_FOUND, f"there is no actor {actor!r} in {target.name}", remedy)
    with open_reader(target) as reader:
        sequence = last_sequence(reader, moment, "--at") or reader.last_sequence
        make = replayed if is_taped else rebuilt
        found = make(topology, reader, actor, min(sequence, reader.last_sequence))
    if as_json:
        print_json(found)
        return
    for line in _lines(found["state"]):
        echo(line)
    at = f", {instant(found['at_ns'])}" if found["at_ns"] else ""
    how = "from the tape" if is_taped else f"{found['events_folded']} events folded in"
    note(f"{actor} after event {found['sequence']}{at}; {how}")


def rebuilt(topology: Any, reader: Any, actor: str, sequence: int) -> dict[str, Any]:
    """Return an actor's state after an event. Errors: Problem when the journal alone cannot say it."""
    from actors.audit.as_of import AsOfStore, plain_state
    from actors.control.fields import masked
    from actors.deployment.assemble import assemble
    from actors.runtime.behaviour import Persistence
    from actors.runtime.clock import VirtualClock
    from actors.runtime.recovery import recover

    store = AsOfStore(reader, sequence)
    node = assemble(topology, store, VirtualClock(0))
    cell = node.cell(actor)
    kept = cell.behaviour.PERSISTENCE
    if kept is Persistence.EPHEMERAL:
        _cannot(actor, "keeps no state in the journal")
    if kept is Persistence.SAVED and store.snapshot_sequence(actor) > sequence:
        later = store.snapshot_sequence(actor)
        _cannot(actor, f"saves its state as a whole, and saved it last at event {later}")
    folded = recover(node.journal, [cell])
    record = reader.record_of(sequence) if sequence else None
    return {
        "actor": actor,
        "kind": cell.kind,
        "state_kept": kept.value,
        "sequence": sequence,
        "at_ns": record.at_ns if record is not None else 0,
        "events_folded": folded,
        "state": masked(plain_state(cell.behaviour.state)),
    }


def replayed(topology: Any, reader: Any, actor: str, sequence: int) -> dict[str, Any]:
    """Return an actor's state after the turn of an event, from the tape. Errors: JournalError, Problem."""
    from actors.audit.as_of import plain_state
    from actors.control.fields import masked
    from actors.deployment.replay import play_deployment

    _, node = play_deployment(topology, sequence)
    cell = node.cell(actor)
    return {
        "actor": actor,
        "kind": cell.kind,
        "state_kept": cell.behaviour.PERSISTENCE.value,
        "sequence": node.journal.sequence,
        "at_ns": node.journal.at_ns,
        "events_folded": 0,
        "state": masked(plain_state(_inside(cell.behaviour))),
    }


def _inside(behaviour: Any) -> Any:
    """Return what a behaviour holds: its state, or, when it keeps none, its own fields."""
    from actors.runtime.behaviour import Persistence

    if behaviour.PERSISTENCE is not Persistence.EPHEMERAL:
        return behaviour.state
    return {name: value for name, value in vars(behaviour).items() if name not in ("settings", "place")}


def _cannot(actor: str, why: str) -> None:
    remedy = "if the deployment keeps a tape (`journal: {tape: true}`), say --tape"
    raise Problem(ExitCode.NOT_FOUND, f"{actor} {why}: the journal alone cannot say what it was then", remedy)


def _lines(value: Any, name: str = "", indent: str = "") -> list[str]:
    """Return plain values as an indented list, one field a line."""
    if isinstance(value, dict) and value:
        head = [f"{indent}{name}:"] if name else []
        inner = indent + ("  " if name else "")
        return head + [line for key, item in value.items() for line in _lines(item, str(key), inner)]
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [f"{indent}{name}: {len(value)}"] + [
            f"{indent}  - {json.dumps(item, ensure_ascii=False, default=str)}" for item in value
        ]
    return [f"{indent}{name}: {shown_field(name, value)}"]
