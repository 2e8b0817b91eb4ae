"""KV version 2: data with versions and check-and-set, metadata, delete, undelete, destroy, list."""

from __future__ import annotations

from typing import Any

from actors.drills.vault.kinds import Call, Refused, Versions

__all__ = [
    "delete",
    "delete_newest",
    "destroy",
    "list_paths",
    "read",
    "read_metadata",
    "undelete",
    "write",
    "write_metadata",
]


def _found(call: Call) -> Versions:
    versions = call.space.secrets.get((call.parts[0], call.parts[1]))
    if versions is None:
        raise Refused(404)
    return versions


def _about(call: Call, versions: Versions, version: int) -> dict[str, Any]:
    deleted = versions.deleted_ns.get(version)
    return {
        "created_time": call.vault.time_text(versions.created_ns[version]),
        "custom_metadata": None,
        "deletion_time": call.vault.time_text(deleted) if deleted else "",
        "destroyed": versions.data[version] is None,
        "version": version,
    }


def read(call: Call) -> Any:
    """A deleted or destroyed version answers 404 with its metadata, one that never was without."""
    versions = _found(call)
    version = int(call.request.query.get("version", 0)) or versions.current
    if version not in versions.created_ns:
        raise Refused(404)
    about = _about(call, versions, version)
    data = versions.data[version]
    if data is None or version in versions.deleted_ns:
        return 404, {"data": {"data": None, "metadata": about}}
    return {"data": {"data": data, "metadata": about}}


def write(call: Call) -> Any:
    key = (call.parts[0], call.parts[1])
    versions = call.space.secrets.setdefault(key, Versions())
    data = call.request.body.get("data")
    if not isinstance(data, dict):
        raise Refused(400, "no data provided")
    cas = (call.request.body.get("options") or {}).get("cas")
    if cas is None and versions.needs_cas:
        raise Refused(400, "check-and-set parameter required for this call")
    if cas is not None and int(cas) != versions.current:
        raise Refused(400, "check-and-set parameter did not match the current version")
    version = versions.current + 1
    versions.data[version] = data
    versions.created_ns[version] = call.vault.clock.now_ns()
    return {"data": _about(call, versions, version)}


def delete_newest(call: Call) -> Any:
    versions = _found(call)
    versions.deleted_ns[versions.current] = call.vault.clock.now_ns()


def delete(call: Call) -> Any:
    versions = _found(call)
    for version in _named(call, versions):
        versions.deleted_ns[version] = call.vault.clock.now_ns()


def undelete(call: Call) -> Any:
    versions = _found(call)
    for version in _named(call, versions):
        versions.deleted_ns.pop(version, None)


def destroy(call: Call) -> Any:
    versions = _found(call)
    for version in _named(call, versions):
        versions.data[version] = None


def _named(call: Call, versions: Versions) -> list[int]:
    wanted = call.request.body.get("versions") or []
    if not wanted:
        raise Refused(400, "No version number provided")
    return [int(one) for one in wanted if int(one) in versions.created_ns]


def read_metadata(call: Call) -> Any:
    versions = _found(call)
    numbers = sorted(versions.created_ns)
    about = {str(one): _about(call, versions, one) for one in numbers}
    return {
        "data": {
            "cas_required": versions.needs_cas,
            "current_version": versions.current,
            "oldest_version": numbers[0] if numbers else 0,
            "versions": about,
        }
    }


def write_metadata(call: Call) -> Any:
    versions = call.space.secrets.setdefault((call.parts[0], call.parts[1]), Versions())
    versions.needs_cas = bool(call.request.body.get("cas_required", versions.needs_cas))


def list_paths(call: Call) -> Any:
    prefix = (call.parts[1] or "").strip("/")
    prefix = f"{prefix}/" if prefix else ""
    paths = [path for mount, path in call.space.secrets if mount == call.parts[0] and path.startswith(prefix)]
    rests = [path.removeprefix(prefix) for path in paths]
    found = sorted({rest.partition("/")[0] + ("/" if "/" in rest else "") for rest in rests})
    if not found:
        raise Refused(404)
    return {"data": {"keys": found}}
