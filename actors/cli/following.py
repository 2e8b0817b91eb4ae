"""A deployment's file is followed: what it says is brought in, as far as no person is needed.

A state machine without clock, files and sockets of its own: `Hands` are how it reaches them. Each content is
dealt with once: what failed, what was taken back and what a person has to decide is not tried for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.deployment.faults import ConfigError, Fault

__all__ = ["BACK_OFF_S", "Follower", "Hands"]

BACK_OFF_S = (5.0, 30.0, 120.0, 600.0)  # after a failed try; then this content is given up
AGAIN_S = 15.0  # for what may change without the files: a runbook's folder, a generation, a variable
NODE_AGAIN_S = 2.0  # for a node that does not run


@dataclass(frozen=True, slots=True)
class Hands:
    """How the follower reaches the world."""

    fingerprint: Callable[[], str]  # of the content of every file that was read last
    plan: Callable[[], dict[str, Any]]  # Errors: ConfigError, Problem
    answers: Callable[[dict[str, Any]], None]  # whether the node of a plan is there. Errors: Problem
    bring_in: Callable[[dict[str, Any]], dict[str, Any]]  # Errors: Problem
    tell: Callable[[str, dict[str, Any]], None]  # an event, and what there is to say about it
    now_s: Callable[[], float]


class Follower:
    """Looks now and then; `settle_s`: for so long nothing may have changed before a content counts."""

    def __init__(self, hands: Hands, settle_s: float) -> None:
        self._hands = hands
        self._settle_s = settle_s
        self._content = ""
        self._due_s: float | None = None  # when to deal with the content; None: it has been dealt with
        self._tries = 0
        self._said: tuple[Any, ...] = ()
        self._is_valid = True
        self._was_away = False

    def look(self) -> None:
        """See whether something has changed, and do what there is to do now."""
        content, now_s = self._hands.fingerprint(), self._hands.now_s()
        if content != self._content:
            self._content, self._tries = content, 0
            self._due_s = now_s + self._settle_s
        elif self._due_s is not None and now_s >= self._due_s:
            self._due_s = None
            self._deal_with(content)

    def _deal_with(self, content: str) -> None:
        try:
            found = self._hands.plan()
        except (ConfigError, Problem) as error:
            if self._is_as_read(content):
                self._invalid(error)
            return
        if not self._is_as_read(content):
            return
        if not self._is_valid:
            self._is_valid = True
            self._say("valid")
        self._bring_in(found)

    def _is_as_read(self, content: str) -> bool:
        """Tell whether what was read is what had settled; new files, and files that changed, settle anew."""
        return self._hands.fingerprint() == content

    def _invalid(self, error: ConfigError | Problem) -> None:
        self._is_valid = False
        faults = [one for one in getattr(error, "faults", ()) if one.is_error]
        self._say("invalid", text=str(error), faults=[_fault_row(one) for one in faults])
        self._again_in(AGAIN_S)

    def _bring_in(self, found: dict[str, Any]) -> None:
        try:
            self._hands.answers(found)
        except Problem as problem:
            self._away(problem)
            return
        if self._was_away:  # it may have begun with another generation than the plan was made against
            self._was_away = False
            self._again_in(0)
            return
        if not (found["changes"] or found["blocked"]):
            self._say("unchanged", generation=found["base"])
            return
        for_a_person = needs_person(found)
        if for_a_person:
            self._say("held", text=for_a_person[0], all=for_a_person, plan=found)
            self._again_in(AGAIN_S)
            return
        self._say("applying", generation=found["base"], plan=found)
        try:
            answer = self._hands.bring_in(found)
        except Problem as problem:
            self._failed(problem)
            return
        event = "taken back" if answer["taken_back"] else "applied"
        self._say(event, **{"text": answer["taken_back"], **answer})

    def _away(self, problem: Problem) -> None:
        self._was_away = True
        self._say("waiting", text=str(problem))
        self._again_in(NODE_AGAIN_S)

    def _failed(self, problem: Problem) -> None:
        """Try again later, but not for ever: another change may be under way, a secret out of reach."""
        if (
            problem.code == ExitCode.NOT_RUNNING
        ):  # it may have died of the change: the plan after its start tells
            self._away(problem)
            return
        tries, self._tries = self._tries, self._tries + 1
        again_s = BACK_OFF_S[tries] if tries < len(BACK_OFF_S) else 0.0
        self._say("failed", text=str(problem), remedy=problem.remedy, again_s=again_s)
        if again_s:
            self._again_in(again_s)
        else:
            self._say(
                "given up", text=f"after {self._tries} tries; the next change of the files is tried again"
            )

    def _again_in(self, seconds: float) -> None:
        self._due_s = self._hands.now_s() + seconds

    def _say(self, event: str, **more: Any) -> None:
        """Tell an event, unless it is what was said last about this content."""
        said = (self._content, event, more.get("text"), more.get("generation"), more.get("again_s"))
        if said != self._said:
            self._said = said
            self._hands.tell(event, more)


def needs_person(found: dict[str, Any]) -> list[str]:
    """Return why a plan is not brought in by itself, most important first; empty when it may be."""
    blocked = [f"{one['address']}: {one['reason']}" for one in found["changes"] if one["action"] == "blocked"]
    return [
        *found.get("gone_back", ()),
        *found["blocked"],
        *blocked,
        *(f"{one} loosens a limit" for one in found["loosened"]),
        *(f"others must approve it ({why})" for why in found.get("approvals", {}).get("why", ())),
    ]


def _fault_row(fault: Fault) -> dict[str, Any]:
    return {
        "code": fault.code,
        "place": str(fault.origin),
        "message": fault.message,
        **({"help": fault.help} if fault.help else {}),
    }
