"""Generations: every configuration that a deployment has run with, numbered, in the journal's folder.

A generation is one file that is written once, as a whole. The newest one is what the node runs, and what it
begins with when its heart starts it again.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["CanaryTerms", "Generation", "GenerationMoved", "Generations"]

FOLDER = "generations"
DIGITS = 6
STAGED = re.compile(r"[0-9a-f]{16}")


class CanaryTerms(msgspec.Struct, frozen=True):
    """Of a generation that is a part of a change, tried before the rest follows."""

    target: str  # symbol or account
    until_ns: int
    base: int  # the generation that runs again if it does not go well
    wanted: dict[str, Any]  # the whole change, a document
    changed: tuple[str, ...] = ()  # addresses
    deferred: tuple[str, ...] = ()  # changes that wait, in a few words


class Generation(msgspec.Struct, frozen=True):
    """One configuration, who brought it in, when and why. `of`: the generation it brings back, or 0."""

    number: int
    at_ns: int
    actor: str
    reason: str
    content_hash: str
    files: tuple[str, ...]
    document: dict[str, Any]  # see resolved.py
    approver: str = ""
    of: int = 0
    run: str = ""  # of which `polytrade up` it is: another one begins with what its files say
    changes: tuple[str, ...] = ()  # in a few words
    canary: CanaryTerms | None = None  # it is one, until the next generation


class GenerationMoved(Exception):
    """Somebody else brought in a configuration meanwhile."""


class Generations:
    """Those of one journal."""

    def __init__(self, journal_path: Path) -> None:
        self.folder = journal_path / FOLDER
        self._unproven = self.folder / "unproven"

    def numbers(self) -> list[int]:
        """Return the numbers there are, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.json") if path.stem.isdigit())

    def current(self) -> Generation | None:
        """Return the newest one; None before the first start."""
        numbers = self.numbers()
        return self.read(numbers[-1]) if numbers else None

    def read(self, number: int) -> Generation:
        """Return one. Errors: KeyError when there is none of this number, ValueError when it is damaged."""
        path = self.path(number)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Generation)
        except FileNotFoundError:
            raise KeyError(number) from None
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path}: {error}") from error

    def gone_back_from(self, content_hash: str) -> Generation | None:
        """Return the newest generation when it undid one of this content; None when it did not.

        What a person or a node went back from is not brought in again by itself.
        """
        numbers = self.numbers()
        newest = self.read(numbers[-1]) if numbers else None
        if newest is None or not newest.of or newest.content_hash == content_hash:
            return None
        undone = [number for number in numbers if newest.of < number < newest.number]
        return newest if any(_meant(self.read(one), content_hash) for one in undone) else None

    def before(self) -> int | None:
        """Return the number of what ran before what runs now; None when there is nothing.

        What was brought back ran once already: before it is what was before then, not what was undone. A
        canary is half a change, and an equal generation no change.
        """
        numbers = self.numbers()
        if not numbers:
            return None
        newest = at = self.read(numbers[-1])
        while at.of in numbers:
            at = self.read(at.of)
        for number in reversed([one for one in numbers if one < at.number]):
            found = self.read(number)
            if found.canary is None and found.content_hash != newest.content_hash:
                return number
        return None

    def add(self, generation: Generation) -> None:
        """Write one as a whole. Errors: GenerationMoved when its number is taken, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.path(generation.number)
        beside = path.with_suffix(f".{os.getpid()}.new")
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(generation))
                file.flush()
                os.fsync(file.fileno())
            os.link(beside, path)  # unlike a rename it never takes another's place
        except FileExistsError:
            raise GenerationMoved(f"generation {generation.number} is there already") from None
        finally:
            beside.unlink(missing_ok=True)
        _sync_folder(self.folder)

    def markets(self, content: str) -> bytes | None:
        """Return the markets that this hash is of, as JSON; None when they were never kept."""
        path = self._markets(content)
        return path.read_bytes() if path.is_file() else None

    def keep_markets(self, content: str, raw: bytes) -> None:
        """Lay markets beside the generations that were made with them. Errors: OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._markets(content)
        beside = path.with_suffix(f".{os.getpid()}.new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        _sync_folder(self.folder)

    def _markets(self, content: str) -> Path:
        return self.folder / f"markets-{content[:16]}.json"

    def begin_proof(self, number: int) -> None:
        """Say of a generation that it is watched still: it is not trusted if its node dies now."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self._unproven, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(str(number))
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(self.folder)

    def unproven(self) -> int:
        """Return the generation that is watched, or was when its node died; 0 for none."""
        try:
            return int(self._unproven.read_text())
        except (OSError, ValueError):
            return 0

    def proven(self) -> None:
        """Trust what is there."""
        self._unproven.unlink(missing_ok=True)

    def strike(self, number: int) -> None:
        """Forget a generation that failed, where what followed it cannot be written. It needs no room."""
        self.path(number).unlink(missing_ok=True)

    def stage(self, document: dict[str, Any]) -> str:
        """Lay a document down for the node to read; return its name. Errors: OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        raw = msgspec.json.encode(document)
        name = hashlib.sha256(raw).hexdigest()[:16]
        path = self._staged(name)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(raw)
        except OSError as error:
            path.unlink(missing_ok=True)
            error.filename = error.filename or str(path)
            raise
        return name

    def take_staged(self, name: str) -> dict[str, Any]:
        """Return what was laid down, which is gone then. Errors: KeyError, ValueError."""
        if not STAGED.fullmatch(name):
            raise KeyError(name)
        path = self._staged(name)
        try:
            found: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        except FileNotFoundError:
            raise KeyError(name) from None
        path.unlink(missing_ok=True)
        return found

    def _staged(self, name: str) -> Path:
        return self.folder / f"staged-{name}"

    def path(self, number: int) -> Path:
        """Return the file of one."""
        return self.folder / f"{number:0{DIGITS}d}.json"


def _meant(generation: Generation, content_hash: str) -> bool:
    """Tell whether a generation was this content, or the beginning of it."""
    terms = generation.canary
    return content_hash in (generation.content_hash, terms and terms.wanted["content_hash"])


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
