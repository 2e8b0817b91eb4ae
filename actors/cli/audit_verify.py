"""`polytrade audit verify`, which is `polytrade journal verify` too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.moments import first_sequence, last_sequence
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import instant
from actors.cli.targets import Target, find_target, load_topology, split_words

if TYPE_CHECKING:
    from actors.audit.verify import Signatures
    from actors.runtime.anchors import Anchor

__all__ = ["verify"]

REMEDY = "keep a copy of the folder, then restore a backup or start with a new journal and reconcile"


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--from", "begin", default="", metavar="SEQUENCE|TIME", help="Believe what came before.")
@click.option("--to", "end", default="", metavar="SEQUENCE|TIME", help="Read no further.")
@click.option(
    "--anchors",
    default="",
    metavar="PATH",
    help="Hold the chain against this file of anchors; else the deployment's own, if it says one.",
)
@json_option
def verify(words: tuple[str, ...], begin: str, end: str, anchors: str, as_json: bool) -> None:
    """Recompute the chain of hashes and name the first event that cannot be believed."""
    from actors.audit.verify import verify as check
    from actors.control.fields import FieldNames
    from actors.control.journal_reader import JournalReader
    from actors.runtime.anchors import read_anchors

    file, _ = split_words(words)
    target = find_target(file)
    path = Path(anchors) if anchors else _own_anchors(target)
    known = read_anchors(path) if path is not None and (anchors or path.exists()) else []
    with JournalReader(target.journal, FieldNames({})) as reader:
        found = check(reader, known, first_sequence(reader, begin), last_sequence(reader, end))
        signatures = _signatures(target, known, reader.identity)
    if found.fault is None and signatures is not None:
        found = found._replace(fault=signatures.fault)
    if path is not None and not known:
        note(f"{path} holds no anchors yet: a cut end, or a chain hashed anew, would not show")
    if as_json:
        print_json(_plain(found) | {"signatures": _plain_signatures(signatures)})
    elif found.fault is None:
        _tell(found, path)
        _tell_signatures(signatures)
    if found.fault is not None:
        _refuse(found.fault)


def _own_anchors(target: Target) -> Path | None:
    """Return where the deployment anchors its journal, if its file can be read and says so."""
    topology = _topology(target)
    return topology.anchors_path if topology is not None else None


def _topology(target: Target) -> Any:
    from actors.deployment.faults import ConfigError

    if not target.file:
        return None
    try:
        return load_topology([target.file])
    except ConfigError:
        return None


def _signatures(target: Target, known: Sequence[Anchor], identity: str) -> Signatures | None:
    """Return what signatures prove; None when nobody signs, or nobody can say."""
    from actors.audit.verify import check_signatures
    from actors.deployment.secret_values import anchor_verifier
    from actors.runtime.anchors import SigningFailed

    topology = _topology(target)
    is_signed = anchor_verifier(topology) if topology is not None else None
    if is_signed is None:
        if any(one.signature for one in known):
            note("the anchors bear signatures; name the deployment's file to have them checked")
        return None
    try:
        return check_signatures(identity, known, is_signed)
    except SigningFailed as error:
        note(f"signatures are not checked: {error}")
        return None


def _tell_signatures(found: Signatures | None) -> None:
    if found is None or not found.sequence:
        return
    note(f"signed up to event {found.sequence}")
    if found.unsigned:
        note(f"{found.unsigned} anchors after it bear no signature: what they say proves nothing")


def _plain_signatures(found: Signatures | None) -> dict[str, Any] | None:
    return {"signed_until": found.sequence, "unsigned": found.unsigned} if found is not None else None


def _tell(found: Any, path: Path | None) -> None:
    part = f" from {found.from_sequence} on" if found.from_sequence > 1 else ""
    echo(f"intact: {found.last_sequence} events in {found.records} records{part}")
    note(f"chain {found.chain}")
    if path is not None and found.anchors_agreeing:
        note(f"{found.anchors_agreeing} anchors agree ({path})")
    if found.anchors_foreign:
        note(f"{found.anchors_foreign} anchors are of other journals")


def _refuse(fault: Any) -> None:
    where = [text for text in (fault.actor, instant(fault.at_ns) if fault.at_ns else "") if text]
    named = f" ({', '.join(where)})" if where else ""
    raise Problem(
        ExitCode.JOURNAL_DAMAGED,
        f"the journal cannot be believed from event {fault.sequence} on{named}: {fault.reason}",
        REMEDY,
    )


def _plain(found: Any) -> dict[str, Any]:
    fault = found.fault
    return {
        "intact": fault is None,
        "records": found.records,
        "from_sequence": found.from_sequence,
        "last_sequence": found.last_sequence,
        "chain": found.chain,
        "anchors": {"agreeing": found.anchors_agreeing, "of_other_journals": found.anchors_foreign},
        "fault": fault._asdict() if fault is not None else None,
    }
