"""`polytrade doctor`: is this machine fit to run a deployment? Each check has a verdict and a remedy."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, print_json
from actors.cli.shown import bytes_text
from actors.cli.targets import deployment_options, load_topology, running_options, split_words
from actors.cli.version import dependency_versions

__all__ = ["Check", "doctor"]

FSYNC_SAMPLES = 60
FREE_BYTES_MIN = 1 << 30
FSYNC_P99_MS_MAX = 50.0  # at this an order waits longer for the disk than for the venue
FILES_MIN = 1024
MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: str  # ok | warn | fail
    text: str
    remedy: str = ""


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@deployment_options
@json_option
def doctor(
    words: tuple[str, ...], environments: tuple[str, ...], inputs: tuple[str, ...], as_json: bool
) -> None:
    """Check disk, fsync speed, clock, limits, ports, versions; of a deployment's place if one is named."""
    file, _ = split_words(words)
    read_as = running_options([file] if file else [], environments, inputs)
    topology = (
        load_topology([file], *read_as) if file else None
    )  # its faults first, before anything takes time
    checks: list[Check] = []
    for check in _checks(topology):
        checks.append(check)
        if not as_json:
            _show(check)
    failed = sum(check.verdict == "fail" for check in checks)
    warned = sum(check.verdict == "warn" for check in checks)
    if as_json:
        print_json({"failed": failed, "warned": warned, "checks": [asdict(check) for check in checks]})
    else:
        echo(f"\n{len(checks)} checks, {warned} warnings, {failed} failures")
    sys.exit(ExitCode.FAILURE if failed else ExitCode.OK)


def _show(check: Check) -> None:
    mark, colour = MARKS[check.verdict]
    echo(f"{click.style(mark, fg=colour)}  {check.name:<14} {check.text}")
    if check.remedy and check.verdict != "ok":
        echo(f"{'':20} {click.style('help:', fg='cyan')} {check.remedy}")


def _checks(topology: Any) -> Iterator[Check]:
    yield python_version()
    yield libraries()
    yield processors()
    yield memory()
    yield open_files()
    yield clock_steps()
    yield clock_synchronised()
    folder = topology.journal_path if topology is not None else Path("var")
    yield from disk(folder)
    if topology is not None:
        yield journal_folder(topology.journal_path)
        yield port(topology.control.http)
        yield from secrets(topology)
        yield from markets(topology)


# -- the machine -----------------------------------------------------------------------------------------


def python_version() -> Check:
    found = platform.python_version()
    implementation = platform.python_implementation()
    if implementation != "CPython":
        return Check("python", "warn", f"{found} ({implementation})", "only CPython is measured and tested")
    return Check("python", "ok", f"{found} ({implementation})")


def libraries() -> Check:
    versions = dependency_versions()
    missing = [name for name, found in versions.items() if not found and name != "uvloop"]
    if missing:
        return Check("libraries", "fail", f"missing: {', '.join(missing)}", "run `make setup`")
    text = ", ".join(f"{name} {found}" for name, found in versions.items() if found)
    if not versions["uvloop"]:
        return Check("libraries", "warn", f"{text}; no uvloop", "network I/O is faster with it: `make setup`")
    return Check("libraries", "ok", text)


def processors() -> Check:
    usable = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    text = f"{usable} usable, load {load:.1f}"
    if usable < 2:
        return Check("processors", "warn", text, "the loop wants one for itself; give the machine a second")
    if load > usable * 1.5:
        return Check("processors", "warn", text, "other work competes with the loop; move it elsewhere")
    return Check("processors", "ok", text)


def memory() -> Check:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return Check("memory", "warn", "unknown", "")
    verdict = "ok" if free > 512 << 20 else "warn"
    return Check("memory", verdict, f"{bytes_text(free)} free", "a node needs about 150 MiB; free some")


def open_files() -> Check:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{soft} (may be raised to {hard})"
    if soft < FILES_MIN:
        return Check("open files", "warn", text, f"raise the limit: `ulimit -n {FILES_MIN}`")
    return Check("open files", "ok", text)


