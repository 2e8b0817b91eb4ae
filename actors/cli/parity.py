"""`polytrade parity`: what happened against what the model says, and where the gap comes from."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from actors.cli.data_files import instant as instant_option
from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import table_text
from actors.cli.targets import deployment_options, find_target, split_words, topology_of
from actors.domain.money import format_e8

__all__ = ["parity"]

DAY_NS = 86_400_000_000_000
SAID = {
    "data": "the market as the node saw it, against another record of it",
    "latency": "the model with the measured latency, against the one it believes",
    "fees": "fees of what both filled, against the model's",
    "funding": "funding as charged, against the model's",
    "slippage": "prices of what both filled, against the model's",
    "queue": "what only one of both filled, and what followed from that",
    "code": "the node's journal, against its tape under this code",
}


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--day", default="", metavar="DATE", help="One day, in UTC; everything when nothing is said.")
@deployment_options
@json_option
def parity(
    words: tuple[str, ...], day: str, environments: tuple[str, ...], inputs: tuple[str, ...], as_json: bool
) -> None:
    """Play the node's own tape through the model and split the gap to what happened into its parts."""
    from actors.deployment.parity import measure

    file, _ = split_words(words)
    target = find_target(file, environments, inputs)
    topology = topology_of(target, environments, inputs)
    from_ns = instant_option(day, "--day")
    if from_ns % DAY_NS:
        raise Problem(ExitCode.USAGE, f"--day {day} is no day", "write 2026-11-28; days are UTC")
    found = measure(topology, _model(topology), from_ns, from_ns + DAY_NS if from_ns else 0)
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    parts = found.parts
    rows = [("PART", "USDT", "WHAT IT IS")]
    rows += [(name, format_e8(getattr(parts, f"{name}_usdt")), text) for name, text in SAID.items()]
    rows += [("gap", format_e8(parts.gap_usdt), "what happened, against the model; the sum of the above")]
    echo(table_text(rows, frozenset({1})))
    note(f"happened {format_e8(parts.actual_usdt)} USDT, model {format_e8(parts.model_usdt)} USDT")
    both, mine, its = parts.orders_both, parts.orders_actual_only, parts.orders_model_only
    note(f"orders filled in both {both}, only in fact {mine}, only in the model {its}")
    if found.is_modelled:
        ours, its_ms = found.latency_ns_measured / 1e6, found.latency_ns_model / 1e6
        note(f"latency each way: measured {ours:.1f} ms, model {its_ms:.1f} ms")
    else:
        note("the deployment has the model's exchange inside: any gap is the code's")


def _model(topology: Any) -> Any:
    """Return what the deployment's parity actor believes of the venue; defaults without one."""
    from actors.deployment.parity import Model

    for plan in topology.actors:
        if plan.kind == "parity":
            own = plan.settings
            taker, maker = own.fees.get("taker", -1), own.fees.get("maker", -1)
            return Model(own.latency, taker, maker, own.slippage, own.queue)
    return Model()
