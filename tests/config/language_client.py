"""A small client of a language server: JSON-RPC over the pipes of a process, as an editor does it."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.config.corpus import FOLDER

ROOT = FOLDER.parents[1]
ANSWER_WITHIN_S = 30.0
SETTINGS = {
    "yaml": {
        "yamlVersion": "1.2",
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False},  # nothing is asked of the network
    }
}


def server_command() -> list[str] | None:
    """Return how the YAML language server is called; None where it is not installed."""
    script = ROOT / "var" / "tools" / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    node = shutil.which("node")
    return [node, str(script), "--stdio"] if node is not None and script.is_file() else None


class LanguageClient:
    """Speaks to one server process; use as a context."""

    def __init__(self, command: list[str], root: Path) -> None:
        self._command, self._root = command, root
        self._answers: dict[int, Queue[Any]] = {}
        self._diagnostics: Queue[tuple[str, list[dict[str, Any]]]] = Queue()
        self._count = 0
        self._lock = threading.Lock()

    def __enter__(self) -> LanguageClient:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        threading.Thread(target=self._read, daemon=True).start()
        abilities = {
            "textDocument": {
                "completion": {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}},
                "hover": {"contentFormat": ["markdown", "plaintext"]},
                "publishDiagnostics": {},
            },
            "workspace": {"configuration": True, "didChangeConfiguration": {}},
        }
        root = self._root.as_uri()
        self.ask("initialize", {"processId": None, "rootUri": root, "capabilities": abilities})
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": SETTINGS})
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.ask("shutdown", None)
            self._tell("exit", None)
            self._process.wait(5)
        finally:
            self._process.kill()
            self._process.wait()

    # -- what an editor does -------------------------------------------------------------------------

    def open(self, path: Path, text: str) -> list[dict[str, Any]]:
        """Open a document, and return what is wrong with it."""
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return self._diagnosed(path.as_uri())

    def complete(self, path: Path, line: int, column: int) -> dict[str, dict[str, Any]]:
        """Return what is proposed at a place, counted from 0, by label."""
        found = self.ask("textDocument/completion", _at(path, line, column))
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"]: item for item in items or ()}

    def hover(self, path: Path, line: int, column: int) -> str:
        """Return what is shown at a place, counted from 0."""
        found = self.ask("textDocument/hover", _at(path, line, column))
        contents = found["contents"] if found else ""
        return contents["value"] if isinstance(contents, dict) else str(contents)

    # -- JSON-RPC ------------------------------------------------------------------------------------

    def ask(self, method: str, parameters: Any) -> Any:
        """Send a request and wait for its answer."""
        self._count += 1
        waiting = self._answers[self._count] = Queue()
        self._send({"jsonrpc": "2.0", "id": self._count, "method": method, "params": parameters})
        answer = waiting.get(timeout=ANSWER_WITHIN_S)
        assert "error" not in answer, answer
        return answer.get("result")

    def _tell(self, method: str, parameters: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": parameters})

    def _send(self, message: dict[str, Any]) -> None:
        raw = json.dumps(message).encode()
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(raw), raw))
            self._process.stdin.flush()

    def _diagnosed(self, uri: str) -> list[dict[str, Any]]:
        while True:
            try:
                about, found = self._diagnostics.get(timeout=ANSWER_WITHIN_S)
            except Empty:
                raise AssertionError(f"the server says nothing about {uri}") from None
            if about == uri:
                return found

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not length:
                return  # the server is gone
            self._take(json.loads(stream.read(length)))

    def _take(self, message: dict[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            self._answers[int(number or 0)].put(message)
        elif method == "textDocument/publishDiagnostics":
            self._diagnostics.put((message["params"]["uri"], message["params"]["diagnostics"]))
        elif number is not None:  # the server asks us
            wanted = (
                message.get("params", {}).get("items", []) if method == "workspace/configuration" else None
            )
            answer = None if wanted is None else [SETTINGS.get(item.get("section")) for item in wanted]
            self._send({"jsonrpc": "2.0", "id": number, "result": answer})


def _at(path: Path, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}
