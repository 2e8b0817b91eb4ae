"""`polytrade journal archive` and `unarchive`: old events out of a journal of a stopped node, and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from actors.cli.data_files import instant as instant_option
from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.shown import instant
from actors.cli.targets import find_target, split_words

__all__ = ["archive", "unarchive"]

words = click.argument("words", nargs=-1, metavar="[FILE]")


@click.command()
@words
@click.option("--before", required=True, metavar="AGE|TIME", help="Older than this: 90d, or 2026-11-01.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/archives"),
    show_default=True,
    help="Folder of archives.",
)
def archive(words: tuple[str, ...], before: str, into: Path) -> None:
    """Move old events into a file, proven before they go. The node must be stopped.

    What snapshots do not cover stays. The space is used again; the journal's file does not shrink.
    """
    from actors.deployment.archives import ArchiveRefused, archive_events

    file, _ = split_words(words)
    target = find_target(file)
    _require_journal(target)
    try:
        path, head = archive_events(target.journal, _instant(before), into)
    except ArchiveRefused as refused:
        raise Problem(ExitCode.REFUSED, str(refused), refused.help) from None
    _tell(f"{path}: ", head)
    note(f"the journal begins at event {head.next_sequence} now; keep the archive")


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@words
def unarchive(archive: Path, words: tuple[str, ...]) -> None:
    """Put the events of an archive back into their journal; the newest archive first.

    The node must be stopped.
    """
    from actors.deployment.archives import ArchiveRefused, unarchive_events

    file, _ = split_words(words)
    target = find_target(file)
    _require_journal(target)
    try:
        head = unarchive_events(target.journal, archive)
    except ArchiveRefused as refused:
        raise Problem(ExitCode.REFUSED, str(refused), refused.help) from None
    _tell(f"{target.journal}: has again ", head)


def _require_journal(target: Any) -> None:
    if not (target.journal / "data.mdb").is_file():
        raise Problem(
            ExitCode.NOT_FOUND, f"there is no journal in {target.journal}", "name a deployment that has run"
        )


def _instant(text: str) -> int:
    from actors.deployment.quantities import parse_duration

    try:
        return time.time_ns() - parse_duration(text)
    except ValueError:
        return instant_option(text, "--before")


def _tell(where: str, head: Any) -> None:
    span = f"from {instant(head.first_at_ns)} to {instant(head.last_at_ns)}"
    echo(f"{where}events {head.first_sequence} to {head.next_sequence - 1} {span}, their chain holds")
