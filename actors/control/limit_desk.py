"""What an operator asks about risk limits, and has changed, at the risk actor of one account."""

from __future__ import annotations

from typing import Any

from actors.control.desk import ControlError, Desk
from actors.messages.limits import ChangeLimit

__all__ = ["LimitDesk"]


class LimitDesk:
    """Limits of one node. Its coroutines run on the control thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _address(self, account: str) -> str:
        cells = self._desk.node.loop.cells.values()
        found = {c.name.rpartition("/")[2]: c.name for c in cells if ChangeLimit in c.behaviour.HANDLERS}
        if account not in found:
            known = ", ".join(sorted(found)) or "none"
            raise ControlError(404, f"no account {account!r} has limits here", f"those that have: {known}")
        return found[account]

    async def show(self, account: str) -> dict[str, Any]:
        """Return every limit of an account. Errors: ControlError 404."""
        shown = await self._desk.inspect(self._address(account))
        return {"account": account, "limits": shown["description"]["limits"]}

    async def change(self, change: ChangeLimit) -> dict[str, Any]:
        """Tighten or loosen a limit. Errors: ControlError 400, 404."""
        address = self._address(change.account)
        answer = await self._desk.ask(address, change)
        return {"accepted": answer["accepted"], "answers": [answer]}
