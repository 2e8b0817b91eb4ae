"""Has the watch over a node's secrets ask the store now, and says what became of each reference."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.control.desk import ControlError, Desk
from actors.messages.secrets import LookForSecrets

__all__ = ["SecretsDesk"]

LOOK_EVERY_S = 0.05
WAIT_S_MAX = 120.0  # on behalf of one request
WATCH = "secrets"  # the kind of the actor that looks after the store


class SecretsDesk:
    """Asks the watch of one node. Its coroutines run on the control thread. It never sees a value."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def rotate(self, wait_s: float) -> dict[str, Any]:
        """Look, have what is new tried, and wait for what becomes of it. Errors: ControlError 404, 503."""
        watch = next((cell.name for cell in self._desk.node.loop.cells.values() if cell.kind == WATCH), "")
        if not watch:
            remedy = "add `secrets: {kind: secrets, reads: [venue/*, risk/*]}`; docs/secrets.md"
            raise ControlError(404, "this deployment has no actor that watches its secrets", remedy)
        before = {one["reference"]: one["in_use"] for one in (await self._seen(watch))["references"]}
        answer = await self._desk.ask(watch, LookForSecrets())
        if not answer["accepted"]:
            raise ControlError(
                503, f"{watch} took no order: {answer['text']}", f"`polytrade inspect {watch}`"
            )
        until = asyncio.get_running_loop().time() + min(max(wait_s, 0.0), WAIT_S_MAX)
        seen = await self._seen(watch)
        asked = seen["asked"]
        while True:
            rows = [_row(one, before, seen["answered"] >= asked) for one in seen["references"]]
            is_over = seen["answered"] >= asked and all(row["outcome"] != "waits" for row in rows)
            if is_over or asyncio.get_running_loop().time() >= until:
                return {"watch": watch, "references": rows, "settled": is_over}
            await asyncio.sleep(LOOK_EVERY_S)
            seen = await self._seen(watch)

    async def _seen(self, watch: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self._desk.inspect(watch))["description"]
        return found


def _row(one: dict[str, Any], before: dict[str, int], is_answered: bool) -> dict[str, Any]:
    """Return one reference: versions before and now, what became of it, and why."""
    old = before.get(one["reference"], 0)
    row = {"reference": one["reference"], "old": old, "in_use": one["in_use"], "newest": one["newest"]}
    if not is_answered:
        return row | {"outcome": "waits", "reason": "the store has not answered yet"}
    if one["trouble"]:
        return row | {"outcome": one["trouble"], "reason": one["reason"]}
    if one["newest"] == one["in_use"]:
        outcome = "adopted" if old and one["in_use"] != old else "unchanged"
        return row | {"outcome": outcome, "reason": ""}
    if one["refused"] == one["newest"]:
        return row | {"outcome": "refused", "reason": one["refusal"]}
    return row | {"outcome": "waits", "reason": "no actor has tried it yet"}
