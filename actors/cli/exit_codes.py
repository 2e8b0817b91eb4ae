"""What the exit code of a command says. A number is never given another meaning: scripts rely on it."""

from __future__ import annotations

import enum

__all__ = ["MEANINGS", "ExitCode", "exit_code_table"]


class ExitCode(enum.IntEnum):
    """Why a command ended."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    CONFIGURATION = 3
    NOT_RUNNING = 4
    REFUSED = 5
    JOURNAL_IN_USE = 6
    DISK_FULL = 7
    JOURNAL_DAMAGED = 8
    NOT_FOUND = 9
    NO_ANSWER = 10
    DRIFT = 11
    DATA = 12
    UNCONFIRMED = 13
    DIFFERENT = 14
    JOURNAL_VERSION = 15
    RESTARTS_EXHAUSTED = 70
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "Done; for `up`: the node stopped in order.",
    ExitCode.FAILURE: "Something failed; the text on stderr says what and what to do.",
    ExitCode.USAGE: "The command line makes no sense.",
    ExitCode.CONFIGURATION: "The deployment file, or a markets file, has faults; all of them are on stderr.",
    ExitCode.NOT_RUNNING: "The deployment does not run, or several run and none was named.",
    ExitCode.REFUSED: "The node, or one of its actors, refused the order.",
    ExitCode.JOURNAL_IN_USE: "Another node uses this journal.",
    ExitCode.DISK_FULL: "The disk is full, or the journal has reached its limit.",
    ExitCode.JOURNAL_DAMAGED: "The journal cannot be believed: its chain of hashes is broken.",
    ExitCode.NOT_FOUND: "There is no such actor, order, kind, symbol, journal or markets file.",
    ExitCode.NO_ANSWER: "The node runs but does not answer.",
    ExitCode.DRIFT: (
        "Generated files are not what the code would generate now; a markets file is not what the venue says."
    ),
    ExitCode.DATA: "A file of history cannot be used as it is; the text names file, row and remedy.",
    ExitCode.UNCONFIRMED: "What was ordered was sent, but the venue has not confirmed all of it (yet).",
    ExitCode.DIFFERENT: "Our books and the venue's differ; each difference is on stdout.",
    ExitCode.JOURNAL_VERSION: "This release cannot go on from the journal, and left it alone; another can.",
    ExitCode.RESTARTS_EXHAUSTED: "The node died more often than its heart may restart it.",
    ExitCode.INTERRUPTED: "Ended at once by Ctrl-C; the journal keeps what was acknowledged.",
}


def exit_code_table() -> str:
    """Return the table for docs/cli.md."""
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["| code | meaning |", "|---:|---|", *rows])
