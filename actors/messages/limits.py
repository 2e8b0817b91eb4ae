"""What people say about limits of a running node."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["ChangeLimit"]


class ChangeLimit(Message, frozen=True):
    """Tighten or loosen one limit of an account's risk actor; both are on the record."""

    account: str
    limit: str  # the setting, `symbols.<symbol>.<setting>`, or a rule that has one limit
    value: int  # in the setting's unit: 1e-8, ns or a count
    loosens: bool
    actor: str  # who says so
    reason: str
    until_ns: int  # 0 is for good; a loosening needs an end
    approves: bool = False  # the word of the second person
