"""What an operator asks about alerts, and orders the alerter: acknowledge, silence, try a route."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from typing import Any

from actors.control.desk import ControlError, Desk
from actors.messages.alerting import AcknowledgeAlerts, SilenceAlerts, TestRoutes
from actors.runtime.messages import Message

__all__ = ["AlertDesk"]

LOOK_EVERY_S = 0.05
WAIT_S_MAX = 120.0  # on behalf of one request
SHOWN = ("active", "silences", "ended", "routes", "escalation")
PATTERN = "*"


class AlertDesk:
    """Alerts of one node. Its coroutines run on the control thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _address(self) -> str:
        cells = self._desk.node.loop.cells.values()
        found = next((cell.name for cell in cells if AcknowledgeAlerts in cell.behaviour.HANDLERS), "")
        if not found:
            raise ControlError(
                404, "no actor of this deployment hears alerts", "add an actor of kind alerter to its file"
            )
        return found

    async def show(self) -> dict[str, Any]:
        """Return what holds, what is over, silences, routes and steps. Errors: ControlError 404, 503."""
        address = self._address()
        said = (await self._desk.inspect(address))["description"]
        return {"actor": address, **{name: said.get(name, []) for name in SHOWN}}

    async def acknowledge(self, order: AcknowledgeAlerts) -> dict[str, Any]:
        """Have somebody take care of alerts, or not any more. Errors: ControlError 400, 404."""
        _check(order.name, order.actor, order.duration_ns)
        if order.holds and not order.reason.strip():
            raise ControlError(
                400, "an alert is acknowledged with a reason", "say what is being done about it"
            )
        active = (await self.show())["active"]
        if not any(_fits(one, order) for one in active):
            names = sorted({one["name"] for one in active})
            asked = f"{order.name} {order.key}".removesuffix(f" {PATTERN}")
            raise ControlError(
                404,
                f"no alert fires that fits {asked}",
                f"what fires: {', '.join(names)}" if names else "nothing fires",
            )
        return await self._order(order)

    async def silence(self, order: SilenceAlerts) -> dict[str, Any]:
        """Make or end a silence. Errors: ControlError 400, 404."""
        _check(order.name, order.actor, order.duration_ns)
        if order.duration_ns and not order.reason.strip():
            raise ControlError(
                400, "alerts are silenced with a reason", "say why nobody needs to hear of them"
            )
        return await self._order(order)

    async def test(self, order: TestRoutes, wait_s: float) -> dict[str, Any]:
        """Send a notification about nothing, and return for each route whether it was taken."""
        answered = await self._order(order)
        if not answered["accepted"]:
            remedy = "`polytrade alerts ls --all` lists the routes"
            raise ControlError(404, answered["answers"][0]["text"], remedy)
        ids = answered["answers"][0]["text"].split()
        until = asyncio.get_running_loop().time() + min(max(wait_s, 0.0), WAIT_S_MAX)
        while True:
            said = (await self._desk.inspect(self._address()))["description"]
            trials = [said["trials"][one] for one in ids if one in said["trials"]]
            waits = any(one["outcome"] == "waiting" for one in trials)
            if not waits or asyncio.get_running_loop().time() >= until:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        channels = {route["name"]: route["channel"] for route in said["routes"]}
        rows = [{**one, "channel": channels.get(one["route"], "")} for one in _by_route(trials)]
        return {"delivered": all(one["outcome"] == "delivered" for one in rows), "routes": rows}

    async def _order(self, order: Message) -> dict[str, Any]:
        answer = await self._desk.ask(self._address(), order)
        self._desk.sampler.forget()
        return {"accepted": answer["accepted"], "answers": [answer]}


def _by_route(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one result for each route: the worst, where a route was sent more than one."""
    ranks = ("failed", "waiting", "delivered")
    found: dict[str, dict[str, Any]] = {}
    for one in trials:
        known = found.setdefault(one["route"], one)
        if ranks.index(one["outcome"]) < ranks.index(known["outcome"]):
            found[one["route"]] = one
    return list(found.values())


def _fits(alert: dict[str, Any], order: AcknowledgeAlerts) -> bool:
    return all(fnmatchcase(alert[name], getattr(order, name)) for name in ("name", "key", "source"))


def _check(name: str, actor: str, duration_ns: int) -> None:
    if not name.strip():
        raise ControlError(400, "no alert was named", 'send {"name": "FeedStale"}; `*` stands for all')
    if not actor.strip():
        raise ControlError(400, "nobody was named", 'send {"actor": "who says so"}')
    if duration_ns < 0:
        raise ControlError(400, f"{duration_ns} ns is no duration", "send nanoseconds, 0 or more")
