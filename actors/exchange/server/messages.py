"""Between the sockets and the exchange: what came in as bytes, and what goes out."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.messages import Message, Overflow

__all__ = [
    "HTTP_PORT",
    "SOCKET_PORT",
    "BooksDue",
    "HttpReply",
    "Pulse",
    "StreamClose",
    "StreamClosed",
    "StreamFrame",
    "StreamOpened",
    "StreamSend",
    "StreamsGone",
    "WebRequest",
]

HTTP_PORT = "http"  # ports of the node: who takes replies
SOCKET_PORT = "sockets"


class WebRequest(Message, frozen=True):
    """A request came in. Of its headers those of the signature are here, with lower-case names."""

    OVERFLOW: ClassVar[Overflow] = Overflow.REFUSE

    request_id: int
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    peer: str  # the client's address, for limits per address


class HttpReply(Message, frozen=True):
    """The answer to a request. A fault may hold it back, or cut the connection after some bytes."""

    request_id: int
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delay_ms: int = 0
    cut_at: int = -1  # bytes of the body after which the connection ends; -1 never, 0 without an answer


class StreamOpened(Message, frozen=True):
    """A client opened a WebSocket on a path."""

    socket_id: int
    path: str
    peer: str


class StreamFrame(Message, frozen=True):
    """A client sent a text frame."""

    socket_id: int
    text: str


class StreamClosed(Message, frozen=True):
    """A client is gone."""

    socket_id: int


class StreamSend(Message, frozen=True):
    """One text frame for one or more clients."""

    socket_ids: tuple[int, ...]
    text: str
    delay_ms: int = 0


class StreamClose(Message, frozen=True):
    """End a connection from our side, without a closing frame if it is `abrupt`."""

    socket_id: int
    abrupt: bool


class StreamsGone(Message, frozen=True):
    """The exchange has forgotten all sessions (it was rebuilt): every connection ends."""


class Pulse(Message, frozen=True):
    """Time to let the market go on."""


class BooksDue(Message, frozen=True):
    """Time to tell how the books have changed."""