def clock_steps() -> Check:
    """See whether monotonic time and UTC advance alike, and how finely."""
    wall, steady = time.time_ns(), time.monotonic_ns()
    steps = []
    previous = time.monotonic_ns()
    for _ in range(20_000):
        now = time.monotonic_ns()
        if now < previous:
            return Check("clock", "fail", "monotonic time ran backwards", "use another clock source")
        if now > previous:
            steps.append(now - previous)
        previous = now
    drift = abs((time.time_ns() - wall) - (time.monotonic_ns() - steady))
    finest = min(steps, default=0)
    text = f"steps of {finest} ns, {drift / 1e3:.0f} us apart from monotonic time while checking"
    if drift > 5_000_000:
        return Check("clock", "warn", text, "something sets the clock in steps; let it be slewed")
    return Check("clock", "ok", text)


def clock_synchronised() -> Check:
    """Ask the system whether its clock follows a time server, where it can say so."""
    if shutil.which("timedatectl") is None:
        return Check("time server", "ok", "nobody to ask on this system (no timedatectl)")
    command = ["timedatectl", "show", "-p", "NTPSynchronized", "--value"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=3, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        found = ""
    if found == "no":
        remedy = "signed requests carry the time: enable time synchronisation (systemd-timesyncd, chrony)"
        return Check("time server", "warn", "the clock is not synchronised", remedy)
    return Check("time server", "ok", "synchronised" if found == "yes" else "nobody could say")


# -- the disk --------------------------------------------------------------------------------------------


def disk(folder: Path) -> Iterator[Check]:
    """Check room and fsync speed where the journal lies, or will lie."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    remedy = "free space, or set `journal: {path: ...}` to another disk"
    yield Check(
        "disk", "ok" if free >= FREE_BYTES_MIN else "fail", f"{bytes_text(free)} free at {place}", remedy
    )
    if not os.access(place, os.W_OK):
        yield Check("disk writable", "fail", f"{place} may not be written", "fix its owner or permissions")
        return
    yield fsync_speed(place)


def fsync_speed(place: Path) -> Check:
    """Measure what a durable commit costs at least on this disk."""
    taken = []
    with tempfile.TemporaryFile(dir=place) as file:
        for _ in range(FSYNC_SAMPLES):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e3)
    taken.sort()
    middle, high = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    text = f"p50 {middle:.2f} ms, p99 {high:.2f} ms"
    if high > FSYNC_P99_MS_MAX:
        remedy = "use a local SSD, or accept `durability: disk_lazy_meta`"
        return Check("fsync", "warn", text, remedy)
    return Check("fsync", "ok", text)


def journal_folder(folder: Path) -> Check:
    if not folder.exists():
        return Check("journal folder", "ok", f"{folder} will be made at the first start")
    status = folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    text = f"{folder}, mode {mode:04o}"
    if status.st_uid != os.getuid():
        return Check("journal folder", "fail", f"{text}, of another user", "run as its owner, or change it")
    if mode & 0o077:
        return Check("journal folder", "warn", f"{text}: others may look in", f"run `chmod 700 {folder}`")
    return Check("journal folder", "ok", text)


def markets(topology: Any) -> Iterator[Check]:
    """Are the markets files fresh enough for what is done with them?"""
    from actors.deployment.live_markets import age_faults

    faults = age_faults(topology, time.time_ns(), "E313")
    for fault in faults:
        yield Check("markets", "fail", fault.message, fault.help)
    if not faults:
        names = ", ".join(f"{one.file.venue} of {one.file.as_of}" for one in topology.catalogs)
        yield Check("markets", "ok", names)


def secrets(topology: Any) -> Iterator[Check]:
    """See whether every reference to a secret has a value; none is shown."""
    from actors.deployment.secret_values import SecretsMissing, keep_secrets, secrets_of

    count = sum(1 for plan in topology.actors for _ in secrets_of(plan))
    try:
        keep_secrets(topology)
    except SecretsMissing as error:
        for fault in error.faults:
            text, _, remedy = fault.partition("; ")
            yield Check("secrets", "fail", text, remedy)
        return
    yield Check("secrets", "ok", f"{count} references, each with a value" if count else "none are needed")


def port(http: Any) -> Check:
    """See whether the control API's port is free."""
    if not http.enabled:
        return Check("http port", "ok", "HTTP is not enabled")
    if not http.port:
        return Check("http port", "ok", f"{http.host}, any free port")
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((http.host, http.port))
        except OSError as error:
            text = f"{http.host}:{http.port}: {error.strerror}"
            remedy = "fine if the deployment runs already; else set `control: {http: {port: ...}}`"
            return Check("http port", "warn", text, remedy)
    return Check("http port", "ok", f"{http.host}:{http.port} is free")
