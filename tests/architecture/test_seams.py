"""Clock, chance, environment and network are touched at their one seam, and nowhere else.

A behaviour that reads one of them itself cannot be simulated, and its run cannot be replayed.
"""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import NamedTuple

import pytest

from tests.architecture.sources import Fault, check_all, imported_from, python_files


class Seam(NamedTuple):
    """A place that may touch what is banned elsewhere."""

    path: str
    kinds: frozenset[str]
    reason: str


# The whole list. A new line needs a reason that no message, port or setting could serve instead.
SEAMS = (
    Seam("actors/runtime/clock.py", frozenset({"clock"}), "the real clock behind the loop's port"),
    Seam("actors/runtime/*", frozenset({"seeded"}), "makes the seeded stream of each cell"),
    Seam("actors/runtime/pumps/*", frozenset({"network"}), "bytes in, bytes out: the only network of a node"),
    Seam(
        "actors/runtime/heart.py",
        frozenset({"clock", "environment", "network"}),
        "the parent process: watches the node from outside",
    ),
    Seam("actors/runtime/errands.py", frozenset({"clock"}), "processes of the heart, and how long they take"),
    Seam(
        "actors/runtime/heart_handle.py",
        frozenset({"clock", "network"}),
        "the launcher's end of the heart's line",
    ),
    Seam(
        "actors/runtime/notify.py",
        frozenset({"clock", "environment", "network"}),
        "the heart's words to systemd's notify socket",
    ),
    Seam(
        "actors/exchange/server/web.py",
        frozenset({"network"}),
        "the far side's own listening socket; a node's pumps are clients only",
    ),
    Seam("actors/simulation/faults.py", frozenset({"seeded"}), "draws the faults of a run from its seed"),
    Seam(
        "actors/direct/wire.py",
        frozenset({"clock", "network"}),
        "stops accounts from outside a node, which has no loop and no pumps there",
    ),
    Seam("actors/control/*", frozenset({"network"}), "serves operators on its own socket, beside the loop"),
    Seam(
        "actors/cli/*",
        frozenset({"clock", "environment", "network", "seeded"}),
        "the edge: a terminal, a client of the control socket, benchmarks",
    ),
    Seam(
        "actors/secrets/*",
        frozenset({"environment", "network", "chance"}),
        "resolves secret references from variables and from Vault; nonces of the encrypted file",
    ),
    Seam(
        "actors/drills/wire.py",
        frozenset({"clock", "network"}),
        "a drill looks at the deployment from outside, as an operator does",
    ),
    Seam(
        "actors/drills/processes.py",
        frozenset({"environment", "network"}),
        "starts the processes of a drill's stage, and sees whether they listen",
    ),
    Seam(
        "actors/drills/receiver.py",
        frozenset({"network"}),
        "the far side's own listening socket; a node's pumps are clients only",
    ),
    Seam(
        "actors/drills/vault/web.py",
        frozenset({"network"}),
        "the far side's own listening socket; a node's pumps are clients only",
    ),
)

# Full name, or a pattern of it -> what it reads.
BANNED_NAMES = {
    re.compile(r"time\.(time|monotonic|perf_counter|clock_gettime)(_ns)?|time\.sleep"): "clock",
    re.compile(r"datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"): "clock",
    re.compile(r"random\.[a-z]\w*"): "chance",
    re.compile(r"random\.SystemRandom|uuid\.uuid[14]|os\.(urandom|getrandom)"): "chance",
    re.compile(r"(numpy|np)\.random\.(?!default_rng\b)[a-z]\w*"): "chance",
    re.compile(r"os\.(environb?|getenvb?|putenv|unsetenv)"): "environment",
}
# Fine as a type; making one is for those who own the seed.
BANNED_CALLS = {
    re.compile(r"random\.Random|numpy\.random\.([A-Z]\w*|default_rng)"): "seeded",
}
NETWORK_MODULES = (
    *("socket", "ssl", "select", "selectors", "socketserver", "asyncio"),
    *("http", "urllib.request", "ftplib", "smtplib", "xmlrpc"),
    *("aiohttp", "httpx", "requests", "urllib3", "websockets", "uvloop", "hvac"),
)
BANNED_MODULES = {"secrets": "chance", **dict.fromkeys(NETWORK_MODULES, "network")}
# http.HTTPStatus is a table of numbers.
HARMLESS = frozenset({"http.HTTPStatus"})


