"""The image: two stages, a pinned start, hashed dependencies, no root, a health check; no daemon needed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PINNED = re.compile(r"python:3\.\d+\.\d+-slim-\w+( AS \w+)?")


def image_faults(text: str) -> list[str]:
    """Return what a Dockerfile lacks of the promises above."""
    stages = _stages(text)
    last = stages[-1] if stages else []
    users = [rest for word, rest in last if word == "USER"]
    installs = [rest for stage in stages for word, rest in stage if word == "RUN" and "install -" in rest]
    checks = {
        "two stages": len(stages) == 2,
        "a pinned base image": bool(stages) and all(PINNED.fullmatch(stage[0][1]) for stage in stages),
        "a user that is not root": bool(users) and users[-1].split(":")[0] not in ("root", "0"),
        "a health check": any(word == "HEALTHCHECK" and "NONE" not in rest for word, rest in last),
        "state in a volume": ("VOLUME", "/var/lib/polytrade") in last,
        "an entry point without a shell": any(w == "ENTRYPOINT" and rest.startswith("[") for w, rest in last),
        "hashed dependencies": bool(installs) and all(_hashed(rest) for rest in installs),
        "no installing in the last stage": not any(word == "RUN" and "pip" in rest for word, rest in last),
    }
    return [name for name, kept in checks.items() if not kept]


def _stages(text: str) -> list[list[tuple[str, str]]]:
    """Return the instructions (word, rest of the line) of each stage."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[list[tuple[str, str]]] = []
    for line in filter(str.strip, text.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "FROM":
            stages.append([])
        if stages:
            stages[-1].append((word.upper(), " ".join(rest.split())))
    return stages


def _hashed(run: str) -> bool:
    installs = [part for part in run.split("&&") if "pip install" in part]
    return all("--require-hashes" in part or "--no-deps" in part for part in installs)


def test_the_image_keeps_its_promises() -> None:
    assert image_faults(DOCKERFILE) == []


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    assert hadolint, "hadolint is in the lock file: run `make setup`"
    lint = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")


def test_every_file_the_image_copies_reaches_the_builder() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [rest.split() for stage in _stages(DOCKERFILE) for word, rest in stage if word == "COPY"]
    sources = [name for words in copied if not words[0].startswith("--from") for name in words[:-1]]
    assert sources
    assert [name for name in sources if f"!{name}" not in ignore] == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("USER 10001:10001", "USER root", "a user that is not root"),
        ("USER 10001:10001\n", "", "a user that is not root"),
        ("HEALTHCHECK", "LABEL x=", "a health check"),
        ("python:3.11.13-slim-bookworm", "python:latest", "a pinned base image"),
        ("--require-hashes", "", "hashed dependencies"),
        ("VOLUME /var/lib/polytrade", "", "state in a volume"),
        ("WORKDIR /opt/polytrade", "RUN pip install x", "no installing in the last stage"),
        ("FROM", "RUN true\nFROM python:3.11.13-slim-bookworm\nFROM", "two stages"),
    ],
)
def test_a_broken_promise_is_found(old: str, new: str, fault: str) -> None:
    assert old in DOCKERFILE
    assert fault in image_faults(DOCKERFILE.replace(old, new))
