"""Why a connection failed, in words for people; aiohttp's own texts are for programmers."""

from __future__ import annotations

import os

__all__ = ["reason_of"]


def reason_of(error: BaseException) -> str:
    """Return one line: what could not be reached and why; for everything else the error's kind and text."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} cannot be resolved: no network, or no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return f"{error.host}:{error.port} offers no trusted encryption: {error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        why = os.strerror(number) if number else str(error.os_error)
        return f"{error.host}:{error.port} cannot be connected: {why}"
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return "the url is no address of a web server"  # it is not told: urls may hold secrets
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"the far side refuses the WebSocket: HTTP {error.status}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}"
