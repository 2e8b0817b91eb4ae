"""`polytrade monitoring`: what Prometheus, Alertmanager and Grafana need to watch a deployment, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.runbook import ROOT, runbooks_folder
from actors.cli.targets import deployment_options, load_topology

__all__ = ["monitoring"]


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@deployment_options
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/monitoring"),
    show_default=True,
    help="Folder that gets alerts/, dashboards/ and monitoring/.",
)
@click.option(
    "--check", "is_check", is_flag=True, help="Change nothing; exit code 11 when files are out of date."
)
def monitoring(
    files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...], out: Path, is_check: bool
) -> None:
    """Write rules, their tests, routes and dashboards for a deployment, from its `slo` and `monitoring`."""
    from actors.monitoring.files import drifted, monitoring_files, write
    from actors.monitoring.known import AlertWithoutRunbook, known_alerts

    topology = load_topology(files, environments, inputs)
    try:
        made = monitoring_files(topology, known_alerts(ROOT, runbooks_folder()))
    except AlertWithoutRunbook as error:
        remedy = "run it where the runbooks lie; `polytrade runbook lint` says what is wrong with one"
        raise Problem(ExitCode.FAILURE, str(error), remedy) from error
    if is_check:
        wrong = drifted(out, made)
        if wrong:
            listed = ", ".join(str(out / path) for path in wrong)
            raise Problem(ExitCode.DRIFT, f"out of date: {listed}", "run the same without --check")
    else:
        for path in (wrong := write(out, made)):
            echo(str(out / path))
    if not wrong:
        note(f"{out}: up to date")
    _warn(topology)


def _warn(topology: Any) -> None:
    """Say what keeps these files from being of use."""
    http = topology.control.http
    if not http.enabled or not http.port:
        port = topology.monitoring.targets[0].rpartition(":")[2] if topology.monitoring.targets else "9464"
        note(f"the node has no fixed port for Prometheus: write control: {{http: {{port: {port}}}}}")
    if ".invalid" in topology.monitoring.runbooks_url:
        note("links to runbooks lead nowhere: write monitoring: {runbooks_url: ...}")
