"""What a behaviour and the HTTP pump say to each other."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["HttpFailure", "HttpRequest", "HttpResponse"]


class HttpRequest(Message, frozen=True):
    """Do one HTTP request. Answered by exactly one HttpResponse or HttpFailure with the same request_id."""

    request_id: str  # "<address of the asker>#<its own count>": the answer goes to that address
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
