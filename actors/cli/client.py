"""A client of a node's control socket."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.control.sockets import connect_socket

__all__ = ["ControlClient"]

ANSWER_WITHIN_S = 15.0  # an order may wait five seconds for an actor, and for the loop before that


class _OverSocket(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        self.sock: socket.socket = connect_socket(self._path)
        self.sock.settimeout(self._timeout_s)


class ControlClient:
    """Asks and orders; every failure is a Problem with an exit code."""

    def __init__(self, path: Path, name: str = "the deployment") -> None:
        self.path = path
        self._name = name

    def get(self, path: str, timeout_s: float = ANSWER_WITHIN_S) -> Any:
        """Return the answer to a question."""
        return self._request("GET", path, None, timeout_s)

    def post(self, path: str, body: dict[str, Any] | None = None, timeout_s: float = ANSWER_WITHIN_S) -> Any:
        """Return the answer to an order."""
        return self._request("POST", path, json.dumps(body or {}), timeout_s)

    def _request(self, method: str, path: str, body: str | None, timeout_s: float) -> Any:
        connection = _OverSocket(self.path, timeout_s)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            raw = answer.read()
        except TimeoutError as error:
            raise Problem(
                ExitCode.NO_ANSWER,
                f"{self._name} does not answer on {self.path}",
                "wait: its heart restarts a node that hangs; `polytrade logs` shows what it did last",
            ) from error
        except PermissionError as error:
            raise Problem(
                ExitCode.REFUSED,
                f"you may not use {self.path}",
                "run the command as the user who runs the node",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise Problem(
                ExitCode.NOT_RUNNING,
                f"{self._name} does not run: nobody answers on {self.path}",
                "start it with `polytrade up FILE`",
            ) from error
        finally:
            connection.close()
        return _result(answer.status, raw)


def _result(status: int, raw: bytes) -> Any:
    try:
        found = json.loads(raw)
    except ValueError as error:
        text = f"the node answered {status} with something that is no JSON"
        raise Problem(ExitCode.FAILURE, text, "are node and command of the same version?") from error
    if status < 400 or "answers" in found:  # a refused order still tells who said what
        return found
    codes = {404: ExitCode.NOT_FOUND, 503: ExitCode.NO_ANSWER, 400: ExitCode.USAGE}
    code = codes.get(status, ExitCode.REFUSED if status < 500 else ExitCode.FAILURE)
    fields = {name: value for name, value in found.items() if name not in ("error", "remedy")}
    raise Problem(code, found.get("error", f"status {status}"), found.get("remedy", ""), **fields)
