"""`polytrade secrets`: what a deployment refers to, whether it can be had, who must be let read it.

No command prints a value, and none takes one as an argument: arguments are seen by everybody on the machine.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.targets import deployment_options, find_target, load_topology, running_options, split_words

__all__ = ["secrets"]

ANSWER_MARGIN_S = 15.0  # beyond the wait that was asked for
GOOD = ("unchanged", "adopted")
COLUMNS = ("reference", "old", "newest", "in_use", "outcome")


@click.group()
def secrets() -> None:
    """Look after the values behind secret:// references. Values are never shown."""


@secrets.command("list")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@deployment_options
@json_option
def list_(
    files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...], as_json: bool
) -> None:
    """List the references of a deployment, and the actors that get the values. Asks no store."""
    topology = load_topology(files, *running_options(files, environments, inputs))
    rows = _rows(topology)
    if as_json:
        print_json(
            {"deployment": topology.deployment, "provider": topology.secrets.provider, "secrets": rows}
        )
    else:
        _show(rows, ("reference", "actor", "setting"))


@secrets.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@deployment_options
@json_option
def check(
    files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...], as_json: bool
) -> None:
    """Ask the store for every reference of a deployment; tell what it gives and what it does not.

    Exit codes: 0 all can be had, 3 some cannot.
    """
    from actors.deployment.secret_values import secret_source
    from actors.secrets.port import SecretError
    from actors.secrets.reference import parse_reference

    topology = load_topology(files, *running_options(files, environments, inputs))
    source, rows = secret_source(topology), _rows(topology)
    found: dict[str, dict[str, Any]] = {}
    for text in dict.fromkeys(row["reference"] for row in rows):
        reference = parse_reference(text)
        if reference is None:
            continue
        try:
            secret = source.fetch(reference)
            found[text] = {"state": "ok", "version": secret.version, "reason": "", "help": ""}
        except SecretError as error:
            found[text] = {
                "state": str(error.trouble),
                "version": 0,
                "reason": error.reason,
                "help": error.help,
            }
    for row in rows:
        row.update(found[row["reference"]])
    missing = sum(one["state"] != "ok" for one in found.values())
    if as_json:
        print_json(
            {
                "deployment": topology.deployment,
                "provider": topology.secrets.provider,
                "missing": missing,
                "secrets": rows,
            }
        )
    else:
        _show(rows, ("reference", "actor", "state", "version"))
        for text, one in found.items():
            if one["reason"]:
                note(f"{text}: {one['reason']}; {one['help']}")
    sys.exit(ExitCode.CONFIGURATION if missing else ExitCode.OK)


@secrets.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--wait", "wait_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
@json_option
def rotate(words: tuple[str, ...], wait_s: float, as_json: bool) -> None:
    """Have the running node fetch its secrets now, and try what is new; a refused version is tried again.

    The new version is written to the store beforehand. Exit codes: 0 the newest version of each is in use,
    3 the store does not give one, 5 the venue does not take one, 13 one was not tried in time.
    """
    file, _ = split_words(words)
    client = find_target(file).client
    found = client.post("/v1/secrets/rotate", {"wait_s": wait_s}, wait_s + ANSWER_MARGIN_S)
    rows = found["references"]
    if as_json:
        print_json(found)
    else:
        _show(rows, COLUMNS)
        for row in rows:
            if row["reason"]:
                note(f"{row['reference']}: {row['outcome']}: {row['reason']}")
    bad = {row["outcome"] for row in rows} - set(GOOD)
    if "refused" in bad:
        sys.exit(ExitCode.REFUSED)
    if bad - {"waits"}:
        sys.exit(ExitCode.CONFIGURATION)
    sys.exit(ExitCode.UNCONFIRMED if bad or not found["settled"] else ExitCode.OK)


@secrets.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@deployment_options
def policy(files: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...]) -> None:
    """Print the Vault policy that lets a deployment read what it refers to, and nothing else."""
    from actors.secrets.reference import parse_reference
    from actors.secrets.vault_policy import policy_text

    topology = load_topology(files, *running_options(files, environments, inputs))
    references = [parse_reference(row["reference"]) for row in _rows(topology)]
    known = [one for one in references if one is not None]
    sign_with = topology.secrets.vault.sign_anchors_with if topology.anchors_path is not None else ""
    echo(policy_text(topology.deployment, known, sign_with).rstrip("\n"))


@secrets.command("set")
@click.argument("file", metavar="FILE")
@click.argument("reference", metavar="REFERENCE")
@deployment_options
def set_(file: str, reference: str, environments: tuple[str, ...], inputs: tuple[str, ...]) -> None:
    """Write a new version of one value into the deployment's encrypted file.

    The value is asked for, unseen, or read from stdin.
    """
    from actors.deployment.secret_values import passphrase_file, secrets_file
    from actors.secrets.encrypted_file import EncryptedFile, FileTrouble, read_passphrase
    from actors.secrets.reference import parse_reference

    topology = load_topology([file], *running_options([file], environments, inputs))
    if topology.secrets.provider != "file":
        text = f"{file} has provider {topology.secrets.provider!r}, whose values are written elsewhere"
        raise Problem(ExitCode.USAGE, text, "secrets: {provider: file, file: {path: ...}} has a file of ours")
    found = parse_reference(reference)
    if found is None or found.version:
        text = f"{reference!r} names no value to write"
        raise Problem(ExitCode.USAGE, text, "the form is secret://mount/path#key, without a version")
    try:
        passphrase = read_passphrase(passphrase_file(topology))
        version = EncryptedFile(secrets_file(topology), passphrase).add(found, _value())
    except FileTrouble as trouble:
        raise Problem(ExitCode.CONFIGURATION, trouble.reason, trouble.help) from None
    note(f"{found}: version {version} is in {secrets_file(topology)}")
    if all(row["reference"] != str(found) for row in _rows(topology)):
        note(f"no setting of {file} refers to it")


def _value() -> str:
    if sys.stdin.isatty():
        value = str(click.prompt("value", hide_input=True, confirmation_prompt="the same again", err=True))
    else:
        value = sys.stdin.read().removesuffix("\n")
    if not value or value != value.strip() or not value.isprintable():
        text = "the value is empty, or has spaces or control characters around or in it"
        raise Problem(ExitCode.USAGE, text, "give it without a line break or quotes")
    return value


def _rows(topology: Any) -> list[dict[str, Any]]:
    from actors.deployment.secret_values import secrets_of

    return [
        {"reference": text, "actor": plan.address, "setting": name}
        for plan in topology.actors
        for name, text in secrets_of(plan)
    ]


def _show(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    if not rows:
        note("no setting of this deployment refers to a secret")
        return
    from actors.cli.shown import table_text

    echo(table_text([columns, *([str(row[name]) for name in columns] for row in rows)]))
