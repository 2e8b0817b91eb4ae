"""`polytrade alerts`: what fires, who takes care of it, what nobody needs to hear, whether routes deliver."""

from __future__ import annotations

from typing import Any

import click

from actors.cli.alerts_shown import listing
from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import table_text
from actors.cli.targets import find_target, split_words

__all__ = ["alerts"]

TEST_WAIT_S = 30
LONGER_S = 5.0  # than the node itself waits


@click.group()
def alerts() -> None:
    """List alerts, take care of them, silence them, and try the routes that they take.

    An acknowledged alert is neither told again nor escalated until the acknowledgement ends, or it gets
    worse. A silenced one is not told at all; what still holds at the end of the silence is told then.
    """


@alerts.command("ls")
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--all", "every", is_flag=True, help="Also those that are over, and the routes.")
@json_option
def ls(words: tuple[str, ...], every: bool, as_json: bool) -> None:
    """List the alerts that hold, and who takes care of them."""
    file, _ = split_words(words)
    found = find_target(file).client.get("/v1/alerts")
    if as_json:
        print_json(found if every else {name: found[name] for name in ("active", "silences")})
        return
    for line in listing(found, every):
        echo(line)
    for route in found["routes"]:
        if route["error"] and not every:
            note(f"route {route['name']} does not deliver: {route['error']}")


def _by(command: Any) -> Any:
    return click.option("--by", default="", help="Who says so; the account of this session without it.")(
        command
    )


@alerts.command()
@click.argument("words", nargs=-1, metavar="[FILE] ALERT [KEY]")
@click.option("--reason", default="", help="What is being done; others read it.")
@click.option("--for", "duration", default="", metavar="TIME", help="How long, as 1h; else by the settings.")
@click.option("--source", default="*", help="Only of this actor.")
@_by
@json_option
def ack(words: tuple[str, ...], reason: str, duration: str, source: str, by: str, as_json: bool) -> None:
    """Take care of an alert: others are left in peace.

    It is neither told again nor escalated; everybody who was told of it hears who takes care. ALERT is a
    name, KEY what it is about; '*' and '?' stand for anything. Without KEY: every one of the name.
    """
    split_words(words, "ALERT", "KEY?")
    if not reason.strip():
        raise Problem(
            ExitCode.USAGE, "an acknowledgement needs a reason", "write --reason 'what is being done'"
        )
    _acknowledge(words, reason, _duration_ns(duration), source, by, as_json, holds=True)


@alerts.command()
@click.argument("words", nargs=-1, metavar="[FILE] ALERT [KEY]")
@click.option("--reason", default="", help="Why nobody takes care any more.")
@click.option("--source", default="*", help="Only of this actor.")
@_by
@json_option
def unack(words: tuple[str, ...], reason: str, source: str, by: str, as_json: bool) -> None:
    """Take an acknowledgement back: told anew."""
    _acknowledge(words, reason, 0, source, by, as_json, holds=False)


def _acknowledge(
    words: tuple[str, ...],
    reason: str,
    duration_ns: int,
    source: str,
    by: str,
    as_json: bool,
    *,
    holds: bool,
) -> None:
    file, names = split_words(words, "ALERT", "KEY?")
    body = {
        **_patterns(names, source),
        "duration_ns": duration_ns,
        "holds": holds,
        "actor": by or who(),
        "reason": reason,
    }
    _order(file, "/v1/alerts/acknowledge", body, as_json)


