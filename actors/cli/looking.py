"""Verbs that look at a running node: `ps`, `status`, `inspect`."""

from __future__ import annotations

from typing import Any

import click

from actors.cli.alerts_shown import alert_text
from actors.cli.output import echo, json_option, print_json
from actors.cli.running import running_deployments
from actors.cli.shown import age, bytes_text, count, money, rate, shown_field, signed_money, table_text
from actors.cli.targets import find_target, shortest, split_words

__all__ = ["inspect", "ps", "status"]

NUMBERS = frozenset({3, 4, 5, 6, 7})
LONG = 100  # characters of a value in a line


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("-a", "--all", "is_all", is_flag=True, help="List the running deployments instead.")
@json_option
def ps(words: tuple[str, ...], is_all: bool, as_json: bool) -> None:
    """List the actors of a running deployment with state, mailbox, rates and restarts."""
    file, _ = split_words(words)
    running = running_deployments()
    if is_all or (file is None and len(running) > 1):
        _list_running(as_json)
        return
    actors = find_target(file).client.get("/v1/actors")["actors"]
    if as_json:
        print_json(actors)
        return
    rows = [("ACTOR", "KIND", "STATE", "WAITING", "HANDLED", "RATE", "RESTARTS", "FAILURES", "LAST ERROR")]
    for actor in actors:
        state = actor["state"] if actor["ready"] or actor["state"] != "running" else "getting ready"
        rows.append(
            (
                *(actor["address"], actor["kind"], state, f"{actor['waiting']}/{count(actor['capacity'])}"),
                *(count(actor["handled"]), rate(actor["handled_per_s"]), str(actor["restarts"])),
                *(str(actor["failures"]), actor["last_error"][:60]),
            )
        )
    echo(table_text(rows, NUMBERS))


def _list_running(as_json: bool) -> None:
    running = running_deployments()
    if as_json:
        print_json([vars(one) for one in running])
        return
    rows = [("DEPLOYMENT", "MODE", "PROCESS", "FILE", "JOURNAL")]
    rows += [(o.deployment, o.mode, str(o.pid), shortest(o.file), shortest(o.journal)) for o in running]
    echo(table_text(rows, frozenset({2})))


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@json_option
def status(words: tuple[str, ...], as_json: bool) -> None:
    """Say in a few lines how a deployment is. Exit code 0 while its node answers."""
    file, _ = split_words(words)
    found = find_target(file).client.get("/v1/status")
    if as_json:
        print_json(found)
        return
    journal, loop, totals = found["journal"], found["loop"], found["totals"]
    states = ", ".join(f"{number} {state}" for state, number in found["actors"]["by_state"].items())
    equity, profit = money(totals["equity_usdt"]), signed_money(totals["profit_usdt"])
    uptime = age(found["at_ns"] - found["started_at_ns"])
    lines = [
        ("deployment", f"{found['deployment']} ({found['mode']}), version {found['version']}"),
        ("state", "ready" if found["ready"] else f"not ready, waits for {', '.join(found['waiting_for'])}"),
        ("process", f"{found['pid']}, up {uptime}, start number {found['epoch']} of this journal"),
        ("actors", f"{states}; {found['restarts']} restarts, {found['failures']} failures"),
        ("trading", f"{totals['orders']} orders, {totals['fills']} fills, {totals['denials']} denials"),
        ("money", f"equity {equity} USDT, profit {profit}"),
        (
            "books",
            "ledger and venue agree" if totals["ledger_agrees"] else "ledger and venue DO NOT AGREE (yet)",
        ),
        ("loop", f"{loop['messages_per_s']:g} messages/s, {loop['busy_fraction']:.1%} busy"),
        (
            "journal",
            f"{journal['sequence']} events, {bytes_text(journal['used_bytes'])}, "
            f"commit {journal['commit_ms']:g} ms, durability {found['durability']}",
        ),
        ("halts", "; ".join(f"{h.get('scope')}: {h.get('reason')}" for h in found["halts"]) or "none"),
        ("alerts", "; ".join(map(alert_text, found["alerts"])) or "none"),
        ("control", " ".join(filter(None, [found["socket"], found["http"]]))),
    ]
    echo(table_text(lines))


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] ACTOR")
@json_option
def inspect(words: tuple[str, ...], as_json: bool) -> None:
    """Look into one actor (or supervisor): state, mailbox, last messages, neighbours."""
    file, (actor,) = split_words(words, "ACTOR")
    found = find_target(file).client.get(f"/v1/actors/{actor}")
    if as_json:
        print_json(found)
    elif "supervisor" in found and "children" in found:
        _show_supervisor(found)
    else:
        _show_actor(found)


