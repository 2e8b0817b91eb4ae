"""The sockets of the served exchange: aiohttp in front, a node behind, both in one thread.

Requests that come in together are handled in one turn of the node and share its commit; their answers leave
after it. There is no thread to hand anything to.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import WSMsgType, web

from actors.exchange.server.messages import (
    HTTP_PORT,
    SOCKET_PORT,
    HttpReply,
    StreamClose,
    StreamClosed,
    StreamFrame,
    StreamOpened,
    StreamSend,
    WebRequest,
)
from actors.runtime.errors import MailboxFull, NodeStopped
from actors.runtime.messages import Message
from actors.runtime.node import Node

__all__ = ["EXCHANGE", "ExchangeServer"]

EXCHANGE = "exchange"  # the actor's address
ANSWER_WITHIN_S = 15.0
BODY_BYTES_MAX = 1 << 20
FRAME_BYTES_MAX = 1 << 20
UNSENT_BYTES_MAX = 8 << 20  # a client that reads too slowly is cut off
TURN_WAIT_S = 0.05
SIGNING = ("key", "signtimestamp", "signature", "recvwindow")  # all the exchange reads of the headers
CLOSE_WITHIN_S = 0.5  # for answers under way when the server stops

log = logging.getLogger("polytrade.exchange")


class ExchangeServer:
    """Serves one node's exchange on one address."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._loop: Any = None
        self._numbers = 0
        self._waiting: dict[int, tuple[float, asyncio.Future[HttpReply]]] = {}
        self._sockets: dict[int, web.WebSocketResponse] = {}
        self._transports: dict[int, Any] = {}
        self._is_turn_due = False
        self._timer: Any = None
        self._runner: web.ServerRunner | None = None
        self.port = 0
        node.loop.pumps[HTTP_PORT] = _Pump(self._reply)
        node.loop.pumps[SOCKET_PORT] = _Pump(self._socket)

    # -- life ---------------------------------------------------------------------------------------

    async def start(self, host: str, port: int) -> None:
        """Start the node and listen. Port 0 takes a free one. Errors: OSError."""
        self._loop = asyncio.get_running_loop()
        self._runner = web.ServerRunner(
            web.Server(self._serve, access_log=None), shutdown_timeout=CLOSE_WITHIN_S
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        self._node.start()
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._turn()
        self._give_up()

    async def stop(self, reason: str) -> None:
        """Close all connections and stop the node in order."""
        if self._timer is not None:
            self._timer.cancel()
        for socket in list(self._sockets):
            self._end_socket(socket, True)
        if self._runner is not None:
            await self._runner.cleanup()
        self._timer, self._loop = None, None
        self._node.stop(reason)

    # -- turns --------------------------------------------------------------------------------------

    def _tell(self, message: Message) -> None:
        self._node.tell(EXCHANGE, message)
        if not self._is_turn_due and self._loop is not None:
            self._is_turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Run one turn, and see when the next one is due."""
        self._is_turn_due = False
        if self._loop is None:
            return
        has_more = self._node.turn()
        if self._timer is not None:
            self._timer.cancel()
        due_ns = self._node.loop.timers.next_due_ns()
        wait_s = TURN_WAIT_S if due_ns is None else (due_ns - self._node.loop.clock.now_ns()) / 1e9
        if has_more:
            self._is_turn_due = True
            self._loop.call_soon(self._turn)
        else:
            self._timer = self._loop.call_later(min(max(wait_s, 0.0), TURN_WAIT_S), self._turn)

    # -- requests -----------------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request)
        self._numbers += 1
        number = self._numbers
        body = await request.read() if request.can_read_body else b""
        given = request.headers
        message = WebRequest(
            number,
            request.method,
            request.rel_url.raw_path,
            request.rel_url.raw_query_string,
            tuple((name, given[name]) for name in SIGNING if name in given),
            body,
            request.remote or "",
        )
        future: asyncio.Future[HttpReply] = self._loop.create_future()
        self._waiting[number] = (self._loop.time(), future)
        try:
            self._tell(message)
            reply = await future
        except (MailboxFull, NodeStopped):
            return web.Response(status=503, text='{"code":503,"message":"DEGRADE_ERROR"}')
        except TimeoutError:
            return web.Response(status=500, text='{"code":500,"message":"SYSTEM_EXCEPTION"}')
        finally:
            self._waiting.pop(number, None)
        return await self._answer(request, reply)

    async def _answer(self, request: web.BaseRequest, reply: HttpReply) -> web.StreamResponse:
        if reply.delay_ms:
            await asyncio.sleep(reply.delay_ms / 1_000)
        if reply.cut_at < 0:
            return web.Response(status=reply.status, body=reply.body, headers=dict(reply.headers))
        response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
        if reply.cut_at:
            response.content_length = len(reply.body)
            await response.prepare(request)
            await response.write(reply.body[: reply.cut_at])
        if request.transport is not None:
            request.transport.abort() if not reply.cut_at else request.transport.close()
        return response

    def _reply(self, message: Any) -> None:
        _, future = self._waiting.get(message.request_id, (0.0, None))
        if future is not None and not future.done():
            future.set_result(message)

    def _give_up(self) -> None:
        """Tell clients whose request was lost, as when the exchange failed over it. One timer for all."""
        if self._loop is None:
            return
        oldest = self._loop.time() - ANSWER_WITHIN_S
        for since, future in list(self._waiting.values()):
            if since > oldest:
                break
            if not future.done():
                future.set_exception(TimeoutError())
        self._loop.call_later(1.0, self._give_up)

    # -- sockets ------------------------------------------------------------------------------------

    async def _serve_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=True, compress=False, max_msg_size=FRAME_BYTES_MAX)
        await socket.prepare(request)
        self._numbers += 1
        number = self._numbers
        self._sockets[number] = socket
        self._transports[number] = request.transport
        try:
            self._tell(StreamOpened(number, request.path, request.remote or ""))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._tell(StreamFrame(number, message.data))
        except (MailboxFull, NodeStopped):
            log.warning("a socket was closed: the exchange takes nothing")
        finally:
            self._sockets.pop(number, None)
            self._transports.pop(number, None)
            if self._node.loop.accepting:
                self._tell(StreamClosed(number))
        return socket

    def _socket(self, message: Any) -> None:
        if type(message) is StreamSend:
            if message.delay_ms:
                self._loop.call_later(message.delay_ms / 1_000, self._send, message)
            else:
                self._send(message)
        elif type(message) is StreamClose:
            self._end_socket(message.socket_id, message.abrupt)
        else:
            for number in list(self._sockets):
                self._end_socket(number, True)

    def _send(self, message: StreamSend) -> None:
        for number in message.socket_ids:
            socket = self._sockets.get(number)
            transport = self._transports.get(number)
            if socket is None or socket.closed or transport is None:
                continue
            if transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
                self._end_socket(number, True)
                continue
            # Frames are written in the order of these tasks; the write itself does not wait below the limit.
            _start(socket.send_str(message.text))

    def _end_socket(self, number: int, abrupt: bool) -> None:
        transport, socket = self._transports.get(number), self._sockets.get(number)
        if abrupt and transport is not None:
            transport.abort()
        elif socket is not None:
            _start(socket.close())


class _Pump:
    """A port of the node that hands messages to a function."""

    def __init__(self, take: Any) -> None:
        self._take = take

    def put(self, message: Message, address: str) -> None:
        """Take one message."""
        self._take(message)


_running: set[asyncio.Task[Any]] = set()


def _start(work: Any) -> None:
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_ended)


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.debug("a frame could not be sent: %s", task.exception())
