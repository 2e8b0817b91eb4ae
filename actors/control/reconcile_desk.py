"""Has the reconcilers of a node compare now, and brings back what they found and did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pykka

from actors.control.desk import ANSWER_WITHIN_S, ControlError, Desk
from actors.messages.control import ReconcileNow

__all__ = ["ReconcileDesk"]

LOOK_EVERY_S = 0.05
WAIT_S_MAX = 120.0  # on behalf of one request


class ReconcileDesk:
    """Asks the reconcilers of one node. Its coroutines run on the control thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def reconcile(self, account: str, dry_run: bool, wait_s: float) -> dict[str, Any]:
        """Compare one account, or all. Errors: ControlError 404 when there is none."""
        cells = self._desk.node.loop.cells.values()
        every = [cell.name for cell in cells if cell.kind == "reconciler"]
        wanted = [name for name in every if not account or name.rpartition("/")[2] == account]
        if not wanted:
            known = ", ".join(name.rpartition("/")[2] for name in every)
            text = f"no reconciler looks after account {account!r}" if account else "there is no reconciler"
            remedy = f"accounts here: {known}" if known else "add one to the deployment file"
            raise ControlError(404, text, remedy)
        until = asyncio.get_running_loop().time() + min(max(wait_s, 0.0), WAIT_S_MAX)
        accounts = await asyncio.gather(*(self._one(name, dry_run, until) for name in wanted))
        return {
            "dry_run": dry_run,
            "agrees": all(one["agrees"] for one in accounts),
            "answered": all(not one["fault"] for one in accounts),
            "accounts": list(accounts),
        }

    async def _one(self, address: str, dry_run: bool, until: float) -> dict[str, Any]:
        account = address.rpartition("/")[2]
        asked_at_ns = await self._inside(lambda: self._desk.node.now_ns)
        await self._ask(address, ReconcileNow(account, dry_run))
        while True:
            found = await self._inside(lambda: self._described(address))
            for answer in found.get("answers", []):
                if answer["began_at_ns"] >= asked_at_ns and answer["dry_run"] is dry_run:
                    return {"account": account, "actor": address, **answer}
            if asyncio.get_running_loop().time() >= until:
                waits = found.get("waiting_for", "its turn")
                text = f"no verdict in time; the reconciler waits for {waits}"
                return {
                    "account": account,
                    "actor": address,
                    "agrees": False,
                    "dry_run": dry_run,
                    "rows": [],
                    "fault": text,
                }
            await asyncio.sleep(LOOK_EVERY_S)

    async def _inside(self, action: Callable[[], Any]) -> Any:
        try:
            return await self._desk.door.run(action)
        except TimeoutError:
            text = "the node's loop makes no progress"
            raise ControlError(503, text, "wait for the heart to restart it, or look at the log") from None

    def _described(self, address: str) -> dict[str, Any]:
        found: dict[str, Any] = self._desk.node.cell(address).behaviour.describe()
        return found

    async def _ask(self, address: str, order: ReconcileNow) -> None:
        node = self._desk.node
        try:
            await asyncio.get_running_loop().run_in_executor(
                None, lambda: node.ask(address, order, ANSWER_WITHIN_S)
            )
        except pykka.Timeout:
            state = node.cell(address).state.value
            text = f"{address} did not take the question in {ANSWER_WITHIN_S:g} s; it is {state}"
            raise ControlError(503, text, f"`polytrade inspect {address}` shows why") from None
