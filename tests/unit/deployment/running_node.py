"""A node that runs in a thread of the test, and is changed while it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.deployment.applying import Applier, Wish
from actors.deployment.assemble import assemble
from actors.deployment.beginning import first_generation
from actors.deployment.generations import Generations
from actors.deployment.loader import load
from actors.deployment.resolved import resolved
from actors.deployment.secret_values import keep_secrets
from actors.runtime.clock import SystemClock
from actors.runtime.store_memory import MemoryStore

__all__ = ["TREND", "Running"]

TREND = "trend/BTC_USDT_PERP"


class Running:
    """The shipped paper deployment in a thread of this process, with generations in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.topology = load("config/paper.yaml")
        self.generations = Generations(folder)
        first_generation(self.topology, self.generations, "run", 1)
        secrets = keep_secrets(self.topology)
        self.node = assemble(self.topology, MemoryStore(), SystemClock(), (), secrets)
        self.applier = Applier(self.node, self.topology, secrets, self.generations, "run")
        self.node.start()
        self._thread = threading.Thread(target=self.node.run, args=(10_000_000,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.node.request_stop()
        self._thread.join(20)

    def document(self, edit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Return what runs, edited: actors by address."""
        document = resolved(self.applier.topology)
        edit({one["address"]: one for one in document["actors"]})
        return document

    def apply(self, edit: Callable[[dict[str, Any]], None], **more: Any) -> Any:
        current = self.generations.current()
        assert current is not None
        words = {"base": current.number, "actor": "ann", "reason": "", "prove_s": 0.3, **more}
        return self.applier.apply(Wish(self.document(edit), **words))

    def restarts(self) -> dict[str, int]:
        return {
            name: cell.restarts_count for name, cell in self.node.loop.cells.items() if cell.restarts_count
        }
