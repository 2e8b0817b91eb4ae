"""What the double keeps: tokens, roles, secrets with versions, keys; and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.drills.vault.core import VaultDouble

__all__ = [
    "AppRole",
    "Call",
    "KubernetesRole",
    "Namespace",
    "Refused",
    "Request",
    "Token",
    "TransitKey",
    "Versions",
]


class Refused(Exception):
    """A request that Vault would not answer as asked: the status and the `errors` of its body."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(", ".join(errors))
        self.status = status
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Request:
    """One call, without anything of HTTP's but what Vault looks at. `path` is without `/v1/`."""

    method: str  # GET, LIST, POST, PUT, DELETE
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    namespace: str = ""
    wrap_ttl: str = ""


@dataclass(slots=True)
class Token:
    """Who may do what, and until when. ttl_ns 0: for ever. `uses_left` 0: as often as one likes."""

    id: str = field(repr=False)
    accessor: str
    policies: tuple[str, ...]
    issued_ns: int
    ttl_ns: int
    max_ttl_ns: int = 0  # from issued_ns on; renewals do not reach beyond
    expires_ns: int = 0
    is_renewable: bool = True
    uses_left: int = 0
    wrapped: dict[str, Any] | None = field(default=None, repr=False)
    created_from: str = ""  # the path whose answer a wrapping token holds


@dataclass(slots=True)
class AppRole:
    """An AppRole: its id, its secret ids with the uses each has left (0: unlimited)."""

    role_id: str
    policies: tuple[str, ...]
    ttl_ns: int
    max_ttl_ns: int
    uses_max: int = 0
    secret_ids: dict[str, int] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class KubernetesRole:
    """A role for pods; the double takes the service account's name from the token's claims, unverified."""

    accounts: tuple[str, ...]
    namespaces: tuple[str, ...]
    policies: tuple[str, ...]
    ttl_ns: int
    max_ttl_ns: int


@dataclass(slots=True)
class Versions:
    """One path of a KV v2 engine. A destroyed version has no data; a deleted one can be had back."""

    data: dict[int, dict[str, Any] | None] = field(default_factory=dict, repr=False)
    created_ns: dict[int, int] = field(default_factory=dict)
    deleted_ns: dict[int, int] = field(default_factory=dict)
    needs_cas: bool = False

    @property
    def current(self) -> int:
        """The newest version; 0 when there is none."""
        return max(self.created_ns, default=0)


@dataclass(slots=True)
class TransitKey:
    """A signing key: private keys by version, ed25519."""

    versions: dict[int, Any] = field(default_factory=dict, repr=False)
    created_ns: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Namespace:
    """Everything of one namespace. Mounts are by path: kv, transit, approle, kubernetes."""

    engines: dict[str, str] = field(default_factory=lambda: {"secret": "kv", "transit": "transit"})
    logins: dict[str, str] = field(default_factory=lambda: {"approle": "approle", "kubernetes": "kubernetes"})
    policies: dict[str, str] = field(default_factory=dict)
    secrets: dict[tuple[str, str], Versions] = field(default_factory=dict)
    keys: dict[tuple[str, str], TransitKey] = field(default_factory=dict)
    approles: dict[tuple[str, str], AppRole] = field(default_factory=dict)
    kubernetes: dict[tuple[str, str], KubernetesRole] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation gets: the request, who asks, and where it is asked. `parts` are those of the path."""

    vault: VaultDouble
    space: Namespace
    request: Request
    parts: tuple[str, ...]
    token: Token | None