@alerts.command()
@click.argument("words", nargs=-1, metavar="[FILE] PATTERN [KEY]")
@click.option("--for", "duration", required=True, metavar="TIME", help="How long, as 2h.")
@click.option("--reason", required=True, help="Why nobody needs to hear of them.")
@click.option("--source", default="*", help="Only of this actor.")
@_by
@json_option
def silence(words: tuple[str, ...], duration: str, reason: str, source: str, by: str, as_json: bool) -> None:
    """Tell nobody of alerts that fit, for a while.

    They stay listed. PATTERN is a name, KEY what it is about; '*' and '?' stand for anything. The same
    patterns again replace the silence before.
    """
    file, names = split_words(words, "PATTERN", "KEY?")
    length_ns = _duration_ns(duration)
    if not length_ns:
        raise Problem(
            ExitCode.USAGE, "a silence ends some time", "write --for 2h; `unsilence` ends one early"
        )
    body = {**_patterns(names, source), "duration_ns": length_ns, "actor": by or who(), "reason": reason}
    _order(file, "/v1/alerts/silence", body, as_json)


@alerts.command()
@click.argument("words", nargs=-1, metavar="[FILE] PATTERN [KEY]")
@click.option("--reason", default="", help="Why.")
@click.option("--source", default="*", help="As it was given to `silence`.")
@_by
@json_option
def unsilence(words: tuple[str, ...], reason: str, source: str, by: str, as_json: bool) -> None:
    """End a silence; what holds is told now.

    PATTERN, KEY and --source are those that it was made with.
    """
    file, names = split_words(words, "PATTERN", "KEY?")
    body = {**_patterns(names, source), "duration_ns": 0, "actor": by or who(), "reason": reason}
    _order(file, "/v1/alerts/silence", body, as_json)


@alerts.command("test")
@click.argument("words", nargs=-1, metavar="[FILE] [ROUTE]")
@_by
@json_option
def try_routes(words: tuple[str, ...], by: str, as_json: bool) -> None:
    """Try one route, or all: does it deliver?

    Sends a notification that says that nothing is wrong, once, and tells whether the far side took it.
    Exit code 1 when one did not. A delivery ends AlertDeliveryFailed.
    """
    file, names = split_words(words, "ROUTE?")
    body = {"route": names[0] if names else "", "actor": by or who(), "wait_s": TEST_WAIT_S}
    found = find_target(file).client.post("/v1/alerts/test", body, TEST_WAIT_S + LONGER_S)
    if as_json:
        print_json(found)
    else:
        rows = [(one["route"], one["channel"], one["outcome"], _why(one)) for one in found["routes"]]
        echo(table_text([("ROUTE", "CHANNEL", "OUTCOME", "WHY"), *rows]))
    if not found["delivered"]:
        lost = ", ".join(one["route"] for one in found["routes"] if one["outcome"] != "delivered")
        raise Problem(
            ExitCode.FAILURE,
            f"not delivered: {lost}",
            "docs/alerting.md says what each service answers, and why",
        )


def _why(trial: dict[str, Any]) -> str:
    if trial["outcome"] == "waiting":
        before = f"{trial['waiting']} on the way" if trial["waiting"] > 1 else "no answer yet"
        return f"{before}; the first: {trial['error']}" if trial["error"] else before
    if trial["outcome"] == "delivered" and trial["channel"] == "log":
        return "polytrade logs shows it"
    return trial["error"] or "-"


def _patterns(names: list[str], source: str) -> dict[str, str]:
    return {"name": names[0], "key": names[1] if len(names) > 1 else "*", "source": source}


def _duration_ns(text: str) -> int:
    """Return a duration, 0 for none. Errors: Problem."""
    from actors.deployment.quantities import parse_duration

    if not text or text == "0":
        return 0
    try:
        return parse_duration(text)
    except ValueError:
        raise Problem(ExitCode.USAGE, f"{text!r} is no duration", "write 30m, 2h or 1d") from None


def _order(file: str | None, path: str, body: dict[str, Any], as_json: bool) -> None:
    found = find_target(file).client.post(path, body)
    if as_json:
        print_json(found)
    for answer in found["answers"]:
        if not answer["accepted"]:
            raise Problem(ExitCode.REFUSED, answer["text"], "`polytrade alerts ls` shows what holds")
        if not as_json:
            echo(answer["text"])
