"""`polytrade version`."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from actors import __version__
from actors.cli.output import echo, json_option, print_json

__all__ = ["DEPENDENCIES", "dependency_versions", "version"]

DEPENDENCIES = (
    *("pykka", "msgspec", "msgpack", "lmdb", "pyyaml", "jsonschema"),
    *("click", "rich", "aiohttp", "prometheus-client", "numpy", "uvloop"),
)


def dependency_versions() -> dict[str, str]:
    """Return the versions of what we build on; empty for what is not installed."""
    found = {}
    for name in DEPENDENCIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Show the version."""
    if as_json:
        print_json(
            {
                "polytrade": __version__,
                "python": platform.python_version(),
                "dependencies": dependency_versions(),
            }
        )
    else:
        echo(f"polytrade {__version__} (Python {platform.python_version()})")
