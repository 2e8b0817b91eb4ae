"""Files that this process has read to their end without finding a fault: once is enough to know that.

A backtest looks all files through before it begins, and each feed again before it plays; an actor that is
started again looks once more. What was found is kept for the file as it is on disk: another size or time of
change, other settings or another instrument, and it is read again.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from actors.domain.instrument import Instrument
from actors.feed.settings import ReplaySettings

__all__ = ["FileKey", "Sound", "found_sound", "key_of", "note_sound"]

FILES_KEPT = 256

FileKey = tuple[str, int, int, str, str]


class Sound(NamedTuple):
    """What a file without a fault holds, up to the end that its settings give it."""

    rows_count: int
    first_ns: int
    last_ns: int


_KNOWN: dict[FileKey, Sound] = {}


def key_of(path: Path, settings: ReplaySettings, instrument: Instrument) -> FileKey:
    """Return what a finding holds for. Errors: OSError when there is no such file."""
    stat, whole = path.stat(), path.resolve()
    return str(whole), stat.st_size, stat.st_mtime_ns, repr(settings), repr(instrument)


def note_sound(key: FileKey, sound: Sound) -> None:
    """Remember that a file was read to its end without a fault."""
    while len(_KNOWN) >= FILES_KEPT:
        del _KNOWN[next(iter(_KNOWN))]
    _KNOWN[key] = sound


def found_sound(key: FileKey) -> Sound | None:
    """Return what is known of a file, None when it has to be read."""
    return _KNOWN.get(key)
