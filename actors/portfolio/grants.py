"""How limits on all accounts are shared out, so that the parts never add up to more. Pure.

An account may hold any grant that was sent to it since the one it acknowledged: the largest of them, or what
it uses when that is more, counts as held. A part is raised only by what the limit leaves beside all that is
held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from actors.messages.grants import Measures, PortfolioGrant, PortfolioUse

__all__ = ["MEASURES", "UNLIMITED", "AccountGrants", "Part", "all_young", "grant_of", "regrant", "take_use"]

MEASURES = ("gross_usdt", "net_usdt", "correlated_usdt")
UNLIMITED = 2**62
E8 = 100_000_000
STEPS = (
    64  # a part moves by no less than this fraction of the limit, so that prices do not move it all the time
)


class Part(msgspec.Struct, array_like=True):
    """One account's part in one limit."""

    granted: int = 0  # as sent last
    bound: int = UNLIMITED  # it holds no more than this, whatever was lost on the way
    together: int = 0  # as sent last
    together_bound: int = UNLIMITED  # it counts on no less than this for all accounts


class AccountGrants(msgspec.Struct, array_like=True):
    """One account's parts, and the number under which they were sent last; 0 is never."""

    number: int = 0
    gross_usdt: Part = msgspec.field(default_factory=Part)
    net_usdt: Part = msgspec.field(default_factory=Part)
    correlated_usdt: Part = msgspec.field(default_factory=Part)

    def part(self, measure: str) -> Part:
        """Return the part in one limit."""
        found: Part = getattr(self, measure)
        return found


def grant_of(account: str, grants: AccountGrants) -> PortfolioGrant:
    """Return what the account is told."""
    parts = [grants.part(measure) for measure in MEASURES]
    own, together = (one.granted for one in parts), (one.together for one in parts)
    return PortfolioGrant(account, grants.number, Measures(*own), Measures(*together))


def take_use(grants: AccountGrants, use: PortfolioUse) -> None:
    """Note what an account keeps to. One without a limit of its own keeps to none."""
    if use.number > grants.number:  # sent by a portfolio that has been forgotten
        grants.number = use.number + 1
        for measure in MEASURES:
            grants.part(measure).bound = UNLIMITED
    for measure in MEASURES:
        part = grants.part(measure)
        if not getattr(use.limits, measure):
            part.bound = UNLIMITED
        elif use.number and use.number == grants.number:
            part.bound, part.together_bound = part.granted, part.together


def regrant(all_grants: Mapping[str, AccountGrants], uses: Mapping[str, PortfolioUse], reserve: int) -> bool:
    """Share out anew what is free; return whether anything is to be sent.

    uses: of every account, with prices known. reserve: part of each limit that is granted to nobody, 1e-8.
    """
    changed: set[str] = set()
    for measure in MEASURES:
        limits = [limit for use in uses.values() if (limit := getattr(use.limits, measure))]
        if limits:
            used = {name: getattr(use.used, measure) for name, use in uses.items()}
            parts = {name: all_grants[name].part(measure) for name in uses}
            changed |= _share(parts, used, min(limits), reserve)
            changed |= {name for name in uses if not all_grants[name].number}
    for name in changed:
        all_grants[name].number += 1
    return bool(changed)


def _share(parts: Mapping[str, Part], used: Mapping[str, int], limit: int, reserve: int) -> set[str]:
    """Move the parts in one limit towards their goals: down at once, up as far as there is room."""
    goals, step = _goals(used, limit - limit * reserve // E8), max(1, limit // STEPS)
    crowded = _held(parts, used) > limit
    changed = set()
    for name, part in parts.items():
        if part.granted > goals[name] and (crowded or part.granted - goals[name] >= step):
            part.granted = goals[name]
            changed.add(name)
        if part.together != (together := _together(_held(parts, used), limit, step)):
            part.together = together
            part.together_bound = min(part.together_bound, together)
            changed.add(name)
    room = min(limit, *(part.together_bound for part in parts.values())) - _held(parts, used)
    for name, part in parts.items():
        held = max(part.bound, used[name])
        goal = min(goals[name], held + room)
        if room >= 0 and goal - part.granted >= step:
            part.granted, part.bound = goal, max(part.bound, goal)
            room -= max(part.bound, used[name]) - held
            changed.add(name)
    return changed


def _goals(used: Mapping[str, int], limit: int) -> dict[str, int]:
    """Return what each should have: what it uses and an equal share of the rest; less when crowded."""
    total = sum(used.values())
    if total > limit:
        return {name: one * limit // total for name, one in used.items()}
    return {name: one + (limit - total) // len(used) for name, one in used.items()}


def _held(parts: Mapping[str, Part], used: Mapping[str, int]) -> int:
    return sum(max(part.bound, used[name]) for name, part in parts.items())


def _together(held: int, limit: int, step: int) -> int:
    """Return the limit, or how much more is held: in steps, so that not every price is news."""
    return limit if held <= limit else min(UNLIMITED, limit + -(-(held - limit) // step) * step)


def all_young(uses: Mapping[str, PortfolioUse], accounts: Iterable[str], oldest_ns: int) -> bool:
    """Tell whether every account has said what it uses, lately and at known prices."""
    return all(name in uses and uses[name].known and uses[name].at_ns >= oldest_ns for name in accounts)
