"""`polytrade up`: run a deployment under its heart and show it, until it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import note, print_json
from actors.cli.problems import Problem
from actors.cli.running import Running, announced
from actors.cli.spans import Span
from actors.cli.targets import Target, deployment_options, load_topology, shortest

__all__ = ["up"]

STOP_GRACE_S = 5.0  # beside the actors' own time-outs: final snapshots, sync, sockets
STDERR_SHOWN = 20_000  # characters of what the node wrote while the screen was up


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line."""

    files: tuple[str, ...]
    environments: tuple[str, ...]
    inputs: tuple[str, ...]
    plain: bool
    for_s: float | None
    as_json: bool
    heart: bool
    picture: str

    @property
    def command(self) -> str:
        """The command that goes on where this run stopped."""
        words = [*self.files, *(f"-e {name}" for name in self.environments)]
        return " ".join(["polytrade up", *words, *(f"--input {text}" for text in self.inputs)])


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@deployment_options
@click.option("--plain", is_flag=True, help="Print a line a second instead of the live view.")
@click.option("--for", "for_s", type=Span(), metavar="DURATION", help="Stop after this time, such as 30s.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object about the run when it has ended."
)
@click.option("--no-heart", is_flag=True, help="Run the node in this process; nobody restarts it.")
@click.option(
    "--exchange", "beside", is_flag=True, help="Run `polytrade exchange` beside it, where it trades."
)
@click.option("--picture", default="", hidden=True, metavar="FILE.svg", help="Save the view as a picture.")
def up(
    files: tuple[str, ...],
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    plain: bool,
    for_s: float | None,
    as_json: bool,
    no_heart: bool,
    beside: bool,
    picture: str,
) -> None:
    """Run a deployment and show it live. Ctrl-C stops it in order; the next `up` goes on where it stopped."""
    wish = Wish(files, environments, inputs, plain, for_s, as_json, not no_heart, picture)
    topology = load_topology(files, environments, inputs)
    if topology.warnings:
        from actors.cli.configuration import tell_faults

        tell_faults(topology.warnings)
    _look_at_journal(topology)
    source = _look_for_secrets(topology)
    _look_at_markets(topology)
    _leave_plan(topology)
    with _beside(topology) if beside else contextlib.nullcontext():
        code = (_under_heart if wish.heart else _in_this_process)(topology, wish, source)
    sys.exit(code)


def _beside(topology: Any) -> contextlib.AbstractContextManager[None]:
    from actors.cli.rehearsal import exchange_beside

    return exchange_beside(topology)


def _look_at_journal(topology: Any) -> None:
    """Refuse a journal of another node or mode, before anything beside it is written, or shown as ours."""
    from actors.deployment.beginning import OtherMode, look_at_mode
    from actors.deployment.generations import Generations
    from actors.runtime.store_lmdb import journal_owner

    journal = topology.journal_path
    if owner := journal_owner(journal):
        remedy = "stop that node first, or give this deployment a journal path of its own"
        raise Problem(ExitCode.JOURNAL_IN_USE, f"{journal}: this journal is in use by {owner}", remedy)
    try:
        look_at_mode(topology, Generations(journal).current())
    except OtherMode as error:
        remedy = "give this deployment a journal path of its own: `journal: {path: ...}`"
        raise Problem(ExitCode.CONFIGURATION, str(error), remedy) from None
    except ValueError:
        return  # a damaged generation: the node says which


def _look_at_markets(topology: Any) -> None:
    """Refuse to start with real money on old numbers. A node that its heart starts again is not asked."""
    from actors.deployment.faults import ConfigError
    from actors.deployment.live_markets import age_faults

    if faults := age_faults(topology, time.time_ns(), "E313"):
        raise ConfigError(faults)


def _leave_plan(topology: Any) -> None:
    """Leave beside the journal what `polytrade halt --direct` and the heart need when the node is silent."""
    from actors.deployment.direct_plan import plan_of, write_plan

    try:
        write_plan(plan_of(topology), topology.journal_path)
    except OSError as error:  # the journal will say what is wrong with its folder
        note(f"{topology.journal_path}: {error.strerror or error}; `halt --direct` will need the file")


