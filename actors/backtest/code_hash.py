"""Which code made a result: a hash over all modules of the package, and versions that numbers depend on."""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_hash", "made_with"]

PACKAGE = Path(__file__).parents[1]


@cache
def code_hash(package: Path = PACKAGE) -> str:
    """Return a SHA-256 of all modules with their names; it takes some hundredths of a second, once."""
    whole = sha256()
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()


def made_with() -> tuple[tuple[str, str], ...]:
    """Return the versions of what computes."""
    return (("python", platform.python_version()), *((name, _version(name)) for name in ("msgspec", "numpy")))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
