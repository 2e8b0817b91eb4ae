"""`polytrade replay`: a failing seed's bundle, or one trade of a deployment from its tape, once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.journal import open_reader
from actors.cli.output import echo, note, print_json
from actors.cli.problems import Problem
from actors.cli.targets import deployment_options, find_target, topology_of

__all__ = ["replay"]


@click.command()
@click.argument("place", required=False, metavar="[BUNDLE|FILE]")
@click.option(
    "--trade", default="", metavar="ID", help="Play FILE's tape up to this order or fill, and compare."
)
@deployment_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def replay(
    place: str | None, trade: str, environments: tuple[str, ...], inputs: tuple[str, ...], as_json: bool
) -> None:
    """Run a failing seed's bundle, or a deployment's trade, again; say whether it is the same to the byte."""
    if trade:
        _replay_trade(place, trade, environments, inputs, as_json)
    elif place is None or not Path(place).is_dir():
        text = f"{place} is no bundle" if place else "nothing to replay was named"
        raise Problem(
            ExitCode.USAGE, text, "name a folder written by `polytrade simulate`, or FILE --trade ID"
        )
    else:
        _replay_bundle(Path(place), as_json)


def _replay_bundle(bundle: Path, as_json: bool) -> None:
    from actors.simulation.bundle import replay_bundle

    try:
        found = replay_bundle(bundle)
    except ValueError as error:
        raise Problem(ExitCode.USAGE, str(error), "name a folder written by `polytrade simulate`") from error
    outcome = found.outcome
    if as_json:
        row = {"seed": outcome.seed, "same": found.is_same, "digest": outcome.digest}
        echo(json.dumps(row | {"violations": [one._asdict() for one in outcome.violations]}))
    else:
        word = "the same, byte for byte" if found.is_same else f"another run than {found.bundle.digest[:12]}"
        echo(f"seed {outcome.seed}: {outcome.digest[:12]}: {word}")
        for violation in outcome.violations:
            echo(f"      {violation.invariant}: {violation.detail}")
            for line in violation.around[-10:]:
                echo(f"        | {line[:200]}")
    if not found.is_same:
        raise SystemExit(int(ExitCode.DRIFT))


def _replay_trade(
    file: str | None, trade: str, environments: tuple[str, ...], inputs: tuple[str, ...], as_json: bool
) -> None:
    from actors.cli.why import story_lines
    from actors.control.why import why
    from actors.deployment.replay import play_deployment

    target = find_target(file, environments, inputs)
    topology = topology_of(target, environments, inputs)
    with open_reader(target) as reader:
        chain = why(reader, trade)
        if not chain.events:
            text = f"the journal of {target.name} never heard of {trade!r}"
            raise Problem(
                ExitCode.NOT_FOUND, text, "`polytrade trades` and `polytrade journal tail` show ids"
            )
        last = chain.events[-1]["sequence"]
        _check_configuration(reader, topology, last)
        played = play_deployment(topology, last)
        first, differing = _compare(reader, played.store, last)
    same = differing == 0
    if as_json:
        found = {"asked": trade, "same": same, "events": last, "differs_at": differing}
        print_json({**found, "story": chain.events})
    else:
        for line in story_lines(chain.events, chain.ids, dict(topology.instruments)):
            echo(line)
        word = "the same, byte for byte" if same else f"different from event {differing} on"
        echo(f"\nplayed again from the tape: events {first} to {last} are {word}")
    if not same:
        note(
            "the code, or a library below it, is not what it was; or the journal was altered: `audit verify`"
        )
        raise SystemExit(int(ExitCode.DRIFT))


def _check_configuration(reader: Any, topology: Any, last: int) -> None:
    """Refuse to play under another configuration than the one that was in force."""
    from actors.audit.export import export_rows

    rows = export_rows(reader, 1, last, frozenset({"deployment"}))
    hashes = list(dict.fromkeys(row["configuration_hash"] for row in rows if row["type"] == "NodeStarted"))
    if hashes != [topology.content_hash]:
        shown = ", ".join(said[:12] for said in hashes)
        raise Problem(
            ExitCode.CONFIGURATION,
            f"until event {last} the node ran under {shown}; this file says {topology.content_hash[:12]}",
            "play it with the file, the environment and the inputs of that time",
        )


def _compare(reader: Any, store: Any, last: int) -> tuple[int, int]:
    """Return the first event compared, and the first that differs or 0; hashes are compared, too."""
    played = store.items("events")
    for first, raw in reader.raw_records():
        if first > last:
            break
        key, other = next(played, (b"", b""))
        if int.from_bytes(key, "big") != first or other != raw:
            return 1, first
    return 1, 0