def _look_for_secrets(topology: Any) -> Any:
    """Refuse before anything starts when a secret cannot be had; the node asks for itself again.

    The source goes on to every node that the heart forks: what logs in but once, does so here.
    """
    from actors.deployment.secret_values import SecretsMissing, keep_secrets, secret_source

    source = secret_source(topology)
    try:
        keep_secrets(topology, source)
    except SecretsMissing as error:
        raise Problem(ExitCode.CONFIGURATION, str(error)) from None
    return source


def patience_s(topology: Any) -> float:
    """Return how long an orderly stop may take: phase after phase, each as long as its slowest actor."""
    slowest: dict[int, int] = {}
    for plan in topology.actors:
        phase = int(plan.behaviour_class().PHASE)
        slowest[phase] = max(slowest.get(phase, 0), plan.stop_timeout_ns)
    return sum(slowest.values()) / 1e9 + STOP_GRACE_S


def running_record(topology: Any, wish: Wish) -> Running:
    """Return what other commands want to know of this run."""
    return Running(
        deployment=topology.deployment,
        mode=topology.mode,
        file=str(Path(topology.files[0]).absolute()),
        environment=" ".join(wish.environments),
        journal=str(topology.journal_path),
        socket=str(topology.socket_path),
        pid=os.getpid(),
        inputs=tuple(wish.inputs),
    )


# -- under a heart -----------------------------------------------------------------------------------------


def _under_heart(topology: Any, wish: Wish, source: Any) -> int:
    from actors.cli.session import Session
    from actors.cli.summary import Run, last_sequence
    from actors.runtime.heart import HeartLimits, launch

    fullscreen = (
        sys.stderr.isatty() and sys.stdout.isatty() and not (wish.plain or wish.as_json or wish.picture)
    )
    before = last_sequence(topology.journal_path)
    patience = patience_s(topology)
    limits = HeartLimits(
        stall_after_s=topology.loop.stall_after / 1e9,
        stop_timeout_s=patience,
        tell_stall_after_s=topology.watch.loop_late_max / 1e9,
    )
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as aside:
        began = time.monotonic()
        runner = _node_runner(topology, source, aside if fullscreen else None)
        handle = launch(runner, limits, _last_resort(topology, source), _herald(topology, source))
        target = Target(topology.deployment, topology.journal_path, topology.socket_path)
        show = _make_show(wish, fullscreen)
        with announced(running_record(topology, wish)), _entered(show):
            session = Session(handle, target.client, show, wish.for_s, patience)
            if wish.picture:
                session.before_stop = lambda: show.save(wish.picture, f"polytrade up {wish.files[0]}")
            code = session.run()
        _tell_aside(aside, show)
        for fault in sorted(session.display_faults):
            note(fault)
    code = int(ExitCode.INTERRUPTED) if session.was_killed else code
    seconds = time.monotonic() - began
    run = Run(
        deployment=topology.deployment,
        journal=topology.journal_path,
        began_after=before,
        seconds=seconds,
        exit_code=code,
        node_restarts=handle.restarts_count,
        node_pids=session.node_pids,
        last_view=session.last_view,
    )
    _conclude(run, wish)
    return code


def _last_resort(topology: Any, source: Any) -> Any:
    """Return what the heart does when its node makes no progress; None when it has nothing to do."""
    from actors.deployment.dead_man import DeadMan
    from actors.deployment.direct_plan import plan_of
    from actors.deployment.direct_run import KeysMissing
    from actors.runtime.heart import LastResort

    plan = plan_of(topology)
    if not plan.wants_dead_man:
        return None
    try:
        act = DeadMan(plan, source)
    except KeysMissing as error:
        note(f"no dead man: {error}")
        return None
    return LastResort(topology.dead_man.after / 1e9, topology.dead_man.within / 1e9, act)


