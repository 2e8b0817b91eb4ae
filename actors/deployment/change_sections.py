"""Who must agree to a change of a running node: what an operator may write about it."""

from __future__ import annotations

from typing import Annotated, Literal

from actors.runtime.settings import Duration, Reload, Settings, setting

__all__ = ["ApplySection"]

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class ApplySection(Settings, frozen=True, kw_only=True):
    """Who must agree before `polytrade apply` and `rollback` change the running node."""

    approvals: Annotated[
        int,
        setting(
            "Persons beside the one who applies that must have approved the plan. 0: nobody needs to.",
            minimum=0,
            maximum=9,
            risk="lower",
            reload=Reload.START,
        ),
    ] = 0
    when: Annotated[
        tuple[Literal["loosens_limit", "live_mode", "secrets", "anything"], ...],
        setting(
            "Which changes need them: those that make a limit wider, all in live mode, those of what secrets "
            "an actor gets, or anything.",
            reload=Reload.START,
        ),
    ] = ("loosens_limit", "live_mode", "secrets")
    persons: Annotated[
        Literal["names", "users"],
        setting(
            "What makes two persons: other names, or also other users of the machine, as the control socket "
            "sees them. `users` needs a socket that they may use: `control: {group: ...}`.",
            reload=Reload.START,
        ),
    ] = "names"
    expires: Annotated[
        Duration,
        setting(
            "How long an approval holds.",
            minimum=60 * SECOND_NS,
            risk="raise",
            reload=Reload.START,
            examples=("4h",),
        ),
    ] = DAY_NS
