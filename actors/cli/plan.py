"""`polytrade plan`, `apply`, `rollback`, `generations`: change what a deployment is while it runs."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.output import agree, echo, json_option, note, print_json
from actors.cli.plan_follow import SETTLE_S, FollowWish, follow, watch_options
from actors.cli.plan_shown import applied_text, generation_lines, plan_lines
from actors.cli.plans import compared, keep_plan, kept_by, planned_files, read_plan
from actors.cli.problems import Problem
from actors.cli.spans import Span
from actors.cli.targets import Target, deployment_options, find_target, is_target_word, running_options

__all__ = ["apply", "generations", "plan", "rollback"]

NOTHING, CHANGES, ERROR = 0, 2, 1  # exit codes of `plan`, as of every tool that plans
CANARY_S = 1800.0
NOTHING_DONE = {
    "text": "nothing changes",
    "created": [],
    "restarted": [],
    "told": [],
    "removed": [],
    "taken_back": "",
    "canary_until_ns": 0,
    "deferred": [],
}
ANSWER_BESIDE_S = 30.0  # beside the time for which a change is watched


def prove_option(command: Any) -> Any:
    """Add `--prove` to a command that changes a node."""
    text = "For how long the changed actors must run well."
    return click.option("--prove", "prove_s", type=Span(), default="5s", show_default=True, help=text)(
        command
    )


def canary_options(command: Any) -> Any:
    """Add `--canary` and `--for`."""
    command = click.option(
        *("--for", "canary_s"),
        type=Span(),
        help="With --canary: for how long it must do well.  [default: 30m]",
    )(command)
    return click.option(
        *("--canary", "target"),
        default="",
        metavar="SYMBOL|ACCOUNT",
        help="Begin with what this one owns of the change; the rest follows when that does well.",
    )(command)


class PlanCommand(click.Command):
    """Its code 2 says that something changes: a command line that makes no sense must not say the same."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line; leave with ERROR when it cannot be read."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            from actors.cli.failures import tell

            tell(error)
            sys.exit(ERROR)


