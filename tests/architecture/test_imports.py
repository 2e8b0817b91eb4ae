"""Imports go down only: the table is the drawing in docs/architecture.md, the walk proves it.

Late imports inside functions and module names in strings count too.
"""

import ast
import re
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.sources import Fault, check_all, imported_from

ACTOR_FOLDERS = frozenset(
    {
        "feed",
        "strategy",
        "risk",
        "oms",
        "ledger",
        "reconciler",
        "alerter",
        "venue",
        "exchange",
        "catalog",
        "portfolio",
        "parity",
    }
)
SHARED = frozenset({"domain", "messages", "runtime"})
SIDE_FOLDERS = frozenset({"control", "drills", "backtest"})

# Folder below actors/ -> the folders it may import besides itself. A folder that is not here is a fault.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "domain": frozenset(),
    "runtime": frozenset(),
    "secrets": SHARED,
    "messages": frozenset({"domain", "runtime"}),
    **dict.fromkeys(ACTOR_FOLDERS, SHARED),
    # The protocol of one venue, without actors: two kinds of actor speak it, the far side must not.
    "poloniex": frozenset({"domain", "runtime"}),
    **dict.fromkeys(("venue", "feed", "catalog"), SHARED | {"poloniex"}),
    **dict.fromkeys(SIDE_FOLDERS, SHARED | {"secrets"}),
    # Asks a running node over its own socket, as the command line does.
    "drills": SHARED | {"secrets", "control"},
    # Reads what actors journal, and the files that a feed plays.
    "backtest": SHARED | {"feed", "strategy", "risk", "oms", "ledger"},
    # Reads journals for people who ask what happened, and why.
    "audit": SHARED | {"control", "backtest", "strategy", "risk", "oms", "ledger"},
    # Stops accounts from outside their node: the venue's protocol, without its actor.
    "direct": SHARED | {"poloniex", "venue"},
    # Files for Prometheus and Grafana, from a deployment, the table of metrics and the runbooks.
    "monitoring": frozenset({"control", "drills", "deployment"}),
    "deployment": SHARED | ACTOR_FOLDERS | SIDE_FOLDERS | {"secrets", "direct", "audit"},
    "simulation": SHARED | ACTOR_FOLDERS | {"secrets", "deployment"},
    "cli": SHARED
    | ACTOR_FOLDERS
    | SIDE_FOLDERS
    | {"secrets", "poloniex", "deployment", "simulation", "audit", "direct", "monitoring"},
    "__main__": frozenset({"cli"}),
    # What Chaos Toolkit looks for in the package: the drills' actions and probes.
    "discovery": frozenset({"drills"}),
    "": frozenset({"discovery"}),
}
# The package's own version; it holds no code.
ROOT_NAMES = frozenset({"__version__"})
# All that messages may know of the runtime: what a message is, never what carries it.
MESSAGE_BASE = "actors.runtime.messages"
# The registry lives here and loads an actor's folder when a deployment names its kind.
MAY_COMPUTE_IMPORTS = frozenset({"deployment", "cli"})

DOTTED_NAME = re.compile(r"actors(\.\w+)+(:\w+)?")


def folder_of(path: str) -> str:
    """Return the folder below actors/ that a file belongs to; "" for actors/__init__.py."""
    part = path.split("/")[1]
    return part.removesuffix(".py").replace("__init__", "")


def import_faults(path: str, source: str) -> list[Fault]:
    """Return the imports of one module under actors/ that do not go down."""
    folder = folder_of(path)
    if folder and folder not in MAY_IMPORT:
        return [Fault(path, 1, f"folder actors/{folder} has no place in the import table")]
    faults = []
    for line, target in sorted(set(_targets(ast.parse(source, path), path))):
        reason = _refusal(folder, target)
        if reason:
            faults.append(Fault(path, line, f"{reason}: {target}"))
    return faults


def _refusal(folder: str, target: str) -> str:
    top, _, rest = target.partition(".")
    if top == "<computed>":
        return "" if folder in MAY_COMPUTE_IMPORTS else "an import whose name is computed"
    if top == "tests":
        return "the package may not import its tests"
    if top != "actors":
        outside = folder in ("domain", "") and top not in sys.stdlib_module_names
        return f"{folder or 'actors/__init__'} imports the standard library only" if outside else ""
    into = rest.split(".")[0]
    if into == folder or into in ROOT_NAMES:
        return ""
    if into not in MAY_IMPORT.get(folder, frozenset()):
        return f"{folder or 'actors/__init__'} may not import {into or 'the whole package'}"
    if folder == "messages" and into == "runtime" and not (target + ".").startswith(MESSAGE_BASE + "."):
        return f"messages may import only {MESSAGE_BASE} of the runtime"
    return ""


