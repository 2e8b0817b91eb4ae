"""`polytrade journal`: what a node wrote, read from outside, whether it runs or not."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import click

from actors.cli.audit_verify import verify
from actors.cli.journal_archive import archive, unarchive
from actors.cli.output import echo, json_option, print_json
from actors.cli.shown import bytes_text, instant, shown_field, table_text
from actors.cli.targets import Target, find_target, split_words

__all__ = ["journal", "open_reader"]

LOOK_EVERY_S = 0.2
words = click.argument("words", nargs=-1, metavar="[FILE]")
as_lines = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
actor_option = click.option("--actor", default="", help="Only events of this actor.")
type_option = click.option("--type", "kind", default="", help="Only events of this type.")


def open_reader(target: Target, with_names: bool = True) -> Any:
    """Open a deployment's journal for reading, with the names of fields of all kinds we know."""
    from actors.control.fields import FieldNames
    from actors.control.journal_reader import JournalReader

    if with_names:
        import_kinds()
    return JournalReader(target.journal, FieldNames() if with_names else FieldNames({}))


def import_kinds() -> None:
    """Import every kind of actor, so that the fields of its events have names."""
    import actors.messages.audit
    import actors.messages.canary  # noqa: F401  (what the node itself writes down)
    from actors.deployment.registry import KINDS

    for kind in KINDS.values():
        try:
            kind.behaviour_class  # noqa: B018  (imports it)
        except ImportError:  # an optional dependency is missing: its events show by position
            continue


@click.group()
def journal() -> None:
    """Read and verify journals. FILE may be a deployment's file or a journal's folder."""


@journal.command()
@words
@json_option
def ls(words: tuple[str, ...], as_json: bool) -> None:
    """Show what a journal holds: how many events, snapshots, what waits."""
    file, _ = split_words(words)
    with open_reader(find_target(file), with_names=False) as reader:
        found = reader.summary()
    if as_json:
        print_json(found)
        return
    lines = [
        ("journal", found["directory"]),
        ("deployment", f"{found.get('deployment', '?')}, opened {found.get('epoch', '?')} times"),
        ("written by", f"polytrade {found.get('release', '?')}, format {found.get('schema_version', '?')}"),
        ("events", f"{found['events']} in {found['records']} records ({found['turns']} turns)"),
        ("from", instant(found["first_at_ns"]) if found["first_at_ns"] else "-"),
        ("to", instant(found["last_at_ns"]) if found["last_at_ns"] else "-"),
        ("size", bytes_text(found["bytes"])),
        ("waiting", f"{found['outbox']} effects, {found['timers']} timers, {found['held']} mailboxes"),
        ("dead letters", str(found["dead_letters"])),
    ]
    echo(table_text(lines))
    if found["snapshots"]:
        rows = [("SNAPSHOT OF", "UP TO", "VERSION", "SIZE")]
        rows += [
            (one["actor"], str(one["sequence"]), str(one["version"]), bytes_text(one["bytes"]))
            for one in found["snapshots"]
        ]
        echo("\n" + table_text(rows, frozenset({1, 2, 3})))


@journal.command()
@words
@click.option("--from", "first", type=int, default=1, show_default=True, help="First event.")
@click.option("--to", "last", type=int, default=None, help="Last event.")
@actor_option
@type_option
@click.option("--dead-letters", is_flag=True, help="Show messages that failed their reader instead.")
@as_lines
def cat(
    words: tuple[str, ...],
    first: int,
    last: int | None,
    actor: str,
    kind: str,
    dead_letters: bool,
    as_json: bool,
) -> None:
    """Print events, oldest first."""
    file, _ = split_words(words)
    with open_reader(find_target(file)) as reader:
        if dead_letters:
            for letter in reader.dead_letters():
                echo(_json_line(letter) if as_json else _letter_line(letter))
            return
        for event in reader.events(first, last, actor=actor, kind=kind):
            echo(_json_line(event) if as_json else event_line(event))


@journal.command()
@words
@click.option("-f", "--follow", is_flag=True, help="Go on with events as they are written.")
@click.option(
    "-n", "--events", "last", type=int, default=20, show_default=True, help="How many to begin with."
)
@actor_option
@type_option
@as_lines
def tail(words: tuple[str, ...], follow: bool, last: int, actor: str, kind: str, as_json: bool) -> None:
    """Print the newest events."""
    file, _ = split_words(words)
    with contextlib.suppress(KeyboardInterrupt), open_reader(find_target(file)) as reader:
        following = max(1, reader.last_sequence - last + 1)
        while True:
            newest = reader.last_sequence
            for event in reader.events(following, newest, actor=actor, kind=kind):
                echo(_json_line(event) if as_json else event_line(event))
            following = newest + 1
            if not follow:
                return
            time.sleep(LOOK_EVERY_S)


for command in (verify, archive, unarchive):
    journal.add_command(command)


def _json_line(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, default=str)


def event_line(event: dict[str, Any]) -> str:
    """Return an event for eyes: sequence, time, actor, type, fields."""
    fields = " ".join(
        f"{name}={shown_field(name, value)}"
        for name, value in event["fields"].items()
        if name != "at_ns" or value != event["at_ns"]
    )
    cause = f" <{event['cause']}" if event["cause"] else ""
    at = instant(event["at_ns"])
    return f"{event['sequence']:>8}{cause}  {at}  {event['actor']:<24} {event['type']}  {fields}"


def _letter_line(letter: dict[str, Any]) -> str:
    fields = " ".join(f"{name}={shown_field(name, value)}" for name, value in letter["fields"].items())
    again = "will be tried once more" if letter["tried_again"] else "given up"
    at = instant(letter["at_ns"])
    return f"{at}  {letter['actor']}  {letter['type']}  {letter['error']}  ({again})  {fields}"
