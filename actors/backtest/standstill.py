"""How much of a run nobody could trade in: a result that was made by standing still says nothing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import msgspec

from actors.backtest.record import RunRecord

__all__ = ["Standstill", "standstill"]


class Standstill(msgspec.Struct, frozen=True):
    """Halts of a run, taken together over all scopes."""

    fraction: float  # of the period in which some scope was halted
    first_at_ns: int
    scope: str
    level: str
    reason: str
    denials_count: int  # orders denied while it lasted
    rule: str  # that denied most of them; empty when none was denied

    @property
    def text(self) -> str:
        """Return it in words."""
        since = datetime.fromtimestamp(self.first_at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
        denied = f"; {self.denials_count} orders were denied meanwhile" if self.denials_count else ""
        by = f", most by {self.rule}" if self.rule else ""
        what = f"{self.scope}, {self.level}: {self.reason}"
        begun = f"trading was halted for {self.fraction:.0%} of the run, first at {since} UTC"
        return f"{begun} ({what}){denied}{by}"

    @property
    def remedy(self) -> str:
        """Return what somebody may do who wanted to see the strategy trade."""
        return "raise the limit that halted it with --set, or --set risk.begins_halted=false if it began so"


def standstill(record: RunRecord) -> Standstill | None:
    """Return what the halts of a run come to; None when there were none."""
    latched = [one for one in record.halts if one.level]
    if not latched:
        return None
    from_ns, to_ns = record.manifest.from_ns, record.manifest.to_ns
    spans = _spans(record, to_ns)
    halted_ns = sum(min(end, to_ns) - max(begin, from_ns) for begin, end in spans)
    denied = [
        one for one in record.denials if one.by == "risk" and any(a <= one.at_ns <= b for a, b in spans)
    ]
    rules = Counter(one.rule for one in denied).most_common(1)
    first = latched[0]
    return Standstill(
        fraction=halted_ns / max(1, to_ns - from_ns),
        first_at_ns=first.at_ns,
        scope=first.scope,
        level=first.level,
        reason=first.reason,
        denials_count=len(denied),
        rule=rules[0][0] if rules else "",
    )


def _spans(record: RunRecord, to_ns: int) -> list[tuple[int, int]]:
    """Return the stretches in which at least one scope was halted."""
    held: set[str] = set()
    found: list[tuple[int, int]] = []
    began = 0
    for one in record.halts:
        if one.level:
            began = began if held else one.at_ns
            held.add(one.scope)
        elif one.scope in held:
            held.remove(one.scope)
            if not held:
                found.append((began, one.at_ns))
    return [*found, (began, max(began, to_ns))] if held else found