def _targets(tree: ast.AST, path: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = imported_from(node, path)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if DOTTED_NAME.fullmatch(node.value):
                yield node.lineno, node.value.partition(":")[0]
        elif isinstance(node, ast.JoinedStr):
            first = node.values[0] if node.values else None
            if isinstance(first, ast.Constant) and str(first.value).startswith("actors."):
                yield node.lineno, "<computed>"
        elif isinstance(node, ast.Call) and _is_import_call(node):
            name = node.args[0] if node.args else None
            if not (isinstance(name, ast.Constant) and not str(name.value).startswith(".")):
                yield node.lineno, "<computed>"
            elif not DOTTED_NAME.fullmatch(str(name.value)):
                yield node.lineno, str(name.value)


def _is_import_call(node: ast.Call) -> bool:
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in ("import_module", "__import__")


def test_imports_go_down_only() -> None:
    faults = check_all(import_faults, "actors")
    assert not faults, f"\n{faults}"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("actors/oms/actor.py", "from actors.risk import actor"),
        ("actors/oms/actor.py", "from ..risk.settings import RiskSettings"),
        ("actors/oms/actor.py", "def late():\n    import actors.ledger.actor"),
        ("actors/oms/actor.py", "from actors import ledger"),
        ("actors/oms/actor.py", "import actors"),
        ("actors/oms/actor.py", "if TYPE_CHECKING:\n    from actors.deployment import Node"),
        ("actors/oms/actor.py", "load('actors.ledger.actor:Ledger')"),
        ("actors/oms/actor.py", "importlib.import_module(f'actors.{name}')"),
        ("actors/oms/actor.py", "importlib.import_module(name)"),
        ("actors/oms/actor.py", "importlib.import_module('..risk', __package__)"),
        ("actors/runtime/loop.py", "from actors.messages import orders"),
        ("actors/runtime/loop.py", "from actors.domain.money import Usdt"),
        ("actors/messages/orders.py", "from actors.runtime.loop import Loop"),
        ("actors/messages/orders.py", "from actors.runtime import loop"),
        ("actors/domain/money.py", "import numpy"),
        ("actors/domain/money.py", "importlib.import_module('numpy')"),
        ("actors/domain/money.py", "from actors.messages.orders import OrderIntent"),
        ("actors/control/api.py", "from actors.deployment.node import Node"),
        ("actors/control/api.py", "from actors.oms.actor import Oms"),
        ("actors/deployment/node.py", "from actors.cli.main import main"),
        ("actors/cli/main.py", "from tests.architecture import sources"),
        ("actors/misc/thing.py", ""),
        ("actors/exchange/server/auth.py", "from actors.poloniex.answers import Answer"),
        ("actors/poloniex/line.py", "from actors.venue.errors import VenueError"),
        ("actors/__init__.py", "from actors.cli.main import main"),
    ],
)
def test_a_forbidden_import_is_found(path: str, source: str) -> None:
    assert len(import_faults(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "actors/oms/actor.py",
            "from actors.messages.orders import OrderIntent\nimport numpy\nfrom . import ids",
        ),
        ("actors/oms/actor.py", "from ..domain.orders import Side"),
        ("actors/messages/orders.py", "from actors.runtime.messages import Message"),
        ("actors/messages/orders.py", "from actors.domain.orders import Side"),
        ("actors/domain/money.py", "from decimal import Decimal\nfrom actors.domain import orders"),
        ("actors/deployment/registry.py", "KIND = 'actors.oms.actor:Oms'\nimport_module(KIND)"),
        ("actors/cli/main.py", "from actors import __version__\nfrom actors.deployment.node import Node"),
        ("actors/oms/__init__.py", "from .actor import Oms\n'''See actors.risk for who allows it.'''"),
    ],
)
def test_an_import_that_goes_down_is_let_through(path: str, source: str) -> None:
    assert import_faults(path, source) == []
