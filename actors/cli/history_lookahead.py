"""`polytrade backtest --check-lookahead`: run again over files with another future, and compare the past."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.output import note
from actors.cli.problems import Problem

__all__ = ["check_lookahead"]

CUTS = 3
ALL = frozenset({"funding", "range", "gaps"})  # the true run has been told


def check_lookahead(
    files: Sequence[str], environments: Sequence[str], inputs: Mapping[str, str], wish: Any, record: Any
) -> None:
    """Compare a finished run with runs over other futures. Errors: Problem with the first leak."""
    from actors.backtest.lookahead import cuts, first_leak
    from actors.cli.history_run import run_history

    manifest = record.manifest
    interval_ns = max(file.interval_ns for file in manifest.files)
    for cut_ns in cuts(manifest.from_ns, manifest.to_ns, CUTS, interval_ns):
        with tempfile.TemporaryDirectory() as folder:
            other = replace(
                wish,
                files=_other_files(wish, cut_ns, Path(folder)),
                from_ns=manifest.from_ns,
                to_ns=cut_ns,
                allowed=ALL,
            )
            found = run_history(files, environments, inputs, other)
        leak = first_leak(record.fills, found.fills, cut_ns)
        if leak is not None:
            place = f"{leak.strategy or leak.symbol} at {leak.decided_at_ns}"
            text = f"a decision knows what comes after {cut_ns}: {place}: {leak.text}"
            raise Problem(ExitCode.FAILURE, text, "look for data that the strategy did not get as a message")
    note(f"no decision depends on what came later: {CUTS} other futures, same past")


def _other_files(wish: Any, cut_ns: int, folder: Path) -> dict[str, Any]:
    from actors.backtest.lookahead import write_other_future
    from actors.feed.files import open_table

    if not wish.files:
        raise Problem(ExitCode.USAGE, "--check-lookahead needs --data", "name the files on the command line")
    found = {}
    for symbol, files in wish.files.items():
        changed = {}
        for role in ("market", "mark", "trades"):
            name = getattr(files, role)
            if name:
                table, path = open_table(Path(name), name), folder / f"{symbol}.{role}.csv"
                write_other_future(table, table.columns, cut_ns, 1_000_000, path)
                changed[role] = str(path)
        found[symbol] = replace(files, **changed)
    return found
