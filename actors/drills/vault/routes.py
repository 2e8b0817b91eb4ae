"""Which handler answers a path, and the capability it takes. Order matters: the first that fits is taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.drills.vault.kinds import Call, Namespace, Refused, Request

__all__ = ["Route", "find_route"]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `capability` "" needs no token; `engine` must be what is mounted at the first part."""

    methods: str
    form: re.Pattern[str]
    handler: Callable[[Call], Any]
    capability: str
    engine: str = ""
    works_sealed: bool = False


def find_route(request: Request, space: Namespace) -> tuple[Route, tuple[str, ...]]:
    """Return the operation a request names, with the parts of its path. Errors: Refused(404, 405)."""
    from actors.drills.vault.operations import ROUTES

    is_known = False
    for route in ROUTES:
        found = route.form.fullmatch(request.path)
        if found is None or (route.engine and not _is_mounted(route.engine, found[1], space)):
            continue
        is_known = True
        if request.method in route.methods.split("|"):
            return route, found.groups()
    if is_known:
        raise Refused(405, "unsupported operation")
    raise Refused(404, f'no handler for route "{request.path}". route entry not found.')


def _is_mounted(engine: str, mount: str, space: Namespace) -> bool:
    return space.engines.get(mount) == engine or space.logins.get(mount) == engine
