"""The double's socket: HTTP in front, with TLS where wished, and the fault port under /__faults__."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import msgspec
from aiohttp import web

from actors.drills.vault.core import VaultDouble
from actors.drills.vault.faults import KINDS, Fault
from actors.drills.vault.kinds import Request

__all__ = ["VaultServer"]

BODY_BYTES_MAX = 1 << 20
CLOSE_WITHIN_S = 0.5
FAULTS = "/__faults__"


class VaultServer:
    """Serves one double on one address. Faults are taken from whoever can reach it: keep it on loopback."""

    def __init__(self, vault: VaultDouble, tls: ssl.SSLContext | None = None) -> None:
        self.vault = vault
        self.port = 0
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Port 0 takes a free one. Errors: OSError."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", FAULTS, self._faults)
        app.router.add_get("/__audit__", self._audit)
        app.router.add_route("*", "/v1/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_WITHIN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the socket and what hangs on it."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"].strip("/")
        if self.vault.faults.find("hang_up", path) is not None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        slow = self.vault.faults.find("slow", path)
        if slow is not None:
            await asyncio.sleep(slow.delay_ms / 1_000)
        try:
            body = msgspec.json.decode(await request.read() or b"{}")
        except msgspec.DecodeError:
            return _json(400, {"errors": ["error parsing JSON"]})
        status, answer = self.vault.handle(_asked(request, path, body if isinstance(body, dict) else {}))
        return web.Response(status=204) if answer is None else _json(status, answer)

    async def _faults(self, request: web.Request) -> web.StreamResponse:
        rules = self.vault.faults.rules
        if request.method == "POST":
            try:
                rules.append(msgspec.json.decode(await request.read(), type=Fault))
            except msgspec.MsgspecError as error:
                return _json(400, {"errors": [str(error)], "kinds": KINDS})
        elif request.method == "DELETE":
            rules.clear()
        return _json(200, {"rules": msgspec.to_builtins(rules), "kinds": KINDS})

    async def _audit(self, request: web.Request) -> web.StreamResponse:
        return _json(200, {"requests": self.vault.audit})


def _asked(request: web.Request, path: str, body: dict[str, Any]) -> Request:
    headers = request.headers
    token = headers.get("X-Vault-Token", "") or headers.get("Authorization", "").removeprefix("Bearer ")
    query = dict(request.query)
    method = "LIST" if request.method == "GET" and query.pop("list", "") == "true" else request.method
    return Request(
        method,
        path,
        query,
        body,
        token,
        headers.get("X-Vault-Namespace", ""),
        headers.get("X-Vault-Wrap-TTL", ""),
    )


def _json(status: int, body: Any) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
