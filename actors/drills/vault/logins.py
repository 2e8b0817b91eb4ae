"""auth/: tokens, AppRole, Kubernetes."""

from __future__ import annotations

import base64
import json
from typing import Any

from actors.drills.vault.kinds import AppRole, Call, KubernetesRole, Refused, Token

__all__ = [
    "approle_login",
    "create_token",
    "kubernetes_login",
    "look_up_self",
    "make_secret_id",
    "read_role_id",
    "renew_self",
    "revoke_accessor",
    "revoke_self",
    "write_approle",
    "write_kubernetes",
    "write_role_id",
]

SECOND_NS = 1_000_000_000
TTL = "768h"


def seconds(call: Call, name: str, default: str = "0") -> int:
    """Return a duration of the body in ns. Errors: Refused."""
    from actors.drills.vault.core import seconds as parsed

    return parsed(call.request.body.get(name, default))


def _auth(token: Token) -> dict[str, Any]:
    return {
        "auth": {
            "client_token": token.id,
            "accessor": token.accessor,
            "policies": ["default", *token.policies],
            "token_policies": ["default", *token.policies],
            "lease_duration": token.ttl_ns // SECOND_NS,
            "renewable": token.is_renewable,
        }
    }


def _words(given: Any) -> tuple[str, ...]:
    words = given.split(",") if isinstance(given, str) else given or ()
    return tuple(word for word in words if word)


# -- tokens ---------------------------------------------------------------------------------------------


def look_up_self(call: Call) -> Any:
    token = _own(call)
    left = max(0, token.expires_ns - call.vault.clock.now_ns()) // SECOND_NS if token.ttl_ns else 0
    found = {
        "accessor": token.accessor,
        "creation_ttl": token.ttl_ns // SECOND_NS,
        "id": token.id,
        "num_uses": token.uses_left,
        "policies": ["default", *token.policies],
        "renewable": token.is_renewable,
        "ttl": left,
    }
    return {"data": found}


def renew_self(call: Call) -> Any:
    token = _own(call)
    if not token.is_renewable:
        raise Refused(400, "lease is not renewable")
    now = call.vault.clock.now_ns()
    wanted = seconds(call, "increment") or token.ttl_ns
    end = now + wanted
    if token.max_ttl_ns:
        end = min(end, token.issued_ns + token.max_ttl_ns)
    token.expires_ns = end
    found = _auth(token)
    found["auth"]["lease_duration"] = max(0, end - now) // SECOND_NS
    return found


def revoke_self(call: Call) -> Any:
    call.space.tokens.pop(_own(call).id, None)


def revoke_accessor(call: Call) -> Any:
    wanted = call.request.body.get("accessor")
    found = [token.id for token in call.space.tokens.values() if token.accessor == wanted]
    if not found:
        raise Refused(400, "invalid accessor")
    for id in found:
        del call.space.tokens[id]


def create_token(call: Call) -> Any:
    policies = _words(call.request.body.get("policies"))
    token = call.vault.issue(
        call.space,
        policies,
        seconds(call, "ttl", TTL),
        seconds(call, "explicit_max_ttl"),
        is_renewable=bool(call.request.body.get("renewable", True)),
        uses_left=int(call.request.body.get("num_uses", 0)),
    )
    return _auth(token)


def _own(call: Call) -> Token:
    if call.token is None:
        raise Refused(403, "permission denied")
    return call.token


# -- AppRole --------------------------------------------------------------------------------------------


def write_approle(call: Call) -> Any:
    key = (call.parts[0], call.parts[1])
    known = call.space.approles.get(key)
    body = call.request.body
    call.space.approles[key] = AppRole(
        known.role_id if known else call.vault.id(),
        _words(body.get("token_policies")),
        seconds(call, "token_ttl", TTL),
        seconds(call, "token_max_ttl"),
        int(body.get("secret_id_num_uses", 0)),
        known.secret_ids if known else {},
    )


def read_role_id(call: Call) -> Any:
    return {"data": {"role_id": _approle(call).role_id}}


def write_role_id(call: Call) -> Any:
    _approle(call).role_id = str(call.request.body.get("role_id", ""))


def make_secret_id(call: Call) -> Any:
    role = _approle(call)
    secret_id = call.vault.id()
    role.secret_ids[secret_id] = role.uses_max
    return {"data": {"secret_id": secret_id, "secret_id_accessor": call.vault.id(), "secret_id_ttl": 0}}


def _approle(call: Call) -> AppRole:
    role = call.space.approles.get((call.parts[0], call.parts[1]))
    if role is None:
        raise Refused(404, f"role {call.parts[1]!r} does not exist")
    return role


def approle_login(call: Call) -> Any:
    body = call.request.body
    mounted = [role for (mount, _), role in call.space.approles.items() if mount == call.parts[0]]
    role = next((one for one in mounted if one.role_id == body.get("role_id")), None)
    secret_id = str(body.get("secret_id", ""))
    if role is None or secret_id not in role.secret_ids:
        raise Refused(400, "invalid role or secret ID")
    if role.secret_ids[secret_id]:
        role.secret_ids[secret_id] -= 1
        if not role.secret_ids[secret_id]:
            del role.secret_ids[secret_id]
    return _auth(call.vault.issue(call.space, role.policies, role.ttl_ns, role.max_ttl_ns))


# -- Kubernetes -----------------------------------------------------------------------------------------


def write_kubernetes(call: Call) -> Any:
    body = call.request.body
    call.space.kubernetes[call.parts[0], call.parts[1]] = KubernetesRole(
        _words(body.get("bound_service_account_names")),
        _words(body.get("bound_service_account_namespaces")),
        _words(body.get("token_policies") or body.get("policies")),
        seconds(call, "token_ttl", TTL),
        seconds(call, "token_max_ttl"),
    )


def kubernetes_login(call: Call) -> Any:
    """The claims decide; the double does not ask any cluster whether the signature is right."""
    role = call.space.kubernetes.get((call.parts[0], str(call.request.body.get("role", ""))))
    if role is None:
        raise Refused(400, f"invalid role name {call.request.body.get('role')!r}")
    try:
        claims = _claims(str(call.request.body.get("jwt", "")))
        name = claims["kubernetes.io"]["serviceaccount"]["name"]
        namespace = claims["kubernetes.io"]["namespace"]
    except (ValueError, KeyError, TypeError, IndexError):
        raise Refused(403, "permission denied") from None
    if name not in role.accounts and "*" not in role.accounts:
        raise Refused(403, "service account name not authorized")
    if namespace not in role.namespaces and "*" not in role.namespaces:
        raise Refused(403, "namespace not authorized")
    return _auth(call.vault.issue(call.space, role.policies, role.ttl_ns, role.max_ttl_ns))


def _claims(jwt: str) -> Any:
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
