"""POST /v1/faults: where drills bring faults about inside a node, in deployments that allow it."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from aiohttp import web

from actors.control.desk import ControlError, Desk

__all__ = ["FaultPort", "NodeFaults"]

ANSWER_WITHIN_S = 30.0  # a node with a fault takes its time


class NodeFaults(Protocol):
    """See drills.node_faults. Both run in the loop."""

    def add(self, fault: dict[str, Any]) -> str:
        """Bring a fault about; return what it does. Errors: ValueError in words."""
        ...

    def clear(self) -> None:
        """Take all of them back."""
        ...


class FaultPort:
    """The handlers of one node's faults; `faults` is None where they are not allowed."""

    def __init__(self, desk: Desk, faults: NodeFaults | None) -> None:
        self._desk = desk
        self._faults = faults

    async def add(self, request: web.Request) -> web.Response:
        """Bring about the fault in the body."""
        faults, body = self._allowed(), msgspec.json.decode(await request.read(), type=dict[str, Any])
        fault = {name: value for name, value in body.items() if name != "by"}
        try:
            told = await self._desk.door.run(lambda: faults.add(fault), ANSWER_WITHIN_S)
        except ValueError as error:
            raise ControlError(400, str(error), "docs/drills.md lists the faults of a node") from None
        return web.json_response({"accepted": True, "does": told})

    async def clear(self, request: web.Request) -> web.Response:
        """Take all faults back."""
        await self._desk.door.run(self._allowed().clear, ANSWER_WITHIN_S)
        return web.json_response({"accepted": True})

    def _allowed(self) -> NodeFaults:
        if self._faults is None:
            remedy = "a deployment for drills says `control: {faults: true}`"
            raise ControlError(403, "this node takes no faults", remedy)
        return self._faults
