"""All operations of the double, in one table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from actors.drills.vault import kv, logins, system, transit
from actors.drills.vault.kinds import Call
from actors.drills.vault.routes import Route

__all__ = ["ROUTES"]


def _route(methods: str, form: str, handler: Callable[[Call], Any], capability: str, **more: Any) -> Route:
    return Route(methods, re.compile(form), handler, capability, **more)


NAME = r"([\w.-]+)"
MOUNT = r"([\w.-]+)"
PATH = r"([\w./-]+)"

ROUTES: tuple[Route, ...] = (
    _route("GET", "sys/health", system.health, "", works_sealed=True),
    _route("GET", "sys/seal-status", system.seal_status, "", works_sealed=True),
    _route("PUT|POST", "sys/seal", system.seal, "update"),
    _route("PUT|POST", "sys/unseal", system.unseal, "", works_sealed=True),
    _route("PUT|POST", "sys/wrapping/unwrap", system.unwrap, "unwrap"),
    _route("PUT|POST", "sys/wrapping/lookup", system.look_up_wrapping, ""),
    _route("GET", f"sys/policies/acl/{NAME}", system.read_policy, "read"),
    _route("PUT|POST", f"sys/policies/acl/{NAME}", system.write_policy, "update"),
    _route("DELETE", f"sys/policies/acl/{NAME}", system.delete_policy, "delete"),
    _route("PUT|POST", f"sys/mounts/{NAME}", system.mount, "update"),
    _route("PUT|POST", f"sys/auth/{NAME}", system.enable_login, "update"),
    _route("PUT|POST", f"sys/namespaces/{NAME}", system.make_namespace, "update"),
    _route("GET", "auth/token/lookup-self", logins.look_up_self, "read"),
    _route("PUT|POST", "auth/token/renew-self", logins.renew_self, "update"),
    _route("PUT|POST", "auth/token/revoke-self", logins.revoke_self, "update"),
    _route("PUT|POST", "auth/token/create", logins.create_token, "update"),
    _route("PUT|POST", "auth/token/revoke-accessor", logins.revoke_accessor, "update"),
    _route("PUT|POST", f"auth/{MOUNT}/login", logins.approle_login, "", engine="approle"),
    _route("PUT|POST", f"auth/{MOUNT}/role/{NAME}", logins.write_approle, "update", engine="approle"),
    _route("PUT|POST", f"auth/{MOUNT}/role/{NAME}/role-id", logins.write_role_id, "update", engine="approle"),
    _route("GET", f"auth/{MOUNT}/role/{NAME}/role-id", logins.read_role_id, "read", engine="approle"),
    _route(
        "PUT|POST", f"auth/{MOUNT}/role/{NAME}/secret-id", logins.make_secret_id, "update", engine="approle"
    ),
    _route("PUT|POST", f"auth/{MOUNT}/login", logins.kubernetes_login, "", engine="kubernetes"),
    _route("PUT|POST", f"auth/{MOUNT}/role/{NAME}", logins.write_kubernetes, "update", engine="kubernetes"),
    _route("GET", f"{MOUNT}/data/{PATH}", kv.read, "read", engine="kv"),
    _route("PUT|POST", f"{MOUNT}/data/{PATH}", kv.write, "update", engine="kv"),
    _route("DELETE", f"{MOUNT}/data/{PATH}", kv.delete_newest, "delete", engine="kv"),
    _route("PUT|POST", f"{MOUNT}/delete/{PATH}", kv.delete, "update", engine="kv"),
    _route("PUT|POST", f"{MOUNT}/undelete/{PATH}", kv.undelete, "update", engine="kv"),
    _route("PUT|POST", f"{MOUNT}/destroy/{PATH}", kv.destroy, "update", engine="kv"),
    _route("GET", f"{MOUNT}/metadata/{PATH}", kv.read_metadata, "read", engine="kv"),
    _route("PUT|POST", f"{MOUNT}/metadata/{PATH}", kv.write_metadata, "update", engine="kv"),
    _route("LIST", f"{MOUNT}/metadata/?{PATH}?", kv.list_paths, "list", engine="kv"),
    _route("PUT|POST", f"{MOUNT}/keys/{NAME}", transit.create, "update", engine="transit"),
    _route("GET", f"{MOUNT}/keys/{NAME}", transit.read, "read", engine="transit"),
    _route("PUT|POST", f"{MOUNT}/keys/{NAME}/rotate", transit.rotate, "update", engine="transit"),
    _route("PUT|POST", f"{MOUNT}/sign/{NAME}", transit.sign, "update", engine="transit"),
    _route("PUT|POST", f"{MOUNT}/verify/{NAME}", transit.verify, "update", engine="transit"),
)
