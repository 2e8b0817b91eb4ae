"""`polytrade vault`: a double of Vault on this machine, with faults on demand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import note
from actors.cli.problems import Problem

if TYPE_CHECKING:
    from actors.drills.vault.core import VaultDouble

__all__ = ["vault"]

ROOT_TOKEN = "local-root"


@click.command()
@click.option("--port", default=8200, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0: any.")
@click.option("--root-token", default=ROOT_TOKEN, show_default=True, help="The token that may do everything.")
@click.option(
    *("-d", "--deployment", "deployment"),
    metavar="FILE",
    help="Begin with made-up values for its references, its policy, and an AppRole `polytrade`.",
)
@click.option(
    "--credential",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --deployment: write the AppRole's secret id here, as whoever delivers it would.",
)
def vault(port: int, root_token: str, deployment: str | None, credential: Path | None) -> None:
    """Serve a double of Vault on 127.0.0.1 until Ctrl-C. It keeps nothing, and its secrets are no secrets."""
    from actors.drills.vault.core import VaultDouble
    from actors.runtime.clock import SystemClock

    double = VaultDouble(SystemClock(), root_token)
    if deployment is not None:
        _fill(double, deployment, credential)
    asyncio.run(_serve(double, port))


def _fill(double: VaultDouble, deployment: str, credential: Path | None) -> None:
    from actors.cli.targets import load_topology
    from actors.deployment.secret_values import secrets_of
    from actors.drills.vault.filling import fill
    from actors.secrets.reference import parse_reference

    topology = load_topology([deployment])
    texts = {text for plan in topology.actors for _, text in secrets_of(plan)}
    references = [one for text in sorted(texts) if (one := parse_reference(text)) is not None]
    role_id, secret_id = fill(double, topology.deployment, references, dict(topology.secrets.defaults))
    note(f"role id    {role_id}")
    if credential is not None:
        descriptor = os.open(credential, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(secret_id + "\n")
        note(f"secret id  in {credential}")


async def _serve(double: VaultDouble, port: int) -> None:
    from actors.drills.vault.web import VaultServer

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server: Any = VaultServer(double)
    try:
        await server.start("127.0.0.1", port)
    except OSError as error:
        await server.stop()
        text = f"127.0.0.1:{port} cannot be listened on: {os.strerror(error.errno or 0)}"
        raise Problem(ExitCode.FAILURE, text, "choose another --port") from error
    note(f"VAULT_ADDR http://127.0.0.1:{server.port}")
    note(f"faults     http://127.0.0.1:{server.port}/__faults__")
    with contextlib.suppress(asyncio.CancelledError):
        await ended.wait()
    await server.stop()
