"""Verbs about deployment files: `validate`, `render`, `graph`, `explain`, `schema`. Nothing is started."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.targets import deployment_options, load_topology

__all__ = ["explain", "graph", "render", "schema", "tell_faults", "validate"]

files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")
SCHEMAS = "schemas"


def tell_faults(faults: Sequence[Any]) -> None:
    """Write faults for people to stderr."""
    import os

    from actors.deployment.report import text_report

    click.echo(
        text_report(faults, color=sys.stderr.isatty() and "NO_COLOR" not in os.environ), err=True, nl=False
    )


def _age_warnings(topology: Any) -> tuple[Any, ...]:
    import time

    from actors.deployment.live_markets import age_faults

    return age_faults(topology, time.time_ns(), "W407")


def _tell_warnings(topology: Any) -> None:
    if topology.warnings:
        tell_faults(topology.warnings)


@click.command()
@files_argument
@deployment_options
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True
)
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
def validate(
    files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...], form: str, strict: bool
) -> None:
    """Check deployment files and tell every fault at once. Several files are layers of one deployment."""
    from actors.deployment.faults import ConfigError
    from actors.deployment.report import json_report, sarif_report, summary

    try:
        topology = load_topology(files, environments, inputs)
        faults = (*topology.warnings, *_age_warnings(topology))
    except ConfigError as error:
        topology, faults = None, error.faults
    if form != "text":
        echo((json_report if form == "json" else sarif_report)(faults).rstrip("\n"))
    elif faults:
        tell_faults(faults)
    if topology is None or (strict and faults):
        sys.exit(ExitCode.CONFIGURATION)
    if form == "text":
        actors, supervisors = len(topology.actors), len(topology.supervisors)
        shown = f"{topology.deployment} ({topology.mode}): {actors} actors, {supervisors} supervisors"
        echo(f"{shown}, {summary(faults)}")


@click.command()
@files_argument
@deployment_options
@click.option(
    "--show-origin/--no-origin",
    "--origins/--no-origins",
    "origins",
    default=True,
    help="Say beside each value where it was written.",
)
def render(
    files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...], origins: bool
) -> None:
    """Show a deployment with nothing left to decide: every actor, every setting, where it was written."""
    from actors.deployment.render import render as rendered

    topology = load_topology(files, environments, inputs)
    _tell_warnings(topology)
    echo(rendered(topology, origins=origins).rstrip("\n"))


@click.command()
@files_argument
@deployment_options
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "dot"]), default="text", show_default=True
)
def graph(files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...], form: Any) -> None:
    """Draw the actors under their supervisors, and which messages flow between them."""
    from actors.deployment.graph import graph as drawn

    topology = load_topology(files, environments, inputs)
    _tell_warnings(topology)
    echo(drawn(topology, form).rstrip("\n"))


@click.command()
@click.argument("subject", default="", metavar="[KIND[.FIELD]]")
def explain(subject: str) -> None:
    """Say what a kind of actor, a section, or one of their settings is for. No name lists the kinds."""
    from actors.deployment.explain import NotExplained
    from actors.deployment.explain import explain as explained

    try:
        echo(explained(subject).rstrip("\n"))
    except NotExplained as error:
        raise Problem(ExitCode.NOT_FOUND, str(error), "`polytrade explain` lists the kinds") from error


@click.command()
@click.option(
    "--check", "is_check", is_flag=True, help="Change nothing; exit code 11 when files are out of date."
)
@click.option(
    "--directory", default=SCHEMAS, show_default=True, type=click.Path(file_okay=False, path_type=Path)
)
def schema(is_check: bool, directory: Path) -> None:
    """Write the JSON Schemas that editors use, and the shapes of what journals hold, from the classes.

    Refused when a journal of before could not be read any more: docs/upgrade.md.
    """
    from actors.deployment.schema import check, write

    if is_check:
        drifted = check(directory)
        if drifted:
            listed = ", ".join(str(directory / name) for name in drifted)
            raise Problem(
                ExitCode.DRIFT, f"out of date: {listed}", "run `polytrade schema` and commit the result"
            )
        note(f"{directory}: up to date")
        return
    try:
        changed = write(directory)
    except ValueError as error:
        remedy = "keep old bytes readable, or raise the version and upgrade them; docs/upgrade.md"
        raise Problem(ExitCode.DRIFT, f"journals of before could not be read:\n{error}", remedy) from None
    for name in changed:
        echo(str(directory / name))
    if not changed:
        note(f"{directory}: up to date")
