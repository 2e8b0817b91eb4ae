"""One blocking connection to a venue, and time: what a process beside the node has instead of pumps."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse

__all__ = ["HttpWire", "SystemTimes"]

BODY_BYTES_MAX = 16 << 20


class SystemTimes:
    """The machine's clocks."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        time.sleep(duration_ns / 1e9)


class HttpWire:
    """Keeps its connection while the far side does; certificates are checked as usual."""

    def __init__(self) -> None:
        self._kept: http.client.HTTPConnection | None = None

    def send(self, request: HttpRequest) -> HttpResponse | HttpFailure:
        """Send one request and wait; the far side's silence and our own failures come back as a failure."""
        began_ns, timeout_s = time.monotonic_ns(), request.timeout_ns / 1e9
        place = urlsplit(request.url)
        try:
            connection = self._kept or _connect(place.scheme, place.netloc, timeout_s)
        except OSError as error:
            return HttpFailure(request.request_id, False, str(error))
        self._kept = None
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout_s)
            target = request.url.partition(place.netloc)[2] or "/"
            connection.request(request.method, target, request.body or None, dict(request.headers))
            answer = connection.getresponse()
            body = answer.read(BODY_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return HttpFailure(request.request_id, True, f"{type(error).__name__}: {error}")
        if answer.will_close:
            connection.close()
        else:
            self._kept = connection
        headers = tuple((name.lower(), text) for name, text in answer.getheaders())
        elapsed_ns = time.monotonic_ns() - began_ns
        return HttpResponse(request.request_id, answer.status, headers, body, elapsed_ns)

    def close(self) -> None:
        """Let go of the connection."""
        if self._kept is not None:
            self._kept.close()


def _connect(scheme: str, host: str, timeout_s: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    made = kind(host, timeout=timeout_s)
    made.connect()
    return made
