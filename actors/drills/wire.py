"""How a drill asks and orders from outside: the control socket, fault ports, the venue by our own client."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from actors.control.sockets import connect_socket
from actors.drills.stage import Stage

__all__ = ["DrillFailed", "control", "now_ns", "pause", "request", "until", "venue", "view", "view_or_none"]

LOOK_S = 0.1  # between two looks; a time to detect is not finer than this
ANSWER_S = 15.0
VIEW_S = 5.0
BODY_BYTES_MAX = 16 << 20
Found = TypeVar("Found")


class DrillFailed(Exception):
    """What was expected did not come true, in words for whoever reads the drill's record."""


def now_ns() -> int:
    """Return the time of this machine, UTC."""
    return time.time_ns()


def pause(seconds: float) -> None:
    """Wait. A drill waits for something to come true instead, wherever it can."""
    time.sleep(seconds)


def until(look: Callable[[], Found], within_s: float, what: str, said: Callable[[], str] = str) -> Found:
    """Look again and again; return what was found. Errors: DrillFailed with what was waited for."""
    end = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise DrillFailed(f"not within {within_s:g} s: {what}{_more(said())}")
        time.sleep(LOOK_S)


def _more(text: str) -> str:
    return f"; {text}" if text else ""


# -- the node ---------------------------------------------------------------------------------------------


class _OverSocket(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        self.sock: socket.socket = connect_socket(Path(self._path))
        self.sock.settimeout(self._timeout_s)


def control(stage: Stage, method: str, path: str, body: Any = None, timeout_s: float = ANSWER_S) -> Any:
    """Return what the node answers. Errors: DrillFailed when it does not, or says no."""
    status, found = _exchange(_OverSocket(stage.socket, timeout_s), method, path, body, {})
    if status >= 400:
        raise DrillFailed(f"{method} {path}: the node says {status} {found.get('error', found)}")
    return found


def view_or_none(stage: Stage) -> Any:
    """Return what the node shows; None while it does not answer, as in the middle of a restart."""
    try:
        return control(stage, "GET", "/v1/view", timeout_s=VIEW_S)
    except DrillFailed:
        return None


def view(stage: Stage) -> Any:
    """Return what the node shows. Errors: DrillFailed when it does not answer for a minute."""
    return until(lambda: view_or_none(stage), 60.0, "the node answers")


# -- others -----------------------------------------------------------------------------------------------


def request(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Return a JSON answer. Errors: DrillFailed."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=ANSWER_S)
    target = url.partition(place.netloc)[2] or "/"
    status, found = _exchange(connection, method, target, body, headers or {})
    if status >= 400:
        raise DrillFailed(f"{method} {url}: {status} {str(found)[:200]}")
    return found


def _exchange(
    connection: http.client.HTTPConnection, method: str, target: str, body: Any, headers: dict[str, str]
) -> tuple[int, Any]:
    text = None if body is None else (body if isinstance(body, str) else json.dumps(body))
    if text is not None:
        headers = {"Content-Type": "application/json", **headers}
    try:
        connection.request(method, target, text, headers)
        answer = connection.getresponse()
        raw = answer.read(BODY_BYTES_MAX)
        return answer.status, (json.loads(raw) if raw.strip() else {})
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DrillFailed(f"{method} {target}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()


def venue(stage: Stage, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Any:
    """Return the data the venue answers to a signed request, asked by nobody but us. Errors: DrillFailed."""
    if not (stage.exchange and stage.key):
        raise DrillFailed("the stage has no key of its own for the venue")
    at = str(now_ns() // 1_000_000)
    text = None if body is None else json.dumps(body)
    given = dict(query or {})
    pairs = {**given, "signTimestamp": at} | ({"requestBody": text} if text is not None else {})
    if text is None:
        signed = "&".join(f"{name}={quote(pairs[name], safe='')}" for name in sorted(pairs))
    else:
        signed = f"requestBody={text}&signTimestamp={at}"
    raw = hmac.new(stage.secret.encode(), f"{method}\n{path}\n{signed}".encode(), hashlib.sha256).digest()
    headers = {"key": stage.key, "signTimestamp": at, "signature": base64.b64encode(raw).decode()}
    tail = "&".join(f"{name}={quote(word, safe='')}" for name, word in given.items())
    found = request(method, stage.exchange + path + (f"?{tail}" if tail else ""), text, headers)
    if found.get("code") != 200:
        raise DrillFailed(f"{method} {path}: the venue says {found.get('code')} {found.get('msg')}")
    return found["data"]
