"""`polytrade backup` and `polytrade restore`: copies of the journal, made while the node runs and proven."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.targets import find_target

__all__ = ["backup", "restore"]

STAMP = "%Y%m%dT%H%M%SZ"
folder = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.option(
    "--into", type=folder, default=Path("var/backups"), show_default=True, help="Folder of backups."
)
@click.option("--keep", type=click.IntRange(1), help="Delete all but so many of this deployment's backups.")
@json_option
def backup(file: str | None, into: Path, keep: int | None, as_json: bool) -> None:
    """Copy a deployment's journal while its node runs, and prove the copy."""
    from actors.deployment.backups import BackupRefused, back_up

    target, now_ns = find_target(file), time.time_ns()
    try:
        path, manifest = back_up(target.journal, into, now_ns, _stamp(now_ns))
    except BackupRefused as refused:
        raise Problem(ExitCode.FAILURE, str(refused), refused.help) from None
    removed = _forget(path, keep) if keep is not None else []
    if as_json:
        print_json(
            {"path": str(path), "manifest": _plain(manifest), "removed": [str(one) for one in removed]}
        )
        return
    echo(f"{path}: {manifest.sequence} events in {manifest.records} records, its chain holds")
    for one in removed:
        note(f"removed {one}")


def _forget(newest: Path, keep: int) -> list[Path]:
    """Remove the oldest backups of the same deployment, each of them whole."""
    import shutil

    name = newest.name.rpartition("-")[0]
    found = sorted(path for path in newest.parent.glob(f"{name}-*Z") if (path / "manifest.json").is_file())
    for path in found[:-keep]:
        shutil.rmtree(path)
    return found[:-keep]


@click.command()
@click.argument("backup", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--aside", is_flag=True, help="Keep the journal that is there now, under another name.")
@click.option("--check", is_flag=True, help="Only look whether the backup is whole.")
@click.option("--reason", default="", help="Why; it is kept in the journal.")
@json_option
def restore(backup: Path, file: str | None, aside: bool, check: bool, reason: str, as_json: bool) -> None:
    """Put a backup in the place of a deployment's journal. It begins halted, under a name of its own."""
    from actors.deployment import backups

    now_ns = time.time_ns()
    try:
        if check:
            manifest = backups.check_backup(backup)
            _tell(f"{backup} is whole: {manifest.sequence} events", manifest, as_json)
            return
        if file is None:
            raise click.UsageError(
                "say which deployment's journal it shall be: polytrade restore BACKUP FILE"
            )
        journal = find_target(file).journal
        kept = f"{journal.name}.before-{_stamp(now_ns)}" if aside else ""
        manifest = backups.restore(backup, journal, now_ns, who(), reason or "restored", aside=kept)
    except backups.BackupRefused as refused:
        raise Problem(ExitCode.REFUSED, str(refused), refused.help) from None
    if kept:
        note(f"what was there: {journal.with_name(kept)}")
    _tell(f"{journal}: {manifest.sequence} events; it begins halted", manifest, as_json)


def _tell(text: str, manifest: Any, as_json: bool) -> None:
    if as_json:
        print_json(_plain(manifest))
    else:
        echo(text)


def _plain(manifest: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(manifest)


def _stamp(now_ns: int) -> str:
    return datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).strftime(STAMP)
