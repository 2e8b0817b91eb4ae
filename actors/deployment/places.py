"""Where something was written: a file, a stretch of a line, and the bare place that outlives the files."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Origin", "SourceFile", "Span"]


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a value was written. Lines and columns count from 1."""

    file: str  # as it was named on the command line, or relative to the file that extends it
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """A file that was read, for excerpts. An empty name stands for the command line."""

    name: str
    lines: tuple[str, ...]
    directory: str = "."

    def line(self, number: int) -> str:
        """Return a line's text, counted from 1; empty when there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line."""

    source: SourceFile
    line: int  # from 1
    column: int  # from 1
    width: int = 1

    def seen_from(self, file: str) -> str:
        """Return the place as text: line and column within `file`, with the file's name elsewhere."""
        place = f"{self.line}:{self.column}"
        return place if self.source.name == file else f"{self.source.name}:{place}"

    @property
    def origin(self) -> Origin:
        """The place alone."""
        return Origin(self.source.name, self.line, self.column)
