"""`polytrade reconcile`: compare our books with the venue's now, and say what was done, or would be."""

from __future__ import annotations

import sys
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.shown import table_text
from actors.cli.targets import find_target, split_words

__all__ = ["reconcile"]

ANSWER_MARGIN_S = 15.0  # beyond the wait that was asked for


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--account", default="", help="Only this account; all of them without it.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--wait", "wait_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
@json_option
def reconcile(words: tuple[str, ...], account: str, dry_run: bool, wait_s: float, as_json: bool) -> None:
    """Compare the books with the venue's now, and settle what evidence or policy settles.

    Exit code 0: they agree; 14: they differ; 10: somebody did not answer in time.
    """
    file, _ = split_words(words)
    body = {"account": account, "dry_run": dry_run, "wait_s": wait_s}
    found = find_target(file).client.post("/v1/reconcile", body, wait_s + ANSWER_MARGIN_S)
    if as_json:
        print_json(found)
    else:
        for one in found["accounts"]:
            _show(one)
    if not found["answered"]:
        sys.exit(ExitCode.NO_ANSWER)
    if not found["agrees"]:
        sys.exit(ExitCode.DIFFERENT)


def _show(one: dict[str, Any]) -> None:
    """Print one account: a line for the verdict, a table of what differed."""
    account, rows = one["account"], one["rows"]
    if one["fault"]:
        note(f"{account}: not compared: {one['fault']}")
        return
    verdict = "the books agree with the venue's" if one["agrees"] else "the books differ from the venue's"
    if rows and one["agrees"]:
        verdict += ", now that these were settled" if not one["dry_run"] else ""
    echo(f"{account}: {verdict}")
    if rows:
        head = ["difference", "would be done" if one["dry_run"] else "what was done", "why"]
        echo(table_text([head, *([row["text"], row["act"], row["reason"]] for row in rows)]))
