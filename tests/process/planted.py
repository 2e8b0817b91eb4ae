"""Looks for planted secrets wherever a node leaves anything: files, also packed ones, answers, processes."""

from __future__ import annotations

import base64
import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["leaks", "of_files", "of_processes", "what_commands_say", "what_the_node_answers"]

Place = tuple[str, bytes]


def forms(secret: str) -> set[bytes]:
    """Return the ways in which a secret may stand somewhere."""
    raw = secret.encode()
    return {raw, raw.hex().encode(), quote(secret, safe="").encode(), base64.b64encode(raw).rstrip(b"=")}


def leaks(secrets: Iterable[str], places: Iterable[Place]) -> list[tuple[str, str]]:
    """Return (place, secret) for every place in which one stands."""
    wanted = [(secret, form) for secret in secrets for form in forms(secret)]
    found = {(name, secret) for name, raw in places for secret, form in wanted if form in raw}
    return sorted(found)


def of_files(folder: Path, leave_out: frozenset[str] = frozenset()) -> Iterator[Place]:
    """Yield every file below a folder, and what is packed in it, but for what is in `leave_out`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and leave_out.isdisjoint(path.relative_to(folder).parts):
            yield from _opened(str(path.relative_to(folder)), path.read_bytes())


def _opened(name: str, raw: bytes) -> Iterator[Place]:
    yield name, raw
    if raw[:2] != b"\x1f\x8b":
        return
    plain = zlib.decompress(raw, wbits=31)
    yield name, plain
    if name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    yield from _opened(f"{name}:{member.name}", file.read())


def of_processes(root: int) -> Iterator[Place]:
    """Yield arguments and environment of a process and all that came from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    for pid in sorted(family):
        for name in ("cmdline", "environ"):
            yield f"{name} of {pid}", Path(f"/proc/{pid}/{name}").read_bytes()


def what_the_node_answers(client: Any) -> Iterator[Place]:
    """Yield every reading path of the control API, each actor included."""
    yield "metrics", _metrics(client)
    addresses = [one["address"] for one in client.get("/v1/actors")["actors"]]
    paths = ["/v1/status", "/v1/view", "/v1/actors", "/v1/orders", "/v1/generations", "/v1/events?limit=1000"]
    for path in [*paths, *(f"/v1/actors/{address}" for address in addresses)]:
        yield path, repr(client.get(path)).encode()


def _metrics(client: Any) -> bytes:
    from actors.cli.client import _OverSocket

    connection = _OverSocket(client.path, 5.0)
    connection.request("GET", "/metrics")
    found = connection.getresponse().read()
    connection.close()
    return found


def what_commands_say(commands: Iterable[list[str]], environment: Mapping[str, str]) -> Iterator[Place]:
    """Yield what commands print, run in this process; one that fails in an unforeseen way is an error."""
    from click.testing import CliRunner

    from actors.cli.main import main

    for words in commands:
        found = CliRunner().invoke(main, words, env={**os.environ, **environment}, standalone_mode=False)
        assert found.exception is None or isinstance(found.exception, SystemExit), (words, found.exception)
        yield " ".join(words[:2]), found.output.encode()
