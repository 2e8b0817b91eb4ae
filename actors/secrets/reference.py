"""What `secret://mount/path#key@version` names. The text is harmless; the value behind it is not."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["SecretReference", "is_reference", "parse_reference", "unversioned", "versioned"]

SCHEME = "secret://"
FORM = re.compile(
    r"secret://(?P<mount>[\w.-]+)/(?P<path>[\w.-]+(/[\w.-]+)*)#(?P<key>[\w.-]+)(@(?P<version>\d{1,9}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class SecretReference:
    """One value of a store of secrets. Version 0 is the newest."""

    mount: str
    path: str
    key: str
    version: int = 0

    def __str__(self) -> str:
        version = f"@{self.version}" if self.version else ""
        return f"{SCHEME}{self.mount}/{self.path}#{self.key}{version}"


def is_reference(text: str) -> bool:
    """Tell whether a text claims to be a reference; it may still be malformed."""
    return text.startswith(SCHEME)


def parse_reference(text: str) -> SecretReference | None:
    """Return what a text refers to; None when it is no reference, or a malformed one."""
    found = FORM.fullmatch(text)
    if found is None:
        return None
    return SecretReference(found["mount"], found["path"], found["key"], int(found["version"] or 0))


def versioned(text: str, version: int) -> str:
    """Return a reference to one version of what a text refers to."""
    return f"{text}@{version}"


def unversioned(text: str) -> tuple[str, int]:
    """Return what a text refers to, without its version, and the version; 0 when it names none."""
    base, at, version = text.rpartition("@")
    return (base, int(version)) if at and version.isdigit() else (text, 0)
