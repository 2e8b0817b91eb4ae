"""`polytrade audit`: prove that a journal is what was written, and hand out what happened."""

from __future__ import annotations

import click

from actors.cli.audit_export import export
from actors.cli.audit_verify import verify

__all__ = ["audit"]


@click.group()
def audit() -> None:
    """Prove that a journal is what was written; export what happened. FILE may be a journal's folder."""


audit.add_command(verify)
audit.add_command(export)
