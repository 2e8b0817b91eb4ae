"""The alert matrix: every alert with what it means for the money, its runbook, drill and budgets.

`python -m actors.drills.runbooks.matrix docs/alerts.md` writes the page from the actors' tables and the
runbooks; a test holds the page against both.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from actors.drills.runbooks.catalogue import Alert, listed_alerts
from actors.drills.runbooks.document import Runbook
from actors.drills.runbooks.lint import read_all

__all__ = ["matrix_page"]

ROOT = Path(__file__).parents[3]
HEAD = """# The alert matrix

Every alert there is, pages first. Made from the tables in the actors' READMEs and the front matter of the
[runbooks](../runbooks/README.md) by `python -m actors.drills.runbooks.matrix docs/alerts.md`; a test
holds it against both.
*Detect*: from the fault to the alert, at most. *Recover*: by the runbook, at most. What to do when one comes:
[On call](on-call.md).

| alert | severity | it fires when | for the money | raised by | detect | recover |
|---|---|---|---|---|---|---|"""


def matrix_page(alerts: Mapping[str, Alert], runbooks: list[Runbook]) -> str:
    """Return the page; an alert without a runbook has no row."""
    lines = [HEAD]
    for one in sorted(runbooks, key=lambda one: (one.front.severity != "page", one.name)):
        alert, front = alerts[one.name], one.front
        actor = alert.document.removeprefix("actors/").removesuffix("/README.md")
        cells = (
            f"[{one.name}](../runbooks/{one.name}.md)",
            alert.severity,
            alert.when,
            one.impact,
            f"[{actor}](../{alert.document})",
            front.detect,
            front.recover,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page named on the command line."""
    runbooks, faults = read_all(ROOT / "runbooks")
    if faults:
        sys.exit("\n".join(str(fault) for fault in faults))
    Path(sys.argv[1]).write_text(matrix_page(listed_alerts(ROOT), runbooks), encoding="utf-8")


if __name__ == "__main__":
    main()
