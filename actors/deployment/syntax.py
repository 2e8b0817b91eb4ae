"""libyaml's complaints in an operator's words, at the place where the hand slipped."""

from __future__ import annotations

import yaml

from actors.deployment.faults import FaultLog
from actors.deployment.places import SourceFile, Span

__all__ = ["explain_syntax"]

# libyaml's problem -> (our message, help, whether the place is where the construct began).
PROBLEMS: dict[str, tuple[str, str, bool]] = {
    "mapping values are not allowed in this context": (
        "a ':' that begins a value cannot stand here",
        "put a text that contains ': ' in quotes, or check the indentation of this line",
        False,
    ),
    "could not find expected ':'": (
        "this line is neither a key with ':' nor part of the value above",
        "write 'key: value', or indent the line to continue the text above it",
        True,
    ),
    "found unexpected end of stream": ("the quote opened here is never closed", "", True),
    "did not find expected ',' or ']'": (
        "the list opened here is not closed, or lacks a comma",
        "put a text that contains '{', '}', '[', ']' or ',' in quotes",
        True,
    ),
    "did not find expected ',' or '}'": (
        "the map opened here is not closed, or lacks a comma",
        "braces cannot stand unquoted inside '{ }': write '$name' instead of '${name}', or use quotes",
        True,
    ),
    "did not find expected '-' indicator": (
        "an item of the list above would begin with '-' here",
        "a list cannot be followed by keys at the same indentation",
        False,
    ),
    "did not find expected key": (
        "a key was expected here",
        "check the indentation, and that nothing follows a closed quote, list or map",
        False,
    ),
    "did not find expected node content": ("a value was expected here", "", False),
    "found unknown escape character": (
        "this escape is unknown inside double quotes",
        "double the backslash, or use single quotes",
        False,
    ),
    "found undefined tag handle": ("this tag is unknown", "quote a text that begins with '!'", False),
}


def explain_syntax(error: yaml.MarkedYAMLError, source: SourceFile, log: FaultLog) -> None:
    """Note what made the parser stop."""
    problem = error.problem or "syntax error"
    message, help, at_start = PROBLEMS.get(problem, (problem, "", False))
    mark = error.context_mark if at_start and error.context_mark is not None else error.problem_mark
    if mark is None:
        log.add("E001", Span(source, 1, 1), message, help)
        return
    span = _inside(Span(source, mark.line + 1, mark.column + 1))
    character = _character(span)
    if at_start and error.problem_mark is not None:
        closing = _inside(Span(source, error.problem_mark.line + 1, error.problem_mark.column + 1))
        if _character(closing) in ("]", "}"):
            what = f"{_character(closing)!r} does not close what was opened last"
            log.add("E001", closing, what, f"that is the {character!r} at {span.line}:{span.column}")
            return
    if problem == "found character that cannot start any token":
        _explain_character(character, span, log)
    else:
        log.add("E001", span, message, help)


def _explain_character(character: str, span: Span, log: FaultLog) -> None:
    if character == "\t":
        log.add("E003", span, "a tab cannot be used for indentation", "use spaces")
    else:
        message = f"a value cannot begin with {character!r}"
        log.add("E001", span, message, "put the text in quotes")


def _character(span: Span) -> str:
    return span.source.line(span.line)[span.column - 1 : span.column]


def _inside(span: Span) -> Span:
    """Return the same place, or the end of the last line when it lies behind it."""
    lines = span.source.lines
    if span.line <= len(lines) or not lines:
        return span
    return Span(span.source, len(lines), len(lines[-1]) + 1)
