"""`polytrade canary`: how a change stands that is tried on one symbol or account, and its end by hand."""

from __future__ import annotations

import sys
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.output import agree, echo, json_option, note, print_json
from actors.cli.targets import find_target

__all__ = ["canary"]

ANSWER_WITHIN_S = 40.0  # a promotion is proven before it is told
E8 = 100_000_000


@click.group()
def canary() -> None:
    """See how a canary does, promote it before its time, or abort it.

    `polytrade apply FILE --canary SYMBOL|ACCOUNT --for 30m` begins one.
    """


@canary.command()
@click.argument("file", required=False, metavar="[FILE]")
@json_option
def status(file: str | None, as_json: bool) -> None:
    """Say what is tried, for how long still, and what was measured against which limit.

    Exit codes: 0, also when no canary runs.
    """
    found = find_target(file).client.get("/v1/canary")
    if as_json:
        print_json(found)
        return
    for line in status_lines(found):
        echo(line)


@canary.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--reason", default="", help="Why before its time; it is kept.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def promote(file: str | None, reason: str, yes: bool, as_json: bool) -> None:
    """Bring in the rest of the change now."""
    answer = _end(file, "promote", reason, yes)
    if as_json:
        print_json(answer)
    elif answer["taken_back"]:
        note(f"rolled back: the rest could not be brought in: {answer['taken_back']}")
    else:
        echo(f"generation {answer['generation']} runs, with the whole change")
    sys.exit(ExitCode.REFUSED if answer["taken_back"] else ExitCode.OK)


@canary.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--reason", default="", help="Why; it is kept.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def abort(file: str | None, reason: str, yes: bool, as_json: bool) -> None:
    """Bring back what ran before the canary."""
    answer = _end(file, "abort", reason, yes)
    if as_json:
        print_json(answer)
    else:
        echo(f"generation {answer['generation']} runs: what ran before the canary")


def _end(file: str | None, action: str, reason: str, yes: bool) -> dict[str, Any]:
    client = find_target(file).client
    found = client.get("/v1/canary")
    if found["running"]:
        for line in status_lines(found):
            note(line)
        agree(f"{action} it", yes, "the canary goes on")
    body = {"action": action, "actor": who(), "reason": reason or "by hand"}
    answer: dict[str, Any] = client.post("/v1/canary", body, ANSWER_WITHIN_S)
    return answer


def status_lines(found: dict[str, Any]) -> list[str]:
    """Return how a canary stands as text."""
    from actors.domain.evidence import instant_text

    if not found["running"]:
        return ["no canary runs"]
    lines = [
        f"generation {found['generation']} is a canary of {found['target']} until "
        f"{instant_text(found['until_ns'])}, {found['left_s']} s from now",
        f"began by {found['actor']}{': ' if found['reason'] else ''}{found['reason']}",
        f"on trial  {', '.join(found['changed'])}",
        f"waiting   {', '.join(found['deferred']) or 'nothing'}",
    ]
    return [*lines, *_measures(found["measures"], found["limits"])]


def _measures(found: dict[str, Any], limits: dict[str, Any]) -> list[str]:
    if not found:
        return ["measured  nothing yet"]
    few = "" if found["orders"] >= limits["orders_min"] else f" (judged from {limits['orders_min']} on)"
    ours, others = (found[name] / 1e6 for name in ("latency_p99_ns", "latency_p99_ns_others"))
    rows = (
        (
            "refused",
            f"{found['refused']} of {found['orders']} orders{few}",
            f"{limits['refusals_max'] / E8:g}",
        ),
        ("latency", f"{ours:.1f} ms p99, others {others:.1f} ms", f"{limits['latency_factor'] / E8:g} times"),
        ("drawdown", f"{found['drawdown_usdt'] / E8:.2f} USDT", f"{limits['drawdown_usdt'] / E8:.2f} USDT"),
        ("restarts", str(found["restarts"]), str(limits["restarts_max"])),
        ("pages", str(len(found["pages"])), "none" if limits["pages"] else "any"),
        ("halts", str(len(found["halts"])), "none" if limits["halts"] else "any"),
    )
    return [f"{name:<9} {value}; allowed: {limit}" for name, value, limit in rows]
