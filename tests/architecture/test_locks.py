"""The three lock files agree with each other and with pyproject, and every line carries its hashes."""

import re
import tomllib

import pytest

from tests.architecture.sources import ROOT

LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def pins_of(text: str) -> set[tuple[str, str]]:
    """Return (distribution, version) of every pin."""
    return set(PIN.findall(text))


def unhashed(text: str) -> list[str]:
    """Return the pins that no hash follows, and lines that are neither."""
    entries = re.split(r"\n(?=\S)", text.strip())
    return [entry for entry in entries if not (PIN.match(entry) and "--hash=sha256:" in entry)]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_a_pin_with_hashes(name: str) -> None:
    assert unhashed(_read(name)) == []


@pytest.mark.parametrize("name", LOCKS[:2])
def test_the_image_gets_the_versions_the_tests_ran_with(name: str) -> None:
    assert pins_of(_read(name)) <= pins_of(_read("requirements-dev.lock"))


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    declared = project["dependencies"] + [
        d for extra in project["optional-dependencies"].values() for d in extra
    ]
    names = {re.split(r"[\[<>=~! ;]", requirement)[0].lower() for requirement in declared} - {"polytrade"}
    assert names - {name for name, _ in pins_of(_read("requirements-dev.lock"))} == set()


def test_a_pin_without_hash_is_found() -> None:
    assert unhashed("pykka==4.5.0\nlmdb==1.6 \\\n    --hash=sha256:00\n-i https://index") == [
        "pykka==4.5.0",
        "-i https://index",
    ]
