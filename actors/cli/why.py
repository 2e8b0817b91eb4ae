"""`polytrade why`: the story of an order, a denial, a fill or a halt, as text or drawn."""

from __future__ import annotations

from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.journal import open_reader
from actors.cli.output import echo, json_option, note, print_json, write_text
from actors.cli.problems import Problem
from actors.cli.shown import age, instant, shown_field
from actors.cli.targets import Target, find_target, split_words

__all__ = ["story_lines", "why"]

# Fields that the heading or the tree itself says already.
LEFT_OUT = frozenset({"at_ns", "type", "reasons", "strategy", "account"})


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] ID|#SEQUENCE|halt[:SCOPE]")
@click.option("--html", "html", default="", metavar="PATH", help="Write a page with the drawn timeline.")
@click.option("--svg", "svg", default="", metavar="PATH", help="Write the drawn timeline alone.")
@json_option
def why(words: tuple[str, ...], html: str, svg: str, as_json: bool) -> None:
    """Tell why something happened and what came of it: an order, a denial, a fill, a halt.

    ID is a client_order_id, an intent_id, a parent's id, a trade_id or a venue_order_id; #SEQUENCE any event
    of the journal; `halt` the newest halt, `halt:SCOPE` the newest one of a scope.
    """
    from actors.control.why import why as search

    file, (wanted,) = split_words(words, "ID")
    target = find_target(file)
    with open_reader(target) as reader:
        chain = search(reader, wanted)
    if not chain.events:
        raise Problem(
            ExitCode.NOT_FOUND,
            f"the journal of {target.name} never heard of {wanted!r} ({chain.scanned_events} events)",
            "`polytrade journal tail` shows ids; an intent that was denied has an intent_id only",
        )
    if as_json:
        print_json(chain.as_dict())
        return
    instruments = _instruments(target)
    lines = story_lines(chain.events, chain.ids, instruments)
    if html or svg:
        _draw(chain.events, lines, instruments, html, svg)
    else:
        for line in lines:
            echo(line)
    drawn = "" if html or svg else "\n"
    note(f"{drawn}{len(chain.events)} of {chain.scanned_events} events, found in {chain.took_ms:g} ms")


def _draw(
    events: list[dict[str, Any]], lines: list[str], instruments: dict[str, Any], html: str, svg: str
) -> None:
    from actors.audit import timeline

    symbols = [name for event in events if (name := event["fields"].get("symbol"))]
    tree = _Tree(events, instruments.get(symbols[0]) if symbols else None)
    details = {event["sequence"]: tree.detail(event) for event in events}
    title = f"Why {lines[0]}, from {lines[1]}"
    if html:
        write_text(html, timeline.page(events, details, title, "\n".join(lines)))
    if svg:
        write_text(svg, timeline.svg(events, details, title))


def _instruments(target: Target) -> dict[str, Any]:
    """Return the deployment's instruments, so that prices are prices; where it has none they are ticks."""
    from actors.cli.targets import topology_of
    from actors.deployment.faults import ConfigError

    try:
        return dict(topology_of(target).instruments)
    except (ConfigError, Problem):
        return {}


def story_lines(events: list[dict[str, Any]], ids: list[str], instruments: dict[str, Any]) -> list[str]:
    """Return the story as a drawn tree: what an event led to hangs below it."""
    symbols = (event["fields"].get("symbol") for event in events)
    symbol = next((name for name in symbols if name), "")
    tree = _Tree(events, instruments.get(symbol))
    tree.grow(0, "", frozenset())
    return [" = ".join(ids), instant(events[0]["at_ns"]), *tree.lines]


class _Tree:
    """Draws events below what caused them; says what is new at each, not what was said above it."""

    def __init__(self, events: list[dict[str, Any]], instrument: Any) -> None:
        self._began = events[0]["at_ns"]
        self._instrument = instrument
        self.lines: list[str] = []
        known = {event["sequence"] for event in events}
        self._below: dict[int, list[dict[str, Any]]] = {}
        for event in events:
            self._below.setdefault(event["cause"] if event["cause"] in known else 0, []).append(event)

    def grow(self, parent: int, indent: str, said: frozenset[str]) -> None:
        """Add what hangs below an event."""
        below = self._below.get(parent, [])
        for event in below:
            is_last = event is below[-1]
            inner = indent + ("   " if is_last else "│  ")
            stem = inner + ("│    " if event["sequence"] in self._below else "     ")
            shown = self._details(event)
            self.lines.append(indent + ("└─ " if is_last else "├─ ") + self._heading(event))
            self.lines += [stem + text for text in _wrapped([text for text in shown if text not in said])]
            self.lines += [stem + text for text in _reasons(event)]
            repeated = {text for text in shown if not text.startswith("price")}  # of a fill it is news
            self.grow(event["sequence"], inner, said | repeated)

    def detail(self, event: dict[str, Any]) -> str:
        """Return what an event says beyond the ids in the title, in one line."""
        said = [
            text for text in self._details(event) if not text.startswith(("client_order_id", "intent_id"))
        ]
        return "; ".join([*said, *_reasons(event)])

    def _heading(self, event: dict[str, Any]) -> str:
        later = f"+{age(event['at_ns'] - self._began)}" if event["at_ns"] > self._began else ""
        return f"{event['type']}  {event['actor']}  #{event['sequence']} {later}".rstrip()

    def _details(self, event: dict[str, Any]) -> list[str]:
        """Return the fields as `name value`; those of an intent or a request inside count as its own."""
        fields = dict(event["fields"])
        for name in ("intent", "request"):
            inner = fields.pop(name, None)
            if isinstance(inner, dict):
                fields = {**inner, **fields}
        instrument = self._instrument
        return [
            f"{name.removesuffix('_ticks') if instrument else name} {shown_field(name, value, instrument)}"
            for name, value in fields.items()
            if name not in LEFT_OUT and value not in ("", 0, [], False, None)
        ]


def _reasons(event: dict[str, Any]) -> list[str]:
    fields = event["fields"]
    nested = fields.get("intent")
    reasons = fields.get("reasons") or (nested.get("reasons") if isinstance(nested, dict) else None) or ()
    return [
        f"because {reason.get('name', '')} = {reason.get('value', '')}"
        for reason in reasons
        if isinstance(reason, dict)
    ]


def _wrapped(parts: list[str], width: int = 96) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += ", " + part
        else:
            lines.append(part)
    return lines
