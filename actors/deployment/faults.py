"""A fault in a configuration: what, where, and what to do; and the error that carries all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from actors.deployment.codes import CODES
from actors.deployment.places import Origin, Span
from actors.deployment.yaml_tree import SHOWN_LETTERS_MAX

__all__ = ["ConfigError", "Fault", "FaultLog", "did_you_mean", "nearest"]

NAMES_SHOWN_MAX = 12  # in a hint that has nothing better to say
SECRET_LETTERS_MIN = 4  # a shorter one would blank half of every message
FAULTS_MAX = 200  # more than anybody reads; a file of another kind would have thousands


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. Codes that begin with W are warnings and keep nothing from starting."""

    code: str
    message: str
    file: str
    line: int  # from 1; 0 when it belongs to no line
    column: int
    width: int = 1
    excerpt: str = ""  # the source line
    help: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it keeps the deployment from starting."""
        return not self.code.startswith("W")

    @property
    def origin(self) -> Origin:
        """Where it is."""
        return Origin(self.file, self.line, self.column)


class ConfigError(Exception):
    """The configuration cannot be used. `faults` holds everything that is wrong with it, by place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        errors = sum(fault.is_error for fault in self.faults)
        first = next((fault for fault in self.faults if fault.is_error), None)
        begin = f"{first.origin}: {first.message}" if first else "no fault"
        super().__init__(begin if errors < 2 else f"{begin} (and {errors - 1} more)")


class FaultLog:
    """Collects faults. The same code at the same place is kept once."""

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str, int, int], Fault] = {}
        self._hidden: dict[tuple[str, int], int] = {}  # file and line -> column from which nothing is shown
        self._secrets: set[str] = set()
        self._veiled: set[str] = set()

    def add(self, code: str, span: Span, message: str, help: str = "") -> None:
        """Note one fault where `span` lies."""
        if code not in CODES:
            raise KeyError(code)
        # Keys that are missing share the place of their map; anything else is told once for each place.
        what = f"{code} {message}" if code == "E103" else code
        at = (what, span.source.name, span.line, span.column)
        if at in self._faults or len(self._faults) >= FAULTS_MAX:
            return
        excerpt, width = span.source.line(span.line), max(1, span.width)
        self._faults[at] = Fault(
            code, message, span.source.name, span.line, span.column, width, excerpt, help
        )

    def hide(self, span: Span, secret: str) -> None:
        """Keep a secret out of everything that is shown, whichever fault shows it."""
        at = (span.source.name, span.line)
        self._hidden[at] = min(span.column, self._hidden.get(at, span.column))
        if len(secret) >= SECRET_LETTERS_MIN:
            self._secrets |= {secret, secret[:SHOWN_LETTERS_MAX]}

    def veil(self, span: Span, text: str) -> None:
        """Keep a text that is no fault of itself out of what is shown, and nothing else of its line."""
        if text in span.source.line(span.line) and len(text) >= SECRET_LETTERS_MIN:
            self._veiled.add(text)
        else:  # it is written in another form there
            self.hide(span, text)

    @property
    def has_errors(self) -> bool:
        """Whether anything keeps the deployment from starting."""
        return any(fault.is_error for fault in self._faults.values())

    def sorted(self) -> tuple[Fault, ...]:
        """Return all faults by file, line and column, without secrets."""
        faults = [self._without_secrets(fault) for fault in self._faults.values()]
        order = {name: index for index, name in enumerate(dict.fromkeys(fault.file for fault in faults))}
        faults.sort(key=lambda fault: (order[fault.file], fault.line, fault.column, fault.code))
        return tuple(faults)

    def _without_secrets(self, fault: Fault) -> Fault:
        message, excerpt, width = fault.message, fault.excerpt, fault.width
        for secret in sorted(self._secrets | self._veiled, key=len, reverse=True):
            message = message.replace(secret, "***")
        for text in self._veiled:  # what stands behind it stays in its column
            excerpt = excerpt.replace(text, "*" * len(text))
        column = self._hidden.get((fault.file, fault.line))
        if column is not None:
            excerpt = excerpt[: column - 1] + "***"
            width = max(1, min(width, len(excerpt) - fault.column + 1))
        return replace(fault, message=message, excerpt=excerpt, width=width)


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Return the candidate that is most like a name; empty when none is like it."""
    found = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(name: str, candidates: Iterable[str], file: str = "") -> str:
    """Return a hint that names the nearest candidate, else the few there are.

    When `candidates` maps names to spans, the hint says where the candidate is declared: by line and column
    within `file`, with the file's name elsewhere.
    """
    names = list(candidates)
    found = nearest(name, names)
    if found:
        span = candidates[found] if isinstance(candidates, Mapping) else None
        place = f" (declared at {span.seen_from(file)})" if isinstance(span, Span) else ""
        return f"did you mean {found!r}{place}?"
    if 0 < len(names) <= NAMES_SHOWN_MAX:
        return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
    return ""
