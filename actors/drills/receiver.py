"""A far side for the webhooks of alerts, on this machine: takes every message and says what it was about."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import msgspec

__all__ = ["AlertReceiver"]

BODY_BYTES_MAX = 1 << 20


class _Body(msgspec.Struct):
    status: str = ""
    alert: str = ""
    headline: str = ""


class AlertReceiver:
    """Listens on loopback; `tell` gets one line per message. Errors: OSError when the port is taken."""

    def __init__(self, port: int, tell: Callable[[str], None]) -> None:
        handler = type("Handler", (_Handler,), {"tell": staticmethod(tell)})
        self._server = HTTPServer(("127.0.0.1", port), handler)
        self.port = int(self._server.server_address[1])

    def serve(self) -> None:
        """Answer until `close`, or until the process is told to end."""
        self._server.serve_forever()

    def close(self) -> None:
        """Stop answering, from another thread; and close the port."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    tell: ClassVar[Callable[[str], None]]
    timeout = 10.0  # of one request

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if 0 < length <= BODY_BYTES_MAX else b""
        try:
            body = msgspec.json.decode(raw, type=_Body)
        except msgspec.MsgspecError as error:
            self._answer(400)
            self.tell(f"refused, it is no message about alerts: {error}")
            return
        self._answer(200)
        self.tell(f"{body.status} {body.alert}: {body.headline}")

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are told in words of our own."""
