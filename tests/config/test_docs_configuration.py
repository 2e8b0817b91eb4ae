"""The generated pages of the manual say what the code says, and their examples hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from actors.deployment import reference
from actors.deployment.codes import CODES, TIERS
from actors.deployment.faults import FaultLog
from actors.deployment.registry import KINDS
from actors.deployment.setting_types import fields_of
from actors.deployment.yaml_source import parse_text
from tests.config.corpus import FOLDER

DOCS = FOLDER.parents[1] / "docs"
YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_pages_are_up_to_date() -> None:
    assert reference.check(DOCS) == [], "run `python -m actors.deployment.reference docs`"


def test_a_page_that_drifts_is_found_and_repaired(tmp_path: Path) -> None:
    assert reference.write(tmp_path) == ["configuration.md", "configuration-faults.md"]
    (tmp_path / "configuration.md").write_text("old", encoding="utf-8")
    assert reference.check(tmp_path) == ["configuration.md"]
    assert reference.write(tmp_path) == ["configuration.md"]
    assert reference.check(tmp_path) == []


@pytest.mark.parametrize("name", list(KINDS))
def test_every_setting_of_every_kind_is_in_the_reference(name: str) -> None:
    page = reference.configuration_page()
    part = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    assert KINDS[name].summary in part
    for field in fields_of(KINDS[name].settings_class):
        assert f"| `{field}` |" in part, f"{name}.{field} has no row"


def test_every_code_is_explained_under_its_tier() -> None:
    page = reference.faults_page()
    for code, (title, explanation) in CODES.items():
        part = page.partition(f"## {TIERS[code[:2]]}")[2].partition("\n## ")[0]
        assert f"| {code} | {title} | {explanation.replace('|', chr(92) + '|')} |" in part


def test_the_examples_of_the_manual_are_yaml() -> None:
    blocks = YAML_BLOCK.findall(reference.configuration_page())
    assert len(blocks) >= 4
    for block in blocks:
        log = FaultLog()
        assert parse_text(block, "configuration.md", log) is not None, log.sorted()


def test_links_inside_the_page_lead_somewhere() -> None:
    page = reference.configuration_page()
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors
