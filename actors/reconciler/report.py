"""How a round ended, for whoever asked for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from actors.reconciler.resolve import Decision

__all__ = ["Report", "ReportRow", "no_answer", "report_of"]


class ReportRow(msgspec.Struct, frozen=True):
    """One difference that counted, and what became of it, or would."""

    kind: str
    key: str
    symbol: str
    ours: int
    theirs: int
    text: str
    act: str
    reason: str


class Report(msgspec.Struct, frozen=True):
    """One round. `agrees` is how it ended: a difference that was found may have been settled in it."""

    agrees: bool
    dry_run: bool
    began_at_ns: int
    at_ns: int
    rows: tuple[ReportRow, ...]
    fault: str = ""  # why nothing could be compared


def report_of(
    decisions: Iterable[Decision], agrees: bool, began_at_ns: int, at_ns: int, *, is_dry: bool
) -> Report:
    """Return a round that came to its end."""
    rows = []
    for decision in decisions:
        kind, key, ours, theirs, symbol = decision.difference
        text = decision.difference.text
        rows.append(
            ReportRow(kind.value, key, symbol, ours, theirs, text, decision.act.value, decision.reason)
        )
    return Report(agrees, is_dry, began_at_ns, at_ns, tuple(rows))


def no_answer(waited_for: str, began_at_ns: int, at_ns: int, *, is_dry: bool) -> Report:
    """Return a round in which somebody did not answer."""
    return Report(False, is_dry, began_at_ns, at_ns, (), f"waited in vain for {waited_for}")
