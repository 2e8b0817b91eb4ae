"""The command `polytrade`. A verb is imported when it is called, so that `--help` is quick."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, NoReturn

import click

from actors.cli.exit_codes import ExitCode

__all__ = ["COMMANDS", "main"]

# verb -> (module:command, what it does). The list is in the order in which an operator meets them.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("actors.cli.up:up", "Run a deployment and show it live."),
    "init": ("actors.cli.init:init", "Write a new deployment file, from a few answers."),
    "validate": ("actors.cli.configuration:validate", "Check deployment files; tell every fault at once."),
    "render": ("actors.cli.configuration:render", "Show a deployment with nothing left to decide."),
    "graph": ("actors.cli.configuration:graph", "Draw who reads whom."),
    "explain": (
        "actors.cli.configuration:explain",
        "Say what a kind of actor or a setting is for.",
    ),
    "schema": ("actors.cli.configuration:schema", "Write the JSON Schemas of deployment files."),
    "monitoring": (
        "actors.cli.monitoring:monitoring",
        "Write rules, routes and dashboards for Prometheus, Alertmanager and Grafana.",
    ),
    "ps": ("actors.cli.looking:ps", "List the actors of a running deployment."),
    "status": ("actors.cli.looking:status", "Say in a few lines how a deployment is."),
    "logs": ("actors.cli.logs:logs", "Show a deployment's log, of one actor if asked."),
    "inspect": ("actors.cli.looking:inspect", "Look into one actor: state, mailbox, last messages."),
    "orders": ("actors.cli.orders:orders", "List, show, cancel and resolve orders."),
    "restart": ("actors.cli.ordering:restart", "Rebuild one actor from the journal."),
    "halt": ("actors.cli.ordering:halt", "Stop taking risk; lasts until `resume`."),
    "limits": ("actors.cli.limits:limits", "Show and change risk limits of a running deployment."),
    "resume": ("actors.cli.ordering:resume", "Release a halt."),
    "reconcile": ("actors.cli.reconcile:reconcile", "Compare the books with the venue's, now."),
    "plan": ("actors.cli.plan:plan", "Tell what a changed file would do to the deployment that runs."),
    "apply": ("actors.cli.plan:apply", "Bring a changed file into the running deployment, or take it back."),
    "approve": ("actors.cli.approve:approve", "Agree to a plan that another person will apply."),
    "canary": ("actors.cli.canary:canary", "See, promote or abort a change that is tried on one symbol."),
    "rollback": ("actors.cli.plan:rollback", "Bring an earlier configuration back."),
    "generations": ("actors.cli.plan:generations", "List the configurations a deployment has run with."),
    "stop": ("actors.cli.ordering:stop", "Stop a running deployment in order."),
    "journal": ("actors.cli.journal:journal", "Read and verify journals."),
    "audit": ("actors.cli.audit:audit", "Prove that a journal is what was written; export what happened."),
    "trades": ("actors.cli.trades:trades", "List round trips with reasons, costs and ids."),
    "parity": ("actors.cli.parity:parity", "Split the gap between what happened and the model."),
    "state": ("actors.cli.state:state", "Rebuild an actor's state as it was at any moment."),
    "why": ("actors.cli.why:why", "Tell why an order exists and what became of it."),
    "backup": ("actors.cli.backup:backup", "Copy a journal while its node runs, and prove the copy."),
    "restore": ("actors.cli.backup:restore", "Put a backup in the place of a journal; it begins halted."),
    "tca": ("actors.cli.tca:tca", "Analyse what execution cost and how long it took."),
    "alerts": ("actors.cli.alerts:alerts", "List, take care of and silence alerts; try their routes."),
    "incident": ("actors.cli.incident:incident", "Show one screen at page time; export a bundle."),
    "runbook": ("actors.cli.runbook:runbook", "Read, check and run what to do when an alert fires."),
    "drill": ("actors.cli.drill:drill", "Disturb a deployment on purpose; prove alert, runbook, recovery."),
    "doctor": ("actors.cli.doctor:doctor", "Check whether this machine is fit to run a deployment."),
    "backtest": ("actors.cli.backtest:backtest", "Run a deployment over recorded history."),
    "sweep": ("actors.cli.sweep:sweep", "Search a grid of settings over recorded candles."),
    "data": ("actors.cli.data:data", "Check, describe and convert files of recorded markets."),
    "report": ("actors.cli.report:report", "Draw the report of a backtest again."),
    "bench": ("actors.cli.bench:bench", "Measure this machine beside its bare figures."),
    "markets": ("actors.cli.markets:markets", "Keep contract sizes, tiers and fees in step with the venue."),
    "secrets": (
        "actors.cli.secrets:secrets",
        "Check, list and write the values behind secret:// references.",
    ),
    "exchange": ("actors.cli.exchange:exchange", "Serve a local exchange that speaks Poloniex's API."),
    "vault": ("actors.cli.vault:vault", "Serve a double of Vault, for rehearsals and drills."),
    "test": ("actors.cli.config_tests:test", "Run tests of deployments, in virtual time."),
    "simulate": ("actors.cli.simulate:simulate", "Run a deployment under faults from seeds, and judge it."),
    "replay": (
        "actors.cli.replay:replay",
        "Run a failing seed, or a trade from the tape, again, to the byte.",
    ),
    "version": ("actors.cli.version:version", "Show the version."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and imports them when they are wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all verbs."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb of a command line; a misspelled one gets a suggestion."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if near:
                text = f"there is no command {args[0]!r}; did you mean {near[0]!r}?"
                raise click.UsageError(text, ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run, and turn whatever goes wrong into words and an exit code; a traceback only with --debug."""
        kwargs["standalone_mode"] = False
        code: Any = ExitCode.FAILURE
        try:
            code = super().main(*args, **kwargs)
        except BaseException as error:
            if _wants_traceback() and not isinstance(error, click.ClickException | SystemExit):
                raise
            from actors.cli.failures import tell

            code = tell(error)
        sys.exit(int(code) if isinstance(code, int) else 0)


def _wants_traceback() -> bool:
    return bool(os.environ.get("POLYTRADE_DEBUG"))


def _debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        os.environ["POLYTRADE_DEBUG"] = "1"  # the node's process inherits it


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        from actors.cli.version import version

        ctx.invoke(version, as_json=False)
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A command that concerns a deployment takes its file first; without one, the only one that runs.",
)
@click.option("--debug", is_flag=True, expose_value=False, callback=_debug, help="Show tracebacks.")
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version."
)
def main() -> None:
    """Autonomous trading on Poloniex futures, from one YAML file."""


if __name__ == "__main__":
    main()
