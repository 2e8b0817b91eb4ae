"""The Unix socket of a node: where it lies, who may use it, and how long its path may be."""

from __future__ import annotations

import contextlib
import grp
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from actors.runtime.errors import RuntimeFault

__all__ = [
    "PATH_BYTES_MAX",
    "ControlUnavailable",
    "bind_socket",
    "connect_socket",
    "peer_user_id",
    "socket_address",
]

PATH_BYTES_MAX = 107  # sun_path of a Unix socket is 108 bytes, the last one zero (unix(7))
CONNECT_TIMEOUT_S = 1.0


class ControlUnavailable(RuntimeFault):
    """The control socket cannot be made or reached; the text says what to do."""


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """Yield a name under which the kernel finds a socket; valid inside the block only.

    A path that is too long is reached through an open descriptor of its folder, so that a deployment may lie
    as deep as it likes. Errors: ControlUnavailable when even that is too long, OSError without the folder.
    """
    text = os.fspath(path)
    if len(os.fsencode(text)) <= PATH_BYTES_MAX:
        yield text
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        short = f"/proc/self/fd/{folder}/{path.name}"
        if len(os.fsencode(short)) > PATH_BYTES_MAX or not os.path.isdir(f"/proc/self/fd/{folder}"):
            raise ControlUnavailable(
                f"{path}: the path of a Unix socket has at most {PATH_BYTES_MAX} bytes, this one "
                f"{len(os.fsencode(text))}; set a shorter `control: {{socket: ...}}`"
            )
        yield short
    finally:
        os.close(folder)


def bind_socket(path: Path, group: str = "") -> socket.socket:
    """Return a listening socket that only its owner, and members of `group`, can use.

    It replaces the one of a dead node. Errors: ControlUnavailable when a living process answers there, the
    folder does not allow it, or there is no such group.
    """
    try:
        group_id = grp.getgrnam(group).gr_gid if group else -1
    except KeyError:
        raise ControlUnavailable(
            f"{path}: this machine has no group {group!r}; make it, or set another `control: {{group: ...}}`"
        ) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # an existing folder keeps its mode
        _remove_stale(path)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Linux takes the file's mode from the socket, so it is never open to others, not even briefly.
            os.fchmod(made.fileno(), 0o600)
            with socket_address(path) as address:
                made.bind(address)
            if group:
                os.chown(path, -1, group_id)
            os.chmod(path, 0o660 if group else 0o600)
            made.listen(64)
        except BaseException:
            made.close()
            raise
    except OSError as error:
        raise ControlUnavailable(
            f"{path}: the control socket cannot be made: {error.strerror or error}; "
            "check the folder's owner and permissions"
        ) from error
    made.setblocking(False)
    return made


def connect_socket(path: Path, timeout_s: float = CONNECT_TIMEOUT_S) -> socket.socket:
    """Return a connection to a node's control socket. Errors: OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        with socket_address(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _remove_stale(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise ControlUnavailable(f"{path}: is in the way of the control socket; move it, or set another path")
    try:
        connect_socket(path).close()
    except OSError:
        path.unlink(missing_ok=True)
    else:
        raise ControlUnavailable(
            f"{path}: another process answers on this control socket; stop it first, or set another path"
        )


def peer_user_id(connection: Any) -> int:
    """Return the user id of the process at the other end of a Unix socket; -1 of any other socket."""
    if connection is None or connection.family != socket.AF_UNIX:
        return -1
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", found)[1])