def _show_supervisor(found: dict[str, Any]) -> None:
    echo(f"supervisor {found['supervisor']}  {found['strategy']}, then {found['exhausted_action']}")
    used, allowed, period = found["restarts_in_period"], found["intensity"], found["period_s"]
    echo(f"  restarts {used} of {allowed} in {period:g} s{'  EXHAUSTED' if found['exhausted'] else ''}")
    for child in found["children"]:
        if "actor" in child:
            echo(f"  - {child['actor']}  {child['state']}, {child['restarts']} restarts")
        else:
            echo(f"  - supervisor {child['supervisor']}")


def _show_actor(found: dict[str, Any]) -> None:
    mailbox, counts, supervisor = found["mailbox"], found["counts"], found["supervisor"]
    waiting = f"{mailbox['waiting']} of {mailbox['capacity']} waiting, {mailbox['waiting_control']} timers"
    lines = [
        ("actor", f"{found['address']}  {found['kind']} ({found['behaviour']}, {found['state_kept']})"),
        ("state", f"{found['state']}{'' if found['ready'] else ', not ready'}"),
        ("supervisor", f"{supervisor['name']}, {supervisor['restart']}"),
        ("mailbox", f"{waiting}, {mailbox['refused']} refused"),
        ("handled", f"{counts['handled']}; {counts['failures']} failures, {counts['restarts']} restarts"),
        ("recovery", f"{found['recovery_ms']:g} ms"),
        ("last error", found["last_error"] or "none"),
        ("reads", ", ".join(found["reads"]) or "nobody"),
        ("read by", ", ".join(found["read_by"]) or "nobody"),
    ]
    echo(table_text(lines))
    _section("says of itself", _lines(found["description"]))
    _section("waits in its mailbox", [_message(item) for item in mailbox["first"]])
    _section("handled last (newest last)", [_message(item) for item in found["recent"]])
    if found["suspect"]:
        _section("failed on", [_message(found["suspect"])])


def _section(title: str, lines: list[str]) -> None:
    if lines:
        echo(f"\n{title}:")
        for line in lines:
            echo(f"  {line}")


def _lines(value: Any, indent: str = "") -> list[str]:
    """Return nested values as indented lines."""
    if not isinstance(value, dict):
        return [f"{indent}{value}"]
    lines = []
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            lines += [f"{indent}{name}:", *_lines(inner, indent + "  ")]
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict):
            lines += [f"{indent}{name}:", *(f"{indent}  - {_short(item)}" for item in inner)]
        else:
            lines.append(f"{indent}{name}: {shown_field(name, inner)}")
    return lines


def _short(item: dict[str, Any]) -> str:
    return " ".join(f"{name}={shown_field(name, value)}" for name, value in item.items())


def _message(item: dict[str, Any]) -> str:
    fields = " ".join(f"{name}={shown_field(name, value)}" for name, value in item["fields"].items())
    sender = f" from {item['sender']}" if item.get("sender") else ""
    text = f"{item['type']}{sender}  {fields}"
    return text if len(text) <= LONG * 2 else text[: LONG * 2] + "..."
