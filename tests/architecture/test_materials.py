"""What the image is made of: a valid bill with every hash of the lock, and permissive licences."""

from __future__ import annotations

import json

import pytest

from actors.deployment.materials import (
    Material,
    bill_of_materials,
    licence_faults,
    licences_page,
    read_lock,
)
from tests.architecture.sources import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def materials() -> list[Material]:
    return read_lock(LOCK)


def under(licence: str) -> Material:
    return Material("x", "1", "", ("0" * 64,), licence, ())


def test_the_bill_is_valid_cyclonedx(materials: list[Material]) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator, found = JsonStrictValidator(SchemaVersion.V1_6), bill_of_materials(materials)
    assert validator.validate_str(json.dumps(found)) is None
    assert validator.validate_str(json.dumps(found | {"surprise": 1})) is not None


def test_the_bill_holds_every_pin_and_every_hash_of_the_lock(materials: list[Material]) -> None:
    found = bill_of_materials(materials)
    hashes = [one["content"] for component in found["components"] for one in component["hashes"]]
    assert len(hashes) == LOCK.count("--hash=sha256:") > 500
    assert len(found["components"]) == sum(line.partition(" ")[0].count("==") for line in LOCK.splitlines())
    assert bill_of_materials(read_lock(LOCK)) == found
    references = {component["bom-ref"] for component in found["components"]}
    for one in found["dependencies"]:
        assert set(one["dependsOn"]) <= references
    (root,) = [
        one for one in found["dependencies"] if one["ref"] == found["metadata"]["component"]["bom-ref"]
    ]
    assert any("pykka" in url for url in root["dependsOn"])


def test_a_changed_lock_is_another_bill(materials: list[Material]) -> None:
    changed = [materials[0]._replace(hashes=("f" * 64,)), *materials[1:]]
    assert bill_of_materials(changed)["serialNumber"] != bill_of_materials(materials)["serialNumber"]


def test_nothing_in_the_image_is_under_a_licence_that_binds_us(materials: list[Material]) -> None:
    assert licence_faults(materials) == []


def test_the_page_of_licences_is_up_to_date(materials: list[Material]) -> None:
    page = (ROOT / "docs/licences.md").read_text(encoding="utf-8")
    assert page == licences_page(materials), "run `make sbom`"


@pytest.mark.parametrize(
    ("licence", "may_be_in"),
    [
        ("MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0-only OR LGPL-3.0-only", False),
        ("Apache-2.0 WITH LLVM-exception AND BSD-2-Clause", True),
        ("our own words", False),
        ("", False),
    ],
)
def test_licences_are_told_apart(licence: str, may_be_in: bool) -> None:
    assert (licence_faults([under(licence)]) == []) is may_be_in


@pytest.mark.parametrize("line", ["pykka==4.5.0", "-i https://index", "pykka>=4 --hash=sha256:" + "0" * 64])
def test_a_lock_that_pins_or_hashes_less_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no pin with hashes"):
        read_lock(line)


def test_the_image_carries_its_bill() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "actors.deployment.materials bom requirements.lock > /opt/polytrade/sbom.cdx.json" in text
    assert "COPY --from=build /opt/polytrade/sbom.cdx.json /opt/polytrade/sbom.cdx.json" in text
