"""Secrets from Vault over its HTTP API, by hvac: log in, read KV version 2, keep the token alive.

Source: the HTTP API reference of Vault 1.15 (AppRole, Kubernetes, wrapping, KV v2). All of it blocks.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from typing import Any

from actors.runtime.clock import Clock, SystemClock
from actors.secrets.port import Secret, SecretError, Trouble
from actors.secrets.reference import SecretReference
from actors.secrets.settings import VaultSettings
from actors.secrets.vault_login import Grant, VaultLogin
from actors.secrets.vault_trouble import VaultTrouble, told

__all__ = ["VaultSource"]


class VaultSource:
    """Reads one server. It may be forked: each process makes its own connection with the same token."""

    def __init__(self, settings: VaultSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._login = VaultLogin(settings)
        self._grant: Grant | None = None
        self._lock = threading.Lock()

    def fetch(self, reference: SecretReference) -> Secret:
        """See SecretSource. A refusal is believed after a new login only: an expired token looks the same."""
        with self._lock:
            try:
                return self._fetched(reference)
            except VaultTrouble as trouble:
                raise SecretError(reference, trouble.reason, trouble.help, trouble.kind) from None

    def sign(self, text: str) -> str:
        """Return a signature of a text by `sign_anchors_with`. Errors: VaultTrouble."""
        path, found = self._transit("sign", text)
        return str(_data(found, path)["signature"])

    def is_signed(self, text: str, signature: str) -> bool:
        """Tell whether a signature of that key is of this text. Errors: VaultTrouble."""
        path, found = self._transit("verify", text, signature=signature)
        return _data(found, path)["valid"] is True

    def _transit(self, verb: str, text: str, **more: str) -> tuple[str, Any]:
        mount, _, name = self._settings.sign_anchors_with.rpartition("/")
        path = f"{mount}/{verb}/{name}"
        body = {"input": base64.b64encode(text.encode()).decode(), **more}

        def ask() -> Any:
            try:
                return self._login.client().adapter.post(f"/v1/{path}", json=body)
            except Exception as error:
                raise told(error, path, "use") from None

        with self._lock:
            return path, self._believed(ask)

    def _fetched(self, reference: SecretReference) -> Secret:
        found: Secret = self._believed(lambda: self._read(reference))
        return found

    def _believed(self, ask: Callable[[], Any]) -> Any:
        """Ask with a token that is good; ask once more with a new one when that is refused."""
        is_fresh = self._tend_token()
        try:
            return ask()
        except VaultTrouble as trouble:
            if trouble.kind != Trouble.DENIED or is_fresh:
                raise
        self._log_in()
        return ask()

    def _read(self, reference: SecretReference) -> Secret:
        kv = self._login.client().secrets.kv.v2
        try:
            answer = kv.read_secret_version(
                path=reference.path,
                mount_point=reference.mount,
                version=reference.version or None,
                raise_on_deleted_version=True,
            )
            data, version = answer["data"]["data"], int(answer["data"]["metadata"]["version"])
        except Exception as error:
            raise told(error, f"{reference.mount}/data/{reference.path}") from None
        value = data.get(reference.key)
        if not isinstance(value, str) or not value:
            has = ", ".join(sorted(data)) or "nothing"
            state = "is no text" if reference.key in data else "is not there"
            reason = (
                f"version {version} of {reference.mount}/{reference.path} has no value for it: it {state}"
            )
            raise VaultTrouble(Trouble.ABSENT, reason, f"the keys there are: {has}")
        return Secret(value, version, self._settings.cache_for)

    # -- the token ------------------------------------------------------------------------------------

    def _tend_token(self) -> bool:
        """Have a token that is good; return True when the login is new."""
        grant, now_ns = self._grant, self._clock.now_ns()
        if grant is None or now_ns >= grant.expires_ns:
            self._log_in()
            return True
        return now_ns >= grant.renew_ns and self._renew(grant)

    def _log_in(self) -> None:
        self._grant = None
        self._grant = self._login.log_in(self._clock.now_ns())

    def _renew(self, grant: Grant) -> bool:
        """Renew a token; one that cannot be, or not for as long as before, is replaced: then return True."""
        try:
            renewed = self._login.renew(self._clock.now_ns()) if grant.is_renewable else None
        except VaultTrouble:  # nobody answers: it is good still, and the next question tries again
            return False
        if renewed is None or renewed.ttl_ns < grant.ttl_ns // 2:
            self._log_in()
            return True
        self._grant = renewed
        return False

    def __repr__(self) -> str:
        return f"VaultSource({self._settings.address or 'VAULT_ADDR'})"


def _data(answer: Any, path: str) -> dict[str, Any]:
    found = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        reason = f"what answers at {path} is no transit engine"
        raise VaultTrouble(Trouble.ABSENT, reason, "enable one there, or mend vault.sign_anchors_with")
    return found
