"""What a drill may do to the double: refuse, delay, hang up, be gone."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from actors.drills.vault.kinds import Refused

__all__ = ["KINDS", "Fault", "Faults"]

KINDS = {
    "refuse": "answer with `status` (and `error`) instead of doing what was asked",
    "slow": "wait `delay_ms` before every answer",
    "hang_up": "close the connection without an answer",
}


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault for paths that begin with `path`. `times` 0: until it is taken back."""

    kind: str
    path: str = ""
    status: int = 500
    error: str = "internal error"
    delay_ms: int = 0
    times: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")


@dataclass(slots=True)
class Faults:
    """The faults in force."""

    rules: list[Fault] = field(default_factory=list)

    def find(self, kind: str, path: str) -> Fault | None:
        """Return the first fault of a kind that strikes this path, and count it."""
        for rule in self.rules:
            is_over = rule.times and rule.struck >= rule.times
            if rule.kind == kind and path.startswith(rule.path) and not is_over:
                rule.struck += 1
                return rule
        return None

    def strike(self, path: str) -> None:
        """Refuse a request when a fault says so. Errors: Refused."""
        rule = self.find("refuse", path)
        if rule is not None:
            raise Refused(rule.status, rule.error)
