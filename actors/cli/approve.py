"""`polytrade approve`: one person's word for a plan that another person applies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.output import agree, echo, json_option, note, print_json
from actors.cli.plan_shown import plan_lines
from actors.cli.plans import compared, read_plan
from actors.cli.problems import Problem
from actors.cli.targets import Target

__all__ = ["approve"]


@click.command()
@click.argument("plan", type=click.Path(path_type=Path), metavar="PLAN")
@click.option("--reason", default="", help="Why it is all right; it is kept.")
@click.option("--name", default="", help="Who says so; the account of this session without it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def approve(plan: Path, reason: str, name: str, yes: bool, as_json: bool) -> None:
    """Agree to a plan of `polytrade plan --out`, which another person applies.

    What is shown is computed anew: what the plan would make, against what runs. The word holds for exactly
    this plan, for a while, and while no other generation runs; who applies it does not count.
    """
    kept = read_plan(plan)
    target = Target(kept["deployment"], Path(kept["journal"]), Path(kept["socket"]))
    found = compared(target, _running(target), kept["document"])
    if found["base"] != kept["base"]:
        text = f"generation {found['base']} runs; the plan was made against generation {kept['base']}"
        raise Problem(ExitCode.REFUSED, text, "plan it again")
    for line in plan_lines(found):
        note(line)
    agree("approve this", yes, "nothing was approved")
    body = {
        "digest": found["approvals"]["digest"],
        "base": found["base"],
        "actor": name or who(),
        "reason": reason,
    }
    answer = target.client.post("/v1/approve", body)
    if as_json:
        print_json({**answer, "digest": body["digest"]})
        return
    names = ", ".join(dict.fromkeys(one["by"] for one in answer["approvals"]))
    echo(f"approved: {names}; wanted are {answer['wanted']} beside whoever applies")


def _running(target: Target) -> Any:
    """Return the generation that runs, as its node tells it: its folder belongs to another user, maybe."""
    import msgspec

    from actors.deployment.generations import Generation

    return msgspec.convert(target.client.get("/v1/generations/0"), Generation)
