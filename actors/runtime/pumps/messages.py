"""What a behaviour and the pumps say to each other. Answers go to the actor that asked."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = [
    "HttpFailure",
    "HttpRequest",
    "HttpResponse",
    "MailAnswered",
    "MailFailure",
    "MailRequest",
    "SocketClose",
    "SocketClosed",
    "SocketFrame",
    "SocketOpen",
    "SocketOpened",
    "SocketSend",
]


class HttpRequest(Message, frozen=True):
    """Do one HTTP request. Answered by exactly one HttpResponse or HttpFailure with the same request_id."""

    request_id: str  # unique for the asker, whom the answer goes to
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeout_ns: int


class HttpResponse(Message, frozen=True):
    """The far side answered, whatever the status says."""

    request_id: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed_ns: int


class HttpFailure(Message, frozen=True):
    """No answer came. When `bytes_left` is True the far side may have acted on the request."""

    request_id: str
    bytes_left: bool
    reason: str


class MailRequest(Message, frozen=True):
    """Hand one mail to a server (SMTP). Answered by exactly one MailAnswered or MailFailure."""

    request_id: str  # unique for the asker, whom the answer goes to
    host: str
    port: int
    security: str  # starttls, tls or none
    ca_file: str  # certificates that the server's is checked against; empty: the system's
    username: str  # empty: no login
    password: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes  # the whole message, header lines and all, with CRLF
    timeout_ns: int


class MailAnswered(Message, frozen=True):
    """The server said its last word: 250 when it has taken the mail for at least one recipient."""

    request_id: str
    code: int
    text: str
    refused: tuple[str, ...]  # recipients that it does not take it for


class MailFailure(Message, frozen=True):
    """No last word came. When `bytes_left` is True the server may have the mail all the same."""

    request_id: str
    bytes_left: bool
    reason: str


class SocketOpen(Message, frozen=True):
    """Open a WebSocket under a name of one's own; answered by SocketOpened or SocketClosed."""

    socket_id: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout_ns: int = 10_000_000_000


class SocketSend(Message, frozen=True):
    """Send one text frame."""

    socket_id: str
    text: str


class SocketClose(Message, frozen=True):
    """Close a socket; answered by SocketClosed."""

    socket_id: str


class SocketOpened(Message, frozen=True):
    """The WebSocket is open."""

    socket_id: str


class SocketFrame(Message, frozen=True):
    """One text or binary frame came in."""

    socket_id: str
    data: bytes
    received_at_ns: int  # the machine's clock when the frame left the kernel


class SocketClosed(Message, frozen=True):
    """The WebSocket is closed, or could not be opened; nothing more comes under this name."""

    socket_id: str
    code: int  # 1006 when there was no close frame
    reason: str
