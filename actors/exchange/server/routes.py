"""Which handler serves a request: one table of methods, paths, limits and shapes of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from actors.exchange.accounts import Member
    from actors.exchange.server.core import ExchangeCore

__all__ = ["Call", "Limit", "Route", "Routes"]


class Call(NamedTuple):
    """One request on its way to its handler."""

    core: ExchangeCore
    now_ns: int
    query: str
    body: bytes
    parts: tuple[str, ...]  # what stands in the path where the route has a {name}
    account: str  # empty for public requests

    @property
    def member(self) -> Member:
        """The account's futures side."""
        return self.core.engine.members[self.account]


class Limit(NamedTuple):
    """A rate limit. Requests of one name share it; an empty name gives every path its own."""

    name: str
    per_second: int


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path."""

    method: str
    path: str
    handler: Callable[[Call], Any]
    limit: Limit
    signed: bool = False
    text: str = "Success"  # `msg` of a futures answer
    bare: bool = False  # spot answers have no envelope


class Routes:
    """Finds routes: whole paths first, then those with a {name} in them."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[str, tuple[str, ...], Route]] = []
        for route in routes:
            if "{" in route.path:
                self._patterns.append((route.method, tuple(route.path.split("/")), route))
            else:
                self._exact[route.method, route.path] = route

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        """Return the route and what stands for its names; None when there is none."""
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact, ()
        segments = tuple(path.split("/"))
        for wanted, pattern, route in self._patterns:
            if wanted != method or len(pattern) != len(segments):
                continue
            if all(p == s or (p.startswith("{") and s) for p, s in zip(pattern, segments, strict=True)):
                named = zip(pattern, segments, strict=True)
                return route, tuple(s for p, s in named if p.startswith("{"))
        return None
