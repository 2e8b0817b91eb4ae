"""Prometheus, Alertmanager and whoever is told, as real servers on loopback, with the files of a deployment.

Only their patience is another one than in the files: seconds instead of minutes.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.process.live_path import free_port
from tests.process.node import wait_for

PATIENCE = {
    "group_wait": "0s",
    "group_interval": "500ms",
    "repeat_interval": "500ms",
    "scrape_interval": "1s",  # and so the time-out, which a busy machine needs
    "scrape_timeout": "1s",
    "evaluation_interval": "500ms",
}


def servers() -> dict[str, str]:
    """Return where the programs are; skip the test when one is missing."""
    names = {"prometheus": ("prometheus",), "alertmanager": ("prometheus-alertmanager", "alertmanager")}
    found = {name: next(filter(None, map(shutil.which, some)), "") for name, some in names.items()}
    missing = [name for name, path in found.items() if not path]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed; `make ops-tools` installs them")
    return found


class Told:
    """Takes what Alertmanager posts: (path, status, alert name) and the alert itself, in order."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str, str, dict[str, Any]]] = []
        told = self.posts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend(
                    (self.path, one["status"], one["labels"]["alertname"], one) for one in body["alerts"]
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def heard(self, path: str, status: str, name: str) -> list[dict[str, Any]]:
        return [one for at, is_, called, one in list(self.posts) if (at, is_, called) == (path, status, name)]

    def is_over(self, path: str, name: str) -> bool:
        """Tell whether the last word about alerts of a name was that they are over, or there was none."""
        words = [is_ for at, is_, called, _ in list(self.posts) if (at, called) == (path, name)]
        return not words or words[-1] == "resolved"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Monitoring:
    """The servers, started in a folder that `polytrade monitoring --out` has written."""

    def __init__(self, folder: Path, prometheus: int, alertmanager: int) -> None:
        self.folder = folder
        self.prometheus, self.alertmanager = prometheus, alertmanager
        self._processes: list[subprocess.Popen[bytes]] = []

    def hurry(self) -> None:
        """Make all waits of the files short. What has to hold for a minute shall still come after what has to
        for seconds, which hides it."""
        for path in [*self.folder.rglob("*.yaml")]:
            text = path.read_text()
            for name, value in PATIENCE.items():
                text = re.sub(rf"\b{name}: \w+", f"{name}: {value}", text)
            text = re.sub(r"\bfor: \d+m\b", "for: 4s", re.sub(r"\bfor: \d+s\b", "for: 2s", text))
            path.write_text(text)

    def start(self) -> None:
        found, here = servers(), self.folder / "monitoring"
        self._run(
            found["alertmanager"],
            f"--config.file={here / 'alertmanager.yaml'}",
            f"--storage.path={self.folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{self.alertmanager}",
            "--cluster.listen-address=",
        )
        self._run(
            found["prometheus"],
            f"--config.file={here / 'prometheus.yaml'}",
            f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{self.prometheus}",
            "--rules.alert.resend-delay=500ms",  # its first word may come before Alertmanager listens
            "--log.level=warn",
        )

    def _run(self, *words: str) -> None:
        with (self.folder / "servers.log").open("ab") as log:
            self._processes.append(subprocess.Popen(words, stdout=log, stderr=log))

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers; nothing while it does not."""
        with contextlib.suppress(OSError):
            address = f"http://127.0.0.1:{self.prometheus}/api/v1/query?query={urllib.parse.quote(query)}"
            with urllib.request.urlopen(address, timeout=2) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return found
        return []

    def hidden(self, name: str) -> list[dict[str, Any]]:
        """Return the alerts of a name that Alertmanager has and tells nobody."""
        address = f"http://127.0.0.1:{self.alertmanager}/api/v2/alerts?active=false&inhibited=true"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
            return [one for one in json.load(answer) if one["labels"]["alertname"] == name]
        return []

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[tuple[Monitoring, Told]]:
    """Give servers that are not started yet, and stop all of them."""
    servers()
    told = Told()
    monitoring = Monitoring(folder, free_port(), free_port())
    try:
        yield monitoring, told
    finally:
        monitoring.stop()
        told.close()


__all__ = ["Monitoring", "Told", "servers", "wait_for", "watched"]
