"""`polytrade audit export`: what happened, as JSON Lines or Parquet, for whoever has to show it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.journal import open_reader
from actors.cli.moments import first_sequence, last_sequence
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.shown import table_text
from actors.cli.targets import find_target, split_words

__all__ = ["export"]


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--from", "begin", default="", metavar="SEQUENCE|TIME", help="First event.")
@click.option("--to", "end", default="", metavar="SEQUENCE|TIME", help="Last event.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "parquet"]),
    default="jsonl",
    show_default=True,
    help="JSON Lines, or Parquet (needs the extra `data`).",
)
@click.option("--out", default="", metavar="PATH", help="File to write; stdout when nothing is said.")
@click.option("--topic", "topics", multiple=True, metavar="NAME", help="Only these topics, see --schema.")
@click.option("--all", "is_all", is_flag=True, help="Events of every type, not only those of the topics.")
@click.option("--schema", "is_schema", is_flag=True, help="Say what the columns and the topics mean.")
def export(
    words: tuple[str, ...],
    begin: str,
    end: str,
    form: str,
    out: str,
    topics: tuple[str, ...],
    is_all: bool,
    is_schema: bool,
) -> None:
    """Hand out what happened: starts, limits, commands, signals, orders, fills, halts, resolutions."""
    from actors.audit.export import TOPICS, export_rows

    if is_schema:
        _tell_schema()
        return
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown:
        raise Problem(ExitCode.USAGE, f"there is no topic {unknown[0]!r}", f"there are {', '.join(TOPICS)}")
    if form == "parquet" and not out:
        raise Problem(ExitCode.USAGE, "Parquet goes into a file", "name it with --out")
    chosen = frozenset(topics) or frozenset(TOPICS) - (frozenset() if is_all else {"other"})
    file, _ = split_words(words)
    with open_reader(find_target(file)) as reader:
        rows = export_rows(reader, first_sequence(reader, begin), last_sequence(reader, end), chosen)
        count = _write(rows, form, out)
    note(f"{count} rows{f' in {out}' if out else ''}")


def _write(rows: Any, form: str, out: str) -> int:
    from actors.audit.export import write_jsonl, write_parquet

    if not out:
        return write_jsonl(rows, sys.stdout)
    try:
        if form == "parquet":
            return write_parquet(rows, Path(out))
        with open(out, "w", encoding="utf-8") as file:
            return write_jsonl(rows, file)
    except ImportError:
        remedy = "install polytrade with the extra `data`, or write --format jsonl"
        raise Problem(ExitCode.FAILURE, "Parquet needs duckdb, which is not installed", remedy) from None
    except OSError as error:
        text = f"{out}: cannot be written: {error.strerror}"
        raise Problem(ExitCode.FAILURE, text, "name another file") from error


def _tell_schema() -> None:
    from actors.audit.export import COLUMNS, TOPICS

    rows = [("COLUMN", "TYPE", "MEANING"), *((c.name, c.kind.lower(), c.meaning) for c in COLUMNS)]
    echo(table_text(rows))
    echo("\n" + table_text([("TOPIC", "EVENTS"), *TOPICS.items()]))
