"""The socket pump: open, send and close in; opened, frame and closed out. It neither pings nor reconnects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.runtime.clock import Clock
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import (
    SocketClose,
    SocketClosed,
    SocketFrame,
    SocketOpen,
    SocketOpened,
    SocketSend,
)
from actors.runtime.pumps.reasons import reason_of
from actors.runtime.pumps.thread import PumpThread

if TYPE_CHECKING:
    import aiohttp

__all__ = ["SocketPump"]

FRAME_BYTES_MAX = 8 << 20
NO_CLOSE_FRAME = 1006


class SocketPump:
    """Takes SocketOpen, SocketSend and SocketClose effects; delivers what the socket does."""

    def __init__(self, thread: PumpThread, deliver: Callable[[str, Message], None], clock: Clock) -> None:
        self._thread = thread
        self._deliver = deliver
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._sockets: dict[tuple[str, str], aiohttp.ClientWebSocketResponse] = {}
        thread.on_stop(self._close)

    def put(self, message: Message, address: str) -> None:
        """See loop.Pump."""
        if isinstance(message, SocketOpen):
            self._thread.post(lambda: self._serve(message, address))
        elif isinstance(message, SocketSend):
            self._thread.post(lambda: self._send(message, address))
        elif isinstance(message, SocketClose):
            self._thread.post(lambda: self._shut(message, address))
        else:
            raise TypeError(f"the socket pump does not take {type(message).__name__}")

    async def _serve(self, wanted: SocketOpen, address: str) -> None:
        import aiohttp

        key = (address, wanted.socket_id)
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(wanted.timeout_ns / 1e9):
                socket = await self._session.ws_connect(
                    wanted.url, headers=dict(wanted.headers), max_msg_size=FRAME_BYTES_MAX, autoping=True
                )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._deliver(address, SocketClosed(wanted.socket_id, NO_CLOSE_FRAME, reason_of(error)))
            return
        self._sockets[key] = socket
        self._deliver(address, SocketOpened(wanted.socket_id))
        try:
            reason = await self._read(socket, wanted.socket_id, address)
        finally:
            del self._sockets[key]
            await socket.close()
        code = socket.close_code or NO_CLOSE_FRAME
        self._deliver(address, SocketClosed(wanted.socket_id, code, reason))

    async def _read(self, socket: Any, socket_id: str, address: str) -> str:
        import aiohttp

        async for frame in socket:
            if frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                data = frame.data.encode() if isinstance(frame.data, str) else frame.data
                self._deliver(address, SocketFrame(socket_id, data, self._clock.now_ns()))
            elif frame.type is aiohttp.WSMsgType.ERROR:
                return f"{type(socket.exception()).__name__}: {socket.exception()}"
        return "closed"

    async def _send(self, message: SocketSend, address: str) -> None:
        socket = self._sockets.get((address, message.socket_id))
        if socket is None or socket.closed:
            return  # SocketClosed is on its way or has been delivered
        try:
            await socket.send_str(message.text)
        except (ConnectionError, RuntimeError):
            await socket.close()

    async def _shut(self, message: SocketClose, address: str) -> None:
        socket = self._sockets.get((address, message.socket_id))
        if socket is not None:
            await socket.close()

    async def _close(self) -> None:
        for socket in list(self._sockets.values()):
            await socket.close()
        if self._session is not None:
            await self._session.close()
