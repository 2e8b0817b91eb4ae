"""No tracked file names the machine it was written on, nor the index its packages came from."""

import re
import shutil
import subprocess

import pytest

from tests.architecture.sources import ROOT, Fault

# Split, so that this file keeps its own rule.
MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/tmp/" + "bash_jobs", "/opt/" + "pypi", "/opt/" + "wheels")
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "docker" + ".io",
    "gh" + "cr.io",
    "qu" + "ay.io",
    "arti" + "factory",
)
# A path counts at its start only: a relative folder may be called work or root.
FORBIDDEN = re.compile(
    "|".join(
        [rf"(?<![\w.$}}*-]){re.escape(path)}" for path in MACHINE_PATHS]
        + [re.escape(h) for h in REGISTRY_HOSTS]
    ),
    re.IGNORECASE,
)


def word_faults(path: str, source: str) -> list[Fault]:
    """Return the lines of one file that name a machine path or a registry host."""
    lines = enumerate(source.splitlines(), 1)
    return [Fault(path, line, found[0]) for line, text in lines if (found := FORBIDDEN.search(text))]


def _tracked_files() -> list[str]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for path in listed.split("\0") if path and (ROOT / path).is_file()]


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    faults = []
    for path in _tracked_files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            faults += word_faults(path, content.decode("utf-8", "replace"))
    assert not faults, "\n" + "\n".join(map(str, faults))


@pytest.mark.parametrize("word", [*MACHINE_PATHS, *REGISTRY_HOSTS])
def test_a_forbidden_word_is_found(word: str) -> None:
    assert word_faults("docs/first-day.md", f"fine\nsee `{word}x`") == [Fault("docs/first-day.md", 2, word)]


@pytest.mark.parametrize("text", ["var/work/x", "supervisors/root/trading", "reads: [feed/$root/x]"])
def test_a_relative_folder_is_let_through(text: str) -> None:
    assert word_faults("docs/first-day.md", text) == []
