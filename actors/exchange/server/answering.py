"""From a request to its reply: who asks, whether too often, what for, and in which shape the answer goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.exchange.protocol.envelopes import (
    JSON_HEADERS,
    failed,
    gateway_refusal,
    no_such_path,
    spot_refusal,
    succeeded,
    to_json,
)
from actors.exchange.protocol.errors import ApiError, GatewayError, Problem
from actors.exchange.server.fault_port import FAULT_PORT
from actors.exchange.server.faults import Fault
from actors.exchange.server.futures_account import FUTURES_ACCOUNT
from actors.exchange.server.futures_orders import FUTURES_ORDERS
from actors.exchange.server.futures_positions import FUTURES_POSITIONS
from actors.exchange.server.futures_public import FUTURES_PUBLIC
from actors.exchange.server.messages import HttpReply, WebRequest
from actors.exchange.server.routes import Call, Route, Routes
from actors.exchange.server.spot_account import SPOT_ACCOUNT
from actors.exchange.server.spot_orders import SPOT_ORDERS
from actors.exchange.server.spot_public import SPOT_PUBLIC
from actors.exchange.server.spot_smart import SPOT_SMART

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["Answering"]

ROUTES = Routes(
    [
        *FUTURES_PUBLIC,
        *FUTURES_ACCOUNT,
        *FUTURES_ORDERS,
        *FUTURES_POSITIONS,
        *SPOT_PUBLIC,
        *SPOT_ORDERS,
        *SPOT_SMART,
        *SPOT_ACCOUNT,
    ]
)
FAULT_ROUTES = Routes(FAULT_PORT)
FAULT_PATH = "/__faults__"


class Answering:
    """Answers requests of one exchange."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core

    def answer(self, request: WebRequest, now_ns: int) -> HttpReply:
        """Return the reply to a request."""
        is_fault_port = request.path.startswith(FAULT_PATH)
        routes = FAULT_ROUTES if is_fault_port and self._core.settings.faults else ROUTES
        found = routes.find(request.method, request.path)
        if found is None:
            return _reply(request, 404, no_such_path(request.path))
        route, parts = found
        struck: list[Fault] = []
        try:
            headers = dict(request.headers)
            claimed = self._core.keyring.account_of(headers.get("key", ""))
            if not is_fault_port and self._core.faults.rules:
                struck = self._core.faults.on_request(request, claimed)
            if any(rule.kind == "drop" for rule in struck):
                return self._core.faults.bend_reply(struck, _reply(request, 200, b""))
            data = self._served(route, parts, request, headers, struck, now_ns)
            body = to_json(data) if route.bare else succeeded(data, route.text)
            reply = _reply(request, 200, body)
        except ApiError as error:
            reply = self._refused(route, request, error)
        except GatewayError as error:
            reply = _reply(request, error.status, gateway_refusal(error.code, error.text))
        return self._core.faults.bend_reply(struck, reply) if struck else reply

    def _served(
        self,
        route: Route,
        parts: tuple[str, ...],
        request: WebRequest,
        headers: dict[str, str],
        struck: list[Fault],
        now_ns: int,
    ) -> Any:
        core, account = self._core, ""
        if route.signed:
            if core.faults.rules:
                self._check_world(headers)
            account = core.keyring.check(
                headers, request.method, request.path, request.query, request.body, now_ns
            )
        limit = route.limit
        name = limit.name or f"{route.method} {route.path}"
        if limit.per_second and not core.limits.take(account or request.peer, name, limit.per_second, now_ns):
            raise GatewayError(429, *Problem.TOO_MANY)
        call = Call(core, now_ns, request.query, request.body, parts, account)
        if any(rule.kind == "duplicate_request" for rule in struck):
            route.handler(call)
        data = route.handler(call)
        for rule in struck:
            if rule.kind == "false_refusal":
                raise ApiError((rule.code, rule.message))
        return data

    def _check_world(self, headers: dict[str, str]) -> None:
        faults = self._core.faults
        key = headers.get("key", "")
        if faults.is_revoked(key, self._core.keyring.account_of(key)):
            raise GatewayError(401, 401, "Invalid api key")
        if faults.is_maintained():
            raise ApiError(Problem.MAINTENANCE)

    def _refused(self, route: Route, request: WebRequest, error: ApiError) -> HttpReply:
        if route.bare:
            return _reply(request, 400, spot_refusal(error.code, error.text))
        return _reply(request, 200, failed(error.code, error.text, error.data))


def _reply(request: WebRequest, status: int, body: bytes) -> HttpReply:
    return HttpReply(request.request_id, status, JSON_HEADERS, body)
