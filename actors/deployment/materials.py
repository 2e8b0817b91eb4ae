"""What the image is made of: a bill of materials (CycloneDX 1.6) and the list of licences, from a lock file.

Names, versions and hashes are those of the lock; licences and who needs whom are what the installed packages
say of themselves. The same lock gives the same bytes: neither an instant nor chance is in them.

    python -m actors.deployment.materials bom requirements.lock > polytrade.cdx.json
    python -m actors.deployment.materials licences requirements.lock docs/licences.md
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from actors import __version__

__all__ = ["Material", "bill_of_materials", "licence_faults", "licences_page", "read_lock"]

PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
EXCEPTION = " WITH "

# What may be in the image. The last one binds only who changes its files, and we do not.
PERMISSIVE = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "OLDAP-2.8"),
        *("PSF-2.0", "Zlib", "MPL-2.0"),
    }
)
# How packages say it that do not use SPDX, in `License` or as a classifier.
SPOKEN = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


class Material(NamedTuple):
    """One pin of a lock. `licence` is an SPDX expression, or the package's own words, or empty."""

    name: str
    version: str
    marker: str  # when it is installed; empty: always
    hashes: tuple[str, ...]  # SHA-256 of the files it may come in
    licence: str
    needs: tuple[str, ...]  # names of what it requires

    @property
    def url(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(text: str) -> list[Material]:
    """Return the pins of a lock file, in order. Errors: ValueError for one without a hash."""
    found = []
    for entry in re.split(r"\n(?=\S)", text.strip()):
        pin = PIN.match(entry.splitlines()[0])
        hashes = tuple(HASH.findall(entry))
        if pin is None or not hashes:
            raise ValueError(f"no pin with hashes: {entry.splitlines()[0]!r}")
        licence, needs = _said(pin[1])
        found.append(Material(pin[1], pin[2], (pin[3] or "").strip(), hashes, licence, needs))
    return found


def _said(name: str) -> tuple[str, tuple[str, ...]]:
    """Return what an installed package says of its licence, and what it requires."""
    try:
        said: Any = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "", ()
    classifiers = [
        text.rpartition(" :: ")[2] for text in said.get_all("Classifier") or [] if "License ::" in text
    ]
    spoken = [text for text in (said.get("License") or "", *classifiers) if text and "\n" not in text]
    licence = said.get("License-Expression") or next((SPOKEN.get(text, text) for text in spoken), "")
    required = [text for text in metadata.requires(name) or [] if "extra ==" not in text]
    needs = {re.sub(r"[._-]+", "-", found[0]).lower() for text in required if (found := NAME.match(text))}
    return licence, tuple(sorted(needs))


def licence_faults(materials: list[Material]) -> list[str]:
    """Return what may not be in the image, or does not say under which licence it is."""
    faults = []
    for one in materials:
        if not one.licence:
            faults.append(f"{one.name} {one.version} is not installed, or names no licence")
        elif not _is_permissive(one.licence):
            faults.append(f"{one.name} {one.version} is under {one.licence}, which may not be in the image")
    return faults


def _is_permissive(expression: str) -> bool:
    """Judge an SPDX expression without parentheses: OR takes one that is, AND takes all."""
    return any(
        all(part.strip().partition(EXCEPTION)[0] in PERMISSIVE for part in alternative.split(" AND "))
        for alternative in expression.split(" OR ")
    )


def bill_of_materials(materials: list[Material]) -> dict[str, Any]:
    """Return the CycloneDX document of polytrade and these materials."""
    root = f"pkg:pypi/polytrade@{__version__}"
    here: dict[str, list[str]] = {}
    for one in materials:
        here.setdefault(one.name, []).append(one.url)
    content = "\n".join(f"{one.url} {' '.join(one.hashes)}" for one in materials)
    needs = {one.url: one.needs for one in materials} | {root: _said("polytrade")[1]}
    licence = [{"license": {"id": "Apache-2.0"}}]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, root + content)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "polytrade",
                "version": __version__,
                "purl": root,
                "licenses": licence,
            }
        },
        "components": [_component(one) for one in materials],
        "dependencies": [
            {"ref": url, "dependsOn": sorted(other for name in names for other in here.get(name, ()))}
            for url, names in needs.items()
        ],
    }


def _component(one: Material) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.url,
        "name": one.name,
        "version": one.version,
        "purl": one.url,
        "hashes": [{"alg": "SHA-256", "content": content} for content in one.hashes],
    }
    if one.licence:
        found["licenses"] = [{"expression": one.licence}]
    if one.marker:
        found["properties"] = [{"name": "polytrade:marker", "value": one.marker}]
    return found


def licences_page(materials: list[Material]) -> str:
    """Return docs/licences.md."""
    versions: dict[str, list[str]] = {}
    for one in materials:
        versions.setdefault(one.name, []).append(one.version)
    licences = {one.name: one.licence for one in materials}
    rows = [f"| {name} | {', '.join(found)} | {licences[name]} |" for name, found in versions.items()]
    return "\n".join([HEAD, *rows, ""])


HEAD = """# Licences of what the image is made of

Polytrade is under Apache-2.0. This list is generated from `requirements.lock` and from what the packages say
of themselves (`make sbom`); a test fails when it has drifted, or when something comes in that is not
permissive. MPL-2.0 is copyleft file by file: whoever changes certifi's files must publish them. Tools for
development are not in the image.

| package | versions | licence |
|---|---|---|"""


def main(words: list[str]) -> None:
    """Write what is asked for: `bom LOCK` to stdout, `licences LOCK PAGE` into a file."""
    materials = read_lock(Path(words[1]).read_text(encoding="utf-8"))
    if words[0] == "licences":
        Path(words[2]).write_text(licences_page(materials), encoding="utf-8")
    else:
        sys.stdout.write(json.dumps(bill_of_materials(materials), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
