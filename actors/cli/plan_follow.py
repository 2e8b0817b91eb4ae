"""`polytrade apply FILE --watch`: follow a deployment's files until somebody ends it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo
from actors.cli.plan_shown import applied_text, plan_lines
from actors.cli.problems import Problem
from actors.cli.spans import Span
from actors.cli.targets import Target, given_inputs, is_target_word

__all__ = ["SETTLE_S", "FollowWish", "follow", "watch_options"]

POLL_S = 0.5
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class FollowWish:
    """What was asked for on the command line."""

    reason: str
    prove_s: float
    settle_s: float
    as_json: bool


def watch_options(command: Any) -> Any:
    """Add `--watch` and what belongs to it."""
    command = click.option(
        *("--settle", "settle_s"),
        type=Span(),
        help="With --watch: for how long the files must not change before they count.  [default: 2s]",
    )(command)
    return click.option(
        *("--watch", "watches"),
        is_flag=True,
        help="Follow the files: bring in what needs no person, until Ctrl-C.",
    )(command)


def follow(
    files: Sequence[str], environments: Sequence[str], inputs: Sequence[str], wish: FollowWish
) -> None:
    """Bring in what the files say, whenever they have changed, until SIGINT or SIGTERM. Errors: Problem."""
    from actors.cli.following import Follower, Hands
    from actors.cli.plan import bring_in
    from actors.cli.plans import planned
    from actors.deployment.faults import ConfigError
    from actors.deployment.generations import Generations
    from actors.deployment.sources import Sources

    if not all(is_target_word(file) and not os.path.isdir(file) for file in files):
        raise Problem(
            ExitCode.USAGE, "--watch follows a deployment's files, not a plan", "name the .yaml file"
        )
    sources = Sources(files, environments, given_inputs(inputs), os.environ)
    words = {"reason": wish.reason or f"followed {files[0]}", "prove_s": wish.prove_s}

    def plan() -> dict[str, Any]:
        topology = sources.load()
        found = planned(topology, files[0])
        said = why_not_yet(Generations(topology.journal_path), topology.content_hash)
        return {**found, "gone_back": [said] if said and found["changes"] else []}

    def answers(found: dict[str, Any]) -> None:
        Target(found["deployment"], Path(found["journal"]), Path(found["socket"])).client.get("/healthz")

    def tell(event: str, more: dict[str, Any]) -> None:
        _tell(event, more, files[0], wish.as_json)

    over = _until_signal()
    with suppress(ConfigError):
        sources.load()  # which files there are
    tell("following", {"files": list(sources.files)})
    follower = Follower(
        Hands(sources.fingerprint, plan, answers, lambda found: bring_in(found, words), tell, time.monotonic),
        wish.settle_s,
    )
    while not over.is_set():
        follower.look()
        over.wait(POLL_S)
    tell("ended", {})


def why_not_yet(kept: Any, content_hash: str) -> str:
    """Return what speaks against bringing a configuration in unasked; empty when nothing does."""
    left, current = kept.gone_back_from(content_hash), kept.current()
    if left is not None:
        return f"generation {left.number} went back from this: {left.reason}"
    if current is not None and current.canary is not None:
        return f"generation {current.number} is a canary of {current.canary.target}"
    return ""


def _until_signal() -> threading.Event:
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    return over


# -- what is told --------------------------------------------------------------------------------------------


def _tell(event: str, more: dict[str, Any], file: str, as_json: bool) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if as_json:
        row = {name: value for name, value in more.items() if name != "plan"}
        if "plan" in more:
            row |= {name: more["plan"][name] for name in ("base", "changes", "blocked", "loosened")}
        echo(json.dumps({"at": at, "event": event, "file": file, **row}, ensure_ascii=False, default=str))
        return
    text, *rest = event_lines(event, more, file)
    echo(f"{at} {text}")
    for line in rest:
        echo(f"    {line}")


def event_lines(event: str, more: dict[str, Any], file: str) -> list[str]:
    """Return an event as text for people, its details after it."""
    if event == "following":
        return [f"following {file}", *more["files"]]
    if event == "invalid":
        faults = [f"{one['place']}: {one['code']} {one['message']}" for one in more["faults"]]
        return ["invalid, what runs goes on", *(faults or [more["text"]])]
    if event == "held":
        return [
            "held for a person",
            *more["all"],
            *plan_lines(more["plan"]),
            f"bring it in: polytrade apply {file}",
        ]
    if event == "applying":
        return ["applying", *plan_lines(more["plan"])]
    if event == "applied":
        return [f"applied: generation {more['generation']} runs: {applied_text(more)}"]
    if event == "taken back":
        return [f"taken back: {more['text']}", "it is not tried again until the files change"]
    if event == "failed":
        again = [f"tried again in {more['again_s']:g} s"] if more["again_s"] else []
        return [f"failed: {more['text']}", *filter(None, [more["remedy"]]), *again]
    texts = {
        "valid": "valid again",
        "unchanged": f"nothing changes: generation {more.get('generation')} is what the files say",
    }
    return [texts.get(event) or ": ".join(filter(None, (event, more.get("text", ""))))]
