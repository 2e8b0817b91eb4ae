"""Serves the control API beside the loop, off its thread: on a Unix socket, and on HTTP when enabled."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Protocol

from actors import __version__
from actors.control.desk import Desk
from actors.control.fields import plain
from actors.control.halt_hook import HaltHook
from actors.control.markets import MarketsShelf
from actors.control.sockets import bind_socket
from actors.domain.instrument import Instrument
from actors.runtime.errors import RuntimeFault
from actors.runtime.node import Node
from actors.runtime.pumps.thread import PumpThread

__all__ = ["LAST_RUN_FILE", "ControlServer", "Deployment"]

LAST_RUN_FILE = "last_run.json"  # in the journal's folder: the last view of the node that ran last


class Deployment(Protocol):
    """What the server needs to know of a deployment; its topology fits."""

    @property
    def deployment(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def files(self) -> tuple[str, ...]: ...
    @property
    def journal(self) -> Any: ...
    @property
    def journal_path(self) -> Path: ...
    @property
    def socket_path(self) -> Path: ...
    @property
    def control(self) -> Any: ...
    @property
    def content_hash(self) -> str: ...
    @property
    def instruments(self) -> Mapping[str, Instrument]: ...
    @property
    def catalogs(self) -> Any: ...


class ConfigurationDesk(Protocol):
    """What may be asked about a node's configuration while it runs; it may take long, so in other threads."""

    def generations(self) -> dict[str, Any]:
        """Return all generations, without what is in them."""
        ...

    def generation(self) -> int:
        """Return the number of the one that runs; 0 while there is none."""
        ...

    def whole_generation(self, number: int) -> dict[str, Any]:
        """Return one with what is in it; 0 for the newest. Errors: ControlError."""
        ...

    def apply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Bring in what was staged. Errors: ControlError."""
        ...

    def approve(self, body: dict[str, Any]) -> dict[str, Any]:
        """Keep somebody's word for a plan. Errors: ControlError."""
        ...

    def canary(self) -> dict[str, Any]:
        """Return how a canary stands."""
        ...

    def canary_left_s(self) -> float:
        """Return the seconds for which a canary has still to do well; 0 without one."""
        ...

    def end_canary(self, body: dict[str, Any]) -> dict[str, Any]:
        """Promote or abort it now. Errors: ControlError."""
        ...

    @property
    def content_hash(self) -> str:
        """What tells the configuration that runs from any other."""
        ...


class ControlServer:
    """Start it from any thread but the loop's; stop it when the loop has ended."""

    def __init__(
        self,
        node: Node,
        deployment: Deployment,
        thread: PumpThread | None = None,
        halt_token: Callable[[], str] | None = None,
        configuration: ConfigurationDesk | None = None,
        faults: Any = None,
    ) -> None:
        self._node = node
        self._deployment = deployment
        self._thread = thread or PumpThread("control")
        self._owns_thread = thread is None
        self._configuration = configuration
        self._node_faults = faults
        self._runners: list[Any] = []
        self._changing = threading.Lock()  # a stop waits for a start that is under way, and the reverse
        self._is_over = False
        self.faults: list[str] = []
        self._hook = None if halt_token is None else HaltHook(halt_token, node.loop.clock.now_ns)
        self.http_address = ""
        self.facts = self._facts()
        self.desk = Desk(node, self.facts, deployment.instruments)
        self.markets = MarketsShelf([one.file for one in deployment.catalogs], node.loop.clock.now_ns)

    def _facts(self) -> dict[str, Any]:
        deployment, node = self._deployment, self._node
        return {
            "deployment": deployment.deployment,
            "mode": deployment.mode,
            "version": __version__,
            "pid": os.getpid(),
            "epoch": node.journal.epoch,
            "started_at_ns": node.loop.now_ns,
            "recovery_ms": round(node.recovery_ns / 1e6, 3),
            "events_folded": node.events_folded,
            "files": list(deployment.files),
            "configuration_hash": deployment.content_hash,
            "journal_path": str(deployment.journal_path),
            "durability": str(deployment.journal.durability),
            "socket": str(deployment.socket_path),
            "http": "",
        }

    def start(self) -> None:
        """Serve until `stop`. What cannot be served is told on stderr and kept in `faults`: a node that
        trades goes on without its operators' door rather than not at all."""
        from actors.control.api import make_application  # aiohttp takes its time to import

        with self._changing:
            if self._is_over:
                return
            if self._owns_thread:
                self._thread.start()
            registry = self._registry()
            parts, config = (self.desk, self.markets, registry), self._configuration
            self._try(self._serve_socket(self._open_application(*parts)))
            if self._deployment.control.http.enabled:
                self._try(
                    self._serve_http(
                        make_application(*parts, is_open=False, hook=self._hook, configuration=config)
                    )
                )

    def _open_application(self, *parts: Any) -> Any:
        """Return what answers on the Unix socket, where orders are taken."""
        from actors.control.api import make_application
        from actors.control.fault_port import FaultPort

        port = FaultPort(self.desk, self._node_faults)
        return make_application(*parts, is_open=True, configuration=self._configuration, port=port)

    def _try(self, serving: Coroutine[Any, Any, None]) -> None:
        try:
            self._thread.run(serving)
        except (RuntimeFault, OSError) as error:
            self.faults.append(str(error))
            print(f"polytrade: control API: {error}", file=sys.stderr)

    def _registry(self) -> Any:
        from actors.control.metrics import make_registry

        shown = ("version", "deployment", "mode", "configuration_hash")
        information = {name: str(self.facts[name]) for name in shown}
        return make_registry(self._node, information, self._configuration)

    async def _serve_socket(self, application: Any) -> None:
        from aiohttp import web

        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        self._runners.append(runner)
        await web.SockSite(
            runner, bind_socket(self._deployment.socket_path, self._deployment.control.group)
        ).start()

    async def _serve_http(self, application: Any) -> None:
        from aiohttp import web

        http = self._deployment.control.http
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, http.host, http.port).start()
        host, port = runner.addresses[0][:2]
        shown = f"[{host}]" if ":" in host else host
        self.http_address = self.facts["http"] = f"http://{shown}:{port}"

    def stop(self) -> None:
        """Stop serving, remove the socket and leave the last view beside the journal."""
        with self._changing:
            self._is_over = True
            self._leave_last_view()
            if self._runners:
                self._thread.run(self._close())
                self._deployment.socket_path.unlink(missing_ok=True)
            if self._owns_thread:
                self._thread.stop()

    async def _close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    def _leave_last_view(self) -> None:
        view = {**self.desk.last_view(), "ended": self._node.ended}
        path = self._deployment.journal_path / LAST_RUN_FILE
        beside = path.with_suffix(".new")
        try:
            beside.write_text(json.dumps(view, default=plain), encoding="utf-8")
            beside.replace(path)
        except OSError:  # a full disk: the journal itself has said so already
            beside.unlink(missing_ok=True)
