"""`polytrade report`: draw the report of a finished backtest again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, print_json
from actors.cli.problems import Problem

__all__ = ["read_record", "report"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@json_option
def report(folder: Path, as_json: bool) -> None:
    """Draw the report of a backtest again, from the folder that `backtest --out` wrote."""
    from actors.backtest.report import write_report

    written = write_report(read_record(folder), folder)
    if as_json:
        print_json([{"file": str(path), "bytes": path.stat().st_size} for path in written])
        return
    for path in written:
        echo(f"{path}  {path.stat().st_size:,} bytes")


def read_record(folder: Path) -> Any:
    """Return the record that a run left in its folder. Errors: Problem."""
    import msgspec

    from actors.backtest.record import RunRecord

    file = folder / "record.msgpack"
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=RunRecord)
    except FileNotFoundError:
        remedy = f"polytrade backtest FILE --data ... --out {folder} writes one"
        raise Problem(ExitCode.NOT_FOUND, f"{folder}: holds no record of a run", remedy) from None
    except msgspec.DecodeError as error:
        text = f"{file}: is no record that this version reads ({error})"
        raise Problem(ExitCode.DATA, text, "run the backtest again; its manifest says how") from None
