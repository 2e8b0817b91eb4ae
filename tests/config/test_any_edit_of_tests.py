"""Whatever somebody does to a file of tests, they get tests or faults with places: no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.deployment.config_tests.reading import TestReader
from actors.deployment.faults import ConfigError, Fault
from actors.deployment.report import text_report
from actors.simulation.faults import KINDS
from tests.config.corpus import FOLDER
from tests.config.test_any_edit import SPICE

FILES = sorted((FOLDER.parents[1] / "config" / "tests").glob("*.test.yaml"))
WORDS = (
    "{ge: 5}",
    "{in: [1, 2]}",
    "{like: x}",
    "now-5s",
    '"*"',
    "risk/main",
    "expect:",
    "send:",
    "where:",
    "-5",
)
READER = TestReader(KINDS)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A shipped file of tests after a few edits."""
    file = draw(st.sampled_from(FILES))
    text = file.read_text(encoding="utf-8").replace("deployment: ../", f"deployment: {file.parents[1]}/")
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(2, len(lines) - 1))
        edit = draw(st.sampled_from(("drop", "double", "swap", "indent", "cut", "value", "inside")))
        line, spice = lines[at], draw(st.sampled_from((*SPICE, *WORDS)))
        column = draw(st.integers(0, len(line)))
        if edit == "drop" and len(lines) > 3:
            del lines[at]
        elif edit == "double":
            lines.insert(at, line)
        elif edit == "swap":
            other = draw(st.integers(2, len(lines) - 1))
            lines[at], lines[other] = lines[other], line
        elif edit == "indent":
            lines[at] = " " * draw(st.integers(0, 10)) + line.strip()
        elif edit == "cut":
            lines[at] = line[:column]
        elif edit == "value":
            lines[at] = f"{line.partition(':')[0]}: {spice}"
        else:
            lines[at] = line[:column] + spice + line[column:]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an edited file lies."""
    return tmp_path_factory.mktemp("edits") / "edited.test.yaml"


def faults_of(path: Path) -> tuple[Fault, ...]:
    """Return what is wrong with a file; nothing when its tests could run."""
    try:
        tests = READER.read(path)
    except ConfigError as error:
        return error.faults
    assert all(test.steps for test in tests)
    return ()


@settings(max_examples=250)
@given(text=edited())
def test_an_edited_file_of_tests_is_read_or_says_what_is_wrong(text: str, path: Path) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    faults = faults_of(path)
    assert not faults or any(fault.is_error for fault in faults)
    assert all(fault.line >= 1 and fault.column >= 1 for fault in faults)
    assert all(line.isprintable() for line in text_report(faults).splitlines())
