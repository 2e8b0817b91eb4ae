"""Modules, functions and public surfaces stay small enough to be read in one sitting."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from statistics import median

import pytest

from tests.architecture.sources import Fault, check_all, python_files

MODULE_LINES_AIM = 200  # the median may not exceed it
MODULE_LINES_MAX = 400
FUNCTION_LINES_AIM = 10  # the median may not exceed it
FUNCTION_LINES_MAX = 60
PACKAGE_LINES_MAX = 40  # of an __init__.py
PUBLIC_NAMES_MAX = 15

# "path" or "path::function" -> the lines it is known to have. An entry may shrink, never grow, and goes
# when it is no longer needed.
RATCHET: dict[str, int] = {}

# A name that says nothing about what is inside.
EMPTY_WORDS = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def size_faults(path: str, source: str) -> list[Fault]:
    """Return what is longer in one module than the house allows, after the ratchet."""
    tree = ast.parse(source, path)
    lines = source.count("\n")
    limit = PACKAGE_LINES_MAX if path.endswith("/__init__.py") else MODULE_LINES_MAX
    faults = []
    if lines > RATCHET.get(path, limit):
        faults.append(Fault(path, 1, f"module of {lines} lines, stop at {limit}"))
    for function in _functions(tree):
        length = _length(function)
        if length > RATCHET.get(f"{path}::{function.name}", FUNCTION_LINES_MAX):
            text = f"{function.name} has {length} lines, stop at {FUNCTION_LINES_MAX}"
            faults.append(Fault(path, function.lineno, text))
    public = _public_names(tree)
    if public > PUBLIC_NAMES_MAX:
        faults.append(Fault(path, 1, f"__all__ has {public} names, stop at {PUBLIC_NAMES_MAX}"))
    return faults


def name_faults(path: str, source: str) -> list[Fault]:
    """Return file, folder and class names that could hold anything."""
    parts = PurePosixPath(path.removesuffix(".py")).parts
    faults = [Fault(path, 1, f"'{part}' says nothing") for part in parts if part in EMPTY_WORDS]
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Helper", "Utils")):
            faults.append(Fault(path, node.lineno, f"class {node.name} says nothing"))
    return faults


def package_faults(path: str, source: str) -> list[Fault]:
    """Return statements of an __init__.py that are more than a docstring, imports and constants."""
    if not path.endswith("/__init__.py"):
        return []
    plain = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    body = ast.parse(source, path).body
    return [Fault(path, node.lineno, "logic in __init__") for node in body if not isinstance(node, plain)]


def _functions(tree: ast.AST) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _public_names(tree: ast.Module) -> int:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            getattr(name, "id", "") == "__all__" for name in node.targets
        ):
            return len(node.value.elts) if isinstance(node.value, ast.List | ast.Tuple) else 0
    return 0


@pytest.mark.parametrize("checker", [size_faults, name_faults, package_faults])
def test_the_package_keeps_its_sizes_and_names(checker) -> None:
    faults = check_all(checker, "actors")
    assert not faults, f"\n{faults}"


def test_tests_have_telling_file_names_too() -> None:
    faults = check_all(name_faults, "tests")
    assert not faults, f"\n{faults}"


def test_most_modules_and_functions_are_short() -> None:
    sources = [source for path, source in python_files("actors") if not path.endswith("/__init__.py")]
    functions = [_length(function) for source in sources for function in _functions(ast.parse(source))]
    assert median([source.count("\n") for source in sources] or [0]) <= MODULE_LINES_AIM
    assert median(functions or [0]) <= FUNCTION_LINES_AIM


def test_the_ratchet_holds_nothing_that_is_no_longer_needed() -> None:
    known = dict(python_files("actors"))
    kept = [key for key in RATCHET if key.partition("::")[0] not in known]
    for key, lines in RATCHET.items():
        path, _, name = key.partition("::")
        limit = FUNCTION_LINES_MAX if name else MODULE_LINES_MAX
        tree = ast.parse(known.get(path, ""))
        lengths = [_length(function) for function in _functions(tree) if function.name == name]
        actual = max(lengths, default=0) if name else known.get(path, "").count("\n")
        if actual <= limit or actual < lines:
            kept.append(key)
    assert kept == []


def test_a_long_module_is_found() -> None:
    assert size_faults("actors/oms/actor.py", "x = 1\n" * MODULE_LINES_MAX) == []
    assert size_faults("actors/oms/actor.py", "x = 1\n" * (MODULE_LINES_MAX + 1))
    assert size_faults("actors/oms/__init__.py", "x = 1\n" * (PACKAGE_LINES_MAX + 1))


@pytest.mark.parametrize("start", ["def f():\n", "class C:\n  async def f(self):\n"])
def test_a_long_function_is_found(start: str) -> None:
    assert size_faults("actors/oms/actor.py", start + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)) == []
    assert size_faults("actors/oms/actor.py", start + "    x = 1\n" * FUNCTION_LINES_MAX)


def test_a_wide_public_surface_is_found() -> None:
    names = [f"name_{index}" for index in range(PUBLIC_NAMES_MAX + 1)]
    assert size_faults("actors/oms/actor.py", f"__all__ = {names[1:]}") == []
    assert size_faults("actors/oms/actor.py", f"__all__ = {names}")


@pytest.mark.parametrize("path", ["actors/oms/utils.py", "actors/common/orders.py", "actors/oms/base.py"])
def test_a_file_name_without_meaning_is_found(path: str) -> None:
    assert name_faults(path, "")


def test_a_class_called_manager_is_found() -> None:
    assert name_faults("actors/oms/orders.py", "class OrderManager: ...")
    assert name_faults("actors/oms/database.py", "class OrderBook: ...") == []


def test_logic_in_a_package_file_is_found() -> None:
    assert package_faults("actors/oms/__init__.py", "def f(): ...")
    assert (
        package_faults("actors/oms/__init__.py", '"""Doc."""\nfrom .actor import Oms\n__all__ = ["Oms"]')
        == []
    )
