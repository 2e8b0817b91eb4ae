"""The double itself: a request in, a status and a body out. It knows time and chance only from outside."""

from __future__ import annotations

import hashlib
from typing import Any

from actors.drills.vault.faults import Faults
from actors.drills.vault.kinds import Call, Namespace, Refused, Request, Token
from actors.drills.vault.policy import capabilities, parse_policy
from actors.drills.vault.routes import Route, find_route
from actors.runtime.clock import Clock, parse_duration

__all__ = ["Audited", "VaultDouble", "seconds"]

SECOND_NS = 1_000_000_000
WRAPPING_POLICY = 'path "sys/wrapping/unwrap" { capabilities = ["update"] }'
DEFAULT_POLICY = """
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
"""

Audited = dict[str, Any]


def seconds(text: str | int) -> int:
    """Return a duration of Vault's (`"90s"`, `"1h"`, `60`, `"60"`) in ns. Errors: Refused."""
    try:
        return int(text) * SECOND_NS
    except ValueError:
        pass
    try:
        return parse_duration(str(text))
    except ValueError:
        raise Refused(400, f"error converting input for field: {text!r} is no duration") from None


class VaultDouble:
    """State of one server. `root_token` may do everything, in every namespace, for ever."""

    def __init__(self, clock: Clock, root_token: str, seed: int = 1) -> None:
        self.clock = clock
        self.root_token = root_token
        self.is_sealed = False
        self.namespaces: dict[str, Namespace] = {"": Namespace()}
        self.audit: list[Audited] = []
        self.faults = Faults()
        self._seed = seed
        self._drawn = 0

    def id(self, prefix: str = "") -> str:
        """Return an id that nobody has yet; the next double with this seed draws the same ones."""
        self._drawn += 1
        return prefix + hashlib.sha256(f"{self._seed}/{self._drawn}".encode()).hexdigest()[:32]

    # -- one request ----------------------------------------------------------------------------------

    def handle(self, request: Request) -> tuple[int, dict[str, Any] | None]:
        """Answer one request as Vault would; the body is None for 204."""
        name = ""
        try:
            route, parts = find_route(request, self._space(request.namespace))
            name = route.handler.__name__
            status, body = self._answer(route, parts, request)
        except Refused as refused:
            status, body = refused.status, {"errors": list(refused.errors)}
        self._note(request, status, name)
        return status, body

    def _answer(
        self, route: Route, parts: tuple[str, ...], request: Request
    ) -> tuple[int, dict[str, Any] | None]:
        if self.is_sealed and not route.works_sealed:
            raise Refused(503, "Vault is sealed")
        self.faults.strike(request.path)
        space = self._space(request.namespace)
        token = None
        if route.capability:
            token = self._allowed(request, route, space)
        found = route.handler(Call(self, space, request, parts, token))
        if found is None:
            return 204, None
        if isinstance(found, tuple):
            return found
        body = {**ENVELOPE, "request_id": self.id(), **found}
        if request.wrap_ttl and (found.get("data") or found.get("auth")):
            body = {**ENVELOPE, "request_id": self.id(), "wrap_info": self._wrapped(body, request)}
        return 200, body

    def _space(self, name: str) -> Namespace:
        key = name.strip("/")
        if key not in self.namespaces:
            raise Refused(404, f'namespace not found: "{name}"')
        return self.namespaces[key]

    # -- who may ----------------------------------------------------------------------------------------

    def token_of(self, space: Namespace, id: str) -> Token:
        """Return a living token. Errors: Refused(403), as Vault says it of unknown and expired ones alike."""
        if id and id == self.root_token:
            return Token(id, "root", ("root",), 0, 0, is_renewable=False)
        token = space.tokens.get(id)
        if token is not None and token.ttl_ns and token.expires_ns <= self.clock.now_ns():
            del space.tokens[id]
            token = None
        if token is None:
            raise Refused(403, "permission denied", "invalid token")
        return token

    def _allowed(self, request: Request, route: Route, space: Namespace) -> Token:
        if not request.token:
            raise Refused(400 if route.capability == "unwrap" else 403, "missing client token")
        token = self.token_of(space, request.token)
        if token.uses_left:
            token.uses_left -= 1
            if not token.uses_left:
                del space.tokens[token.id]
        needed = "update" if route.capability == "unwrap" else route.capability
        if "root" not in token.policies and needed not in self._capabilities(space, token, request.path):
            raise Refused(403, "1 error occurred:\n\t* permission denied\n\n")
        return token

    def _capabilities(self, space: Namespace, token: Token, path: str) -> frozenset[str]:
        texts = [space.policies[name] for name in token.policies if name in space.policies]
        texts.append(WRAPPING_POLICY if token.wrapped is not None else DEFAULT_POLICY)
        return capabilities([parse_policy(text) for text in texts], path)

    def issue(
        self,
        space: Namespace,
        policies: tuple[str, ...],
        ttl_ns: int,
        max_ttl_ns: int = 0,
        **more: Any,
    ) -> Token:
        """Make a token that lives from now on."""
        now = self.clock.now_ns()
        ttl = min(ttl_ns, max_ttl_ns) if max_ttl_ns else ttl_ns
        token = Token(self.id("hvs."), self.id(), policies, now, ttl, max_ttl_ns, now + ttl, **more)
        space.tokens[token.id] = token
        return token

    def _wrapped(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        space = self._space(request.namespace)
        ttl = seconds(request.wrap_ttl)
        token = self.issue(
            space, (), ttl, is_renewable=False, uses_left=1, wrapped=body, created_from=request.path
        )
        return {
            "token": token.id,
            "accessor": token.accessor,
            "ttl": ttl // SECOND_NS,
            "creation_time": self.time_text(token.issued_ns),
            "creation_path": request.path,
        }

    def time_text(self, at_ns: int) -> str:
        """Return an instant as Vault writes it."""
        from datetime import UTC, datetime

        text = datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{at_ns % SECOND_NS:09d}Z"

    # -- what is kept of it ----------------------------------------------------------------------------

    def _note(self, request: Request, status: int, name: str) -> None:
        """Keep a line per request; tokens as digests, never values."""
        digest = hashlib.sha256(request.token.encode()).hexdigest()[:12] if request.token else ""
        self.audit.append(
            {
                "time": self.time_text(self.clock.now_ns()),
                "method": request.method,
                "path": request.path,
                "namespace": request.namespace,
                "token": digest,
                "operation": name,
                "status": status,
            }
        )


ENVELOPE: dict[str, Any] = {
    "lease_id": "",
    "renewable": False,
    "lease_duration": 0,
    "data": None,
    "wrap_info": None,
    "warnings": None,
    "auth": None,
}