@click.command(cls=PlanCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@deployment_options
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Keep the plan for `apply`."
)
@json_option
def plan(
    files: tuple[str, ...],
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Tell what a changed deployment file would do to the deployment that runs, or ran last.

    Exit codes: 0 nothing changes, 2 something does, 1 it cannot be planned.
    """
    from actors.deployment.faults import ConfigError

    try:
        found = planned_files(files, environments, inputs)
    except (Problem, ConfigError) as error:
        from actors.cli.failures import tell

        tell(error)
        sys.exit(ERROR)
    if out is not None:
        keep_plan(out, found)
    if as_json:
        print_json({name: value for name, value in found.items() if name != "document"})
    else:
        for line in plan_lines(found):
            echo(line)
        if out is not None:
            note(f"apply exactly this: polytrade apply {out}")
    sys.exit(CHANGES if found["changes"] or found["blocked"] else NOTHING)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="PLAN | FILE...")
@deployment_options
@click.option("--reason", default="", help="Why; it is kept. Needed where a limit becomes wider.")
@click.option("--approve", "approver", default="", metavar="NAME", help="Who, beside you, has looked at it.")
@prove_option
@canary_options
@watch_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def apply(
    files: tuple[str, ...],
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    reason: str,
    approver: str,
    prove_s: float,
    target: str,
    canary_s: float | None,
    watches: bool,
    settle_s: float | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring a changed deployment file into the running node; on any failure what ran before runs again.

    Given a plan of `polytrade plan --out`, exactly that is applied, or nothing when the node has moved on.
    """
    if watches and target:
        text = "--watch and --canary do not go together"
        raise Problem(ExitCode.USAGE, text, "begin the canary by hand; a watch that runs waits for its end")
    _need_each_other("--for", canary_s, "--canary SYMBOL|ACCOUNT", target)
    _need_each_other("--settle", settle_s, "--watch", watches)
    if watches:
        wish = FollowWish(reason, prove_s, SETTLE_S if settle_s is None else settle_s, as_json)
        follow(files, *running_options(files, environments, inputs), wish)
        return
    if len(files) == 1 and not is_target_word(files[0]):
        found = read_plan(Path(files[0]))
    else:
        found = planned_files(files, environments, inputs)
    words = {"reason": reason, "approver": approver, "prove_s": prove_s, "of": found.get("of", 0)}
    if target:
        words |= {"canary": target, "canary_s": CANARY_S if canary_s is None else canary_s}
    _bring_in(found, words, yes, as_json)


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.argument("number", required=False, type=int, metavar="[N]")
@click.option("--reason", default="", help="Why; it is kept.")
@prove_option
@click.option(
    *("-o", "--out"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the plan for `approve` and `apply`; bring nothing back yet.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def rollback(
    file: str | None,
    number: int | None,
    reason: str,
    prove_s: float,
    out: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring an earlier generation back, as a new one: number N, or what ran before what runs.

    After a rollback that is what ran before the generation that was brought back; canaries do not count.
    The files need not be there, nor be right. A limit that becomes wider again takes a --reason.
    """
    if file is not None and file.isdigit() and number is None:
        file, number = None, int(file)
    target = find_target(file)
    kept = kept_by(target)
    numbers = kept.numbers()
    wanted = kept.before() if number is None else number
    if not numbers or wanted is None:
        raise Problem(
            ExitCode.NOT_FOUND, "there is no earlier generation", "`polytrade generations` lists them"
        )
    try:
        generation = kept.read(wanted)
    except KeyError:
        known = f"{numbers[0]} to {numbers[-1]}"
        raise Problem(ExitCode.NOT_FOUND, f"there is no generation {wanted}", f"there are {known}") from None
    found = {**compared(target, kept.read(numbers[-1]), generation.document), "of": wanted}
    if out is not None:
        for line in plan_lines(found):
            note(line)
        keep_plan(out, found)
        note(f"apply exactly this: polytrade apply {out}")
        return
    # A wider limit takes a reason of a person's own: without one the node refuses.
    reason = reason or ("" if found["loosened"] else f"back to generation {wanted}")
    words = {"reason": reason, "prove_s": prove_s, "of": wanted}
    _bring_in(found, words, yes, as_json)


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@json_option
def generations(file: str | None, as_json: bool) -> None:
    """List the configurations that a deployment has run with, newest last."""
    from actors.deployment.configuring import rows_of

    rows = rows_of(kept_by(find_target(file)))["generations"]
    if as_json:
        print_json({"generations": rows})
        return
    for line in generation_lines(rows):
        echo(line)


def _need_each_other(option: str, value: Any, other: str, given: Any) -> None:
    if value is not None and not given:
        raise Problem(ExitCode.USAGE, f"{option} means nothing without {other}", f"add {other}")


# -- applying ----------------------------------------------------------------------------------------------


def _bring_in(found: dict[str, Any], words: dict[str, Any], yes: bool, as_json: bool) -> None:
    if not as_json:
        for line in plan_lines(found):
            note(line)
    if not (found["changes"] or found["blocked"]):
        answer = {"generation": found["base"], **NOTHING_DONE}
        with contextlib.suppress(Problem):  # one that failed before is over with that: its alert ends
            answer = bring_in(found, words)
        if as_json:
            print_json(answer)
        else:
            note("nothing to apply")
        return
    agree("apply this", yes, "nothing was applied")
    try:
        answer = bring_in(found, words)
    except KeyboardInterrupt:
        remedy = "`polytrade generations` tells what runs; `polytrade rollback` takes it back"
        text = f"interrupted: nobody waits any more, but {found['deployment']} may have been changed"
        raise Problem(ExitCode.INTERRUPTED, text, remedy) from None
    if as_json:
        print_json(answer)
    else:
        _tell(answer, found["base"])
    sys.exit(ExitCode.REFUSED if answer["taken_back"] else ExitCode.OK)


def bring_in(found: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    """Have the node of a plan apply it; return what became of it. Errors: Problem."""
    from actors.deployment.generations import Generations

    target = Target(found["deployment"], Path(found["journal"]), Path(found["socket"]))
    target.client.get("/healthz")  # nothing is laid down for a node that is not there
    body = {
        **{name: value for name, value in words.items() if value not in ("", None)},
        "staged": Generations(target.journal).stage(found["document"]),
        "base": found["base"],
        "actor": who(),
        "reason": words["reason"],
    }
    try:
        answer: dict[str, Any] = target.client.post("/v1/apply", body, words["prove_s"] + ANSWER_BESIDE_S)
    except Problem as gone:
        if gone.code is not ExitCode.NOT_RUNNING:
            raise
        text = f"{target.name} went away while it applied this; what is not proven is taken back at its start"
        raise Problem(ExitCode.NOT_RUNNING, text, "`polytrade generations` tells what runs then") from gone
    return answer


def _tell(answer: dict[str, Any], base: int) -> None:
    if answer["taken_back"]:
        note(f"taken back: {answer['taken_back']}; generation {base} runs again, as generation {base + 2}")
        return
    echo(f"generation {answer['generation']} runs: {applied_text(answer)}")
    if answer["canary_until_ns"]:
        waiting = len(answer["deferred"])
        note(f"it is a canary; {waiting} changes wait; `polytrade canary status` says how it does")