def seam_faults(path: str, source: str) -> list[Fault]:
    """Return where one module touches clock, chance, environment or network without being their seam."""
    allowed = {kind for seam in SEAMS if fnmatch(path, seam.path) for kind in seam.kinds}
    found = sorted(set(_touches(ast.parse(source, path), path)))
    return [Fault(path, line, f"{kind}: {name}") for line, name, kind in found if kind not in allowed]


def _touches(tree: ast.AST, path: str) -> Iterator[tuple[int, str, str]]:
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        for local, target in _imports(node, path):
            aliases[local] = target
            yield from ((node.lineno, target, kind) for kind in _kinds_of_import(target))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = _full_name(node, aliases)
            yield from ((node.lineno, name, kind) for kind in _matches(name, BANNED_NAMES))
        elif isinstance(node, ast.Call):
            name = _full_name(node.func, aliases)
            yield from ((node.lineno, name, kind) for kind in _matches(name, BANNED_CALLS))


def _imports(node: ast.AST, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            # `import a.b` binds a, yet loads a.b: both have to be judged.
            yield (alias.asname, alias.name) if alias.asname else (top, top)
            if "." in alias.name:
                yield alias.name, alias.name
    elif isinstance(node, ast.ImportFrom):
        module = imported_from(node, path)
        yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names)


def _kinds_of_import(target: str) -> Iterator[str]:
    if target not in HARMLESS:
        yield from (kind for module, kind in BANNED_MODULES.items() if f"{target}.".startswith(f"{module}."))
        yield from _matches(target, BANNED_NAMES)


def _full_name(node: ast.AST, aliases: dict[str, str]) -> str:
    """Return the dotted name behind an expression, "" when it does not start at an import."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return ""
    return ".".join([aliases[node.id], *reversed(parts)])


def _matches(name: str, table: dict[re.Pattern[str], str]) -> Iterator[str]:
    yield from (kind for pattern, kind in table.items() if pattern.fullmatch(name))


def test_clock_chance_environment_and_network_stay_at_their_seams() -> None:
    faults = check_all(seam_faults, "actors")
    assert not faults, f"\n{faults}"


def test_every_seam_says_why() -> None:
    assert all(seam.reason and seam.kinds for seam in SEAMS)
    assert sum(1 for _ in python_files("actors")) > 0


@pytest.mark.parametrize(
    "source",
    [
        "import time\nstart = time.time()",
        "import time as t\nt.monotonic_ns()",
        "def wait():\n    from time import sleep",
        "import time\nclock = time.perf_counter",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\ndt.datetime.utcnow()",
        "import random\nrandom.random()",
        "from random import choice",
        "from random import Random\nrng = Random(7)",
        "import random\nrng = random.Random(7)",
        "import numpy as np\nnp.random.default_rng(7)",
        "import numpy as np\nnp.random.normal()",
        "import uuid\nuuid.uuid4()",
        "import secrets",
        "import os\nos.urandom(8)",
        "import os\nos.environ['HOME']",
        "from os import getenv",
        "import socket",
        "from asyncio import open_connection",
        "def late():\n    import aiohttp",
        "from urllib.request import urlopen",
        "import http.client",
    ],
)
def test_a_touch_outside_its_seam_is_found(source: str) -> None:
    assert seam_faults("actors/oms/actor.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "import random\ndef pick(rng: random.Random) -> float:\n    return rng.random()",
        "import numpy as np\ndef draw(rng: np.random.Generator) -> float:\n    return rng.normal()",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
        "import os.path\nos.path.join('a', 'b')",
        "def fire(context):\n    context.random.random()\n    return context.now_ns",
        "from http import HTTPStatus",
        "from actors.secrets.resolver import Resolver",
        "from . import time",
    ],
)
def test_what_comes_in_from_outside_is_let_through(source: str) -> None:
    assert seam_faults("actors/oms/actor.py", source) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("actors/runtime/clock.py", "import time\ntime.time_ns()"),
        ("actors/runtime/loop.py", "import random\nrandom.Random(7)"),
        ("actors/runtime/pumps/http.py", "import aiohttp"),
        ("actors/cli/main.py", "import os\nos.environ"),
        ("actors/secrets/environment.py", "import os\nos.environ"),
    ],
)
def test_a_seam_may_touch_what_it_is_for(path: str, source: str) -> None:
    assert seam_faults(path, source) == []


def test_a_seam_is_open_for_its_own_kind_only() -> None:
    assert seam_faults("actors/runtime/clock.py", "import os\nos.environ")
    assert seam_faults("actors/runtime/loop.py", "import random\nrandom.random()")
