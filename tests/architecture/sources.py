"""Where the architecture tests get the code they judge, and what a fault looks like."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Fault(NamedTuple):
    """One line of code that breaks a rule of the house."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


Checker = Callable[[str, str], list[Fault]]


def python_files(*folders: str) -> Iterator[tuple[str, str]]:
    """Yield (path below the root, source) of every Python file in the folders, in a fixed order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def check_all(checker: Checker, *folders: str) -> str:
    """Return every fault in the folders, one a line; empty when the rule is kept."""
    return "\n".join(str(fault) for path, source in python_files(*folders) for fault in checker(path, source))


def module_name(path: str) -> str:
    """Return the dotted name: `actors/oms/__init__.py` is `actors.oms`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_from(node: ast.ImportFrom, path: str) -> str:
    """Return the absolute module an import statement names, also when it is written with dots."""
    if not node.level:
        return node.module or ""
    package = module_name(path).split(".")
    if not path.endswith("/__init__.py"):
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])
