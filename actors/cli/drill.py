"""`polytrade drill`: disturb a deployment on purpose, and prove that alert, runbook and recovery work."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import table_text

__all__ = ["drill"]

history_option = click.option(
    "--history",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("var/drills/history.jsonl"),
    show_default=True,
    help="Where runs are remembered.",
)


@click.group()
def drill() -> None:
    """Drills: Chaos Toolkit experiments that prove an alert, its runbook and the recovery."""
    # What was started for a drill ends with it, when it is told to end as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.INTERRUPTED))


@drill.command("list")
@history_option
@json_option
def list_(history: Path, as_json: bool) -> None:
    """List all drills, and when each passed last."""
    from actors.drills.history import last_passed, newest, read_history

    runs = read_history(history)
    last, passed = newest(runs), last_passed(runs)
    rows = []
    for one in _all():
        run, good = last.get(one.name), passed.get(one.name)
        rows.append(
            {
                "drill": one.name,
                "alert": one.about.alert,
                "title": one.title,
                "blast": one.about.blast,
                "stage": one.about.stage,
                "quick": one.about.quick,
                "last": "never" if run is None else ("passed" if run.passed else "failed"),
                "passed_at": good.began if good else "",
            }
        )
    if as_json:
        print_json(rows)
        return
    shown = [(r["drill"], r["alert"] or "-", r["last"], r["passed_at"] or "-", r["title"]) for r in rows]
    echo(table_text([("DRILL", "ALERT", "LAST RUN", "PASSED AT (UTC)", "WHAT HAPPENS"), *shown]))


@drill.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...|all|quick")
@click.option("--against", metavar="FILE", help="Disturb this running deployment instead of one of our own.")
@click.option("--in-live-mode", is_flag=True, help="With --against: even where real money is traded.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 16), help="Stages at a time.")
@click.option("--part", is_flag=True, hidden=True, help="Of a run with --jobs: say only what became of each.")
@history_option
@json_option
def run(
    names: tuple[str, ...],
    against: str | None,
    in_live_mode: bool,
    jobs: int,
    part: bool,
    history: Path,
    as_json: bool,
) -> None:
    """Run drills, each with its alert, its runbook and the proof that all is well again.

    Without --against they run on a stage of their own: exchange, Vault and node in a temporary folder.

    Exit codes: 0 all passed, 1 one did not.
    """
    from actors.cli.drill_run import Session, run_at_once

    drills = _chosen(names)
    if not (as_json or part):
        for one in drills:
            note(f"{one.name}: {one.title}. Blast radius: {one.about.blast}.")
    if jobs > 1 and against is None:
        found = run_at_once(drills, jobs, history, quiet=as_json)
    else:
        found = Session(history, quiet=as_json).run(drills, against, in_live_mode)
    if as_json:
        import msgspec

        print_json([msgspec.to_builtins(entry) for entry in found])
    elif not part:
        good = sum(entry.passed for entry in found)
        note(f"{good} of {len(found)} passed; kept in {history}")
    sys.exit(ExitCode.OK if all(entry.passed for entry in found) else ExitCode.FAILURE)


@drill.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("var/drills/report.html"),
    show_default=True,
    help="File of the page.",
)
@history_option
def report(out: Path, history: Path) -> None:
    """Draw one page of all drills: times to detect and to recover, what was done, what failed."""
    from actors.cli.drill_report import write_page

    out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    echo(f"{out}  {write_page(_all(), history, out):,} bytes")


@drill.command()
@click.argument("kind", default="local")
def stage(kind: str) -> None:
    """Start a stage and keep it until Ctrl-C, for `chaos run` and for writing drills."""
    from actors.cli.drill_stage import own_stage
    from actors.drills.experiments import drills_folder
    from actors.drills.stage import STAGE_VARIABLE

    with own_stage(drills_folder(), kind) as (found, path), contextlib.suppress(KeyboardInterrupt):
        echo(f"export {STAGE_VARIABLE}={path} XDG_RUNTIME_DIR={found.folder} POLYTRADE_STATE={found.folder}")
        note(f"deployment {found.file}, exchange {found.exchange} {found.vault}".rstrip())
        note(
            "chaos run chaos/NAME.yaml, or polytrade status, in a shell with these variables; Ctrl-C ends it"
        )
        signal.pause()


@drill.command()
@click.option(
    "--port", default=9099, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
def receiver(port: int) -> None:
    """Take alerts as a webhook would, and say what each is about, until Ctrl-C.

    A route to it is {channel: webhook, url: "http://127.0.0.1:PORT/"}. Exit code 1: the port is taken.
    """
    from actors.drills.receiver import AlertReceiver

    try:
        found = AlertReceiver(port, echo)
    except OSError as error:
        text = f"port {port} of this machine cannot be listened on: {error.strerror}"
        raise Problem(ExitCode.FAILURE, text, "--port with another one, or 0") from None
    note(f"alerts are taken at http://127.0.0.1:{found.port}/; Ctrl-C ends it")
    with contextlib.suppress(KeyboardInterrupt):
        found.serve()


def _all() -> list[Any]:
    from actors.drills.experiments import drills_folder, read_drills

    found, faults = read_drills(drills_folder())
    for fault in faults:
        note(str(fault))
    return found


def _chosen(names: tuple[str, ...]) -> list[Any]:
    """Return the drills of some names, in the folder's order. Errors: Problem for a name there is not."""
    from difflib import get_close_matches

    known = {one.name: one for one in _all()}
    wanted: set[str] = set()
    for name in names:
        if name == "all":
            wanted |= set(known)
        elif name == "quick":
            wanted |= {one.name for one in known.values() if one.about.quick}
        elif name in known:
            wanted.add(name)
        else:
            near = get_close_matches(name, known, 1, 0.4)
            remedy = f"did you mean {near[0]}?" if near else "`polytrade drill list` shows all"
            raise Problem(ExitCode.NOT_FOUND, f"there is no drill {name!r}", remedy)
    return [one for name, one in known.items() if name in wanted]
