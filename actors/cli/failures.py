"""Whatever ended a command, in words on stderr, and the exit code that says it to scripts."""

from __future__ import annotations

import errno

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.runtime.errors import EventsArchived, JournalError, JournalNotUnderstood, RuntimeFault

__all__ = ["journal_code", "tell"]


def tell(error: BaseException) -> int:
    """Write what went wrong; return the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(bool(error.code))
    if isinstance(error, Problem):
        return _say(error.code, str(error), error.remedy)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        return _misused(error)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _say(ExitCode.INTERRUPTED, "interrupted")
    if isinstance(error, EventsArchived):
        return _say(ExitCode.JOURNAL_VERSION, str(error), "put them back: `polytrade journal unarchive`")
    if isinstance(error, JournalNotUnderstood):
        return _say(ExitCode.JOURNAL_VERSION, str(error), "use the release that wrote it; docs/upgrade.md")
    if isinstance(error, JournalError):
        return _say(journal_code(error), str(error))
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _say(
            ExitCode.DISK_FULL, f"{error.filename or 'a file'}: the disk is full", "make room, then try again"
        )
    if isinstance(error, RuntimeFault | OSError):
        return _say(ExitCode.FAILURE, str(error))
    return _other(error)


def _misused(error: click.ClickException) -> int:
    """Tell of a command line that makes no sense as of everything else, not in click's own form."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return ExitCode.USAGE
    text = error.format_message().removesuffix(".")
    context = getattr(error, "ctx", None)
    code = ExitCode.USAGE if isinstance(error, click.UsageError) else ExitCode.FAILURE
    help = f"`{context.command_path} --help` shows how it is called" if context is not None else ""
    return _say(code, text[:1].lower() + text[1:], help)


def _other(error: BaseException) -> int:
    from actors.deployment.faults import ConfigError

    if isinstance(error, ConfigError):
        from actors.cli.configuration import tell_faults

        tell_faults(error.faults)
        return ExitCode.CONFIGURATION
    text = f"{type(error).__name__}: {error}"
    return _say(
        ExitCode.FAILURE,
        f"polytrade has a fault of its own: {text}",
        "run the command again with `polytrade --debug ...` and report what it shows",
    )


def journal_code(error: JournalError) -> ExitCode:
    """Return the exit code of what the journal reports; its texts are part of its contract."""
    text = str(error)
    if "in use by" in text:
        return ExitCode.JOURNAL_IN_USE
    if "disk is full" in text or "at its limit" in text:
        return ExitCode.DISK_FULL
    if "there is no journal here" in text:
        return ExitCode.NOT_FOUND
    if "cannot be read" in text:
        return ExitCode.JOURNAL_DAMAGED
    return ExitCode.FAILURE


def _say(code: ExitCode, text: str, remedy: str = "") -> int:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {text}", err=True)
    if remedy:
        click.echo(f"{click.style('help:', fg='cyan')} {remedy}", err=True)
    return code
