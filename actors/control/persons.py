"""Who is at the other end of the control socket."""

from __future__ import annotations

import os
import pwd

__all__ = ["person_of"]


def person_of(claimed: str, user_id: int) -> str:
    """Return who asks: `claimed` only from the user that runs the node, which several people may share.

    Every other user of the machine is called what the system calls them, whatever they say. `user_id` is that
    of the peer, -1 where the system does not tell.
    """
    if user_id in (-1, os.geteuid()):
        return claimed.strip() or "operator"
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"user {user_id}"
