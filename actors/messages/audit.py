"""What is written down for those who ask later who did what."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["OperatorCommanded"]


class OperatorCommanded(Message, frozen=True):
    """Somebody ordered something over the control socket; written before it is carried out."""

    who: str  # as they call themselves
    user_id: int  # of the process that asked, as the system says; -1 when it does not
    command: str  # path of the control API, such as `/v1/halt`
    reason: str
    detail: str  # what was said with it, as JSON, secrets masked; the beginning if it is long
