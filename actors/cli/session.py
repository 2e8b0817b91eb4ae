"""Looks after a running deployment from the terminal: polls its view, obeys signals and the clock."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from actors.cli.client import ControlClient
from actors.cli.problems import Problem
from actors.runtime.heart import HeartHandle

__all__ = ["Session", "Show"]

LOOK_EVERY_S = 1.0
LOOK_FIRST_S = 0.1  # until the node answers for the first time
STEP_S = 0.05
ANSWER_WITHIN_S = 2.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Show(Protocol):
    """Where the views go."""

    def view(self, view: dict[str, Any]) -> None:
        """A new view of the node."""
        ...

    def say(self, text: str) -> None:
        """Something happened that the view does not show."""
        ...

    def ask_whether_to_kill(self, waited_s: float, patience_s: float) -> bool:
        """Ctrl-C was pressed again while the node stops; return whether to end it at once."""
        ...


class Session:
    """One deployment under a heart."""

    def __init__(
        self, handle: HeartHandle, client: ControlClient, show: Show, for_s: float | None, patience_s: float
    ) -> None:
        self._handle = handle
        self._client = client
        self._show = show
        self._for_s = for_s
        self._patience_s = patience_s
        self._interrupts = 0
        self._obeyed = 0
        self._stopping_since = 0.0
        self._next_look = 0.0
        self.node_pids: list[int] = []
        self.last_view: dict[str, Any] | None = None
        self.was_killed = False
        self.display_faults: set[str] = set()
        self.before_stop: Callable[[], None] = lambda: None

    def run(self) -> int:
        """Return the exit code of the node once everything has ended."""
        self._began = time.monotonic()
        with self._signals():
            while self._handle.exit_code is None:
                self._hear()
                self._obey()
                self._look()
                time.sleep(STEP_S)
            self._hear()
        return self._handle.exit_code

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._interrupted) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupted(self, number: int, frame: object) -> None:
        self._interrupts += 1

    # -- what the heart tells ------------------------------------------------------------------------------

    def _hear(self) -> None:
        for event in self._handle.poll():
            kind = event.get("event")
            if kind == "started":
                self.node_pids.append(event["pid"])
                if event.get("restarts"):
                    self._show.say(f"the node runs again (restart {event['restarts']} by its heart)")
            elif kind == "died" and not self._stopping_since:
                self._show.say(f"the node died with code {event['code']}")
            elif kind == "told":
                self._show.say(f"people are told: {event['alert']}: {event['text']}")
            elif kind == "last_resort":
                self._show.say(f"dead man: {event['reason']}; its accounts are stopped at the venue")
            elif kind == "last_resort_ended":
                self._show.say(f"dead man: {event['text'] or 'it did not end in time'}")
            elif kind == "killed":
                self._show.say(f"the node was killed: {event['reason']}")

    # -- the view ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + (LOOK_FIRST_S if self.last_view is None else LOOK_EVERY_S)
        try:
            view = self._client.get("/v1/view", ANSWER_WITHIN_S)
        except Problem:  # it starts, restarts or stops; the heart tells which
            return
        self.last_view = view
        try:
            self._show.view(view)
        except Exception as error:  # a fault of the display must not end what is displayed
            self.display_faults.add(f"the view cannot be shown: {type(error).__name__}: {error}")

    # -- ending --------------------------------------------------------------------------------------------

    def _obey(self) -> None:
        now = time.monotonic()
        time_is_over = self._for_s is not None and now - self._began >= self._for_s
        if not self._stopping_since and (time_is_over or self._interrupts):
            self._obeyed = self._interrupts
            self.before_stop()
            self._stopping_since = now
            self._show.say(f"stopping in order, within {self._patience_s:g} s")
            self._handle.stop()
        elif self._interrupts > self._obeyed:
            self._obeyed = self._interrupts
            if self._show.ask_whether_to_kill(now - self._stopping_since, self._patience_s):
                self.was_killed = True
                self._handle.kill()
