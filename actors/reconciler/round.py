"""One round of looks at both sides: which differences are real, and when the round is decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from actors.reconciler.compare import Difference, Kind
from actors.reconciler.resolve import Decision

__all__ = ["Round"]


class Round:
    """The looks of one round.

    Both sides move while they are read, so one look proves nothing but agreement. A difference counts when
    two looks in a row show it with the same amount, or when every look of a full round showed it with some.
    """

    def __init__(self, passes_max: int, began_at_ns: int = 0, *, is_dry: bool = False) -> None:
        self._passes_max = passes_max
        self.began_at_ns = began_at_ns
        self.is_dry = is_dry  # nothing is done about what it finds
        self.decisions: tuple[Decision, ...] = ()
        self._last: set[tuple[Kind, str, int]] = set()
        self._always: set[tuple[Kind, str]] = set()
        self._acted: set[tuple[Kind, str]] = set()
        self.passes_count = 0

    @property
    def is_over(self) -> bool:
        """No further look is allowed."""
        return self.passes_count >= self._passes_max

    def look(self, differences: Iterable[Difference]) -> tuple[Difference, ...]:
        """Take in what one look found; return the differences that count."""
        found = tuple(differences)
        self.passes_count += 1
        names = {(d.kind, d.key) for d in found}
        self._always = names if self.passes_count == 1 else self._always & names
        confirmed = tuple(
            d
            for d in found
            if (d.kind, d.key, d.theirs - d.ours) in self._last
            or (self.is_over and (d.kind, d.key) in self._always)
        )
        self._last = {(d.kind, d.key, d.theirs - d.ours) for d in found}
        return confirmed

    def note(self, decisions: Iterable[Decision]) -> None:
        """Remember what was decided, for whoever asked."""
        self.decisions += tuple(decisions)

    def first_time(self, difference: Difference) -> bool:
        """Tell whether this round has not tried to resolve the difference yet, and remember that it does."""
        name = (difference.kind, difference.key)
        if name in self._acted:
            return False
        self._acted.add(name)
        return True
