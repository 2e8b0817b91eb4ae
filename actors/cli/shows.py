"""The ways `up` can show a deployment: the live screen, plain lines, or nothing but what matters."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from actors.cli.output import note
from actors.cli.plain import PlainLines
from actors.cli.screen import Screen

__all__ = ["LiveShow", "PictureShow", "PlainShow"]

PICTURE_SIZE = (140, 44)
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a font from the network; any monospace will do


class PlainShow:
    """A line a second on stderr, so that stdout stays free for results."""

    def __init__(self, quiet: bool = False) -> None:
        self._lines = PlainLines()
        self._quiet = quiet

    def view(self, view: dict[str, Any]) -> None:
        if not self._quiet:
            for line in self._lines.lines(view):
                note(line)

    def say(self, text: str) -> None:
        note(text)

    def ask_whether_to_kill(self, waited_s: float, patience_s: float) -> bool:
        """The first repetition explains; the next one kills. Who cannot be asked is not asked."""
        if getattr(self, "_warned", False):
            return True
        self._warned = True
        note(f"still stopping ({waited_s:.0f} of {patience_s:.0f} s); press Ctrl-C again to end it at once")
        return False


class PictureShow(PlainShow):
    """Keeps what the screen would show, to be saved as a picture."""

    def __init__(self) -> None:
        super().__init__()
        self._screen = Screen()
        self._view: dict[str, Any] | None = None

    def view(self, view: dict[str, Any]) -> None:
        super().view(view)
        self._screen.remember(view)
        if self._view is None or _richness(view) >= _richness(self._view):
            self._view = view

    def save(self, path: str, title: str) -> None:
        """Draw the view that has most to show into an SVG file that loads nothing from elsewhere."""
        width, height = PICTURE_SIZE
        with open("/dev/null", "w", encoding="utf-8") as nowhere:
            console = Console(record=True, width=width, height=height, file=nowhere, force_terminal=True)
            console.print(self._screen.draw(self._view, width, height), height=height)
            picture = FONT_FACE.sub("", console.export_svg(title=title))
        # Not every viewer keeps the spaces that hold the columns in place by itself.
        picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
        Path(path).write_text(picture, encoding="utf-8")


def _richness(view: dict[str, Any]) -> int:
    return len(view["positions"]) + len(view["orders"])


class LiveShow:
    """The full-screen view on a terminal's other screen; the lines before it are back when it ends."""

    def __init__(self) -> None:
        self._screen = Screen()
        self._console = Console(stderr=not sys.stdout.isatty())
        self._live = Live(console=self._console, screen=True, auto_refresh=False, transient=True)
        self._view: dict[str, Any] | None = None
        self.said: list[str] = []

    def __enter__(self) -> LiveShow:
        self._live.start()
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def view(self, view: dict[str, Any]) -> None:
        self._view = view
        if self._screen.banner.startswith("the node"):
            self._screen.banner = ""
        self._screen.remember(view)
        self._draw()

    def say(self, text: str) -> None:
        self.said.append(f"{time.strftime('%H:%M:%S', time.gmtime())} {text}")
        self._screen.banner = text
        self._screen.node_restarts += "runs again" in text
        self._draw()

    def _draw(self) -> None:
        width, height = self._console.size
        self._live.update(self._screen.draw(self._view, width, height), refresh=True)

    def ask_whether_to_kill(self, waited_s: float, patience_s: float) -> bool:
        self._live.stop()
        note(f"The node stops in order; {waited_s:.0f} of at most {patience_s:.0f} s have passed.")
        note("End it at once? What was acknowledged is in the journal; the next start recovers it.")
        try:
            wants = click.confirm("end it now", default=False, err=True)
        except click.Abort:  # Ctrl-C at the question is an answer
            wants = True
        if not wants:
            self._live.start()
        return wants
