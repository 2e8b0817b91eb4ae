"""The HTTP pump: a request message in; a response or a failure message out, to the actor that asked.

It decides nothing: no retry, no signature, no redirect. A failure says whether bytes may have left, because
that is what tells "it did not happen" from "nobody knows".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.runtime.clock import monotonic_ns
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse
from actors.runtime.pumps.reasons import reason_of
from actors.runtime.pumps.thread import PumpThread

if TYPE_CHECKING:
    import aiohttp

__all__ = ["HttpPump"]

BODY_BYTES_MAX = 16 << 20  # of an answer; more is a fault of the far side
CONNECTIONS_MAX = 64
IN_FLIGHT_MAX = 1024  # requests waiting for an answer; more are failed at once, nothing having left


class HttpPump:
    """Takes HttpRequest effects; delivers HttpResponse or HttpFailure."""

    def __init__(self, thread: PumpThread, deliver: Callable[[str, Message], None]) -> None:
        self._thread = thread
        self._deliver = deliver
        self._session: aiohttp.ClientSession | None = None
        self._in_flight = 0
        thread.on_stop(self._close)

    def put(self, message: Message, address: str) -> None:
        """See loop.Pump."""
        if not isinstance(message, HttpRequest):
            raise TypeError(f"the HTTP pump takes HttpRequest, not {type(message).__name__}")
        self._thread.post(lambda: self._perform(message, address))

    async def _perform(self, request: HttpRequest, address: str) -> None:
        if self._in_flight >= IN_FLIGHT_MAX:
            self._deliver(address, HttpFailure(request.request_id, False, "too many requests in flight"))
            return
        self._in_flight += 1
        try:
            answer = await self._exchange(request)
        finally:
            self._in_flight -= 1
        self._deliver(address, answer)

    async def _exchange(self, request: HttpRequest) -> Message:
        import aiohttp

        began = monotonic_ns()
        trace = _Trace()
        try:
            async with asyncio.timeout(request.timeout_ns / 1e9):
                session = self._open()
                async with session.request(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    data=request.body or None,
                    allow_redirects=False,
                    trace_request_ctx=trace,
                ) as response:
                    body = await response.content.read(BODY_BYTES_MAX + 1)
                    if len(body) > BODY_BYTES_MAX:
                        return HttpFailure(
                            request.request_id, True, f"the answer exceeds {BODY_BYTES_MAX} bytes"
                        )
                    headers = tuple((name.lower(), value) for name, value in response.headers.items())
                    elapsed = monotonic_ns() - began
                    return HttpResponse(request.request_id, response.status, headers, body, elapsed)
        except TimeoutError:
            return HttpFailure(request.request_id, trace.bytes_left, "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = reason_of(error).replace(request.url, "the url")  # which may hold a secret
            return HttpFailure(request.request_id, trace.bytes_left, reason)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            tracing = aiohttp.TraceConfig()
            tracing.on_connection_create_end.append(_left)
            tracing.on_connection_reuseconn.append(_left)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                trace_configs=[tracing],
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=True,
            )
        return self._session

    async def _close(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Trace:
    """Whether a request had a connection: from then on its bytes may have left."""

    __slots__ = ("bytes_left",)

    def __init__(self) -> None:
        self.bytes_left = False


async def _left(session: Any, context: Any, parameters: Any) -> None:
    context.trace_request_ctx.bytes_left = True
