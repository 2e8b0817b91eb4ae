"""`polytrade why`: the story of one order, from what the strategy saw to the last fill."""

from __future__ import annotations

from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.journal import open_reader
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import age, instant, shown_field
from actors.cli.targets import Target, find_target, split_words

__all__ = ["story_lines", "why"]

# Fields that the heading or the tree itself says already.
LEFT_OUT = frozenset({"at_ns", "type", "reasons", "strategy", "account"})


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] CLIENT_ORDER_ID|INTENT_ID")
@json_option
def why(words: tuple[str, ...], as_json: bool) -> None:
    """Tell why an order exists and what became of it: signal and reasons, risk, order, fills."""
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
    for line in story_lines(chain.events, chain.ids, _instruments(target)):
        echo(line)
    note(f"\n{len(chain.events)} of {chain.scanned_events} events, found in {chain.took_ms:g} ms")


def _instruments(target: Target) -> dict[str, Any]:
    """Return the deployment's instruments, so that prices are prices; without its file they stay ticks."""
    if not target.file:
        return {}
    from actors.cli.targets import load_topology
    from actors.deployment.faults import ConfigError

    try:
        return dict(load_topology([target.file]).instruments)
    except ConfigError:
        return {}


def story_lines(events: list[dict[str, Any]], ids: list[str], instruments: dict[str, Any]) -> list[str]:
    """Return the story as a drawn tree: what an event led to hangs below it."""
    begin = events[0]["at_ns"]
    lines = [f"{' = '.join(ids)}", f"{instant(begin)}"]
    known = {event["sequence"] for event in events}
    children: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        children.setdefault(event["cause"] if event["cause"] in known else 0, []).append(event)
    symbols = [event["fields"].get("symbol") for event in events]
    symbol = next((name for name in symbols if name), "")
    _grow(children, 0, "", begin, (instruments, symbol), lines)
    return lines


def _grow(
    children: dict[int, list[dict[str, Any]]],
    parent: int,
    indent: str,
    begin: int,
    place: tuple[dict[str, Any], str],
    lines: list[str],
) -> None:
    below = children.get(parent, [])
    for number, event in enumerate(below):
        is_last = number == len(below) - 1
        lines.append(indent + ("└─ " if is_last else "├─ ") + _heading(event, begin))
        inner = indent + ("   " if is_last else "│  ")
        stem = inner + ("│    " if event["sequence"] in children else "     ")
        lines += [stem + text for text in _details(event, place)]
        _grow(children, event["sequence"], inner, begin, place, lines)


def _heading(event: dict[str, Any], begin: int) -> str:
    later = f"+{age(event['at_ns'] - begin)}" if event["at_ns"] > begin else ""
    return f"{event['type']}  {event['actor']}  #{event['sequence']} {later}".rstrip()


def _details(event: dict[str, Any], place: tuple[dict[str, Any], str]) -> list[str]:
    instruments, symbol = place
    fields = dict(event["fields"])
    nested = fields.pop("intent", None)
    if isinstance(nested, dict):
        fields = {**{name: value for name, value in nested.items() if name != "type"}, **fields}
    instrument = instruments.get(fields.get("symbol") or symbol)
    shown = [
        f"{name.removesuffix('_ticks') if instrument else name} {shown_field(name, value, instrument)}"
        for name, value in fields.items()
        if name not in LEFT_OUT and value not in ("", 0, [], False, None)
    ]
    lines = _wrapped(shown)
    for reason in fields.get("reasons") or ():
        if isinstance(reason, dict):
            lines.append(f"because {reason.get('name', '')} = {reason.get('value', '')}")
    return lines


def _wrapped(parts: list[str], width: int = 96) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += ", " + part
        else:
            lines.append(part)
    return lines