def _herald(topology: Any, source: Any) -> Callable[[Any], None]:
    """Return who tells people what the node cannot; called in a process of its own, which imports it."""
    from actors.deployment.secret_values import keep_alert_secrets

    keeper = keep_alert_secrets(topology, source)

    def tell(news: Any) -> None:
        from actors.deployment.herald import NodeHerald

        NodeHerald(topology, keeper=keeper)(news)

    return tell


def _node_runner(topology: Any, source: Any, aside: IO[str] | None) -> Callable[[Any], int]:
    """Return what the heart's child runs. What it writes must not spoil the screen or the JSON on stdout."""
    from actors.deployment.process import run_node

    run_id = f"{os.getpid()}-{time.time_ns()}"

    def run(beat: Any) -> int:
        if aside is not None:
            os.dup2(aside.fileno(), 2)
        os.dup2(2, 1)
        return run_node(topology, beat, source, run_id)

    return run


def _make_show(wish: Wish, fullscreen: bool) -> Any:
    from actors.cli.shows import LiveShow, PictureShow, PlainShow

    if wish.picture:
        return PictureShow()
    return LiveShow() if fullscreen else PlainShow()


def _entered(show: Any) -> contextlib.AbstractContextManager[Any]:
    return show if hasattr(show, "__enter__") else contextlib.nullcontext(show)


def _tell_aside(aside: IO[str], show: Any) -> None:
    """Repeat in the ordinary screen what was said and written while the other one was shown."""
    aside.seek(0)
    text = aside.read()[-STDERR_SHOWN:]
    for line in getattr(show, "said", ()):
        note(line)
    if text.strip():
        note(text.rstrip())


def _conclude(run: Any, wish: Wish) -> None:
    from actors.cli.summary import leftovers, run_report

    shown_command = wish.command.replace(os.getcwd() + os.sep, "")
    if run.exit_code in (ExitCode.JOURNAL_IN_USE, ExitCode.CONFIGURATION, ExitCode.JOURNAL_VERSION):
        pass  # it never ran; the node has said why
    else:
        for line in leftovers(run, shown_command):
            note(line)
    if wish.as_json:
        print_json(run_report(run))
    if run.exit_code == ExitCode.RESTARTS_EXHAUSTED:
        raise Problem(
            ExitCode.RESTARTS_EXHAUSTED,
            "the node died more often than its heart may restart it",
            f"look at {shortest(str(run.journal / 'log'))}, then start it again",
        )


# -- without one -------------------------------------------------------------------------------------------


def _in_this_process(topology: Any, wish: Wish, source: Any) -> int:
    """Run the node here, for debuggers and for systems that restart processes themselves."""
    from actors.cli.summary import Run, last_sequence
    from actors.deployment.process import run_node

    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    before, began = last_sequence(topology.journal_path), time.monotonic()
    watcher = _Watcher(Target(topology.deployment, topology.journal_path, topology.socket_path), wish)
    with announced(running_record(topology, wish)):
        watcher.start()
        code = run_node(topology, lambda: True, source)
        watcher.over.set()
    seconds = time.monotonic() - began
    run = Run(topology.deployment, topology.journal_path, before, seconds, code, 0, [os.getpid()], None)
    _conclude(run, wish)
    return code


class _Watcher(threading.Thread):
    """Prints plain lines about the node of this process, and stops it when its time is over."""

    def __init__(self, target: Target, wish: Wish) -> None:
        super().__init__(name="watcher", daemon=True)
        self._client = target.client
        self._wish = wish
        self.over = threading.Event()

    def run(self) -> None:
        from actors.cli.shows import PlainShow

        show, began = PlainShow(), time.monotonic()
        while not self.over.wait(1.0):
            with contextlib.suppress(Problem):
                show.view(self._client.get("/v1/view", 2.5))
            for_s = self._wish.for_s
            if for_s is not None and time.monotonic() - began >= for_s:
                os.kill(os.getpid(), signal.SIGTERM)
                return
